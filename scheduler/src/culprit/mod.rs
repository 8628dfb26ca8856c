//! What judging fails on: the smallest thing that explains why several submissions in a
//! row end in judging errors, so that it can be paused before all others end in one too.
//!
//! A submission counts once a second attempt of it failed, which another worker had if
//! there is one, or its judgement ended in an error. Several workers must fail if there are
//! so many: what only one fails on is that worker's fault. Several submissions of several
//! teams must fail, or one team could stop a problem for all.
//! And nothing of the same may have been judged since, or it is not what they fail on.

pub(crate) mod worker;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// So many submissions must fail.
const SUBMISSIONS: usize = 3;
/// Of so many teams.
const TEAMS: usize = 2;
/// In so many languages of a package before it is not one of them.
const LANGUAGES: usize = 2;
/// Of so many problems in a language, which stops most: two may have broken packages.
const PROBLEMS: usize = 3;
/// At so many workers, unless there are fewer.
const WORKERS: usize = 2;
/// So many attempts of a submission must fail, unless its judgement ends before.
const ATTEMPTS: usize = 2;

/// An attempt that ended in a judging error.
#[derive(Debug, Clone)]
pub(crate) struct JudgingFailure {
    pub(crate) problem: Uuid,
    /// The version of the problem's package.
    pub(crate) package: Uuid,
    pub(crate) language: String,
    pub(crate) submission: Uuid,
    /// Its contest and team. A submission without a team counts as that of another one.
    pub(crate) team: Option<(String, String)>,
    /// The name of the worker, if that is known.
    pub(crate) worker: Option<String>,
    /// Whether the judgement has ended in an error.
    pub(crate) is_last: bool,
    pub(crate) at: DateTime<Utc>,
    pub(crate) reason: String,
}

/// What can be paused: a package, a language, or one in the other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Subject {
    pub(crate) package: Option<Uuid>,
    pub(crate) language: Option<String>,
}

/// What judging fails on, and why one thinks so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Culprit {
    pub(crate) subject: Subject,
    pub(crate) reason: String,
    /// How many failures of submissions it explains.
    submissions: usize,
}

impl Subject {
    fn covers(&self, failure: &JudgingFailure) -> bool {
        self.package
            .is_none_or(|package| package == failure.package)
            && (self.language.as_ref()).is_none_or(|language| *language == failure.language)
    }

    /// How much it stops.
    const fn size(&self) -> u8 {
        match (self.package.is_some(), self.language.is_some()) {
            (true, true) => 0,
            (true, false) => 1,
            (false, _) => 2,
        }
    }
}

/// What `failures` may be the fault of, what explains most of them first, and of that
/// what is smallest. `judged` says when something of a subject was last judged, and
/// `workers` how many there are that take tasks.
pub(crate) fn culprits(
    failures: &[JudgingFailure],
    judged: &HashMap<Subject, DateTime<Utc>>,
    workers: usize,
) -> Vec<Culprit> {
    let subjects: BTreeSet<Subject> = failures
        .iter()
        .flat_map(|failure| {
            let (package, language) = (failure.package, &failure.language);
            [
                (Some(package), Some(language)),
                (Some(package), None),
                (None, Some(language)),
            ]
        })
        .map(|(package, language)| Subject {
            package,
            language: language.cloned(),
        })
        .collect();
    let mut found: Vec<Culprit> = subjects
        .into_iter()
        .filter_map(|subject| {
            let since = judged.get(&subject).copied();
            let of_it = failures.iter().filter(|failure| {
                subject.covers(failure) && since.is_none_or(|since| failure.at > since)
            });
            accuse(&subject, of_it, workers)
        })
        .collect();
    found.sort_by_key(|culprit| (Reverse(culprit.submissions), culprit.subject.size()));
    found
}

/// Whether the failures of a subject since something of it was judged are enough.
fn accuse<'f>(
    subject: &Subject,
    failures: impl Iterator<Item = &'f JudgingFailure>,
    workers: usize,
) -> Option<Culprit> {
    let mut submissions: BTreeMap<Uuid, Vec<&JudgingFailure>> = BTreeMap::new();
    for failure in failures {
        let of_submission = submissions.entry(failure.submission).or_default();
        of_submission.push(failure);
    }
    submissions.retain(|_, failed| {
        failed.len() >= ATTEMPTS || failed.iter().any(|failure| failure.is_last)
    });
    let failed = || submissions.values().flatten();

    let languages: BTreeSet<_> = failed().map(|failure| &failure.language).collect();
    let problems: BTreeSet<_> = failed().map(|failure| failure.problem).collect();
    let teams: BTreeSet<_> = failed()
        .map(|failure| {
            (
                &failure.team,
                failure.team.is_none().then_some(failure.submission),
            )
        })
        .collect();
    let failing: BTreeSet<_> = failed().map(|failure| &failure.worker).collect();
    let is_one = (subject.language.is_some() || languages.len() >= LANGUAGES)
        && (subject.package.is_some() || problems.len() >= PROBLEMS);
    let is_proven = submissions.len() >= SUBMISSIONS
        && teams.len() >= TEAMS
        && failing.len() >= WORKERS.min(workers);
    if !is_one || !is_proven {
        return None;
    }
    let last = failed().max_by_key(|failure| failure.at)?;
    Some(Culprit {
        subject: subject.clone(),
        reason: format!(
            "{} submissions failed and none was judged; the last one because: {}",
            submissions.len(),
            last.reason
        ),
        submissions: submissions.len(),
    })
}

#[cfg(test)]
mod tests;
