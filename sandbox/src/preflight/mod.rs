//! Whether this host can give what a jail promises.
//!
//! What is required is looked at before every start of a jail, which refuses
//! an unfit host; the rest says what makes measurements less repeatable.

mod capacity;
mod cgroups;
mod host;
mod kernel;
mod priority;
mod timing;
mod topology;

use crate::protocol::Failure;
use host::Host;
use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;
use serde::Serialize;
use std::path::Path;
use topology::Topology;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable name, such as `cgroup.memory`.
    pub name: &'static str,
    /// What it means for jails here.
    pub grade: Grade,
    /// What was found.
    pub detail: String,
    /// What that costs until it is mended, and how this is known; empty unless
    /// the grade is [`Grade::Warning`].
    pub cost: String,
    /// What to do about it; empty when nothing need be done.
    pub fix: String,
}

/// What a finding means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// As it should be.
    Good,
    /// Jails work, but measurements, capacity or protection suffer.
    Warning,
    /// Jails refuse to start.
    Unfit,
}

impl Finding {
    fn good(name: &'static str, detail: impl Into<String>) -> Self {
        Self {
            name,
            grade: Grade::Good,
            detail: detail.into(),
            cost: String::new(),
            fix: String::new(),
        }
    }

    fn warning(
        name: &'static str,
        detail: impl Into<String>,
        cost: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            name,
            grade: Grade::Warning,
            detail: detail.into(),
            cost: cost.into(),
            fix: fix.into(),
        }
    }

    fn unfit(name: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            name,
            grade: Grade::Unfit,
            detail: detail.into(),
            cost: String::new(),
            fix: fix.into(),
        }
    }
}

/// Looks at everything a jail needs of the host. Changes nothing.
pub fn preflight() -> Vec<Finding> {
    let mut findings = required();
    findings.push(kernel::listener());
    let host = Host::here();
    findings.push(Topology::read(&host, &allowed_cores()).finding());
    findings.extend(timing::findings(&host));
    findings.push(priority::finding());
    findings.extend(capacity::findings(&host));
    findings
}

/// Why slots can't be bound to cores as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
    /// There is no such core, or it is not for us.
    #[error("--cores names {core}, which this process may not use; it may use {usable}")]
    Missing {
        /// The core.
        core: usize,
        /// Those that there are.
        usable: String,
    },
    /// Two slots would share it all the time.
    #[error("--cores names {core} twice: give each slot a core of its own")]
    Twice {
        /// The core.
        core: usize,
    },
}

/// Looks at the cores that slots are to be bound to, one each: a warning when
/// two of them are hardware threads of one core.
///
/// # Errors
/// When they can't be bound like that.
pub fn examine_cores(cores: &[usize]) -> Result<Option<Finding>, PinError> {
    Topology::read(&Host::here(), &allowed_cores()).pinned(cores)
}

/// Those that this process may use.
fn allowed_cores() -> Vec<usize> {
    let set = sched_getaffinity(Pid::from_raw(0)).unwrap_or_default();
    (0..CpuSet::count())
        .filter(|core| set.is_set(*core).unwrap_or(false))
        .collect()
}

/// What a jail can't do without.
fn required() -> Vec<Finding> {
    let mut findings = kernel::findings();
    findings.extend(cgroups::findings());
    findings
}

/// Refuses an unfit host, naming the first thing that is missing.
pub(crate) fn refuse() -> Result<(), Failure> {
    match required()
        .into_iter()
        .find(|finding| finding.grade == Grade::Unfit)
    {
        None => Ok(()),
        Some(finding) => Err(Failure::Unfit {
            feature: finding.name.to_owned(),
            problem: finding.detail,
            fix: finding.fix,
        }),
    }
}

/// The trimmed text of a file of this host; none where there is no such.
fn read(path: impl AsRef<Path>) -> Option<String> {
    Host::here().read(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_finding_has_its_own_name_and_a_fix_unless_good() {
        let findings = preflight();
        let names: BTreeSet<_> = findings.iter().map(|finding| finding.name).collect();
        assert_eq!(names.len(), findings.len());
        for finding in findings {
            assert!(!finding.detail.is_empty(), "{finding:?}");
            assert_eq!(
                finding.fix.is_empty(),
                finding.grade == Grade::Good,
                "{finding:?}"
            );
            assert_eq!(
                finding.cost.is_empty(),
                finding.grade != Grade::Warning,
                "{finding:?}"
            );
        }
    }
}
