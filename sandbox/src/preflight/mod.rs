//! Whether this host can give what a jail promises.

use serde::Serialize;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable name, such as `cgroup.memory`.
    pub name: &'static str,
    /// What it means for jails here.
    pub grade: Grade,
    /// What was found.
    pub detail: String,
    /// What to do about it; empty when nothing need be done.
    pub fix: String,
}

/// What a finding means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// As it should be.
    Good,
    /// Jails work, but measurements or capacity suffer.
    Warning,
    /// Jails refuse to start.
    Unfit,
}

/// Looks at everything a jail needs of the host. Changes nothing.
pub fn preflight() -> Vec<Finding> {
    Vec::new()
}
