//! How long test cases took before, so that the longest are started first.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use assize_common::ContentHash;
use assize_common::package::Package;

use crate::grading::Test;

/// Packages that are remembered; then it begins anew.
const PACKAGES: usize = 64;

/// The longest wall time of each test case, in milliseconds, by package.
#[derive(Debug, Default)]
pub(crate) struct History(Mutex<BTreeMap<ContentHash, Vec<u64>>>);

impl History {
    /// The times of a package's test cases; those that never ran took none.
    pub(super) fn of(&self, package: &Package) -> Vec<u64> {
        let unknown = || vec![0; package.testcases.len()];
        self.lock()
            .get(&package.content_hash)
            .cloned()
            .unwrap_or_else(unknown)
    }

    /// Remembers that a test case took so long.
    pub(super) fn note(&self, package: &Package, test: Test, wall_time_ms: u64) {
        let Test::Testcase(index) = test else { return };
        let mut packages = self.lock();
        if packages.len() >= PACKAGES && !packages.contains_key(&package.content_hash) {
            packages.clear();
        }
        let times = packages
            .entry(package.content_hash)
            .or_insert_with(|| vec![0; package.testcases.len()]);
        if let Some(time) = times.get_mut(index) {
            *time = (*time).max(wall_time_ms);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ContentHash, Vec<u64>>> {
        // Every change is complete before anything can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
