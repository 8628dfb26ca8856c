//! The sandbox's own errors: never the program's fault.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// A jail could not be started, or could not run what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JailError {
    /// The `assize-jail` binary is nowhere to be found.
    #[error("no assize-jail beside {beside}; install it there or name it in ASSIZE_JAIL")]
    BinaryMissing {
        /// The running program, beside which it was expected.
        beside: PathBuf,
    },
    /// The `assize-jail` binary could not be started.
    #[error("could not start {binary}")]
    Spawn {
        /// The binary.
        binary: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The host lacks something a jail needs.
    #[error("unfit host: {feature}: {problem}; {fix}")]
    Unfit {
        /// The controller or feature that is missing.
        feature: String,
        /// What is wrong with it.
        problem: String,
        /// What to do about it.
        fix: String,
    },
    /// Talking to the jail's process failed.
    #[error("could not {attempt} the jail's process")]
    Channel {
        /// What was attempted.
        attempt: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The jail's process is gone.
    #[error("the jail's process has ended")]
    Gone,
    /// The jail's process neither answers nor ends: somebody has stopped it, or the kernel
    /// holds it.
    #[error("the jail's process gave no answer for {} s: is it stopped?", waited.as_secs())]
    Silent {
        /// For how long.
        waited: Duration,
    },
    /// The run was asked for in a way that can't be done.
    #[error("impossible run: {problem}")]
    InvalidSpec {
        /// What can't be done.
        problem: String,
    },
    /// The program could not be executed.
    #[error("could not execute {program}")]
    Exec {
        /// `args[0]`.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A protection or a preparation failed, so nothing was run.
    #[error("could not {step}")]
    Step {
        /// What was attempted, and on what.
        step: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl JailError {
    /// What could not be executed and why, if that is for what the program's file is:
    /// it names an interpreter that is not there, say. Otherwise the host lacks something.
    pub fn refused_program(&self) -> Option<(&str, &io::Error)> {
        const OF_FILE: [i32; 10] = [
            libc::E2BIG,
            libc::EACCES,
            libc::EINVAL,
            libc::EISDIR,
            libc::ELIBBAD,
            libc::ELOOP,
            libc::ENAMETOOLONG,
            libc::ENOENT,
            libc::ENOEXEC,
            libc::ENOTDIR,
        ];
        match self {
            Self::Exec { program, source }
                if source
                    .raw_os_error()
                    .is_some_and(|errno| OF_FILE.contains(&errno)) =>
            {
                Some((program, source))
            }
            _ => None,
        }
    }

    /// What kind of error it is, in one word.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::BinaryMissing { .. } => "binary_missing",
            Self::Spawn { .. } => "spawn",
            Self::Unfit { .. } => "unfit",
            Self::Channel { .. } => "channel",
            Self::Gone => "gone",
            Self::Silent { .. } => "silent",
            Self::InvalidSpec { .. } => "invalid_spec",
            Self::Exec { .. } => "exec",
            Self::Step { .. } => "step",
        }
    }

    /// Whether the jail must be dropped and started anew. Otherwise only this
    /// run has failed and the jail can be used again.
    pub fn is_fatal(&self) -> bool {
        !matches!(self, Self::InvalidSpec { .. } | Self::Exec { .. })
    }
}
