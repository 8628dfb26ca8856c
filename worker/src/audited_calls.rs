//! Audits in short: which calls were made, alike ones once. It is what
//! schedulers search and compare.

use std::collections::{BTreeMap, BTreeSet};

use assize_common::message::{AuditDecision, AuditedCall};
use assize_sandbox::{Audit, AuditEntry, Decision};

use crate::audits::AuditedRun;

/// Different calls of one judgement, at most: a search by path opens thousands
/// of files.
const KEPT: usize = 1000;
/// Longer paths lose their end.
const PATH_BYTES: usize = 512;

/// The calls of some runs.
#[derive(Debug, Clone, Default)]
pub struct AuditedCalls {
    /// Refused calls first, then by name and path.
    pub calls: Vec<AuditedCall>,
    /// Different calls that did not fit; one of several runs may count for each.
    pub dropped: u64,
}

/// Adds up calls run by run, so that the audits need not be there at once.
#[derive(Debug, Default)]
pub struct CallCounter {
    kinds: BTreeMap<Kind, (u64, String)>,
    dropped: u64,
}

/// What makes calls alike. Refused ones sort first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    decision: AuditDecision,
    syscall: String,
    path: Option<String>,
    rule: String,
}

impl AuditedCalls {
    /// The calls of these runs.
    pub fn of<'a>(runs: impl IntoIterator<Item = &'a AuditedRun>) -> Self {
        let mut counter = CallCounter::default();
        for run in runs {
            counter.add(run);
        }
        counter.finish()
    }
}

impl CallCounter {
    /// Adds the calls of a run.
    pub fn add(&mut self, run: &AuditedRun) {
        for (kind, times) in calls_of(&run.audit) {
            let known = self.kinds.entry(kind);
            known.or_insert_with(|| (0, run.testcase.clone())).0 += times;
        }
        // What is behind so many others now will be so in the end.
        while self.kinds.len() > KEPT {
            self.kinds.pop_last();
            self.dropped += 1;
        }
    }

    /// The calls of all of them.
    pub fn finish(self) -> AuditedCalls {
        let calls = self
            .kinds
            .into_iter()
            .map(|(kind, (times, testcase))| AuditedCall {
                syscall: kind.syscall,
                path: kind.path,
                decision: kind.decision,
                rule: kind.rule,
                times,
                testcase,
            });
        AuditedCalls {
            calls: calls.collect(),
            dropped: self.dropped,
        }
    }
}

/// Each kind of call with how often it was made. Refused calls are taken from
/// their own record and the others from the log, because both keep different
/// parts of a long run; what neither holds is known by its number alone.
fn calls_of(audit: &Audit) -> BTreeMap<Kind, u64> {
    let mut kinds = BTreeMap::new();
    let mut named: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let allowed = |entry: &AuditEntry| entry.decision == Decision::Allow;
    let log = audit.log.entries().filter(allowed);
    for entry in audit.refused.iter().cloned().chain(log) {
        let (made, refused) = named.entry(counted_as(&entry.syscall)).or_default();
        *made += 1;
        *refused += u64::from(!allowed(&entry));
        for kind in kinds_of(entry) {
            *kinds.entry(kind).or_default() += 1;
        }
    }
    for (syscall, call) in &audit.calls {
        let (made, refused) = named.get(syscall).copied().unwrap_or_default();
        let refused = call.refused.saturating_sub(refused);
        let rest = call.count.saturating_sub(made).saturating_sub(refused);
        for (times, decision) in [(refused, AuditDecision::Deny), (rest, AuditDecision::Allow)] {
            if times > 0 {
                let kind = Kind {
                    decision,
                    syscall: syscall.clone(),
                    path: None,
                    rule: String::new(),
                };
                *kinds.entry(kind).or_default() += times;
            }
        }
    }
    kinds
}

/// The name under which the summary counts a call: those of other ABIs together.
fn counted_as(syscall: &str) -> String {
    if syscall.contains(':') {
        "unknown".to_owned()
    } else {
        syscall.to_owned()
    }
}

/// One for each different path, so that a call is found by any of them.
fn kinds_of(entry: AuditEntry) -> impl Iterator<Item = Kind> {
    let decision = match entry.decision {
        Decision::Allow => AuditDecision::Allow,
        Decision::Deny { .. } => AuditDecision::Deny,
        Decision::Kill => AuditDecision::Kill,
        Decision::Observe => AuditDecision::Observe,
    };
    let paths: BTreeSet<_> = entry.paths.into_iter().map(shortened).collect();
    let paths = if paths.is_empty() {
        vec![None]
    } else {
        paths.into_iter().map(Some).collect()
    };
    paths.into_iter().map(move |path| Kind {
        decision,
        syscall: entry.syscall.clone(),
        path,
        rule: entry.rule.clone(),
    })
}

fn shortened(mut path: String) -> String {
    path.truncate(path.floor_char_boundary(PATH_BYTES));
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use assize_sandbox::{AuditLevel, AuditLog, CallSummary};
    use std::time::Duration;

    fn refused(syscall: &str, path: &str, decision: Decision) -> AuditEntry {
        AuditEntry {
            time: Duration::from_micros(5),
            thread: 2,
            syscall: syscall.to_owned(),
            arguments: [0; 6],
            paths: Vec::from([path.to_owned()]),
            decision,
            rule: "rule".to_owned(),
            result: None,
        }
    }

    fn run(testcase: &str, refused: Vec<AuditEntry>, counts: &[(&str, u64, u64)]) -> AuditedRun {
        let counts = counts.iter().map(|(name, count, refused)| {
            let call = CallSummary {
                count: *count,
                refused: *refused,
                ..CallSummary::default()
            };
            ((*name).to_owned(), call)
        });
        AuditedRun {
            testcase: testcase.to_owned(),
            pass: 1,
            audit: Audit {
                level: AuditLevel::Summary,
                observed: false,
                calls: counts.collect(),
                refused,
                refused_dropped: 0,
                log: AuditLog::default(),
            },
        }
    }

    #[test]
    fn alike_calls_are_one_and_refused_ones_come_first() {
        let deny = Decision::Deny { errno: 13 };
        let runs = [
            run(
                "1",
                vec![refused("openat", "/etc/a", deny)],
                &[("openat", 5, 1)],
            ),
            run(
                "2",
                vec![
                    refused("openat", "/etc/a", deny),
                    refused("i386:open", "/x", Decision::Kill),
                ],
                &[("openat", 4, 3), ("unknown", 1, 1)],
            ),
        ];
        let found = AuditedCalls::of(&runs);
        let calls: Vec<_> = found
            .calls
            .iter()
            .map(|call| {
                let path = call.path.as_deref().unwrap_or("-");
                (
                    call.decision.name(),
                    &*call.syscall,
                    path,
                    call.times,
                    &*call.testcase,
                )
            })
            .collect();
        assert_eq!(
            calls,
            [
                ("kill", "i386:open", "/x", 1, "2"),
                // Two of the second run's refusals are known by number alone.
                ("deny", "openat", "-", 2, "2"),
                ("deny", "openat", "/etc/a", 2, "1"),
                ("allow", "openat", "-", 5, "1"),
            ]
        );
    }

    #[test]
    fn a_call_is_found_by_each_of_its_paths() {
        let paths = |paths: &[&str]| AuditEntry {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            ..refused("rename", "", Decision::Kill)
        };
        let entries = vec![paths(&["/tmp/a", "/tmp/b"]), paths(&["/tmp/b", "/tmp/b"])];
        let found = AuditedCalls::of(&[run("1", entries, &[("rename", 2, 2)])]);
        let calls: Vec<_> = found
            .calls
            .iter()
            .map(|call| (call.path.as_deref().unwrap(), call.times))
            .collect();
        assert_eq!(calls, [("/tmp/a", 1), ("/tmp/b", 2)]);
    }

    #[test]
    fn a_search_by_path_is_cut_short_and_counted() {
        let entries = (0..1200).map(|number| {
            refused(
                "openat",
                &format!("/{number}/{}", "é".repeat(400)),
                Decision::Kill,
            )
        });
        let found = AuditedCalls::of(&[run("1", entries.collect(), &[("openat", 1200, 1200)])]);
        assert_eq!((found.calls.len(), found.dropped), (KEPT, 200));
        for call in &found.calls {
            assert!(call.path.as_deref().unwrap().len() <= PATH_BYTES);
        }
    }
}
