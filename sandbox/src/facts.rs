//! What happened: measured facts, never a verdict.

use crate::audit::Audit;
use crate::units::{bytes, micros};
use bytesize::ByteSize;
use serde::{Deserialize, Serialize};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

/// The facts of one run.
#[derive(Debug, Serialize, Deserialize)]
pub struct Facts {
    /// How the main program ended.
    pub outcome: Outcome,
    /// User plus system time of all processes of the run.
    #[serde(rename = "cpu_time_us", with = "micros")]
    pub cpu_time: Duration,
    /// The user part of `cpu_time`; the split is coarser than the sum.
    #[serde(rename = "user_time_us", with = "micros")]
    pub user_time: Duration,
    /// The system part of `cpu_time`.
    #[serde(rename = "system_time_us", with = "micros")]
    pub system_time: Duration,
    /// CPU time that the program was charged for tracing. It is estimated from
    /// the number of stops, and not part of `cpu_time`.
    #[serde(rename = "tracing_time_us", with = "micros")]
    pub tracing_time: Duration,
    /// From the start of the program to its end.
    #[serde(rename = "wall_time_us", with = "micros")]
    pub wall_time: Duration,
    /// From the request to the start of the program.
    #[serde(rename = "setup_time_us", with = "micros")]
    pub setup_time: Duration,
    /// Highest memory of all processes together, as limited. Linux before 5.19 does
    /// not tell it on version 2 groups: then it is what was seen by looking every
    /// 50 ms, or `Activity::resident_peak` if that is more.
    #[serde(rename = "memory_peak_bytes", with = "bytes")]
    pub memory_peak: ByteSize,
    /// Bytes written to captured standard output and standard error.
    #[serde(rename = "output_bytes", with = "bytes")]
    pub output: ByteSize,
    /// Bytes in files of counted scratches at the end, in whole pages and without
    /// what was copied in.
    #[serde(rename = "files_bytes", with = "bytes")]
    pub files: ByteSize,
    /// Most processes and threads at the same time, where the kernel tells.
    pub processes_peak: Option<u32>,
    /// What the kernel counted of the run's processes. None when the sandbox
    /// killed the run: its first process goes with the others then, and what
    /// nobody reaps the kernel does not add up.
    #[serde(default)]
    pub activity: Option<Activity>,
    /// How long the run stood still for want of something. None where the
    /// kernel does not tell: version 1 of control groups, or no pressure
    /// information.
    #[serde(default)]
    pub stalls: Option<Stalls>,
    /// Whether the jail has proven that nothing of the run is left, and what it
    /// did about that otherwise.
    #[serde(default)]
    pub left: Left,
    /// The files asked for by `Spec::collect` that were there, regular and
    /// small enough. None after a kill.
    #[serde(skip)]
    pub collected: Vec<Collected>,
    /// The paths of `Spec::collect` at which something was that can't be taken: it is no regular
    /// file, is reached by a link or is too large.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unfit: Vec<PathBuf>,
    /// What the tracer saw; only in `Mode::Ptrace`.
    #[serde(skip_deserializing)]
    pub audit: Option<Audit>,
}

/// What the kernel counted of all processes of a run that were reaped, by the
/// run's first process or by a parent that was reaped itself: that is every one,
/// unless its parent left it to the kernel (by ignoring SIGCHLD). It includes
/// the few steps of ours between the fork of the program and its exec.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// Times that a thread gave its core away, to wait for something.
    pub voluntary_switches: u64,
    /// Times that a thread was taken off its core.
    pub involuntary_switches: u64,
    /// Page faults without a disk.
    pub minor_faults: u64,
    /// Page faults that waited for a disk.
    pub major_faults: u64,
    /// Most memory that one process had in sight, shared files included, but not
    /// less than the sandbox has before exec.
    #[serde(rename = "resident_peak_bytes", with = "bytes")]
    pub resident_peak: ByteSize,
    /// Read from disks; what was cached already is not.
    #[serde(rename = "disk_read_bytes", with = "bytes")]
    pub disk_read: ByteSize,
    /// Written to files on disks, of which a program has only those that it is
    /// given as descriptors.
    #[serde(rename = "disk_written_bytes", with = "bytes")]
    pub disk_written: ByteSize,
}

/// Time in which at least one thread of a run could not go on, as the control
/// group's pressure files have it (`some`, total).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stalls {
    /// For want of a core.
    #[serde(rename = "cpu_us", with = "micros")]
    pub cpu: Duration,
    /// For want of memory: to free some, or to read again what was freed.
    #[serde(rename = "memory_us", with = "micros")]
    pub memory: Duration,
    /// For want of disks.
    #[serde(rename = "io_us", with = "micros")]
    pub io: Duration,
}

/// What the jail found after a run, when everything in it was dead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Left {
    /// Nothing, which is proven: the next run may have the same file systems.
    Nothing,
    /// Something in a scratch: that was emptied, and the next run gets a new one.
    Files,
    /// More in a scratch than is worth to be removed, or what can't be: all file
    /// systems of the run were thrown away.
    TooMuch,
    /// Nobody knows, because the sandbox killed the run within a step of its own,
    /// or only observed it, or because its policy allows what is not looked at (System V
    /// and POSIX ipc): all file systems of the run were thrown away.
    #[default]
    Unknown,
    /// It was not looked for: the file systems had served for so many runs that
    /// they were thrown away.
    WornOut,
}

impl Left {
    /// In one word, as it is serialised.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Files => "files",
            Self::TooMuch => "too_much",
            Self::Unknown => "unknown",
            Self::WornOut => "worn_out",
        }
    }

    /// Whether the stage goes on.
    pub(crate) fn spares_stage(self) -> bool {
        matches!(self, Self::Nothing | Self::Files)
    }
}

/// How the main program ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It ended by itself with this code.
    Exited {
        /// 0 to 255.
        code: i32,
    },
    /// A signal ended it that was not the sandbox's doing.
    Signalled {
        /// The signal's number.
        signal: i32,
    },
    /// The sandbox ended it.
    Killed {
        /// Recorded by what killed it, not guessed from a signal.
        cause: KillCause,
    },
}

/// Why the sandbox ended a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kill_cause", rename_all = "snake_case")]
pub enum KillCause {
    /// `Limits::cpu_time` was used up.
    CpuTime,
    /// `Limits::wall_time` was over.
    WallTime,
    /// The run did nothing for `Limits::idle_time`.
    Idle,
    /// The kernel killed a process of the run for `Limits::memory`, or the
    /// program can't even be loaded within it.
    Memory,
    /// More than `Limits::output` was written to streams and files, or a file larger than
    /// `Limits::file_size`.
    Output,
    /// More than `Limits::processes` were started.
    Processes,
    /// A system call was made that the policy forbids.
    Policy {
        /// Its name, with `i386:` or `x32:` before that of another table. None when
        /// whoever made it was gone too soon, and in `Mode::Unshare` where the
        /// filter can't have a listener, which preflight tells.
        syscall: Option<String>,
    },
    /// Somebody called `Canceller::cancel`.
    Cancelled,
}

/// A file taken out of a scratch.
#[derive(Debug)]
pub struct Collected {
    /// As in `FileOut::path`.
    pub path: PathBuf,
    /// The file, readable from its start. It lives in memory until closed.
    pub content: OwnedFd,
    /// Its size.
    pub size: ByteSize,
}
