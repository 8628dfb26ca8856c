//! What judging fails on: the smallest thing that explains why several submissions in a
//! row end in judging errors, so that it can be paused before all others end in one too.
//!
//! A submission counts once a second attempt of it failed, which another worker had if
//! there is one: what only one worker fails on is that worker's fault. Several
//! submissions of several teams must fail, or one team could stop a problem for all.
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
/// In so many languages of a package before it is not one of them, and of so many
/// problems in a language.
const SEVERAL: usize = 2;
/// So many attempts of a submission must fail, unless a judgement ends before.
const ATTEMPTS: u32 = 2;

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
/// what is smallest. `judged` says when something of a subject was last judged. With
/// `max_failures` a judgement ends.
pub(crate) fn culprits(
    failures: &[JudgingFailure],
    judged: &HashMap<Subject, DateTime<Utc>>,
    max_failures: u32,
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
            accuse(&subject, of_it, max_failures)
        })
        .collect();
    found.sort_by_key(|culprit| (Reverse(culprit.submissions), culprit.subject.size()));
    found
}

/// Whether the failures of a subject since something of it was judged are enough.
fn accuse<'f>(
    subject: &Subject,
    failures: impl Iterator<Item = &'f JudgingFailure>,
    max_failures: u32,
) -> Option<Culprit> {
    let mut submissions: BTreeMap<Uuid, Vec<&JudgingFailure>> = BTreeMap::new();
    for failure in failures {
        let of_submission = submissions.entry(failure.submission).or_default();
        of_submission.push(failure);
    }
    let attempts = usize::try_from(ATTEMPTS.min(max_failures)).unwrap_or(usize::MAX);
    submissions.retain(|_, failed| failed.len() >= attempts);
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
    let is_one = (subject.language.is_some() || languages.len() >= SEVERAL)
        && (subject.package.is_some() || problems.len() >= SEVERAL);
    if submissions.len() < SUBMISSIONS || teams.len() < TEAMS || !is_one {
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
