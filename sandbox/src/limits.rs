//! What one run may use.

use crate::units::{bytes, maybe_micros, micros};
use bytesize::ByteSize;
use nix::unistd::{SysconfVar, sysconf};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Limits of one run; each has its own cause when it ends the program.
///
/// There is no default: whoever runs a program decides every limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// User plus system time of all processes of the run together.
    #[serde(rename = "cpu_time_us", with = "micros")]
    pub cpu_time: Duration,
    /// Time on the clock, counted from the start of the program.
    #[serde(rename = "wall_time_us", with = "micros")]
    pub wall_time: Duration,
    /// End a run that does nothing for this long: in each quarter of it the run
    /// has used less than a hundredth of one core. Looked at once a quarter, so
    /// the end comes up to a quarter later. None for no such limit. It must be
    /// longer than the program may rightly wait for its input, or for a core.
    #[serde(rename = "idle_time_us", with = "maybe_micros")]
    pub idle_time: Option<Duration>,
    /// Memory of all processes together, with the files they write into
    /// scratches and the kernel memory they cause. Swap is never given.
    #[serde(rename = "memory_bytes", with = "bytes")]
    pub memory: ByteSize,
    /// Bytes written to captured standard output and standard error, and in files of
    /// scratches that are [`counted`](crate::Scratch::counted), all together. A file
    /// counts as the pages it takes; one that is removed counts no more.
    #[serde(rename = "output_bytes", with = "bytes")]
    pub output: ByteSize,
    /// Stack of the main thread (`RLIMIT_STACK`).
    #[serde(rename = "stack_bytes", with = "bytes")]
    pub stack: ByteSize,
    /// Processes and threads alive at the same time. Trying to have more ends
    /// the run.
    pub processes: u32,
    /// Open descriptors of one process (`RLIMIT_NOFILE`).
    pub open_files: u32,
    /// Size of one written file (`RLIMIT_FSIZE`).
    #[serde(rename = "file_size_bytes", with = "bytes")]
    pub file_size: ByteSize,
}

#[cfg(test)]
impl Limits {
    /// For tests that look at one or two of them.
    pub(crate) fn of_tests() -> Self {
        Self {
            cpu_time: Duration::from_secs(1),
            wall_time: Duration::from_secs(1),
            idle_time: None,
            memory: ByteSize::mib(64),
            output: ByteSize::mib(1),
            stack: ByteSize::mib(64),
            processes: 16,
            open_files: 64,
            file_size: ByteSize::mib(1),
        }
    }
}

impl Limits {
    /// What files of a size that is allowed can take: the output limit in whole pages.
    pub(crate) fn file_room(&self) -> u64 {
        let output = self.output.as_u64();
        output
            .checked_next_multiple_of(Self::page())
            .unwrap_or(u64::MAX)
    }

    /// Bytes of a page, in which files of a tmpfs are counted.
    pub(crate) fn page() -> u64 {
        let size = sysconf(SysconfVar::PAGE_SIZE).ok().flatten();
        size.and_then(|size| u64::try_from(size).ok())
            .unwrap_or(4096)
    }
}
