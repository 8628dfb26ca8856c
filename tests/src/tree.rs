//! The project's own files, for tests that read them.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use walkdir::{DirEntry, WalkDir};

/// Folders of the root that hold nothing of ours: what git and cargo make, and
/// the data of installations.
const NOT_OURS: [&str; 3] = [".git", "target", "data"];

/// A text file of the project.
#[derive(Debug)]
pub struct TextFile {
    /// Its path below the root, with slashes.
    pub path: String,
    /// What it says.
    pub text: String,
}

impl TextFile {
    /// Its lines with their numbers, from 1.
    pub fn numbered_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(at, line)| (at + 1, line))
    }

    /// The part of the path after the last slash.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Whether it is Rust of ours, not a contestant's.
    #[must_use]
    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs") && !self.path.starts_with("tests/packages/")
    }
}

/// The folder of the workspace.
#[must_use]
pub fn root() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests)
}

/// Every text file of the project, sorted by path.
///
/// # Panics
/// When the tree can't be read.
#[must_use]
pub fn text_files() -> &'static [TextFile] {
    static FILES: LazyLock<Vec<TextFile>> = LazyLock::new(|| {
        let files = entries().filter_map(|path| {
            let bytes = std::fs::read(root().join(&path)).ok()?;
            let text = String::from_utf8(bytes).ok()?;
            Some(TextFile { path, text })
        });
        files.collect()
    });
    assert!(!FILES.is_empty(), "no files below {}", root().display());
    &FILES
}

/// The text of one file, by its path below the root.
///
/// # Panics
/// When there is no such text file.
#[must_use]
pub fn text(path: &str) -> &'static str {
    let file = text_files().iter().find(|file| file.path == path);
    file.map_or_else(|| panic!("{path} is missing"), |file| &file.text)
}

/// The Rust files that are ours.
pub fn rust_files() -> impl Iterator<Item = &'static TextFile> {
    text_files().iter().filter(|file| file.is_rust())
}

fn entries() -> impl Iterator<Item = String> {
    let ours = |entry: &DirEntry| {
        entry.depth() != 1 || !NOT_OURS.iter().any(|name| entry.file_name() == *name)
    };
    let walk = WalkDir::new(root()).sort_by_file_name().into_iter();
    walk.filter_entry(ours).filter_map(|entry| {
        let entry = entry.ok().filter(|entry| entry.file_type().is_file())?;
        let path: PathBuf = entry.path().strip_prefix(root()).ok()?.to_owned();
        path.to_str().map(str::to_owned)
    })
}
