//! What must hold of blobs wherever they are.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::join_all;

use super::*;

pub(super) async fn read(store: &BlobStore, hash: ContentHash) -> Result<Vec<u8>, BlobError> {
    let content = store.get(hash).await?.expect("the blob is there");
    let pieces: Vec<Bytes> = content.stream.try_collect().await?;
    Ok(pieces.concat())
}

pub(super) async fn what_is_written_is_read(store: &BlobStore) {
    for content in [&b""[..], b"int main() {}"] {
        let hash = store.put(Bytes::copy_from_slice(content)).await.unwrap();
        assert_eq!(hash, ContentHash::of(content));
        assert_eq!(read(store, hash).await.unwrap(), content);
    }
    let other = store.get(ContentHash::of(b"other")).await.unwrap();
    assert!(other.is_none());
}

/// Larger than what is written at once.
pub(super) async fn large_files_come_back_whole(store: &BlobStore) {
    let content: Vec<u8> = (0..17_000_000_u32)
        .map(|i| i.to_le_bytes()[(i % 3) as usize])
        .collect();
    let path = store.incoming().join("file");
    std::fs::write(&path, &content).unwrap();
    let hash = ContentHash::of(&content);
    store.put_file(&path, hash).await.unwrap();
    assert!(read(store, hash).await.unwrap() == content);
}

pub(super) async fn damage_is_found_and_mended(store: &BlobStore) {
    let hash = store.put(Bytes::from_static(b"content")).await.unwrap();
    let key = store.key_to_read(hash).await.unwrap().unwrap();
    let damaged = Bytes::from_static(b"C0ntent");
    store.objects.put(&key, damaged.into()).await.unwrap();
    let content = store.get(hash).await.unwrap().unwrap();
    let pieces: Vec<_> = content.stream.collect().await;
    assert!(
        matches!(pieces.as_slice(), [Err(BlobError::Damaged { .. })]),
        "{pieces:?}"
    );
    store.put(Bytes::from_static(b"content")).await.unwrap();
    assert_eq!(read(store, hash).await.unwrap(), b"content");
}

/// Some write the same few blobs, refer to them at once and lose interest after a
/// while; others remove what is old and unwanted all the time.
pub(super) async fn what_is_referred_to_is_there(store: &BlobStore) {
    const AGE: Duration = Duration::from_secs(3);
    const WRITERS: u64 = 6;
    let references = Mutex::new(HashMap::<ContentHash, u32>::new());
    let wanted = async |blobs: Vec<ContentHash>| {
        let references = references.lock().unwrap();
        let is_wanted = |hash: &ContentHash| references.get(hash).is_some_and(|count| *count > 0);
        Ok::<_, BlobError>(blobs.into_iter().filter(is_wanted).collect())
    };
    let writers = join_all((0..WRITERS).map(|writer| {
        let references = &references;
        async move {
            let content = Bytes::from(format!("content {}", writer % 2));
            for turn in 0..2 {
                let hash = store.put(content.clone()).await.unwrap();
                *references.lock().unwrap().entry(hash).or_default() += 1;
                for _ in 0..4 {
                    assert_eq!(read(store, hash).await.unwrap(), content);
                    tokio::time::sleep(AGE / 3).await;
                }
                *references.lock().unwrap().entry(hash).or_default() -= 1;
                tokio::time::sleep(AGE / 8 * u32::try_from(writer).unwrap() * turn).await;
            }
        }
    }));
    let collector = async || {
        loop {
            let removed = store.remove_all_unwanted(AGE..Duration::MAX, wanted).await;
            removed.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        _ = writers => {}
        _ = collector() => {}
        _ = collector() => {}
    }
    tokio::time::sleep(AGE).await;
    let nothing = async |_| Ok::<_, BlobError>(Vec::new());
    let removed = store.remove_all_unwanted(AGE..Duration::MAX, nothing).await;
    removed.unwrap();
    let left = store.list_written(Duration::ZERO..Duration::MAX);
    assert_eq!(left.count().await, 0);
}
