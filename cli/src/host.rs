//! Whether this host can run jails, and which of its cores they may use.

use std::io;

use assize_worker::judging_error::JudgingError;
use assize_worker::sandbox::{Grade, JailError, become_root_of_namespace, preflight};

use crate::exit::{self, Failure};

/// Gets an ordinary user the rights to start jails, where the host allows it.
/// Must come before there are threads.
///
/// # Errors
/// A [`Failure`] of code [`exit::JUDGING_ERROR`] when the host refuses.
pub fn become_able() -> anyhow::Result<()> {
    become_root_of_namespace().map_err(|error| {
        Failure::new(exit::JUDGING_ERROR, "this host can't run jails")
            .because(error)
            .into()
    })
}

/// Looks at the host before anything is run on it.
///
/// # Errors
/// A [`Failure`] of code [`exit::JUDGING_ERROR`] that says for each finding what
/// was found and what to do.
pub fn require_fit() -> Result<(), Failure> {
    let unfit: Vec<String> = preflight()
        .into_iter()
        .filter(|finding| finding.grade == Grade::Unfit)
        .map(|finding| format!("\n  {}: {}; {}", finding.name, finding.detail, finding.fix))
        .collect();
    if unfit.is_empty() {
        return Ok(());
    }
    let message = format!(
        "this host can't run jails (`assize doctor` says more):{}",
        unfit.concat()
    );
    Err(Failure::new(exit::JUDGING_ERROR, message))
}

/// Whether no run on this host can succeed, so that trying others is useless.
#[must_use]
pub const fn is_unfit(error: &JudgingError) -> bool {
    matches!(
        error,
        JudgingError::Jail {
            source: JailError::BinaryMissing { .. }
                | JailError::Spawn { .. }
                | JailError::Unfit { .. },
            ..
        }
    )
}

/// The cores that this process may use.
///
/// # Errors
/// When the kernel does not tell.
pub fn cores() -> io::Result<Vec<usize>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let list = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    list.and_then(parse_cores)
        .ok_or_else(|| io::Error::other("/proc/self/status has no list of cores"))
}

/// Numbers and ranges, such as `0-3,8`.
fn parse_cores(list: &str) -> Option<Vec<usize>> {
    let mut cores = Vec::new();
    for part in list.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        cores.extend(first.parse::<usize>().ok()?..=last.parse().ok()?);
    }
    Some(cores)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_cores() {
        assert_eq!(parse_cores("\t0\n"), Some(vec![0]));
        assert_eq!(parse_cores("0-2,7,9-10"), Some(vec![0, 1, 2, 7, 9, 10]));
        assert_eq!(parse_cores("none"), None);
        assert!(!cores().unwrap().is_empty());
    }
}
