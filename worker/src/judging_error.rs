//! Judging errors: our failures, and the jury's programs'. Never a verdict.

use std::io;
use std::path::{Path, PathBuf};

use assize_common::package::UnknownLanguage;
use assize_sandbox::JailError;

use crate::disk_cache::CacheError;
use crate::grading::GradingError;

/// Why a submission could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum JudgingError {
    /// The sandbox failed; the jail is thrown away.
    #[error("the jail failed while {activity}")]
    Jail {
        /// What was being done.
        activity: String,
        /// The cause.
        #[source]
        source: JailError,
    },
    /// The kernel refuses to execute what was made of the submission. It becomes a
    /// verdict before it leaves this crate.
    #[error("could not execute {program}")]
    NotExecutable {
        /// Its path in the jail.
        program: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A disk failed us: full, read-only or broken, or a file is gone.
    #[error("cannot {attempt} {}", path.display())]
    Disk {
        /// What was attempted.
        attempt: &'static str,
        /// On what.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A program of the jury did not do what it must.
    #[error("jury program {program}{}: {problem}", on_testcase(testcase))]
    JuryProgram {
        /// The program's path within the package.
        program: String,
        /// The test case it ran on; none while compiling.
        testcase: Option<String>,
        /// What it did, with what it printed.
        problem: String,
    },
    /// A language that judging needs does not work on this host.
    #[error("language {id} does not work here: {reason}")]
    LanguageUnavailable {
        /// The id of the table's entry.
        id: String,
        /// Why, and which packages bring it.
        reason: String,
    },
    /// A program's language can't be told.
    #[error(transparent)]
    UnknownLanguage(#[from] UnknownLanguage),
    /// The package asks for something this worker can't do.
    #[error("the package can't be judged: {problem}")]
    Package {
        /// What is wrong with it.
        problem: String,
    },
    /// The results do not combine: the package's fault, or its validator's.
    #[error("the results can't be graded")]
    Grading(#[source] GradingError),
    /// Somebody cancelled judging.
    #[error("judging was cancelled")]
    Cancelled,
}

fn on_testcase(testcase: &Option<String>) -> String {
    testcase
        .as_ref()
        .map(|name| format!(" on {name}"))
        .unwrap_or_default()
}

impl From<CacheError<Self>> for JudgingError {
    fn from(error: CacheError<Self>) -> Self {
        match error {
            CacheError::Fill(error) => error,
            CacheError::Disk {
                attempt,
                path,
                source,
            } => Self::Disk {
                attempt,
                path,
                source,
            },
        }
    }
}

impl JudgingError {
    pub(crate) fn disk(
        attempt: &'static str,
        path: impl AsRef<Path>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::Disk {
            attempt,
            path,
            source,
        }
    }

    /// The error of a run of the submission: what a compiler left is the program's own
    /// matter, a missing interpreter of the host's is not.
    pub(crate) fn of_submission(self) -> Self {
        let refused = match &self {
            Self::Jail { source, .. } => source.refused_program(),
            _ => None,
        };
        match refused {
            Some((program, source)) if Path::new(program).starts_with("/box") => {
                Self::NotExecutable {
                    program: program.to_owned(),
                    source: source
                        .raw_os_error()
                        .map_or_else(|| source.kind().into(), io::Error::from_raw_os_error),
                }
            }
            _ => self,
        }
    }

    pub(crate) fn jury(program: &str, testcase: Option<&str>, problem: impl Into<String>) -> Self {
        Self::JuryProgram {
            program: program.to_owned(),
            testcase: testcase.map(str::to_owned),
            problem: problem.into(),
        }
    }
}
