//! Removing blobs that nothing refers to, while others may write the very same.
//!
//! Between the question whether a blob is wanted and its removal, somebody may write
//! it anew and then refer to it. In a directory, what is unwanted is put `aside` first.
//! In a bucket whoever writes makes an object of its own (`place`): removed are only those
//! that were written long before the question, and whose writers had referred to them by then.

mod aside;

use std::collections::HashSet;
use std::ops::Range;
use std::time::Duration;

use assize_common::ContentHash;
use futures_util::stream::{BoxStream, StreamExt as _, TryStreamExt as _};
use object_store::path::Path as Key;
use object_store::{ObjectStore as _, ObjectStoreExt as _};

use super::{BlobError, BlobStore, Place};

/// Blobs that are asked about at once; in a directory, aside at the same time.
const BATCH: usize = 500;

/// What [`BlobStore::list_written`] gives.
pub type OldBlobs = BoxStream<'static, Result<ContentHash, BlobError>>;

impl BlobStore {
    /// Lists the blobs that were written so long `ago`. What is no blob is left out.
    /// One that was written several times may come several times.
    pub fn list_written(&self, ago: Range<Duration>) -> OldBlobs {
        let now = chrono::Utc::now();
        let place = self.place.clone();
        let failed = self.place.clone();
        let blobs = self.objects.list(None).try_filter_map(move |found| {
            let age = (now - found.last_modified).to_std().unwrap_or_default();
            let hash = place.hash_at(&found.location);
            std::future::ready(Ok(hash.filter(|_| ago.contains(&age))))
        });
        blobs
            .map_err(move |source| failed.failed("list", &Key::default())(source))
            .boxed()
    }

    /// Removes the blobs that were last written so long `ago`, if `wanted` does not name
    /// them among those that it is asked about. What a pass that was broken off has left
    /// aside is put back first. Returns how many went.
    ///
    /// # Errors
    /// When the store is not writable, or `wanted` fails: nothing is lost then.
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
    pub(super) async fn remove_unwanted<E, Answer>(
        &self,
        blobs: Vec<ContentHash>,
        age: Duration,
        wanted: &impl Fn(Vec<ContentHash>) -> Answer,
    ) -> Result<u64, E>
    where
        E: From<BlobError>,
        Answer: Future<Output = Result<Vec<ContentHash>, E>>,
    {
        match self.place {
            Place::Directory(_) => self.remove_by_way_of_aside(blobs, age, wanted).await,
            Place::Bucket(_) => self.remove_old_copies(blobs, age, wanted).await,
        }
    }

    /// Of a wanted blob the youngest of the old copies stays: whoever is about to read
    /// takes it, or one that is younger.
    async fn remove_old_copies<E, Answer>(
        &self,
        blobs: Vec<ContentHash>,
        age: Duration,
        wanted: &impl Fn(Vec<ContentHash>) -> Answer,
    ) -> Result<u64, E>
    where
        E: From<BlobError>,
        Answer: Future<Output = Result<Vec<ContentHash>, E>>,
    {
        // Before the question: who wrote so long ago refers by now, and the answer tells.
        let now = chrono::Utc::now();
        let blobs: HashSet<_> = blobs.into_iter().collect();
        let kept: HashSet<_> = wanted(blobs.iter().copied().collect())
            .await?
            .into_iter()
            .collect();
        let mut removed = 0;
        for hash in blobs {
            let mut old = self.copies(hash).await?;
            old.retain(|copy| (now - copy.last_modified).to_std().unwrap_or_default() >= age);
            if kept.contains(&hash) {
                old.pop();
            } else if !old.is_empty() {
                removed += 1;
            }
            for copy in old {
                self.remove(&copy.location).await?;
            }
        }
        Ok(removed)
    }

    async fn remove(&self, at: &Key) -> Result<(), BlobError> {
        match self.objects.delete(at).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(self.place.failed("remove", at)(source)),
        }
    }
}
