//! How a jail is set up, once for all its runs.

use crate::error::JailError;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// Configuration of one jail.
#[derive(Clone, Debug)]
pub struct JailConfig {
    /// The slot this jail belongs to; names it in logs. Two jails may share a
    /// slot: user ids and cgroups are claimed per jail, host-wide.
    pub slot: u16,
    /// Pin supervisor and program to this core.
    pub core: Option<usize>,
    /// Extra read-only trees beside the system's own.
    pub trees: Vec<Tree>,
    /// The `assize-jail` binary.
    pub jail_binary: PathBuf,
    /// How long beyond the wall time of a run to wait for the jail's word on it. A jail that is
    /// silent for longer is [`JailError::Silent`] and killed.
    pub patience: Duration,
}

/// Several times what the slowest host needs to start and to end a run.
const PATIENCE: Duration = Duration::from_secs(120);

/// A directory of the host shown read-only, nosuid and nodev in a jail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tree {
    /// On the host; may lie below directories that only root can enter.
    pub source: PathBuf,
    /// Absolute path inside the jail.
    pub target: PathBuf,
}

impl JailConfig {
    /// A jail for this slot with no extra trees, not pinned to a core.
    ///
    /// The binary is `$ASSIZE_JAIL`, or `assize-jail` beside the running
    /// program or one directory above it (where Cargo puts it for tests).
    ///
    /// # Errors
    /// [`JailError::BinaryMissing`] when there is none.
    pub fn new(slot: u16) -> Result<Self, JailError> {
        Ok(Self {
            slot,
            core: None,
            trees: Vec::new(),
            jail_binary: find_binary()?,
            patience: PATIENCE,
        })
    }
}

fn find_binary() -> Result<PathBuf, JailError> {
    if let Some(path) = std::env::var_os("ASSIZE_JAIL") {
        return Ok(path.into());
    }
    let beside = std::env::current_exe().unwrap_or_default();
    beside
        .ancestors()
        .skip(1)
        .take(2)
        .map(|directory| directory.join("assize-jail"))
        .find(|binary| binary.is_file())
        .ok_or(JailError::BinaryMissing { beside })
}
