//! What a worker finds out about its host before it takes any task.

use std::sync::{Mutex, PoisonError};
use std::thread;

use assize_common::language::{Language, LanguageTable};
use assize_common::message::LanguageVersion;
use assize_common::telemetry::error_chain;
use assize_sandbox::{Grade, examine_cores, preflight};

use super::error::DaemonError;
use crate::cancel::Cancel;
use crate::judge::Judge;
use crate::judging_error::JudgingError;
use crate::slot::Slot;

/// Looks at what jails need of the host, and slots of the cores they are bound to.
pub(super) fn examine_host(cores: &[usize]) -> Result<(), DaemonError> {
    let of_cores = examine_cores(cores)?;
    let mut problems = Vec::new();
    for finding in preflight().into_iter().chain(of_cores) {
        match finding.grade {
            Grade::Good => {}
            Grade::Warning => {
                tracing::warn!(
                    finding.name,
                    finding.cost,
                    finding.fix,
                    "{}",
                    finding.detail
                );
            }
            Grade::Unfit => {
                problems.push(format!(
                    "{}: {}; {}",
                    finding.name, finding.detail, finding.fix
                ));
            }
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(DaemonError::Unfit {
            problems: problems.join("\n"),
        })
    }
}

/// Tests every language, as many at a time as there are slots: each must
/// compile and run its self-test. All that fail are named together.
pub(super) fn test_languages(
    judge: &Judge,
    slots: &mut [Slot],
    languages: &LanguageTable,
    cancel: &Cancel,
) -> Result<Vec<LanguageVersion>, DaemonError> {
    let waiting = Mutex::new(languages.iter());
    let next = || {
        waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next()
    };
    let results: Vec<(&Language, Result<String, JudgingError>)> = thread::scope(|scope| {
        let testers: Vec<_> = slots
            .iter_mut()
            .map(|slot| {
                scope.spawn(|| {
                    let mut results = Vec::new();
                    while let Some(language) = next() {
                        results.push((language, judge.selftest(slot, language, cancel)));
                    }
                    results
                })
            })
            .collect();
        testers
            .into_iter()
            .flat_map(|tester| {
                tester
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    });
    let (mut versions, mut problems) = (Vec::new(), Vec::new());
    for (language, result) in results {
        match result {
            Ok(version) => {
                tracing::info!(language = language.id, version, "tested");
                versions.push(LanguageVersion {
                    id: language.id.clone(),
                    version,
                });
            }
            Err(JudgingError::LanguageUnavailable { id, reason }) => {
                problems.push(format!("{id}: {reason}"));
            }
            Err(error @ (JudgingError::Jail { .. } | JudgingError::Cancelled)) => {
                return Err(DaemonError::SelfTest(error));
            }
            Err(error) => problems.push(format!("{}: {}", language.id, error_chain(&error))),
        }
    }
    if problems.is_empty() {
        versions.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(versions)
    } else {
        problems.sort();
        Err(DaemonError::BrokenLanguages {
            problems: problems.join("; "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_that_slots_cannot_have_are_wrong_configuration() {
        for (cores, word) in [(vec![0, 0], "twice"), (vec![100_000], "100000")] {
            let error = examine_host(&cores).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{error}");
            assert!(error.to_string().contains(word), "{error}");
        }
    }
}
