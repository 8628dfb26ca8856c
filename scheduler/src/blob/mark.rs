//! Whether the disk of a directory is there at all.
//!
//! A directory whose disk is not mounted looks like one that has no blobs yet: what is
//! asked for would be told as lost, and what is written would be gone once the disk is
//! back. So a file says that this is the place.

use std::fs::File;
use std::path::Path;

use assize_common::ContentHash;

use super::error::BlobError;
use super::place::blob_key;

const MARK: &str = "blobs-are-here";
const PROBE: &str = "blobs-can-be-written";

/// Marks a directory, unless a blob that is `known` to be stored is not in it.
pub(super) fn set(blobs: &Path, known: Option<ContentHash>) -> Result<(), BlobError> {
    let mark = blobs.join(MARK);
    let failed = |attempt, path: &Path| {
        let path = path.to_owned();
        move |source| BlobError::Directory {
            attempt,
            path,
            source,
        }
    };
    if mark.try_exists().map_err(failed("look at", &mark))? {
        return Ok(());
    }
    if let Some(known) = known {
        let path = blobs.join(blob_key(known).as_ref());
        if !path.try_exists().map_err(failed("look at", &path))? {
            return Err(BlobError::Missing { mark });
        }
    }
    let marked = File::create(&mark).and_then(|file| file.sync_all());
    marked.map_err(failed("write", &mark))
}

/// Whether the disk takes anything at all at the moment.
pub(super) async fn prove(blobs: &Path) -> Result<(), BlobError> {
    check(blobs).await?;
    let path = blobs.join(PROBE);
    let writing = async { tokio::fs::File::create(&path).await?.sync_all().await };
    let written = writing.await;
    // Another scheduler may have been at it.
    let _gone = tokio::fs::remove_file(&path).await;
    written.map_err(|source| BlobError::Directory {
        attempt: "write",
        path,
        source,
    })
}

/// Refuses to use a directory that is not marked.
pub(super) async fn check(blobs: &Path) -> Result<(), BlobError> {
    let mark = blobs.join(MARK);
    match tokio::fs::try_exists(&mark).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(BlobError::Missing { mark }),
        Err(source) => Err(BlobError::Directory {
            attempt: "look at",
            path: mark,
            source,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::BlobStore;
    use super::*;

    #[tokio::test]
    async fn nothing_is_lost_nor_stored_while_the_disk_is_not_mounted() {
        let data = tempfile::tempdir().unwrap();
        let store = BlobStore::open(data.path()).unwrap();
        let hash = store.put("content".into()).await.unwrap();
        let (place, away) = (data.path().join("blobs"), data.path().join("away"));
        std::fs::rename(&place, &away).unwrap();
        std::fs::create_dir(&place).unwrap();

        let missing = |error: BlobError| assert!(matches!(error, BlobError::Missing { .. }));
        missing(store.get(hash).await.unwrap_err());
        missing(store.put("more".into()).await.unwrap_err());
        let large = data.path().join("large");
        std::fs::write(&large, vec![7; 3 << 20]).unwrap();
        missing(store.put_file(&large, hash).await.unwrap_err());
        let other = BlobStore::open_unmarked(data.path()).unwrap();
        missing(other.mark(Some(hash)).unwrap_err());
        assert_eq!(std::fs::read_dir(&place).unwrap().count(), 0);

        std::fs::remove_dir(&place).unwrap();
        std::fs::rename(&away, &place).unwrap();
        assert!(store.get(hash).await.unwrap().is_some());
        let none = ContentHash::of(b"another one");
        assert!(store.get(none).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn what_an_earlier_release_stored_is_marked() {
        let data = tempfile::tempdir().unwrap();
        let store = BlobStore::open(data.path()).unwrap();
        let hash = store.put("content".into()).await.unwrap();
        let mark = data.path().join("blobs").join(MARK);
        std::fs::remove_file(&mark).unwrap();
        let other = ContentHash::of(b"of another disk");
        let store = BlobStore::open_unmarked(data.path()).unwrap();
        assert!(store.mark(Some(other)).is_err() && !mark.exists());
        store.mark(Some(hash)).unwrap();
        store.mark(Some(other)).unwrap();
        assert!(mark.exists(), "whatever becomes of single blobs");
    }
}
