//! Removing from a directory: what is unwanted is put aside first, where only who reads finds
//! it. Whoever writes it from then on writes another one. What was put aside is
//! looked at once more. If it was written lately after all, it goes back, since its
//! writer may be about to refer to it; and so it does if it is wanted by now.

use std::collections::HashSet;
use std::time::Duration;

use assize_common::ContentHash;
use futures_util::stream::TryStreamExt as _;
use object_store::path::Path as Key;
use object_store::{ObjectStore as _, ObjectStoreExt as _};
use uuid::Uuid;

use crate::blob::place::{Place, blob_key};
use crate::blob::{BlobError, BlobStore};

/// Below this lies what is put aside, each pass with a directory of its own: another
/// scheduler may be at the same blobs.
const ASIDE: &str = "aside";

impl BlobStore {
    pub(super) async fn remove_by_way_of_aside<E, Answer>(
        &self,
        mut blobs: Vec<ContentHash>,
        age: Duration,
        wanted: &impl Fn(Vec<ContentHash>) -> Answer,
    ) -> Result<u64, E>
    where
        E: From<BlobError>,
        Answer: Future<Output = Result<Vec<ContentHash>, E>>,
    {
        let kept: HashSet<_> = wanted(blobs.clone()).await?.into_iter().collect();
        blobs.retain(|hash| !kept.contains(hash));
        let pass = Uuid::now_v7();
        let mut aside = Vec::new();
        for hash in blobs {
            if self.put_aside(hash, pass, age).await? {
                aside.push(hash);
            }
        }
        if aside.is_empty() {
            return Ok(0);
        }
        let asked = wanted(aside.clone()).await;
        let mut removed = 0;
        for hash in aside {
            if asked.as_ref().is_ok_and(|kept| !kept.contains(&hash)) {
                self.remove(&aside_key(hash, pass)).await?;
                removed += 1;
            } else {
                self.put_back(&aside_key(hash, pass), hash).await?;
            }
        }
        asked.map(|_| removed)
    }

    /// Looks again for a blob that is not at `key`. It may be aside, being looked at once more: who removes blobs
    /// may have taken one away that was written and referred to a moment ago, and is about to put it back.
    ///
    /// # Errors
    /// When the disk is not readable.
    pub(in crate::blob) async fn get_aside(
        &self,
        hash: ContentHash,
        key: &Key,
    ) -> Result<object_store::Result<object_store::GetResult>, BlobError> {
        if matches!(self.place, Place::Directory(_)) {
            let below = Key::from(ASIDE);
            let mut aside = self.objects.list(Some(&below));
            while let Some(found) =
                (aside.try_next().await).map_err(self.place.failed("list", &below))?
            {
                let name = found.location.filename();
                if name.and_then(|name| name.parse().ok()) == Some(hash)
                    && let Ok(found) = self.objects.get(&found.location).await
                {
                    return Ok(Ok(found));
                }
            }
        }
        // It was put back meanwhile, or it is not there.
        Ok(self.objects.get(key).await)
    }

    /// Puts back what a pass that was broken off has left aside; in a bucket there is
    /// nothing. One that is under way elsewhere finds less to remove.
    ///
    /// # Errors
    /// When the disk is not writable.
    pub(crate) async fn put_all_back(&self) -> Result<(), BlobError> {
        if matches!(self.place, Place::Bucket(_)) {
            return Ok(());
        }
        let aside = Key::from(ASIDE);
        let mut left = self.objects.list(Some(&aside));
        while let Some(found) =
            (left.try_next().await).map_err(self.place.failed("list", &aside))?
        {
            let hash = found.location.filename().and_then(|name| name.parse().ok());
            if let Some(hash) = hash {
                self.put_back(&found.location, hash).await?;
            }
        }
        Ok(())
    }

    /// True if the blob was there and not written lately; it is aside then.
    async fn put_aside(
        &self,
        hash: ContentHash,
        pass: Uuid,
        age: Duration,
    ) -> Result<bool, BlobError> {
        let aside = aside_key(hash, pass);
        match self.objects.rename(&blob_key(hash), &aside).await {
            Ok(()) => {}
            Err(object_store::Error::NotFound { .. }) => return Ok(false),
            Err(source) => return Err(self.place.failed("put aside", &blob_key(hash))(source)),
        }
        let found = match self.objects.head(&aside).await {
            Ok(found) => found,
            // Another scheduler has put it back.
            Err(object_store::Error::NotFound { .. }) => return Ok(false),
            Err(source) => return Err(self.place.failed("look at", &aside)(source)),
        };
        let since = chrono::Utc::now() - found.last_modified;
        let is_old = since.to_std().unwrap_or_default() >= age;
        if !is_old {
            self.put_back(&aside, hash).await?;
        }
        Ok(is_old)
    }

    /// One that was written meanwhile stays: it is younger, and to be taken for that.
    async fn put_back(&self, aside: &Key, hash: ContentHash) -> Result<(), BlobError> {
        match self
            .objects
            .rename_if_not_exists(aside, &blob_key(hash))
            .await
        {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(object_store::Error::AlreadyExists { .. }) => self.remove(aside).await,
            Err(source) => Err(self.place.failed("put back", aside)(source)),
        }
    }
}

fn aside_key(hash: ContentHash, pass: Uuid) -> Key {
    Key::from(format!("{ASIDE}/{pass}/{hash}"))
}

#[cfg(test)]
mod tests {
    use std::ops::Range;
    use std::sync::Mutex;

    use bytes::Bytes;
    use futures_util::stream::StreamExt as _;

    use super::*;

    const CONTENT: &[u8] = b"content";
    const EVER: Range<Duration> = Duration::ZERO..Duration::MAX;
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    /// A store with one blob that was written long ago.
    async fn store() -> (tempfile::TempDir, BlobStore, ContentHash) {
        let directory = tempfile::tempdir().unwrap();
        let store = BlobStore::open(directory.path()).unwrap();
        let hash = store.put(Bytes::from_static(CONTENT)).await.unwrap();
        let path = directory.path().join("blobs").join(blob_key(hash).as_ref());
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(std::time::SystemTime::now() - DAY * 2)
            .unwrap();
        (directory, store, hash)
    }

    async fn is_there(store: &BlobStore, hash: ContentHash) -> bool {
        store.get(hash).await.unwrap().is_some()
    }

    /// Files beside that which marks the place.
    async fn left(store: &BlobStore) -> usize {
        store.objects.list(None).count().await - 1
    }

    /// Answers one question after the other; what happens meanwhile comes first.
    async fn remove(
        store: &BlobStore,
        hash: ContentHash,
        meanwhile: impl AsyncFn(usize) -> Result<bool, BlobError>,
    ) -> Result<u64, BlobError> {
        let questions = Mutex::new(0);
        let wanted = async |blobs: Vec<ContentHash>| {
            assert_eq!(blobs, [hash]);
            let question = {
                let mut questions = questions.lock().unwrap();
                *questions += 1;
                *questions
            };
            let wanted = meanwhile(question).await?;
            Ok(wanted.then_some(hash).into_iter().collect())
        };
        store.remove_unwanted(vec![hash], DAY, &wanted).await
    }

    #[tokio::test]
    async fn what_is_old_and_unwanted_goes() {
        let (_directory, store, hash) = store().await;
        let found: Vec<_> = store.list_written(EVER).try_collect().await.unwrap();
        assert_eq!(found, [hash]);
        let young = store.list_written(Duration::ZERO..DAY);
        assert_eq!(young.count().await, 0);
        let removed = remove(&store, hash, async |_| Ok(true)).await;
        assert_eq!(removed.unwrap(), 0);
        assert!(is_there(&store, hash).await);
        let removed = remove(&store, hash, async |_| Ok(false)).await;
        assert_eq!(removed.unwrap(), 1);
        assert_eq!(left(&store).await, 0);
        let removed = remove(&store, hash, async |_| Ok(false)).await;
        assert_eq!(removed.unwrap(), 0, "it is gone");
    }

    /// It is written again at every moment, and referred to only afterwards.
    #[tokio::test]
    async fn what_is_written_meanwhile_stays() {
        for moment in [1, 2] {
            let (_directory, store, hash) = store().await;
            let removing = remove(&store, hash, async |question| {
                if question == moment {
                    store.put(Bytes::from_static(CONTENT)).await?;
                }
                Ok(false)
            });
            removing.await.unwrap();
            assert!(is_there(&store, hash).await, "written at question {moment}");
            assert_eq!(left(&store).await, 1);
            let young = store.list_written(Duration::ZERO..DAY);
            assert_eq!(young.count().await, 1, "it counts as young");
        }
    }

    #[tokio::test]
    async fn what_is_wanted_by_now_goes_back() {
        let (_directory, store, hash) = store().await;
        let removed = remove(&store, hash, async |question| Ok(question == 2)).await;
        assert_eq!(removed.unwrap(), 0);
        assert!(is_there(&store, hash).await);
        let fails = async |question| {
            if question == 2 {
                return Err(BlobError::Damaged { hash });
            }
            Ok(false)
        };
        remove(&store, hash, fails).await.unwrap_err();
        assert!(is_there(&store, hash).await);
        assert_eq!(left(&store).await, 1);
    }

    #[tokio::test]
    async fn a_pass_that_was_broken_off_loses_nothing() {
        let (_directory, store, hash) = store().await;
        let pass = Uuid::now_v7();
        assert!(store.put_aside(hash, pass, DAY).await.unwrap());
        // What is aside is no blob, but who asks for it gets it.
        assert_eq!(store.list_written(EVER).count().await, 0);
        assert!(is_there(&store, hash).await);
        store.put_all_back().await.unwrap();
        assert!(is_there(&store, hash).await);
        // One that was written meanwhile is the younger one.
        assert!(store.put_aside(hash, pass, DAY).await.unwrap());
        store.put(Bytes::from_static(CONTENT)).await.unwrap();
        store.put_all_back().await.unwrap();
        assert_eq!(left(&store).await, 1);
        let young = store.list_written(Duration::ZERO..DAY);
        assert_eq!(young.count().await, 1);
    }
}
