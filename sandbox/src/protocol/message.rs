//! The messages.

use crate::audit::AuditLevel;
use crate::config::Tree;
use crate::error::JailError;
use crate::facts::{Activity, Facts, Left};
use crate::limits::Limits;
use crate::spec::{FileOut, Mode, Scratch};
use crate::units::bytes;
use assize_policy::{PolicyLayer, PolicyName};
use bytesize::ByteSize;
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use std::io;
use std::path::PathBuf;

/// Worker to supervisor.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ToSupervisor {
    /// Comes first, once.
    SetUp(SetupRequest),
    /// Descriptors in this order: executable, stdin, stdout, stderr, audit (each
    /// if it is one), mounts, files.
    Run(Box<Order>),
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SetupRequest {
    pub(crate) slot: u16,
    pub(crate) core: Option<usize>,
    pub(crate) trees: Vec<Tree>,
}

/// One run as it is passed from worker to supervisor to stage. On the way the
/// supervisor turns captures into pipes, takes out what makes the [`Shape`](super::Shape), and
/// appends the descriptors of the run's control group.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) args: Vec<String>,
    pub(crate) executable: bool,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) directory: PathBuf,
    pub(crate) stdin: bool,
    pub(crate) stdout: SinkRequest,
    pub(crate) stderr: SinkRequest,
    pub(crate) mounts: Vec<PathBuf>,
    pub(crate) scratch: Vec<Scratch>,
    pub(crate) files: Vec<FileRequest>,
    pub(crate) collect: Vec<FileOut>,
    pub(crate) limits: Limits,
    pub(crate) mode: Mode,
    pub(crate) policy: PolicyName,
    pub(crate) layers: Vec<PolicyLayer>,
    pub(crate) audit: AuditLevel,
    pub(crate) observe: bool,
    pub(crate) fixed_layout: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SinkRequest {
    Null,
    Fd,
    Capture {
        #[serde(rename = "keep_bytes", with = "bytes")]
        keep: ByteSize,
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FileRequest {
    pub(crate) path: PathBuf,
    pub(crate) executable: bool,
}

/// Supervisor to worker.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Report {
    Ready,
    /// Descriptors: the collected files, in the order of their paths and
    /// sizes here.
    Done {
        facts: Box<Facts>,
        collected: Vec<(PathBuf, u64)>,
    },
    Failed(Failure),
}

/// Zygote to supervisor.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum FromZygote {
    /// It has made its root and waits for shapes, of which it makes stages.
    Ready,
    Failed(Failure),
}

/// Stage, and init on its behalf, to supervisor.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum FromStage {
    /// What hears of the calls that the filter of all its runs holds is beside; comes
    /// first, if there is one.
    Listener,
    /// The counted scratches are beside, from now on; so many bytes in them were copied in.
    Room { before: u64 },
    /// The program has been executed; the pidfd of the run's init is beside.
    Started,
    /// The program has ended and everything in the run is dead; descriptors
    /// as in [`Report::Done`].
    Ended {
        /// As `waitpid` tells it.
        status: i32,
        wall_us: u64,
        /// The image alone is larger than the memory limit.
        oversized: bool,
        collected: Vec<(PathBuf, u64)>,
        /// As `Facts::unfit`.
        unfit: Vec<PathBuf>,
        /// A call was made for which the tracer killed the run.
        forbidden: Option<String>,
        activity: Activity,
        /// Bytes in the counted scratches, with what was copied in.
        files: u64,
        left: Left,
    },
    /// The run's init was killed, and everything in the run is dead.
    Killed { files: u64, left: Left },
    /// The run could not be started as asked, and nothing of it is left; the
    /// stage has ended.
    Failed(Failure),
}

/// An error on its way to the worker.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Failure {
    Unfit {
        feature: String,
        problem: String,
        fix: String,
    },
    InvalidSpec {
        problem: String,
    },
    Exec {
        program: String,
        errno: i32,
    },
    Step {
        step: String,
        errno: i32,
    },
}

impl Failure {
    /// Whether the jail is as good as before.
    pub(crate) fn spares_jail(&self) -> bool {
        matches!(self, Self::InvalidSpec { .. } | Self::Exec { .. })
    }

    /// For `map_err`: like [`Self::step`], but where the error says that what
    /// was asked for can't be had in a jail, the request is at fault.
    pub(crate) fn asked(step: impl Display) -> impl FnOnce(io::Error) -> Self {
        use io::ErrorKind as Kind;
        move |error| match error.kind() {
            Kind::ReadOnlyFilesystem
            | Kind::StorageFull
            | Kind::AlreadyExists
            | Kind::NotFound
            | Kind::NotADirectory
            | Kind::IsADirectory
            | Kind::PermissionDenied
            | Kind::InvalidFilename => Self::InvalidSpec {
                problem: format!("can't {step}: {error}"),
            },
            _ => Self::step(step)(error),
        }
    }

    /// For `map_err`: what was attempted, with the error's number.
    pub(crate) fn step<E: Into<io::Error>>(step: impl Display) -> impl FnOnce(E) -> Self {
        move |error| {
            let error: io::Error = error.into();
            // An error without a number has its text instead.
            match error.raw_os_error() {
                Some(errno) => Self::Step {
                    step: step.to_string(),
                    errno,
                },
                None => Self::Step {
                    step: format!("{step} ({error})"),
                    errno: libc::EPROTO,
                },
            }
        }
    }
}

impl From<Failure> for JailError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unfit {
                feature,
                problem,
                fix,
            } => Self::Unfit {
                feature,
                problem,
                fix,
            },
            Failure::InvalidSpec { problem } => Self::InvalidSpec { problem },
            Failure::Exec { program, errno } => Self::Exec {
                program,
                source: io::Error::from_raw_os_error(errno),
            },
            Failure::Step { step, errno } => Self::Step {
                step,
                source: io::Error::from_raw_os_error(errno),
            },
        }
    }
}
