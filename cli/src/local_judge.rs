//! A judge on this machine with no services at all: its cache and its
//! temporary files.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use assize_common::language::{Language, LanguageTable};
use assize_worker::disk_cache::{DiskCache, OpenError};
use assize_worker::judge::{Judge, RunSettings};
use assize_worker::sandbox::AuditLevel;
use assize_worker::toolchain::Toolchains;
use bytesize::ByteSize;
use tempfile::TempDir;

use crate::exit::{self, Failure};
use crate::judge::Selected;
use crate::opened_package::OpenedPackage;

/// Compiled programs of a few hundred submissions.
const CAPACITY: ByteSize = ByteSize::gib(1);

/// A judge with what it keeps on disk.
#[derive(Debug)]
pub struct LocalJudge {
    judge: Judge,
    /// Removed after the judge is gone.
    _temporary: TempDir,
}

impl LocalJudge {
    /// A judge by `table` that can use `languages` of it.
    ///
    /// Compiled programs are kept in the user's cache directory. While another
    /// process has it, they are kept among the temporary files instead.
    ///
    /// # Errors
    /// A [`Failure`] of code [`exit::JUDGING_ERROR`] when a disk fails.
    pub fn open<'a>(
        table: &LanguageTable,
        languages: impl IntoIterator<Item = &'a Language>,
    ) -> Result<Self, Failure> {
        let temporary = tempfile::Builder::new().prefix("assize-").tempdir();
        let temporary = temporary.map_err(|source| {
            let place = std::env::temp_dir();
            let message = format!(
                "cannot make a directory for temporary files in {} (TMPDIR names another)",
                place.display()
            );
            Failure::new(exit::JUDGING_ERROR, message).because(source)
        })?;
        let cache = match DiskCache::open(&cache_directory(), CAPACITY) {
            Err(OpenError::Owned { .. }) => {
                DiskCache::open(&temporary.path().join("programs"), CAPACITY)
            }
            other => other,
        };
        let cache = cache.map_err(|error| {
            let message =
                "cannot use the cache of compiled programs (XDG_CACHE_HOME names another place)";
            Failure::new(exit::JUDGING_ERROR, message).because(error)
        })?;
        let scratch = temporary.path().to_owned();
        let toolchains = Toolchains::find(languages);
        Ok(Self {
            judge: Judge::new(table.clone(), toolchains, Arc::new(cache), scratch),
            _temporary: temporary,
        })
    }

    /// A judge for the languages that these submissions need, which spares asking
    /// for others.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn for_submissions(
        table: &LanguageTable,
        opened: &OpenedPackage,
        selected: &[Selected],
    ) -> Result<Self, Failure> {
        let mut ids: Vec<&str> = selected.iter().map(Selected::language_id).collect();
        for program in opened.package.output_validator.programs() {
            // A validator of no known language is a judging error of each submission.
            ids.extend(
                program
                    .find_language(table)
                    .map(|language| language.id.as_str()),
            );
        }
        let needed = table
            .iter()
            .filter(|language| ids.contains(&language.id.as_str()));
        Self::open(table, needed)
    }

    /// The same with tracers that record every call.
    #[must_use]
    pub fn recording(self) -> Self {
        Self {
            judge: self.judge.auditing(AuditLevel::Full),
            ..self
        }
    }

    /// The same with submissions run by `settings`.
    #[must_use]
    pub fn running(self, settings: RunSettings) -> Self {
        Self {
            judge: self.judge.running(settings),
            ..self
        }
    }

    /// The judge.
    #[must_use]
    pub const fn judge(&self) -> &Judge {
        &self.judge
    }
}

fn cache_directory() -> PathBuf {
    place(std::env::var_os("XDG_CACHE_HOME"), std::env::var_os("HOME"))
}

/// Where the base directory specification puts it; a service has no home.
fn place(cache_home: Option<OsString>, home: Option<OsString>) -> PathBuf {
    let absolute = |path: OsString| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    cache_home
        .and_then(absolute)
        .or_else(|| Some(home.and_then(absolute)?.join(".cache")))
        .unwrap_or_else(|| Path::new("/var/cache").to_owned())
        .join("assize/programs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_the_cache() {
        let at = |cache_home: Option<&str>, home: Option<&str>| {
            let path = place(cache_home.map(Into::into), home.map(Into::into));
            path.to_str().unwrap().to_owned()
        };
        assert_eq!(at(Some("/c"), Some("/h")), "/c/assize/programs");
        assert_eq!(
            at(Some("relative"), Some("/h")),
            "/h/.cache/assize/programs"
        );
        assert_eq!(at(Some(""), None), "/var/cache/assize/programs");
    }
}
