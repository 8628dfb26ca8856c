//! Packages written by tests.

use std::path::Path;

/// A package in a temporary directory.
pub(super) struct TestPackage(tempfile::TempDir);

impl TestPackage {
    pub(super) fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// The smallest package that reads without a warning.
    pub(super) fn minimal() -> Self {
        Self::empty()
            .with(
                "problem.yaml",
                "problem_format_version: 2025-09\nname: Test\nuuid: 2a1e8b4c-8d1f-4b5e-9c55-52a9c1f0d7aa\nlimits:\n  time_limit: 2\n",
            )
            .with("data/secret/1.in", "1\n")
            .with("data/secret/1.ans", "1\n")
            .with("submissions/accepted/a.py", "print(input())\n")
    }

    /// The smallest legacy package.
    pub(super) fn legacy() -> Self {
        Self::minimal()
            .with("problem.yaml", "name: Test\n")
            .with(".timelimit", "1.5\n")
    }

    pub(super) fn with(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let place = self.0.path().join(path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, content).unwrap();
        self
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }
}
