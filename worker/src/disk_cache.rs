//! A bounded, content-addressed cache of directories on disk: problem packages,
//! sources and compiled programs. Entries are written aside and renamed, so that
//! a crash leaves either a whole entry or none.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use assize_common::ContentHash;
use bytesize::ByteSize;
use uuid::Uuid;
use walkdir::WalkDir;

/// Entries that are being written or removed; swept when the cache is opened.
const UNFINISHED_PREFIX: &str = ".unfinished-";

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
    /// others wait for it.
    ///
    /// # Errors
    /// When `fill` fails, or the disk does; nothing is left behind then.
    pub fn get_or_fill<E: std::error::Error + 'static>(
        &self,
        hash: ContentHash,
        fill: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<Arc<Entry>, CacheError<E>> {
        if let Some(entry) = self.get_or_reserve(hash) {
            return Ok(entry);
        }
        let _reservation = Reservation { cache: self, hash };
        let entry = Arc::new(self.make(hash, fill)?);
        self.lock().insert(hash, Arc::clone(&entry));
        self.evict();
        Ok(entry)
    }

    /// What is kept on disk.
    #[must_use]
    pub fn bytes(&self) -> ByteSize {
        ByteSize(self.lock().bytes)
    }

    /// Returns the entry, or reserves the right to fill it for the caller.
    fn get_or_reserve(&self, hash: ContentHash) -> Option<Arc<Entry>> {
        let mut state = self.lock();
        loop {
            if let Some(entry) = state.touch(hash) {
                return Some(entry);
            }
            if state.filling.insert(hash) {
                return None;
            }
            state = self
                .filled
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
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

impl State {
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
mod tests {
    use super::*;
    use std::convert::Infallible;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn hash(name: &str) -> ContentHash {
        ContentHash::of(name.as_bytes())
    }

    fn put(cache: &DiskCache, name: &str, bytes: usize) -> Arc<Entry> {
        cache
            .get_or_fill(hash(name), |path| {
                fs::write(path.join("file"), vec![0; bytes])
            })
            .unwrap()
    }

    fn has(root: &Path, name: &str) -> bool {
        root.join(hash(name).to_string()).exists()
    }

    #[test]
    fn filled_once_for_many_callers() {
        let root = tempfile::tempdir().unwrap();
        let cache = DiskCache::open(root.path(), ByteSize::mib(1)).unwrap();
        let fills = AtomicUsize::new(0);
        let barrier = Barrier::new(4);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    barrier.wait();
                    let fill = |_: &Path| {
                        fills.fetch_add(1, Ordering::SeqCst);
                        Ok::<_, Infallible>(())
                    };
                    cache.get_or_fill(hash("a"), fill).unwrap();
                });
            }
        });
        assert_eq!(fills.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_failed_fill_leaves_nothing_and_can_be_repeated() {
        let root = tempfile::tempdir().unwrap();
        let cache = DiskCache::open(root.path(), ByteSize::mib(1)).unwrap();
        let failing = |path: &Path| {
            fs::write(path.join("half"), "done")?;
            Err(io::Error::other("no more"))
        };
        assert!(matches!(
            cache.get_or_fill(hash("a"), failing),
            Err(CacheError::Fill(_))
        ));
        let left = fs::read_dir(root.path())
            .unwrap()
            .map(|item| item.unwrap().file_name());
        assert_eq!(left.collect::<Vec<_>>(), [LOCK_FILE]);
        put(&cache, "a", 10);
    }

    #[test]
    fn the_least_recently_used_goes_first_and_what_is_held_stays() {
        let root = tempfile::tempdir().unwrap();
        let room_for_two = ByteSize::b(2 * 1024 * 1024 + 200_000);
        let cache = DiskCache::open(root.path(), room_for_two).unwrap();
        let held = put(&cache, "held", 1024 * 1024);
        drop(put(&cache, "old", 1024 * 1024));
        drop(put(&cache, "new", 1024 * 1024));
        assert!(held.path().exists());
        assert!(!has(root.path(), "old"));
        assert!(has(root.path(), "new"));
    }

    #[test]
    fn one_owner_at_a_time() {
        let root = tempfile::tempdir().unwrap();
        let first = DiskCache::open(root.path(), ByteSize::mib(1)).unwrap();
        let second = DiskCache::open(root.path(), ByteSize::mib(1));
        assert!(matches!(second, Err(OpenError::Owned { .. })));
        drop(first);
        DiskCache::open(root.path(), ByteSize::mib(1)).unwrap();
    }

    #[test]
    fn a_new_process_finds_the_entries_and_sweeps_the_rest() {
        let root = tempfile::tempdir().unwrap();
        drop(put(
            &DiskCache::open(root.path(), ByteSize::mib(1)).unwrap(),
            "a",
            10,
        ));
        let stray = root.path().join(format!("{UNFINISHED_PREFIX}x"));
        fs::create_dir(&stray).unwrap();
        let cache = DiskCache::open(root.path(), ByteSize::mib(1)).unwrap();
        assert!(!stray.exists());
        let never = |_: &Path| Err(io::Error::other("filled again"));
        cache.get_or_fill(hash("a"), never).unwrap();
    }
}
