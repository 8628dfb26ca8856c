//! What the tracer saw of a run in `Mode::Ptrace`.

mod decode;
mod entry;
mod file;
mod names;
mod read;
mod space;
mod text;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

pub(crate) use entry::{Abi, Entry};
pub use file::AuditFileError;
pub(crate) use names::{Call, NUMBER_END};
pub(crate) use read::{charged, read};
pub(crate) use space::{Area, Space};

use crate::units::micros;

/// How much of a run is recorded.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum AuditLevel {
    /// Per system call how often and when; refused calls in full.
    #[default]
    Summary,
    /// Besides, every call that the policy has stop, with its result.
    Decisions,
    /// Besides, every other call: the policy's `allow` stops too.
    Full,
}

/// The tracer's record of one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// How much was recorded.
    pub level: AuditLevel,
    /// What the policy kills for was let through.
    pub observed: bool,
    /// Per traced system call, by name.
    pub calls: BTreeMap<String, CallSummary>,
    /// Calls that were denied or killed for, in order.
    pub refused: Vec<AuditEntry>,
    /// Refused calls that did not fit into `refused`.
    pub refused_dropped: u64,
    /// Every traced call; empty at [`AuditLevel::Summary`].
    pub log: AuditLog,
}

/// What one system call was used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallSummary {
    /// How often it was made.
    pub count: u64,
    /// How often it was refused.
    pub refused: u64,
    /// How often it failed otherwise, where results are recorded.
    pub failed: u64,
    /// The first time, since the start of the program.
    #[serde(rename = "first_us", with = "micros")]
    pub first: Duration,
    /// The last time.
    #[serde(rename = "last_us", with = "micros")]
    pub last: Duration,
}

/// One system call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Since the start of the program.
    #[serde(rename = "time_us", with = "micros")]
    pub time: Duration,
    /// Thread that made it, as numbered inside the run.
    pub thread: u32,
    /// The call's name; of another ABI with that before it.
    pub syscall: String,
    /// Its raw arguments.
    pub arguments: [u64; 6],
    /// The paths among the arguments, as the tracer read them or, where the
    /// policy has rules for paths, as it resolved them; of a call on a socket its
    /// address, as `10.0.0.7:80` or `unix /path`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// What was done about it.
    #[serde(flatten)]
    pub decision: Decision,
    /// The rule that said so.
    pub rule: String,
    /// What it returned, a negative error number if it failed; None when it
    /// did not return or results are not recorded.
    pub result: Option<i64>,
}

/// What the tracer did about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// The call was made.
    Allow,
    /// The call failed with this error number.
    Deny {
        /// A positive `errno`.
        errno: i32,
    },
    /// The run was killed.
    Kill,
    /// The call was made, because the run was only observed; otherwise the
    /// run would have been killed.
    Observe,
}

/// The entries of a log, compressed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditLog {
    compressed: Vec<u8>,
    rules: Vec<String>,
    count: u64,
    dropped: u64,
}

impl Audit {
    /// Makes it small: without a log, and with so many of the refused calls at most,
    /// the last ones. What is taken away is counted as dropped.
    pub fn shorten(&mut self, refused: usize) {
        let dropped = self.refused.len().saturating_sub(refused);
        self.refused.drain(..dropped);
        self.refused_dropped += u64::try_from(dropped).unwrap_or(u64::MAX);
        self.log = AuditLog {
            dropped: self.log.dropped + self.log.count,
            ..AuditLog::default()
        };
    }
}

impl AuditLog {
    /// Entries it holds: the last ones of the run.
    pub const fn len(&self) -> u64 {
        self.count
    }

    /// Whether it holds none.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Entries before those it holds, which did not fit.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The entries in order, decompressed one by one.
    pub fn entries(&self) -> impl Iterator<Item = AuditEntry> {
        file::Entries::new(&self.compressed, &self.rules)
    }
}

impl Serialize for AuditLog {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.entries())
    }
}
