//! A bounded, content-addressed cache of directories on disk: problem packages,
//! sources and compiled programs. Entries are written aside and renamed, so that
//! a crash leaves either a whole entry or none.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use assize_common::ContentHash;
use bytesize::ByteSize;
use uuid::Uuid;
use walkdir::WalkDir;

/// Entries that are being written or removed; swept when the cache is opened.
const UNFINISHED_PREFIX: &str = ".unfinished-";

/// How often who may give up looks whether to.
const LOOK: Duration = Duration::from_millis(50);

/// Locked by the process that owns the cache.
const LOCK_FILE: &str = ".lock";

/// The cache. All calls block; share it behind an `Arc`.
#[derive(Debug)]
pub struct DiskCache {
    root: PathBuf,
    capacity: ByteSize,
    state: Mutex<State>,
    filled: Condvar,
    /// Held open for its lock: two owners would sweep each other's work.
    _lock: fs::File,
}

#[derive(Debug, Default)]
struct State {
    entries: HashMap<ContentHash, Stored>,
    filling: HashSet<ContentHash>,
    clock: u64,
    bytes: u64,
}

#[derive(Debug)]
struct Stored {
    entry: Arc<Entry>,
    last_used: u64,
}

/// A directory in the cache. Its files stay as long as someone holds the entry.
#[derive(Debug)]
pub struct Entry {
    path: PathBuf,
    bytes: u64,
}

impl Entry {
    /// The directory. Nobody may change what is in it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Why an entry can't be had.
#[derive(Debug, thiserror::Error)]
pub enum CacheError<E: std::error::Error + 'static> {
    /// The cache's disk failed us: full, read-only or broken.
    #[error("cannot {attempt} {path} in the cache")]
    Disk {
        /// What was attempted.
        attempt: &'static str,
        /// On what.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The content could not be made.
    #[error(transparent)]
    Fill(E),
}

impl<E: std::error::Error + 'static> CacheError<E> {
    fn disk(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Disk {
            attempt,
            path: path.to_owned(),
            source,
        }
    }
}

/// Why a cache can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The cache's disk failed us.
    #[error("cannot {attempt} {path} of the cache")]
    Disk {
        /// What was attempted.
        attempt: &'static str,
        /// On what.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Another process owns the directory.
    #[error(
        "the cache directory {root} belongs to another running process: give each worker its own"
    )]
    Owned {
        /// The directory.
        root: PathBuf,
        /// The cause.
        #[source]
        source: fs::TryLockError,
    },
}

impl OpenError {
    fn disk(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Disk {
            attempt,
            path: path.to_owned(),
            source,
        }
    }
}

impl DiskCache {
    /// Opens the cache below `root`, which it owns: unfinished entries of an
    /// earlier process are removed. At most `capacity` is kept on disk beside
    /// what is in use.
    ///
    /// # Errors
    /// When the directory can't be made, read or cleaned, or has another owner.
    pub fn open(root: &Path, capacity: ByteSize) -> Result<Self, OpenError> {
        fs::create_dir_all(root).map_err(OpenError::disk("create", root))?;
        let lock_path = root.join(LOCK_FILE);
        let lock = fs::File::create(&lock_path).map_err(OpenError::disk("create", &lock_path))?;
        lock.try_lock().map_err(|source| OpenError::Owned {
            root: root.to_owned(),
            source,
        })?;
        let mut found = Vec::new();
        for item in fs::read_dir(root).map_err(OpenError::disk("list", root))? {
            let item = item.map_err(OpenError::disk("list", root))?;
            let path = item.path();
            let name = item.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(UNFINISHED_PREFIX) {
                fs::remove_dir_all(&path).map_err(OpenError::disk("remove", &path))?;
            } else if let Ok(hash) = name.parse::<ContentHash>() {
                let bytes = tree_bytes(&path).map_err(OpenError::disk("measure", &path))?;
                let made = item.metadata().and_then(|metadata| metadata.modified());
                found.push((
                    made.map_err(OpenError::disk("measure", &path))?,
                    hash,
                    Entry { path, bytes },
                ));
            }
        }
        found.sort_by_key(|(made, ..)| *made);
        let mut state = State::default();
        for (_, hash, entry) in found {
            state.insert(hash, Arc::new(entry));
        }
        let cache = Self {
            root: root.to_owned(),
            capacity,
            state: Mutex::new(state),
            filled: Condvar::new(),
            _lock: lock,
        };
        cache.evict();
        Ok(cache)
    }

    /// The entry named `hash`; without one, `fill` writes it into an empty
    /// directory first. Of several callers that miss at once one fills, the
    /// others wait for it, but no longer than until they have `given_up`: none then.
    ///
    /// # Errors
    /// When `fill` fails, or the disk does; nothing is left behind then.
    pub fn get_or_fill_unless<E: std::error::Error + 'static>(
        &self,
        hash: ContentHash,
        given_up: impl Fn() -> bool,
        fill: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<Option<Arc<Entry>>, CacheError<E>> {
        let mut state = self.lock();
        let place = loop {
            if let Some(place) = state.place(hash) {
                break place;
            }
            if given_up() {
                return Ok(None);
            }
            let waited = self.filled.wait_timeout(state, LOOK);
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        };
        drop(state);
        self.fill_place(place, hash, fill).map(Some)
    }

    /// What is kept on disk.
    #[must_use]
    pub fn bytes(&self) -> ByteSize {
        ByteSize(self.lock().bytes)
    }

    fn fill_place<E: std::error::Error + 'static>(
        &self,
        place: Place,
        hash: ContentHash,
        fill: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<Arc<Entry>, CacheError<E>> {
        if let Place::Filled(entry) = place {
            return Ok(entry);
        }
        let _reservation = Reservation { cache: self, hash };
        let entry = Arc::new(self.make(hash, fill)?);
        self.lock().insert(hash, Arc::clone(&entry));
        self.evict();
        Ok(entry)
    }

    fn make<E: std::error::Error + 'static>(
        &self,
        hash: ContentHash,
        fill: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<Entry, CacheError<E>> {
        let unfinished = Unfinished(self.unfinished_path());
        let path = self.root.join(hash.to_string());
        fs::create_dir(&unfinished.0).map_err(CacheError::disk("create", &unfinished.0))?;
        fill(&unfinished.0).map_err(CacheError::Fill)?;
        let bytes = sync_tree(&unfinished.0).map_err(CacheError::disk("write", &unfinished.0))?;
        fs::rename(&unfinished.0, &path).map_err(CacheError::disk("rename into place", &path))?;
        Ok(Entry { path, bytes })
    }

    /// Removes the entries unused for longest until the rest fits.
    fn evict(&self) {
        let mut doomed = Vec::new();
        {
            let mut state = self.lock();
            while state.bytes > self.capacity.as_u64() {
                let Some(hash) = state.oldest_unused() else {
                    break;
                };
                if let Some(stored) = state.entries.remove(&hash) {
                    state.bytes -= stored.entry.bytes;
                    // Out of the way under the lock, so that the entry can be
                    // filled anew at once; the slow removal comes after.
                    let aside = self.unfinished_path();
                    match fs::rename(&stored.entry.path, &aside) {
                        Ok(()) => doomed.push(aside),
                        Err(error) => {
                            tracing::warn!(%error, path = %stored.entry.path.display(), "cannot evict")
                        }
                    }
                }
            }
        }
        for path in doomed {
            if let Err(error) = fs::remove_dir_all(&path) {
                tracing::warn!(%error, path = %path.display(), "cannot remove an evicted cache entry");
            }
        }
    }

    fn unfinished_path(&self) -> PathBuf {
        self.root
            .join(format!("{UNFINISHED_PREFIX}{}", Uuid::now_v7()))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change below a lock is complete before it can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where an entry is or will be.
enum Place {
    Filled(Arc<Entry>),
    /// Whoever holds this may fill it, and nobody else.
    Reserved,
}

impl State {
    /// The entry, or the right to fill it; none while somebody else has that.
    fn place(&mut self, hash: ContentHash) -> Option<Place> {
        if let Some(entry) = self.touch(hash) {
            return Some(Place::Filled(entry));
        }
        self.filling.insert(hash).then_some(Place::Reserved)
    }

    fn insert(&mut self, hash: ContentHash, entry: Arc<Entry>) {
        self.clock += 1;
        self.bytes += entry.bytes;
        self.entries.insert(
            hash,
            Stored {
                entry,
                last_used: self.clock,
            },
        );
    }

    fn touch(&mut self, hash: ContentHash) -> Option<Arc<Entry>> {
        self.clock += 1;
        let stored = self.entries.get_mut(&hash)?;
        stored.last_used = self.clock;
        Some(Arc::clone(&stored.entry))
    }

    fn oldest_unused(&self) -> Option<ContentHash> {
        let unused = self
            .entries
            .iter()
            .filter(|(_, stored)| Arc::strong_count(&stored.entry) == 1);
        unused
            .min_by_key(|(_, stored)| stored.last_used)
            .map(|(hash, _)| *hash)
    }
}

/// Gives the right to fill up, however filling ended.
struct Reservation<'a> {
    cache: &'a DiskCache,
    hash: ContentHash,
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.cache.lock().filling.remove(&self.hash);
        self.cache.filled.notify_all();
    }
}

/// Removes an entry that was not renamed into place.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        match fs::remove_dir_all(&self.0) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(%error, path = %self.0.display(), "cannot remove an unfinished entry")
            }
        }
    }
}

fn tree_bytes(root: &Path) -> io::Result<u64> {
    WalkDir::new(root)
        .into_iter()
        .try_fold(0, |sum, item| Ok(sum + item?.metadata()?.len()))
}

/// Flushes all files to disk, so that a rename never outlives its contents.
fn sync_tree(root: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for item in WalkDir::new(root) {
        let item = item?;
        bytes += item.metadata()?.len();
        fs::File::open(item.path())?.sync_all()?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
