//! The blob store: contents under their SHA-256, packages and sources alike, in a
//! directory or in a bucket of an S3-compatible store.
//!
//! A blob is durable before anything in the database refers to it, so that a
//! reference never dangles; a blob that nothing refers to, as after a crash in
//! between, is only waste, and removed after a while (`unwanted`). Writing one that
//! exists writes it again, which is as good as a repair.

mod bucket;
mod error;
mod http;
mod leftovers;
mod mark;
mod place;
#[cfg(test)]
mod s3_tests;
#[cfg(test)]
mod testing;
mod unwanted;

use error::is_of_one_file;
pub use error::{BlobError, is_disk_full};
pub use place::{BucketUrl, InvalidBucketUrl};
pub use unwanted::OldBlobs;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use assize_common::ContentHash;
use assize_common::content_hash::ContentHasher;
use bytes::Bytes;
use futures_util::stream::{BoxStream, Stream, StreamExt as _, TryStreamExt as _};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt as _, WriteMultipart};
use tokio::io::AsyncReadExt as _;

use self::place::{Place, blob_key};

const CHUNK_BYTES: usize = 1024 * 1024;
const CHUNKS_IN_FLIGHT: usize = 4;

/// Blobs in a directory or a bucket.
#[derive(Debug, Clone)]
pub struct BlobStore {
    objects: Arc<dyn ObjectStore>,
    place: Place,
    incoming: PathBuf,
}

/// A blob that is being read. The bytes are verified on the way: the last ones
/// only come once the whole is known to be undamaged.
pub struct BlobContent {
    /// Its size in bytes.
    pub size_bytes: u64,
    /// The bytes.
    pub stream: BoxStream<'static, Result<Bytes, BlobError>>,
}

impl std::fmt::Debug for BlobContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BlobContent({} bytes)", self.size_bytes)
    }
}

impl BlobStore {
    /// Opens the store below `data_directory`, creating it if need be.
    ///
    /// # Errors
    /// When the directory can't be created or used.
    pub fn open(data_directory: &Path) -> Result<Self, BlobError> {
        let store = Self::open_unmarked(data_directory)?;
        store.mark(None).map(|()| store)
    }

    /// The same, and nothing can be read or written until the store is marked.
    ///
    /// # Errors
    /// When the directory can't be created or used.
    pub fn open_unmarked(data_directory: &Path) -> Result<Self, BlobError> {
        let blobs = data_directory.join("blobs");
        leftovers::create(&blobs)?;
        let store =
            LocalFileSystem::new_with_prefix(&blobs).map_err(|source| BlobError::Directory {
                attempt: "use",
                path: blobs.clone(),
                source: io::Error::other(source),
            })?;
        Ok(Self {
            // A submission that was accepted must survive a power failure.
            objects: Arc::new(store.with_fsync(true)),
            place: Place::Directory(blobs),
            incoming: leftovers::incoming(data_directory)?,
        })
    }

    /// Opens the store below `name` in a bucket and tries it out. The environment's
    /// variables `AWS_*` say where and as whom; uploads are checked below `data_directory`.
    ///
    /// # Errors
    /// When objects can't be written, found, read and removed there.
    pub async fn open_bucket(
        url: &BucketUrl,
        name: &str,
        data_directory: &Path,
    ) -> Result<Self, BlobError> {
        Self::connect(
            AmazonS3Builder::from_env(),
            &url.below(name),
            data_directory,
        )
        .await
    }

    async fn connect(
        client: AmazonS3Builder,
        url: &BucketUrl,
        data_directory: &Path,
    ) -> Result<Self, BlobError> {
        let store = Self {
            objects: bucket::connect(client, url)?,
            place: Place::Bucket(url.clone()),
            incoming: leftovers::incoming(data_directory)?,
        };
        bucket::check(&*store.objects, &store.place).await?;
        Ok(store)
    }

    /// Marks the store as the one that blobs are in.
    ///
    /// # Errors
    /// When it is not marked and lacks a blob that is `known` to be stored: it is another one.
    pub fn mark(&self, known: Option<ContentHash>) -> Result<(), BlobError> {
        match &self.place {
            Place::Directory(blobs) => mark::set(blobs, known),
            Place::Bucket(_) => Ok(()),
        }
    }

    /// A local directory for uploads that are not checked yet.
    #[must_use]
    pub fn incoming(&self) -> &Path {
        &self.incoming
    }

    /// Writes a small content.
    ///
    /// # Errors
    /// When the disk is full or not writable, or the bucket does not take it.
    pub async fn put(&self, content: Bytes) -> Result<ContentHash, BlobError> {
        let hash = ContentHash::of(&content);
        self.put_under(hash, content).await.map(|()| hash)
    }

    async fn put_under(&self, hash: ContentHash, content: Bytes) -> Result<(), BlobError> {
        self.check().await?;
        let key = self.place.new_key(hash);
        let put = self.objects.put(&key, content.into()).await;
        put.map(drop).map_err(self.place.failed("write", &key))
    }

    /// Writes the content of a file whose hash is known.
    ///
    /// # Errors
    /// When the disk is full or not writable, or the bucket does not take it.
    pub async fn put_file(&self, path: &Path, hash: ContentHash) -> Result<(), BlobError> {
        let unread = |source| BlobError::Source { hash, source };
        let mut file = tokio::fs::File::open(path).await.map_err(unread)?;
        if file.metadata().await.map_err(unread)?.len() <= CHUNK_BYTES as u64 {
            let mut content = Vec::new();
            file.read_to_end(&mut content).await.map_err(unread)?;
            return self.put_under(hash, content.into()).await;
        }
        self.check().await?;
        let key = self.place.new_key(hash);
        let upload = self.objects.put_multipart(&key).await;
        let mut writer = WriteMultipart::new(upload.map_err(self.place.failed("write", &key))?);
        let mut chunk = vec![0; CHUNK_BYTES];
        let written = loop {
            match file.read(&mut chunk).await {
                Ok(0) => break Ok(()),
                Ok(read) => {
                    if let Err(source) = writer.wait_for_capacity(CHUNKS_IN_FLIGHT).await {
                        break Err(self.place.failed("write", &key)(source));
                    }
                    writer.write(&chunk[..read]);
                }
                Err(source) => break Err(unread(source)),
            }
        };
        if written.is_ok() {
            let finished = writer.finish().await;
            finished.map_err(self.place.failed("write", &key))?;
        } else if let Err(error) = writer.abort().await {
            // A bucket keeps the parts and has them paid for.
            tracing::warn!(%error, %key, "cannot remove the parts of an upload that failed");
        }
        written
    }

    /// Reads a blob; `None` if there is none of this hash.
    ///
    /// # Errors
    /// When it can't be read. Damage shows at the end of the stream.
    pub async fn get(&self, hash: ContentHash) -> Result<Option<BlobContent>, BlobError> {
        let Some(key) = self.key_to_read(hash).await? else {
            return Ok(None);
        };
        let found = match self.objects.get(&key).await {
            Err(object_store::Error::NotFound { .. }) => self.get_aside(hash, &key).await?,
            found => found,
        };
        match found {
            Ok(found) => {
                let place = self.place.clone();
                let size_bytes = found.meta.size;
                let pieces = found.into_stream().or_else(move |source| {
                    let (place, key) = (place.clone(), key.clone());
                    async move { Err(unreadable(&place, hash, &key, source).await) }
                });
                Ok(Some(BlobContent {
                    size_bytes,
                    stream: verified(pieces, hash).boxed(),
                }))
            }
            Err(object_store::Error::NotFound { .. }) => self.check().await.map(|()| None),
            Err(source) => Err(unreadable(&self.place, hash, &key, source).await),
        }
    }

    /// Whether the directory's disk is mounted. A bucket that is not there says so itself.
    async fn check(&self) -> Result<(), BlobError> {
        match &self.place {
            Place::Directory(blobs) => mark::check(blobs).await,
            Place::Bucket(_) => Ok(()),
        }
    }

    async fn key_to_read(&self, hash: ContentHash) -> Result<Option<Key>, BlobError> {
        match self.place {
            Place::Directory(_) => Ok(Some(blob_key(hash))),
            Place::Bucket(_) => Ok(self.copies(hash).await?.pop().map(|copy| copy.location)),
        }
    }

    /// What was written of a blob to a bucket, the oldest first.
    async fn copies(&self, hash: ContentHash) -> Result<Vec<ObjectMeta>, BlobError> {
        let below = blob_key(hash);
        let found = self.objects.list(Some(&below)).try_collect().await;
        let mut copies: Vec<ObjectMeta> = found.map_err(self.place.failed("list", &below))?;
        copies.retain(|copy| self.place.hash_at(&copy.location) == Some(hash));
        // Times are in seconds, and ids go by time.
        copies.sort_by(|one, other| {
            let key = |copy: &ObjectMeta| (copy.last_modified, copy.location.clone());
            key(one).cmp(&key(other))
        });
        Ok(copies)
    }
}

/// Tells a bad file from a bad disk, to which everybody comes again later.
async fn unreadable(
    place: &Place,
    hash: ContentHash,
    key: &Key,
    source: object_store::Error,
) -> BlobError {
    let Place::Directory(blobs) = place else {
        return place.failed("read", key)(source);
    };
    if !is_of_one_file(&source) {
        return place.failed("read", key)(source);
    }
    match mark::prove(blobs).await {
        Ok(()) => BlobError::Unreadable {
            hash,
            source: Box::new(source),
        },
        Err(error) => error,
    }
}

/// The same bytes, the last piece held back until the hash is known to be right,
/// so that whoever reads to the end has undamaged bytes.
fn verified(
    pieces: impl Stream<Item = Result<Bytes, BlobError>> + Send + 'static,
    expected: ContentHash,
) -> impl Stream<Item = Result<Bytes, BlobError>> + Send {
    struct State<S> {
        pieces: S,
        hasher: ContentHasher,
        held: Option<Bytes>,
    }
    let start = State {
        pieces: pieces.boxed(),
        hasher: ContentHasher::default(),
        held: None,
    };
    futures_util::stream::try_unfold(Some(start), move |state| async move {
        let Some(mut state) = state else {
            return Ok(None);
        };
        while let Some(piece) = state.pieces.try_next().await? {
            state.hasher.update(&piece);
            if let Some(before) = state.held.replace(piece) {
                return Ok(Some((before, Some(state))));
            }
        }
        if state.hasher.finish() == expected {
            Ok(state.held.map(|last| (last, None)))
        } else {
            tracing::error!(blob = %expected, "a blob is damaged");
            metrics::counter!("assize_blob_damaged_total").increment(1);
            Err(BlobError::Damaged { hash: expected })
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, BlobStore) {
        let data = tempfile::tempdir().unwrap();
        let store = BlobStore::open(data.path()).unwrap();
        (data, store)
    }

    #[tokio::test]
    async fn what_is_written_is_read() {
        testing::what_is_written_is_read(&store().1).await;
    }

    #[tokio::test]
    async fn large_files_come_back_whole() {
        testing::large_files_come_back_whole(&store().1).await;
    }

    #[tokio::test]
    async fn damage_is_found_before_the_end_and_mended_by_writing_again() {
        testing::damage_is_found_and_mended(&store().1).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_referred_to_is_there() {
        testing::what_is_referred_to_is_there(&store().1).await;
    }
}
