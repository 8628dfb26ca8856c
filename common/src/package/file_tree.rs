//! The regular files of a package, found once. Everything else is derived from
//! this list, so that what is hashed, packed and judged is the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::error::PackageError;
use super::model::File;
use crate::ContentHash;
use crate::content_hash::ContentHasher;

const MAX_FILES: usize = 100_000;
/// Links inside the package can show a directory many times over.
const MAX_DIRECTORIES: usize = 100_000;
/// Test data beyond this does not travel well, nor does it judge better.
const MAX_FILE_BYTES: u64 = 2 << 30;
const MAX_DEPTH: usize = 16;
/// Configuration files are small; a larger one is a mistake or an attack.
const MAX_TEXT_BYTES: u64 = 1024 * 1024;
/// DOMjudge's name for the file that holds the time limit: the one hidden file
/// that means something.
pub(super) const TIME_LIMIT_FILE: &str = ".timelimit";

/// Files of a package by their path within it, `/`-separated.
#[derive(Debug)]
pub(super) struct FileTree {
    files: BTreeMap<String, PathBuf>,
    /// How many directories were listed.
    directories: usize,
    /// Files that the format wants treated as absent, because of their names.
    pub(super) ignored: Vec<String>,
}

impl FileTree {
    /// Lists the files below `root`.
    pub(super) fn read(root: &Path) -> Result<Self, PackageError> {
        let canonical_root = fs::canonicalize(root).map_err(PackageError::io("open", root))?;
        let mut tree = Self {
            files: BTreeMap::new(),
            directories: 0,
            ignored: Vec::new(),
        };
        tree.add_directory(&canonical_root, root, "", 0)?;
        tree.refuse_case_clashes()?;
        Ok(tree)
    }

    fn add_directory(
        &mut self,
        root: &Path,
        directory: &Path,
        prefix: &str,
        depth: usize,
    ) -> Result<(), PackageError> {
        if depth > MAX_DEPTH {
            return Err(PackageError::TooLarge {
                what: "nested directories",
                limit: format!("{MAX_DEPTH} levels"),
            });
        }
        self.directories += 1;
        if self.directories > MAX_DIRECTORIES {
            return Err(PackageError::TooLarge {
                what: "directories",
                limit: MAX_DIRECTORIES.to_string(),
            });
        }
        for entry in fs::read_dir(directory).map_err(PackageError::io("list", directory))? {
            let entry = entry.map_err(PackageError::io("list", directory))?;
            let path = entry.path();
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                self.ignored
                    .push(format!("{prefix}{}", entry.file_name().to_string_lossy()));
                continue;
            };
            let inner = format!("{prefix}{name}");
            if !is_valid_name(&name) && inner != TIME_LIMIT_FILE {
                self.ignored.push(inner);
                continue;
            }
            let kind = entry
                .file_type()
                .map_err(PackageError::io("look at", &path))?;
            if kind.is_symlink() {
                let target = fs::canonicalize(&path)
                    .map_err(PackageError::io("follow the symbolic link", &path))?;
                if !target.starts_with(root) {
                    return Err(PackageError::invalid(
                        &inner,
                        "",
                        "a symbolic link that leads out of the package",
                    ));
                }
            }
            // Follows links, which by now lead to a place inside the package.
            let metadata = fs::metadata(&path).map_err(PackageError::io("look at", &path))?;
            if metadata.is_dir() {
                self.add_directory(root, &path, &format!("{inner}/"), depth + 1)?;
            } else if metadata.is_file() {
                if self.files.len() == MAX_FILES {
                    return Err(PackageError::TooLarge {
                        what: "files",
                        limit: MAX_FILES.to_string(),
                    });
                }
                if metadata.len() > MAX_FILE_BYTES {
                    let problem = format!("larger than {MAX_FILE_BYTES} bytes");
                    return Err(PackageError::invalid(&inner, "", problem));
                }
                self.files.insert(inner, path);
            } else {
                return Err(PackageError::invalid(
                    &inner,
                    "",
                    "neither a regular file nor a directory",
                ));
            }
        }
        Ok(())
    }

    /// Names that differ in case only would overwrite each other on some
    /// machines that such a package travels through.
    fn refuse_case_clashes(&self) -> Result<(), PackageError> {
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for path in self.files.keys() {
            let directories = path.match_indices('/').map(|(at, _)| &path[..at]);
            for part in directories.chain([path.as_str()]) {
                if let Some(other) = seen.insert(part.to_lowercase(), part)
                    && other != part
                {
                    let problem = format!("differs from {other} in case only");
                    return Err(PackageError::invalid(part, "", problem));
                }
            }
        }
        Ok(())
    }

    /// All paths with their places on disk, sorted.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.files
            .iter()
            .map(|(name, path)| (name.as_str(), path.as_path()))
    }

    /// The place on disk of a file.
    pub(super) fn get(&self, path: &str) -> Option<&Path> {
        self.files.get(path).map(PathBuf::as_path)
    }

    /// Whether anything lies below `directory`.
    pub(super) fn has_directory(&self, directory: &str) -> bool {
        self.below(directory).next().is_some()
    }

    /// Files below `directory`, at any depth, with paths relative to it.
    pub(super) fn below(&self, directory: &str) -> impl Iterator<Item = (&str, &Path)> {
        let prefix = format!("{directory}/");
        let from = prefix.clone();
        self.files
            .range(from..)
            .take_while({
                let prefix = prefix.clone();
                move |(path, _)| path.starts_with(&prefix)
            })
            .map(move |(path, place)| (&path[prefix.len()..], place.as_path()))
    }

    /// Names of the files and directories directly in `directory`, sorted.
    pub(super) fn children(&self, directory: &str) -> BTreeSet<&str> {
        self.below(directory)
            .filter_map(|(path, _)| path.split('/').next())
            .collect()
    }

    /// The files of a program: `path` itself if it is a file, else all below it.
    pub(super) fn program_files(&self, path: &str) -> Vec<File> {
        if let Some(place) = self.get(path) {
            let name = path.rsplit('/').next().unwrap_or(path);
            return vec![File {
                name: name.to_owned(),
                path: place.to_owned(),
            }];
        }
        self.below(path)
            .map(|(name, place)| File {
                name: name.to_owned(),
                path: place.to_owned(),
            })
            .collect()
    }

    /// The content of a small text file, or `None` without the file.
    pub(super) fn text(&self, path: &str) -> Result<Option<String>, PackageError> {
        let Some(place) = self.get(path) else {
            return Ok(None);
        };
        let mut text = String::new();
        let file = fs::File::open(place).map_err(PackageError::io("open", place))?;
        match file.take(MAX_TEXT_BYTES + 1).read_to_string(&mut text) {
            Ok(_) if text.len() as u64 > MAX_TEXT_BYTES => Err(PackageError::invalid(
                path,
                "",
                format!("larger than {MAX_TEXT_BYTES} bytes"),
            )),
            Ok(_) if text.starts_with('\u{feff}') => Err(PackageError::invalid(
                path,
                "",
                "begins with a byte-order mark: save it without",
            )),
            Ok(_) => Ok(Some(text)),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => Err(
                PackageError::invalid(path, "", "not UTF-8: save it in that encoding"),
            ),
            Err(source) => Err(PackageError::Io {
                action: "read",
                path: place.to_owned(),
                source,
            }),
        }
    }

    /// The hash over all paths and contents.
    pub(super) fn content_hash(&self) -> Result<ContentHash, PackageError> {
        let mut package = ContentHasher::default();
        package.update_framed(b"assize package");
        for (name, path) in self.iter() {
            let file = fs::File::open(path).map_err(PackageError::io("open", path))?;
            let content = ContentHash::of_rest(file).map_err(PackageError::io("read", path))?;
            package.update_framed(name);
            package.update(content.as_bytes());
        }
        Ok(package.finish())
    }
}

/// Whether the format admits a file or directory of this name.
pub(super) fn is_valid_name(name: &str) -> bool {
    let valid =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'+');
    // `+` is not in the format's list, but `a.c++` is a file ending in its
    // table of languages.
    (1..=255).contains(&name.len()) && !name.starts_with(['.', '-', '+']) && name.bytes().all(valid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::test_package::TestPackage;

    #[test]
    fn hidden_and_oddly_named_files_are_as_if_absent() {
        let package = TestPackage::minimal()
            .with("data/.git/x", "")
            .with("data/a b", "")
            .with(".timelimit", "1");
        let tree = FileTree::read(package.path()).unwrap();
        assert!(tree.get(".timelimit").is_some());
        assert_eq!(tree.ignored.len(), 2, "{:?}", tree.ignored);
        let without = TestPackage::minimal().with(".timelimit", "1");
        assert_eq!(
            tree.content_hash().unwrap(),
            FileTree::read(without.path())
                .unwrap()
                .content_hash()
                .unwrap()
        );
    }

    #[test]
    fn links_may_not_leave_the_package() {
        let package = TestPackage::minimal();
        std::os::unix::fs::symlink("../problem.yaml", package.path().join("data/inside")).unwrap();
        assert!(
            FileTree::read(package.path())
                .unwrap()
                .get("data/inside")
                .is_some()
        );
        std::os::unix::fs::symlink("/etc/passwd", package.path().join("data/outside")).unwrap();
        let error = FileTree::read(package.path()).unwrap_err().to_string();
        assert!(
            error.contains("data/outside") && error.contains("leads out"),
            "{error}"
        );
    }

    #[test]
    fn link_loops_end() {
        let package = TestPackage::minimal();
        std::os::unix::fs::symlink(".", package.path().join("data/loop")).unwrap();
        assert!(matches!(
            FileTree::read(package.path()),
            Err(PackageError::TooLarge { .. })
        ));
    }

    #[test]
    fn names_that_differ_in_case_are_refused() {
        let package = TestPackage::minimal().with("data/secret/A.in", "");
        let package = package.with("data/secret/a.in", "");
        assert!(
            FileTree::read(package.path())
                .unwrap_err()
                .to_string()
                .contains("in case only")
        );
        let directories = TestPackage::minimal()
            .with("data/secret/g/1.in", "")
            .with("data/secret/G/2.in", "");
        let error = FileTree::read(directories.path()).unwrap_err().to_string();
        assert!(error.contains("in case only"), "{error}");
    }

    #[test]
    fn many_ways_to_the_same_directory_end() {
        let package = TestPackage::empty().with("data/a/x", "");
        for name in ["b", "c", "d", "e", "f", "g", "h", "i", "j", "k"] {
            std::os::unix::fs::symlink("..", package.path().join("data/a").join(name)).unwrap();
        }
        assert!(matches!(
            FileTree::read(package.path()),
            Err(PackageError::TooLarge { .. })
        ));
    }

    #[test]
    fn texts_that_editors_spoil_are_named() {
        let marked = TestPackage::minimal().with("problem.yaml", "\u{feff}name: x\n");
        let error = FileTree::read(marked.path())
            .unwrap()
            .text("problem.yaml")
            .unwrap_err();
        assert!(error.to_string().contains("byte-order mark"), "{error}");
        let large = TestPackage::minimal();
        let file = std::fs::File::create(large.path().join("data/secret/1.in")).unwrap();
        file.set_len(MAX_FILE_BYTES + 1).unwrap();
        let error = FileTree::read(large.path()).unwrap_err().to_string();
        assert!(error.contains("data/secret/1.in: larger"), "{error}");
    }

    #[test]
    fn children_and_below() {
        let package = TestPackage::minimal()
            .with("data/secret/g/x.in", "")
            .with("data/secretly", "");
        let tree = FileTree::read(package.path()).unwrap();
        assert_eq!(
            tree.children("data/secret"),
            BTreeSet::from(["1.ans", "1.in", "g"])
        );
        assert!(tree.has_directory("data/secret/g"));
        assert!(!tree.has_directory("data/secretl"));
    }
}
