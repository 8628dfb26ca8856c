//! Zip archives of packages: packing a directory the same way each time, and
//! unpacking what a stranger sent.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Cursor, Read, Seek, Write};
use std::path::{Path, PathBuf};

use bytesize::ByteSize;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use super::error::PackageError;
use super::file_tree::FileTree;
use super::model::Package;
use super::{dmoj, polygon, problem_yaml};

/// What an archive may unpack to.
#[derive(Debug, Clone, Copy)]
pub struct UnpackLimits {
    /// Bytes of all files together.
    pub total: ByteSize,
    /// Entries, directories included.
    pub entries: usize,
    /// Unpacked bytes per packed byte, over the whole archive. Deflate itself
    /// reaches about 1000; test data of one repeated number reach 500.
    pub ratio: u64,
}

impl Default for UnpackLimits {
    /// 4 GiB in 100 000 entries, at most 600 times the archive's own size.
    fn default() -> Self {
        Self {
            total: ByteSize::gib(4),
            entries: 100_000,
            ratio: 600,
        }
    }
}

/// Below this size the ratio says nothing: a small archive is no bomb.
const RATIO_MATTERS_FROM: u64 = 16 << 20;

impl Package {
    /// Packs the package in the directory `root` into a zip archive. The same
    /// files always give the same bytes.
    ///
    /// # Errors
    /// When a file can't be read or is not fit for a package.
    pub fn pack(root: &Path) -> Result<Vec<u8>, PackageError> {
        let tree = FileTree::read(root)?;
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .unix_permissions(0o644)
            .large_file(false);
        for (name, path) in tree.iter() {
            let mut file = fs::File::open(path).map_err(PackageError::io("open", path))?;
            zip.start_file(name, options).map_err(PackageError::Zip)?;
            io::copy(&mut file, &mut zip).map_err(PackageError::io("pack", path))?;
        }
        Ok(zip.finish().map_err(PackageError::Zip)?.into_inner())
    }

    /// Whether the directory holds the file that a package of one of the formats
    /// has.
    #[must_use]
    pub fn is_at(directory: &Path) -> bool {
        [problem_yaml::FILE, polygon::FILE, dmoj::FILE]
            .iter()
            .any(|file| directory.join(file).is_file())
    }

    /// Unpacks an archive into the empty directory `target` and returns the
    /// directory that holds the package: `target`, or the only directory in it.
    /// Read it with [`Package::read`]. Whatever goes wrong, nothing outside of
    /// `target` is touched.
    ///
    /// # Errors
    /// When the archive is damaged, too large, or holds names or kinds of
    /// entries that could do harm.
    pub fn unpack<R: Read + Seek>(
        archive: R,
        target: &Path,
        limits: &UnpackLimits,
    ) -> Result<PathBuf, PackageError> {
        extract(archive, target, limits)?;
        package_root(target)
    }
}

/// Unpacks an archive into the empty directory `target` and returns the names of
/// its files. Errors are those of [`Package::unpack`].
pub(super) fn extract<R: Read + Seek>(
    archive: R,
    target: &Path,
    limits: &UnpackLimits,
) -> Result<Vec<String>, PackageError> {
    let mut archive = ZipArchive::new(archive).map_err(PackageError::Zip)?;
    let mut files = Vec::new();
    let too_large = |what, limit| PackageError::TooLarge { what, limit };
    if archive.len() > limits.entries {
        return Err(too_large(
            "entries of the archive",
            limits.entries.to_string(),
        ));
    }
    if archive.has_duplicate_names() {
        return Err(PackageError::DuplicateEntries);
    }
    let mut names = Names::default();
    let mut budget = limits.total.as_u64();
    let mut packed = 0u64;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(PackageError::Zip)?;
        let name = checked_name(entry.name_raw())?;
        let hostile = |problem: &str| hostile_entry(&name, problem);
        if entry.encrypted() {
            return Err(hostile("is encrypted"));
        }
        const KIND: u32 = 0o170_000;
        let kind = entry.unix_mode().map_or(0, |mode| mode & KIND);
        let is_directory = name.ends_with('/');
        if !matches!(
            (kind, is_directory),
            (0 | 0o040_000, true) | (0 | 0o100_000, false)
        ) {
            return Err(hostile("is neither a regular file nor a directory"));
        }
        let path = names.add(name.trim_end_matches('/'), is_directory)?;
        let path = target.join(path);
        if is_directory {
            fs::create_dir_all(&path).map_err(PackageError::io("create", &path))?;
            continue;
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(PackageError::io("create", parent))?;
        }
        files.push(name);
        let mut file = fs::File::create_new(&path).map_err(PackageError::io("create", &path))?;
        packed = packed.saturating_add(entry.compressed_size());
        // The sizes in the archive are claims; what counts is what comes out.
        let written = copy_at_most(&mut entry, &mut file, budget, &path)?;
        budget = budget
            .checked_sub(written)
            .ok_or_else(|| too_large("unpacked files", limits.total.to_string()))?;
        let unpacked = limits.total.as_u64() - budget;
        if unpacked > RATIO_MATTERS_FROM.max(packed.saturating_mul(limits.ratio)) {
            return Err(too_large(
                "unpacked files",
                format!("{} times the archive", limits.ratio),
            ));
        }
    }
    Ok(files)
}

/// Copies until one byte more than `limit`, so that the caller sees the excess.
fn copy_at_most(
    from: &mut impl Read,
    to: &mut impl Write,
    limit: u64,
    path: &Path,
) -> Result<u64, PackageError> {
    // Errors of the archive and of the disk come through the same call.
    io::copy(&mut from.take(limit.saturating_add(1)), to).map_err(|source| match source.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof => {
            PackageError::Zip(source.into())
        }
        _ => PackageError::Io {
            action: "unpack",
            path: path.to_owned(),
            source,
        },
    })
}

fn hostile_entry(name: &str, problem: &str) -> PackageError {
    PackageError::HostileEntry {
        entry: name.chars().take(100).collect(),
        problem: problem.to_owned(),
    }
}

fn checked_name(raw: &[u8]) -> Result<String, PackageError> {
    let name = str::from_utf8(raw).map_err(|_| {
        hostile_entry(
            &String::from_utf8_lossy(raw),
            "has a name that is not UTF-8",
        )
    })?;
    let hostile = |problem| Err(hostile_entry(name, problem));
    if name.starts_with('/') {
        return hostile("has an absolute path");
    }
    if name.contains(['\\', '\0']) {
        return hostile("has a backslash or a null in its name");
    }
    let parts = name.strip_suffix('/').unwrap_or(name).split('/');
    for part in parts {
        match part {
            ".." => return hostile("leads out of the archive with `..`"),
            "" | "." => return hostile("has an empty part in its path"),
            _ if part.len() > 255 => return hostile("has a name of more than 255 bytes"),
            _ => {}
        }
    }
    Ok(name.to_owned())
}

/// All names seen, to refuse what would overwrite something else here or on a
/// file system that ignores case.
#[derive(Debug, Default)]
struct Names {
    /// Lower-cased path to the path as written, and whether it is a directory.
    seen: BTreeMap<String, (String, bool)>,
}

impl Names {
    /// Adds an entry and the directories it lies in.
    fn add<'a>(&mut self, name: &'a str, is_directory: bool) -> Result<&'a str, PackageError> {
        let ends = name
            .match_indices('/')
            .map(|(at, _)| at)
            .chain([name.len()]);
        for end in ends {
            let path = &name[..end];
            let directory = is_directory || end < name.len();
            match self.seen.get(&path.to_lowercase()) {
                None => {
                    self.seen
                        .insert(path.to_lowercase(), (path.to_owned(), directory));
                }
                Some((other, _)) if other != path => {
                    return Err(hostile_entry(
                        name,
                        &format!("differs from {other:?} in case only"),
                    ));
                }
                Some((_, true)) if directory => {}
                Some(_) => return Err(hostile_entry(name, "is there more than once")),
            }
        }
        Ok(name)
    }
}

/// Archives hold the package's directory, or its files directly.
fn package_root(target: &Path) -> Result<PathBuf, PackageError> {
    if Package::is_at(target) {
        return Ok(target.to_owned());
    }
    let mut found = None;
    for entry in fs::read_dir(target).map_err(PackageError::io("list", target))? {
        let path = entry.map_err(PackageError::io("list", target))?.path();
        if Package::is_at(&path) && found.replace(path).is_some() {
            return Err(PackageError::invalid(
                "",
                "",
                "the archive holds more than one package",
            ));
        }
    }
    found.ok_or_else(|| {
        let problem = "missing in the archive, and so are problem.xml and init.yml";
        PackageError::invalid(problem_yaml::FILE, "", problem)
    })
}
