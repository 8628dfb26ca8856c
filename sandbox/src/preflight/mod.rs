//! Whether this host can give what a jail promises.
//!
//! What is required is looked at before every start of a jail, which refuses
//! an unfit host; the rest says what makes measurements less repeatable.

mod capacity;
mod cgroups;
mod kernel;
mod timing;

use crate::protocol::Failure;
use serde::Serialize;
use std::path::Path;

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
            fix: String::new(),
        }
    }

    fn warning(name: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            name,
            grade: Grade::Warning,
            detail: detail.into(),
            fix: fix.into(),
        }
    }

    fn unfit(name: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            name,
            grade: Grade::Unfit,
            detail: detail.into(),
            fix: fix.into(),
        }
    }
}

/// Looks at everything a jail needs of the host. Changes nothing.
pub fn preflight() -> Vec<Finding> {
    let mut findings = required();
    findings.push(kernel::listener());
    findings.extend(timing::findings());
    findings.extend(capacity::findings());
    findings
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

/// The trimmed text of a file of /proc or /sys; none where there is no such.
fn read(path: impl AsRef<Path>) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(text.trim().to_owned())
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
        }
    }
}
