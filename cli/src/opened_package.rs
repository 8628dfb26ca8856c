//! The package to judge by or to verify: a directory, or an archive unpacked for the while.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use assize_common::package::{Package, PackageError, UnpackLimits};
use tempfile::TempDir;

use crate::exit::{self, Failure};

/// A package that can be read while this lives.
#[derive(Debug)]
pub struct OpenedPackage {
    /// The package.
    pub package: Package,
    /// The directory that it was read from, unless it came from an archive.
    pub directory: Option<PathBuf>,
    _unpacked: Option<TempDir>,
}

impl OpenedPackage {
    /// Opens the package at `path`, a directory or a zip archive.
    ///
    /// # Errors
    /// A [`Failure`] of code [`exit::USAGE`] when there is none or it is broken,
    /// or of code [`exit::JUDGING_ERROR`] when the disk fails.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        Self::open_by(path, Package::read)
    }

    /// Opens a package that may lack a time limit; see [`Package::read_unfinished`].
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub fn open_unfinished(path: &Path, provisional: Duration) -> Result<Self, Failure> {
        Self::open_by(path, |root| Package::read_unfinished(root, provisional))
    }

    fn open_by(
        path: &Path,
        read: impl Fn(&Path) -> Result<Package, PackageError>,
    ) -> Result<Self, Failure> {
        let broken = |error: PackageError| {
            let code = if error.is_fault_of_package() {
                exit::USAGE
            } else {
                exit::JUDGING_ERROR
            };
            Failure::new(code, format!("package {}", path.display())).because(error)
        };
        let metadata = std::fs::metadata(path).map_err(|source| {
            Failure::new(exit::USAGE, format!("no package {}", path.display())).because(source)
        })?;
        if metadata.is_dir() {
            return Ok(Self {
                package: read(path).map_err(broken)?,
                directory: Some(path.to_owned()),
                _unpacked: None,
            });
        }
        let archive = File::open(path).map_err(|source| {
            Failure::new(exit::USAGE, format!("cannot open {}", path.display())).because(source)
        })?;
        let unpacked = tempfile::Builder::new().prefix("assize-").tempdir();
        let unpacked = unpacked.map_err(|source| {
            let place = std::env::temp_dir();
            let message = format!(
                "cannot unpack to {} (TMPDIR names another place)",
                place.display()
            );
            Failure::new(exit::JUDGING_ERROR, message).because(source)
        })?;
        let limits = UnpackLimits::default();
        let root = Package::unpack(archive, unpacked.path(), &limits).map_err(broken)?;
        Ok(Self {
            package: read(&root).map_err(broken)?,
            directory: None,
            _unpacked: Some(unpacked),
        })
    }
}
