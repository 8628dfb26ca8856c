//! Removing blobs that nothing refers to, while others may write the very same.
//!
//! Between the question whether a blob is wanted and its removal, somebody may
//! write it anew and then refer to it. So it is put aside first, where nobody finds
//! it: whoever writes it from then on writes another one. What was put aside is
//! looked at once more. If it was written lately after all, it goes back, since its
//! writer may be about to refer to it; and so it does if it is wanted by now.

use std::collections::HashSet;
use std::ops::Range;
use std::time::Duration;

use assize_common::ContentHash;
use futures_util::stream::{BoxStream, StreamExt as _, TryStreamExt as _};
use object_store::path::Path as Key;
use object_store::{ObjectStore as _, ObjectStoreExt as _};
use uuid::Uuid;

use super::{BlobError, BlobStore, key};

/// Below this lies what is put aside, each pass with a directory of its own: another
/// scheduler may be at the same blobs.
const ASIDE: &str = "aside";

/// Blobs that are asked about at once, and aside at the same time.
const BATCH: usize = 500;

/// What [`BlobStore::list_written`] gives.
pub type OldBlobs = BoxStream<'static, Result<ContentHash, BlobError>>;

impl BlobStore {
    /// Lists the blobs that were last written so long `ago`. What is no blob is left out.
    pub fn list_written(&self, ago: Range<Duration>) -> OldBlobs {
        let now = chrono::Utc::now();
        let blobs = self.store.list(None).try_filter_map(move |found| {
            let hash = found.location.filename().and_then(|name| name.parse().ok());
            let hash = hash.filter(|hash| found.location == key(*hash));
            let age = (now - found.last_modified).to_std().unwrap_or_default();
            std::future::ready(Ok(hash.filter(|_| ago.contains(&age))))
        });
        blobs.map_err(BlobError::List).boxed()
    }

    /// Removes the blobs that were last written so long `ago`, if `wanted` does not name
    /// them among those that it is asked about. What a pass that was broken off has left
    /// aside is put back first. Returns how many went.
    ///
    /// # Errors
    /// When the disk is not writable, or `wanted` fails: nothing is lost then.
    pub async fn remove_all_unwanted<E, Answer>(
        &self,
        ago: Range<Duration>,
        wanted: impl Fn(Vec<ContentHash>) -> Answer,
    ) -> Result<u64, E>
    where
        E: From<BlobError>,
        Answer: Future<Output = Result<Vec<ContentHash>, E>>,
    {
        self.put_all_back().await?;
        let age = ago.start;
        let mut removed = 0;
        let mut batches = self
            .list_written(ago)
            .try_chunks(BATCH)
            .map_err(|error| error.1);
        while let Some(batch) = batches.next().await {
            removed += self.remove_unwanted(batch?, age, &wanted).await?;
        }
        Ok(removed)
    }

    /// The same with these, of those that were last written longer than `age` ago.
    async fn remove_unwanted<E, Answer>(
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
                self.remove(&aside_key(hash, pass), hash).await?;
                removed += 1;
            } else {
                self.put_back(&aside_key(hash, pass), hash).await?;
            }
        }
        asked.map(|_| removed)
    }

    /// Puts back what a pass that was broken off has left aside. One that is under
    /// way elsewhere finds less to remove.
    ///
    /// # Errors
    /// When the disk is not writable.
    async fn put_all_back(&self) -> Result<(), BlobError> {
        let aside = Key::from(ASIDE);
        let mut left = self.store.list(Some(&aside));
        while let Some(found) = left.try_next().await.map_err(BlobError::List)? {
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
        match self.store.rename(&key(hash), &aside).await {
            Ok(()) => {}
            Err(object_store::Error::NotFound { .. }) => return Ok(false),
            Err(source) => return Err(failed("put aside", hash)(source)),
        }
        let found = match self.store.head(&aside).await {
            Ok(found) => found,
            // Another scheduler has put it back.
            Err(object_store::Error::NotFound { .. }) => return Ok(false),
            Err(source) => return Err(failed("look at", hash)(source)),
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
        match self.store.rename_if_not_exists(aside, &key(hash)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(object_store::Error::AlreadyExists { .. }) => self.remove(aside, hash).await,
            Err(source) => Err(failed("put back", hash)(source)),
        }
    }

    async fn remove(&self, at: &Key, hash: ContentHash) -> Result<(), BlobError> {
        match self.store.delete(at).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(failed("remove", hash)(source)),
        }
    }
}

fn aside_key(hash: ContentHash, pass: Uuid) -> Key {
    Key::from(format!("{ASIDE}/{pass}/{hash}"))
}

fn failed(
    attempt: &'static str,
    hash: ContentHash,
) -> impl FnOnce(object_store::Error) -> BlobError {
    move |source| BlobError::Store {
        attempt,
        hash,
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use bytes::Bytes;

    use super::*;

    const CONTENT: &[u8] = b"content";
    const EVER: Range<Duration> = Duration::ZERO..Duration::MAX;
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    /// A store with one blob that was written long ago.
    async fn store() -> (tempfile::TempDir, BlobStore, ContentHash) {
        let directory = tempfile::tempdir().unwrap();
        let store = BlobStore::open(directory.path()).unwrap();
        let hash = store.put(Bytes::from_static(CONTENT)).await.unwrap();
        let path = directory.path().join("blobs").join(key(hash).as_ref());
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(std::time::SystemTime::now() - DAY * 2)
            .unwrap();
        (directory, store, hash)
    }

    async fn is_there(store: &BlobStore, hash: ContentHash) -> bool {
        store.get(hash).await.unwrap().is_some()
    }

    async fn left(store: &BlobStore) -> usize {
        store.store.list(None).count().await
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
        assert!(!is_there(&store, hash).await);
        // What is aside is no blob.
        assert_eq!(store.list_written(EVER).count().await, 0);
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
