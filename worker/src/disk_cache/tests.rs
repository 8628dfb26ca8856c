//! The cache: filled once, bounded, swept.

use super::*;
use std::convert::Infallible;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

fn hash(name: &str) -> ContentHash {
    ContentHash::of(name.as_bytes())
}

fn put(cache: &DiskCache, name: &str, bytes: usize) -> Arc<Entry> {
    let fill = |path: &Path| fs::write(path.join("file"), vec![0; bytes]);
    let filled = cache.get_or_fill_unless(hash(name), || false, fill);
    filled.unwrap().unwrap()
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
                cache.get_or_fill_unless(hash("a"), || false, fill).unwrap();
            });
        }
    });
    assert_eq!(fills.load(Ordering::SeqCst), 1);
}

#[test]
fn who_waits_for_another_can_give_up() {
    let root = tempfile::tempdir().unwrap();
    let cache = DiskCache::open(root.path(), ByteSize::mib(1)).unwrap();
    let fill = |_: &Path| {
        // By the one that fills: nobody else gets a turn.
        let never = |_: &Path| Err(io::Error::other("filled twice"));
        assert!(
            cache
                .get_or_fill_unless(hash("a"), || true, never)
                .unwrap()
                .is_none()
        );
        Ok::<_, Infallible>(())
    };
    let filled = cache.get_or_fill_unless(hash("a"), || true, fill).unwrap();
    assert!(filled.is_some());
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
        cache.get_or_fill_unless(hash("a"), || false, failing),
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
    cache
        .get_or_fill_unless(hash("a"), || false, never)
        .unwrap();
}
