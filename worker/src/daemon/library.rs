//! Packages and sources, fetched once and kept in the cache.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use assize_common::ContentHash;
use assize_common::content_hash::ContentHasher;
use assize_common::id::JudgementId;
use assize_common::message::{AuditReport, MOST_OUTPUTS, RunReport, SourceFile};
use assize_common::package::{self, Package, PackageError, Program, UnpackLimits};
use assize_common::telemetry::error_chain;
use tokio::runtime::Handle;

use super::audits::{self, AuditError};
use super::fetch::{FetchError, Fetcher};
use super::outputs;
use crate::audits::Audits;
use crate::cancel::Cancel;
use crate::disk_cache::{CacheError, DiskCache, Entry};
use crate::outputs::Outputs;
use crate::reuse::Earlier;

/// Packages that stay in memory, and so on disk: reading one means hashing all
/// its test data.
const PACKAGES_KEPT: usize = 16;
/// The package within its cache entry.
const PROBLEM: &str = "problem";
/// A source within its cache entry.
const CONTENT: &str = "content";

/// What was fetched. Its calls block, outside of asynchronous code.
#[derive(Debug)]
pub(super) struct Library {
    cache: Arc<DiskCache>,
    fetcher: Arc<Fetcher>,
    runtime: Handle,
    /// Where temporary files are made.
    scratch: PathBuf,
    /// The latest used last.
    packages: Mutex<VecDeque<(ContentHash, Arc<StoredPackage>)>>,
}

/// A package with the cache entry that holds its files.
#[derive(Debug)]
pub(super) struct StoredPackage {
    pub(super) package: Package,
    _entry: Arc<Entry>,
}

/// A submission's program with the cache entries that hold its files.
#[derive(Debug)]
pub(super) struct StoredProgram {
    pub(super) program: Program,
    _entries: Vec<Arc<Entry>>,
}

/// What may be taken over of a judgement, with the blobs that hold its outputs.
#[derive(Debug, Default)]
pub(super) struct StoredJudgement {
    pub(super) earlier: Earlier,
    outputs: Vec<ContentHash>,
}

/// Why a package or a source can't be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum LibraryError {
    /// It can't be fetched.
    #[error("cannot fetch {what}")]
    Fetch {
        /// Which one.
        what: String,
        #[source]
        source: FetchError,
    },
    /// The archive can't be unpacked or read.
    #[error("the package {hash} can't be used")]
    Package {
        hash: ContentHash,
        #[source]
        source: PackageError,
    },
    /// A disk failed.
    #[error("cannot {attempt} {}", path.display())]
    Disk {
        attempt: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl LibraryError {
    fn disk(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Disk {
            attempt,
            path: path.to_owned(),
            source,
        }
    }
}

impl From<CacheError<Self>> for LibraryError {
    fn from(error: CacheError<Self>) -> Self {
        match error {
            CacheError::Fill(error) => error,
            CacheError::Disk {
                attempt,
                path,
                source,
            } => Self::Disk {
                attempt,
                path,
                source,
            },
        }
    }
}

impl Library {
    pub(super) fn new(
        cache: Arc<DiskCache>,
        fetcher: Fetcher,
        runtime: Handle,
        scratch: PathBuf,
    ) -> Self {
        Self {
            cache,
            fetcher: Arc::new(fetcher),
            runtime,
            scratch,
            packages: Mutex::new(VecDeque::new()),
        }
    }

    /// The package whose archive has this hash.
    pub(super) fn package(
        &self,
        archive: ContentHash,
        cancel: &Cancel,
    ) -> Result<Arc<StoredPackage>, LibraryError> {
        if let Some(known) = self.recall(archive) {
            return Ok(known);
        }
        let what = format!("package {archive}");
        let name = key("assize package", archive);
        let entry = self.cached(&what, name, cancel, |directory| {
            self.fill_package(&what, archive, directory, cancel)
        })?;
        let package = Package::read_imported(&entry.path().join(PROBLEM)).map_err(|source| {
            LibraryError::Package {
                hash: archive,
                source,
            }
        })?;
        let stored = Arc::new(StoredPackage {
            package,
            _entry: entry,
        });
        self.remember(archive, Arc::clone(&stored));
        Ok(stored)
    }

    /// The program that these files make.
    pub(super) fn program(
        &self,
        name: String,
        files: &[SourceFile],
        entry_point: Option<&str>,
        cancel: &Cancel,
    ) -> Result<StoredProgram, LibraryError> {
        let mut entries = Vec::with_capacity(files.len());
        for file in files {
            let what = format!("source {:?}", file.name);
            let name = key("assize source", file.sha256);
            entries.push(self.cached(&what, name, cancel, |directory| {
                self.fetch(&what, file.sha256, &directory.join(CONTENT), cancel)
            })?);
        }
        let mut sources: Vec<_> = files
            .iter()
            .zip(&entries)
            .map(|(file, entry)| package::File {
                name: file.name.clone(),
                path: entry.path().join(CONTENT),
            })
            .collect();
        sources.sort_by(|a, b| a.name.cmp(&b.name));
        let program = Program {
            name,
            files: sources,
            language: None,
            entry_point: entry_point.map(str::to_owned),
        };
        Ok(StoredProgram {
            program,
            _entries: entries,
        })
    }

    /// An entry of the cache; who waits for another slot to fill it waits no longer
    /// than until cancelled.
    fn cached(
        &self,
        what: &str,
        name: ContentHash,
        cancel: &Cancel,
        fill: impl FnOnce(&Path) -> Result<(), LibraryError>,
    ) -> Result<Arc<Entry>, LibraryError> {
        let given_up = || cancel.is_cancelled();
        let entry = self.cache.get_or_fill_unless(name, given_up, fill)?;
        entry.ok_or_else(|| LibraryError::Fetch {
            what: what.to_owned(),
            source: FetchError::Cancelled,
        })
    }

    fn fill_package(
        &self,
        what: &str,
        archive: ContentHash,
        directory: &Path,
        cancel: &Cancel,
    ) -> Result<(), LibraryError> {
        let file = tempfile::NamedTempFile::new_in(&self.scratch)
            .map_err(LibraryError::disk("create a file in", &self.scratch))?;
        self.fetch(what, archive, file.path(), cancel)?;
        let unpacked = directory.join("unpacked");
        fs::create_dir(&unpacked).map_err(LibraryError::disk("create", &unpacked))?;
        let zip = File::open(file.path()).map_err(LibraryError::disk("open", file.path()))?;
        let root = Package::unpack(io::BufReader::new(zip), &unpacked, &UnpackLimits::default())
            .map_err(|source| LibraryError::Package {
                hash: archive,
                source,
            })?;
        let problem = directory.join(PROBLEM);
        fs::rename(&root, &problem).map_err(LibraryError::disk("rename", &root))?;
        // Gone already if it was the root.
        if unpacked.exists() {
            fs::remove_dir_all(&unpacked).map_err(LibraryError::disk("remove", &unpacked))?;
        }
        Ok(())
    }

    /// What may be taken over of a judgement. When that can't be found out, nothing:
    /// it is only work that is spared.
    pub(super) fn earlier(&self, judgement: JudgementId, cancel: &Cancel) -> StoredJudgement {
        let reusable = match self.runtime.block_on(self.fetcher.reusable(judgement)) {
            Ok(reusable) => reusable,
            Err(error) => {
                tracing::warn!(earlier.id = %judgement, error = %error_chain(&error), "judging from scratch");
                return StoredJudgement::default();
            }
        };
        let (Some(compile), Some(provenance)) = (reusable.compile, reusable.provenance) else {
            return StoredJudgement::default();
        };
        let mut earlier = Earlier::new(judgement, compile, &provenance, reusable.runs);
        let outputs = reusable.outputs;
        if !outputs.is_empty() {
            let (runtime, fetcher) = (self.runtime.clone(), Arc::clone(&self.fetcher));
            let (blobs, cancel) = (outputs.clone(), cancel.clone());
            earlier = earlier
                .with_outputs(move || runtime.block_on(outputs::fetch(&fetcher, &blobs, &cancel)));
        }
        StoredJudgement { earlier, outputs }
    }

    /// Stores the outputs of a judgement with the scheduler. Returns where outputs of its
    /// runs are, also of those that were made `before`.
    pub(super) fn store_outputs(
        &self,
        new: &Outputs,
        before: &StoredJudgement,
        runs: &[RunReport],
        cancel: &Cancel,
    ) -> Vec<ContentHash> {
        let stored = outputs::store(&self.fetcher, new, cancel);
        let mut blobs = Vec::from_iter(self.runtime.block_on(stored));
        let is_earlier =
            |run: &RunReport| run.reused_from.is_some() || run.validated_again.is_some();
        if runs.iter().any(is_earlier) {
            let others = before.outputs.iter().filter(|blob| !blobs.contains(blob));
            let others: Vec<_> = others.copied().collect();
            blobs.extend(others);
        }
        blobs.truncate(MOST_OUTPUTS);
        blobs
    }

    /// Stores the audits of an attempt with the scheduler.
    pub(super) fn store_audits(
        &self,
        audits: &Audits,
        cancel: &Cancel,
    ) -> Result<Option<AuditReport>, AuditError> {
        self.runtime
            .block_on(audits::store(&self.fetcher, audits, cancel))
    }

    fn fetch(
        &self,
        what: &str,
        hash: ContentHash,
        to: &Path,
        cancel: &Cancel,
    ) -> Result<(), LibraryError> {
        self.runtime
            .block_on(self.fetcher.fetch(hash, to, cancel))
            .map_err(|source| LibraryError::Fetch {
                what: what.to_owned(),
                source,
            })
    }

    fn recall(&self, archive: ContentHash) -> Option<Arc<StoredPackage>> {
        let mut packages = self.packages.lock().unwrap_or_else(PoisonError::into_inner);
        let at = packages.iter().position(|(hash, _)| *hash == archive)?;
        let found = packages.remove(at)?;
        let package = Arc::clone(&found.1);
        packages.push_back(found);
        Some(package)
    }

    fn remember(&self, archive: ContentHash, package: Arc<StoredPackage>) {
        let mut packages = self.packages.lock().unwrap_or_else(PoisonError::into_inner);
        packages.retain(|(hash, _)| *hash != archive);
        if packages.len() == PACKAGES_KEPT {
            packages.pop_front();
        }
        packages.push_back((archive, package));
    }
}

/// A name in the cache that a content of another kind can't have: a team might
/// submit the very archive of a package as its source.
fn key(kind: &str, content: ContentHash) -> ContentHash {
    let mut key = ContentHasher::default();
    key.update_framed(kind);
    key.update_framed(content.as_bytes());
    key.finish()
}
