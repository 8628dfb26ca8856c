//! What a rejudging would change: counted from one row for each submission, as
//! the database has them. Pure, so that every rule can be tried by itself.

mod standings;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use assize_common::api::{ContestEffect, MatrixCell, WorkerTimes};
use assize_common::id::SubmissionId;
use assize_common::{Score, Verdict};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// How a judgement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    /// It has a verdict.
    Verdict(Verdict),
    /// It ended in a judging error.
    JudgingError,
    /// It did not end yet.
    Open,
}

impl Outcome {
    /// As APIs and filters call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Verdict(verdict) => verdict.id(),
            Self::JudgingError => "JE",
            Self::Open => "open",
        }
    }
}

/// A judgement as reviews see it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judged {
    pub(crate) outcome: Outcome,
    pub(crate) score: Option<Score>,
    pub(crate) cpu_time_ms: Option<i64>,
}

/// Who sent what where. Texts that many submissions have in common are shared.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) submission_id: SubmissionId,
    pub(crate) contest: Option<Arc<str>>,
    pub(crate) team: Option<Arc<str>>,
    pub(crate) problem: Arc<str>,
    pub(crate) submitted_at: DateTime<Utc>,
}

/// A submission that the rejudging is about.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) sent: Sent,
    pub(crate) old: Judged,
    pub(crate) new: Judged,
    /// Who judged it now.
    pub(crate) worker: Option<Uuid>,
}

impl Member {
    /// Whether its result or score is another one. While there is no new verdict,
    /// nothing changes.
    pub(crate) fn is_changed(&self) -> bool {
        matches!(self.new.outcome, Outcome::Verdict(_))
            && (self.old.outcome != self.new.outcome || self.old.score != self.new.score)
    }

    /// What would count.
    const fn after(&self) -> &Judged {
        match self.new.outcome {
            Outcome::Verdict(_) => &self.new,
            Outcome::JudgingError | Outcome::Open => &self.old,
        }
    }
}

/// All that a review is counted from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reviewed {
    /// The rejudging's submissions.
    pub(crate) members: Vec<Member>,
    /// The other submissions of their contests, with what counts.
    pub(crate) others: Vec<(Sent, Judged)>,
}

impl Reviewed {
    /// How many results change.
    pub(crate) fn changed(&self) -> usize {
        let changed = |member: &&Member| member.is_changed();
        self.members.iter().filter(changed).count()
    }

    /// How many have which result before and after, the largest number first.
    pub(crate) fn matrix(&self) -> Vec<MatrixCell> {
        let mut cells: HashMap<(Outcome, Outcome), u64> = HashMap::new();
        for member in &self.members {
            let cell = (member.old.outcome, member.new.outcome);
            *cells.entry(cell).or_default() += 1;
        }
        let cell = |((old, new), submissions): ((Outcome, Outcome), u64)| MatrixCell {
            old_result: old.name().to_owned(),
            new_result: new.name().to_owned(),
            submissions,
        };
        let mut cells: Vec<MatrixCell> = cells.into_iter().map(cell).collect();
        cells.sort_by(|a, b| {
            let key = |cell: &MatrixCell| (cell.old_result.clone(), cell.new_result.clone());
            (b.submissions.cmp(&a.submissions)).then_with(|| key(a).cmp(&key(b)))
        });
        cells
    }

    /// What changes in contests. Penalties count from `start` on, or from the first
    /// submission of a contest.
    pub(crate) fn contests(&self, start: Option<DateTime<Utc>>) -> Vec<ContestEffect> {
        standings::effects(self, start)
    }

    /// How long the workers took, by id.
    pub(crate) fn workers(&self) -> BTreeMap<Uuid, WorkerTimes> {
        let mut workers: BTreeMap<Uuid, WorkerTimes> = BTreeMap::new();
        for member in &self.members {
            let (Some(worker), Some(old), Some(new)) = (
                member.worker,
                member.old.cpu_time_ms,
                member.new.cpu_time_ms,
            ) else {
                continue;
            };
            if member.old.outcome != member.new.outcome {
                continue;
            }
            let times = workers.entry(worker).or_insert_with(|| WorkerTimes {
                worker: worker.to_string(),
                judgements: 0,
                old_mean_ms: 0.0,
                new_mean_ms: 0.0,
            });
            times.judgements += 1;
            let number = as_float(times.judgements);
            times.old_mean_ms += (as_float(old.unsigned_abs()) - times.old_mean_ms) / number;
            times.new_mean_ms += (as_float(new.unsigned_abs()) - times.new_mean_ms) / number;
        }
        workers
    }
}

fn as_float(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

#[cfg(test)]
mod tests;
