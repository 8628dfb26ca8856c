//! The files of test cases: beside init.yml, or in the archive that it names.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use super::super::archive::{self, UnpackLimits};
use super::super::error::PackageError;
use super::super::file_tree::FileTree;
use super::FILE;

/// Finds the files of test cases.
pub(super) struct Data<'t> {
    tree: &'t FileTree,
    /// The archive's files by name, if there is one.
    archived: Option<BTreeMap<String, PathBuf>>,
    /// Where the archive was unpacked, and changed copies of files are.
    directory: Option<TempDir>,
    copies: usize,
}

impl<'t> Data<'t> {
    /// Unpacks the archive, if there is one.
    pub(super) fn open(tree: &'t FileTree, archive: Option<String>) -> Result<Self, PackageError> {
        let mut data = Self {
            tree,
            archived: None,
            directory: None,
            copies: 0,
        };
        let Some(name) = archive else {
            return Ok(data);
        };
        let path = tree
            .get(&name)
            .ok_or_else(|| PackageError::invalid(FILE, "archive", format!("{name} is missing")))?;
        let target = data.directory()?.join("archive");
        fs::create_dir(&target).map_err(PackageError::io("create", &target))?;
        let file = fs::File::open(path).map_err(PackageError::io("open", path))?;
        let names = archive::extract(file, &target, &UnpackLimits::default())?;
        let places = names.into_iter().map(|name| {
            let place = target.join(&name);
            (name, place)
        });
        data.archived = Some(places.collect());
        Ok(data)
    }

    /// The names of the archive's files; none without an archive.
    pub(super) fn archived(&self) -> Option<impl Iterator<Item = &str> + Clone> {
        let archived = self.archived.as_ref()?;
        Some(archived.keys().map(String::as_str))
    }

    /// The place of a test case's file: one that is not named is empty, and one
    /// that is text has line feeds at all ends of lines.
    pub(super) fn place(
        &mut self,
        name: Option<&str>,
        is_binary: bool,
    ) -> Result<PathBuf, PackageError> {
        let Some(name) = name else {
            return self.copy(b"");
        };
        let archived = || self.archived.as_ref()?.get(name).map(PathBuf::as_path);
        let Some(place) = self.tree.get(name).or_else(archived) else {
            return Err(PackageError::invalid(
                name,
                "",
                format!("missing, though {FILE} names it"),
            ));
        };
        let place = place.to_owned();
        if is_binary {
            return Ok(place);
        }
        let content = fs::read(&place).map_err(PackageError::io("read", &place))?;
        if content.is_empty() || (content.ends_with(b"\n") && !content.contains(&b'\r')) {
            return Ok(place);
        }
        self.copy(&with_line_feeds(&content))
    }

    fn copy(&mut self, content: &[u8]) -> Result<PathBuf, PackageError> {
        let name = format!("copy-{}", self.copies);
        self.copies += 1;
        let place = self.directory()?.join(name);
        fs::write(&place, content).map_err(PackageError::io("write", &place))?;
        Ok(place)
    }

    fn directory(&mut self) -> Result<&Path, PackageError> {
        if self.directory.is_none() {
            let made = tempfile::Builder::new().prefix("assize-dmoj-").tempdir();
            let made = made.map_err(PackageError::io(
                "create a directory in",
                std::env::temp_dir(),
            ))?;
            self.directory = Some(made);
        }
        Ok(self.directory.as_ref().map_or(Path::new(""), TempDir::path))
    }

    /// The directory that must live as long as the package.
    pub(super) fn into_directory(self) -> Option<Arc<TempDir>> {
        self.directory.map(Arc::new)
    }
}

fn with_line_feeds(content: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(content.len() + 1);
    let mut bytes = content.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte == b'\r' {
            bytes.next_if_eq(&b'\n');
            text.push(b'\n');
        } else {
            text.push(byte);
        }
    }
    if !text.ends_with(b"\n") {
        text.push(b'\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_of_line_is_a_line_feed() {
        assert_eq!(with_line_feeds(b"a\r\nb\rc\n\rd"), b"a\nb\nc\n\nd\n");
    }
}
