//! What the tracer saw of a run in `Mode::Ptrace`.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The tracer's record of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// How often each traced system call was made, by name.
    pub counts: BTreeMap<String, u64>,
    /// Calls that were denied or killed for, in order.
    pub refused: Vec<Refused>,
    /// Refused calls that did not fit into `refused`.
    pub refused_dropped: u64,
}

/// A system call that was not let through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Thread that made it, as numbered inside the run.
    pub thread: i32,
    /// The call's name.
    pub syscall: String,
    /// Its raw arguments.
    pub arguments: [u64; 6],
    /// What was done about it.
    pub decision: Decision,
}

/// What the tracer did about a call that it did not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// The call failed with this error number.
    Deny {
        /// A positive `errno`.
        errno: i32,
    },
    /// The run was killed.
    Kill,
}
