//! The files of /proc and /sys, or others in their place for tests.

use std::path::{Path, PathBuf};

/// Where /proc and /sys are.
#[derive(Debug)]
pub(super) struct Host {
    root: PathBuf,
}

impl Host {
    pub(super) fn here() -> Self {
        Self { root: "/".into() }
    }

    /// The trimmed text of a file such as `proc/swaps`; none where there is no such.
    pub(super) fn read(&self, path: impl AsRef<Path>) -> Option<String> {
        let text = std::fs::read_to_string(self.root.join(path)).ok()?;
        Some(text.trim().to_owned())
    }

    /// The names of what is in a directory, in no order; none where there is no such.
    pub(super) fn names(&self, directory: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.root.join(directory)).into_iter();
        let names = entries.flatten().flatten().map(|entry| entry.file_name());
        names.filter_map(|name| name.into_string().ok()).collect()
    }
}

/// A host that has only the files that a test has written.
#[cfg(test)]
#[derive(Debug)]
pub(super) struct Fake(tempfile::TempDir);

#[cfg(test)]
impl Fake {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn host(&self) -> Host {
        Host {
            root: self.0.path().to_owned(),
        }
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, format!("{text}\n")).unwrap();
    }
}
