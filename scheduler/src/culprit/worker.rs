//! Workers that fail on what others judge.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use assize_common::id::WorkerId;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::SUBMISSIONS;

/// To so many problems; one may be broken in a way that only others bear.
const PROBLEMS: usize = 2;

/// An attempt that ended in a judging error at one worker, of a judgement to which
/// another one gave its verdict.
#[derive(Debug, Clone)]
pub(crate) struct JudgedElsewhere {
    pub(crate) worker: WorkerId,
    pub(crate) problem: Uuid,
    pub(crate) submission: Uuid,
    pub(crate) at: DateTime<Utc>,
    pub(crate) reason: String,
}

/// A worker that fails, and why one thinks so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FailingWorker {
    pub(crate) worker: WorkerId,
    pub(crate) reason: String,
}

/// Workers that failed on several submissions to several problems which others judged,
/// and gave no verdict since. `judged` says when they last gave one.
pub(crate) fn failing_workers(
    failures: &[JudgedElsewhere],
    judged: &HashMap<WorkerId, DateTime<Utc>>,
) -> Vec<FailingWorker> {
    let mut by_worker: BTreeMap<WorkerId, Vec<&JudgedElsewhere>> = BTreeMap::new();
    for failure in failures {
        let last = judged.get(&failure.worker);
        if last.is_none_or(|last| failure.at > *last) {
            by_worker.entry(failure.worker).or_default().push(failure);
        }
    }
    by_worker
        .into_iter()
        .filter_map(|(worker, failed)| {
            let submissions: BTreeSet<Uuid> = failed.iter().map(|one| one.submission).collect();
            let problems: BTreeSet<Uuid> = failed.iter().map(|one| one.problem).collect();
            let last = failed.iter().max_by_key(|one| one.at)?;
            let fails = submissions.len() >= SUBMISSIONS && problems.len() >= PROBLEMS;
            fails.then(|| FailingWorker {
                worker,
                reason: format!(
                    "it failed on {} submissions in a row, which other workers judged; the last one because: {}",
                    submissions.len(),
                    last.reason
                ),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Submissions of these problems failed, one each second from the first on.
    fn fails(problems: &[u128], judged_at: Option<u64>) -> Option<String> {
        let worker = WorkerId::generate();
        let second = |second| DateTime::UNIX_EPOCH + Duration::from_secs(second);
        let failures: Vec<JudgedElsewhere> = (1_u64..)
            .zip(problems)
            .map(|(number, problem)| JudgedElsewhere {
                worker,
                problem: Uuid::from_u128(*problem),
                submission: Uuid::from_u128(number.into()),
                at: second(number),
                reason: format!("failed at {number}"),
            })
            .collect();
        let judged = judged_at.map(|at| (worker, second(at)));
        let found = failing_workers(&failures, &judged.into_iter().collect());
        found.into_iter().next().map(|found| found.reason)
    }

    #[test]
    fn several_submissions_to_several_problems_in_a_row_are_enough() {
        let reason = "it failed on 3 submissions in a row, which other workers judged; the last one because: failed at 3";
        assert_eq!(fails(&[1, 1, 2], None).as_deref(), Some(reason));
        assert_eq!(fails(&[1, 1, 2], Some(0)).as_deref(), Some(reason));
        assert_eq!(fails(&[1, 2], None), None, "too few");
        assert_eq!(fails(&[1, 1, 1, 1], None), None, "one problem");
        assert_eq!(fails(&[1, 2, 1, 2], Some(2)), None, "not in a row");
        assert_eq!(
            fails(&[2, 1, 1, 1], Some(1)),
            None,
            "the other problem before"
        );
    }

    #[test]
    fn one_submission_is_one_however_often_it_fails() {
        let failure = JudgedElsewhere {
            worker: WorkerId::generate(),
            problem: Uuid::from_u128(1),
            submission: Uuid::from_u128(1),
            at: DateTime::UNIX_EPOCH,
            reason: String::new(),
        };
        let other = JudgedElsewhere {
            problem: Uuid::from_u128(2),
            submission: Uuid::from_u128(2),
            ..failure.clone()
        };
        let failures = [failure.clone(), failure, other.clone(), other];
        assert_eq!(failing_workers(&failures, &HashMap::new()), []);
    }
}
