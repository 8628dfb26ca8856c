//! One task from its beginning to what is reported of it.

use std::borrow::Cow;
use std::time::Instant;

use assize_common::Score;
use assize_common::language::{Language, LanguageTableError, NO_LANGUAGE};
use assize_common::message::{Judged as Reported, Task};
use assize_common::package::Package;
use assize_common::scrutiny::ScrutinyError;

use reqwest::StatusCode;

use super::audits::AuditError;
use super::fetch::FetchError;
use super::library::{Library, LibraryError, StoredJudgement};
use crate::cancel::Cancel;
use crate::judge::{Judge, Progress, Request};
use crate::judging_error::JudgingError;
use crate::look::Look;
use crate::runs::Helpers;
use crate::slot::Slot;

/// How far a judgement is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct TestcasesDone {
    pub(super) done: u32,
    pub(super) total: u32,
}

/// Why a task came to no verdict.
#[derive(Debug, thiserror::Error)]
pub(super) enum AssignmentError {
    /// What it names can't be had.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// Our language table lacks its language.
    #[error("this worker can't judge the submission's language")]
    Language(#[source] LanguageTableError),
    /// What its flag asks for can't be done.
    #[error("this worker can't do what the submission's flag asks for")]
    Scrutiny(#[source] ScrutinyError),
    /// Judging failed.
    #[error(transparent)]
    Judging(#[from] JudgingError),
    /// What the tracer saw can't be stored.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A defect of ours.
    #[error("judging panicked, which is a defect of assize-worker; its log says where")]
    Panic,
}

impl AssignmentError {
    /// Whether the task was given up because nobody wants it any more, or the worker stops.
    pub(super) const fn is_interruption(&self) -> bool {
        matches!(
            self,
            Self::Judging(JudgingError::Cancelled)
                | Self::Library(LibraryError::Fetch {
                    source: FetchError::Cancelled,
                    ..
                })
                | Self::Audit(AuditError::Store {
                    source: FetchError::Cancelled,
                    ..
                })
        )
    }

    /// Whether this worker can't reach the scheduler, which is no fault of the task.
    pub(super) const fn is_absence_of_scheduler(&self) -> bool {
        matches!(
            self,
            Self::Library(LibraryError::Fetch {
                source: FetchError::Away { .. },
                ..
            }) | Self::Audit(AuditError::Store {
                source: FetchError::Away { .. },
                ..
            })
        )
    }

    /// The scheduler's answer, if it refuses our token.
    pub(super) const fn refusal(&self) -> Option<StatusCode> {
        match self {
            Self::Library(LibraryError::Fetch {
                source: FetchError::Refused { status },
                ..
            })
            | Self::Audit(AuditError::Store {
                source: FetchError::Refused { status },
                ..
            }) => Some(*status),
            _ => None,
        }
    }

    /// Whether this host is the likely cause, so that the next task would fail alike.
    /// A run that a sound jail refuses is not: the next one is another.
    pub(super) fn is_fault_of_host(&self) -> bool {
        match self {
            Self::Judging(JudgingError::Jail { source, .. }) => source.is_fatal(),
            Self::Judging(JudgingError::Disk { .. } | JudgingError::LanguageUnavailable { .. })
            | Self::Library(
                LibraryError::Disk { .. }
                | LibraryError::Fetch {
                    source: FetchError::Disk { .. },
                    ..
                },
            )
            | Self::Audit(AuditError::Read { .. }) => true,
            _ => self.is_absence_of_scheduler(),
        }
    }
}

/// The language to judge a task in; none for outputs.
pub(super) fn language<'a>(
    judge: &'a Judge,
    task: &Task,
) -> Result<Option<&'a Language>, AssignmentError> {
    match task.language.as_str() {
        NO_LANGUAGE => Ok(None),
        id => {
            let known = judge.languages().get(id);
            known.map(Some).map_err(AssignmentError::Language)
        }
    }
}

/// Fetches what a task names and judges it. Blocks. `progress` is called between two test cases: with how many
/// are done, where that stays so.
pub(super) fn judge(
    judge: &Judge,
    library: &Library,
    slot: &mut Slot,
    helpers: Option<Helpers<'_>>,
    task: &Task,
    cancel: &Cancel,
    progress: &mut dyn FnMut(Option<TestcasesDone>),
) -> Result<Reported, AssignmentError> {
    let mut watch = Stopwatch::start();
    let language = language(judge, task)?;
    let stored = library.package(task.package, cancel)?;
    let name = format!("submission {}", task.submission_id);
    let source = library.program(name, &task.files, task.entry_point.as_deref(), cancel)?;
    watch.lap("fetch");
    let package = if task.limits.is_none() {
        Cow::Borrowed(&stored.package)
    } else {
        let limits = task.limits.over(&stored.package.limits);
        Cow::Owned(Package {
            limits,
            ..stored.package.clone()
        })
    };
    let look = Look::try_from(&task.scrutiny).map_err(AssignmentError::Scrutiny)?;
    let earlier = match task.earlier {
        Some(judgement) => library.earlier(judgement, cancel),
        None => StoredJudgement::default(),
    };
    let request = Request {
        package: &package,
        earlier: Some(&earlier.earlier),
        program: &source.program,
        language,
        sandbox: task.sandbox.mode,
        look: &look,
        stop: task.stop.unwrap_or_else(|| package.stop()),
    };
    let mut note = |step: Progress<'_>| match step {
        Progress::Compiling => {}
        Progress::Compiled(_) => watch.lap("compile"),
        Progress::Validated => progress(None),
        Progress::Ran { done, total, .. } => {
            let number = |count| u32::try_from(count).unwrap_or(u32::MAX);
            progress(Some(TestcasesDone {
                done: number(done),
                total: number(total),
            }));
        }
    };
    let judged = judge.judge_on(slot, helpers, request, &mut note, cancel)?;
    watch.lap("run");
    let audit = library.store_audits(&judged.audits, cancel)?;
    watch.lap("audit");
    let outputs = library.store_outputs(&judged.outputs, &earlier, &judged.runs, cancel);
    watch.lap("outputs");
    Ok(Reported::Verdict {
        verdict: judged.verdict,
        compile: judged.compile,
        runs: judged.runs,
        score: judged.score.as_ref().map(Score::rounded),
        groups: judged.groups,
        audit: audit.map(Box::new),
        provenance: Some(Box::new(judged.provenance)),
        outputs,
    })
}

/// Measures the phases of judging.
struct Stopwatch(Instant);

impl Stopwatch {
    fn start() -> Self {
        Self(Instant::now())
    }

    fn lap(&mut self, phase: &'static str) {
        let seconds = self.0.elapsed().as_secs_f64();
        metrics::histogram!("assize_judging_seconds", "phase" => phase).record(seconds);
        self.0 = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assize_sandbox::JailError;

    #[test]
    fn a_run_that_is_refused_is_no_fault_of_the_host() {
        let is_fault = |source| {
            AssignmentError::from(JudgingError::Jail {
                activity: "running".to_owned(),
                source,
            })
            .is_fault_of_host()
        };
        assert!(is_fault(JailError::Gone));
        let source = std::io::ErrorKind::NotFound.into();
        assert!(!is_fault(JailError::Exec {
            program: "/box/program".to_owned(),
            source,
        }));
        assert!(!is_fault(JailError::InvalidSpec {
            problem: "too many files".to_owned(),
        }));
    }
}
