//! The blob store: contents under their SHA-256, packages and sources alike.
//!
//! A blob is durable before anything in the database refers to it, so that a
//! reference never dangles; a blob that nothing refers to, as after a crash in
//! between, is only waste, and removed after a while (`unwanted`). Writing one that
//! exists writes it again, which is as good as a repair.

mod unwanted;

pub use unwanted::OldBlobs;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use assize_common::ContentHash;
use assize_common::content_hash::ContentHasher;
use bytes::Bytes;
use futures_util::stream::{BoxStream, Stream, StreamExt as _, TryStreamExt as _};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{ObjectStoreExt as _, WriteMultipart};
use tokio::io::AsyncReadExt as _;

const CHUNK_BYTES: usize = 1024 * 1024;
const CHUNKS_IN_FLIGHT: usize = 4;
/// An upload takes minutes at most; what is older was left behind by a crash.
const LEFTOVER_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Why a blob can't be written or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// A directory of the store can't be used.
    #[error("cannot {attempt} {}: is it on a writable disk, and does it belong to this user?", path.display())]
    Directory {
        /// What was attempted.
        attempt: &'static str,
        /// On which directory or file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The store refused.
    #[error("cannot {attempt} blob {hash}")]
    Store {
        /// What was attempted.
        attempt: &'static str,
        /// On which blob.
        hash: ContentHash,
        /// The cause.
        #[source]
        source: object_store::Error,
    },
    /// The blobs can't be listed.
    #[error("cannot list the blobs")]
    List(#[source] object_store::Error),
    /// The file that should become a blob can't be read.
    #[error("cannot read the file that becomes blob {hash}")]
    Source {
        /// The blob.
        hash: ContentHash,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The stored bytes are not those that were written.
    #[error(
        "blob {hash} is damaged: restore it from a backup, or import its package or submit its source again"
    )]
    Damaged {
        /// The blob.
        hash: ContentHash,
    },
}

impl BlobError {
    /// Whether there is no space left.
    #[must_use]
    pub fn is_full(&self) -> bool {
        is_disk_full(self)
    }
}

/// Whether a full disk or an exhausted quota is among the causes of an error.
#[must_use]
pub fn is_disk_full(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source())
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .any(|error| {
            matches!(
                error.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            )
        })
}

/// Blobs in a local directory.
#[derive(Debug, Clone)]
pub struct BlobStore {
    store: Arc<LocalFileSystem>,
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
        let blobs = data_directory.join("blobs");
        let incoming = data_directory.join("incoming");
        for directory in [&blobs, &incoming] {
            std::fs::create_dir_all(directory).map_err(|source| BlobError::Directory {
                attempt: "create",
                path: directory.clone(),
                source,
            })?;
        }
        remove_leftovers(&incoming)?;
        let store =
            LocalFileSystem::new_with_prefix(&blobs).map_err(|source| BlobError::Directory {
                attempt: "use",
                path: blobs,
                source: io::Error::other(source),
            })?;
        Ok(Self {
            // A submission that was accepted must survive a power failure.
            store: Arc::new(store.with_fsync(true)),
            incoming,
        })
    }

    /// A directory on the same disk for uploads that are not checked yet.
    #[must_use]
    pub fn incoming(&self) -> &Path {
        &self.incoming
    }

    /// Writes a small content.
    ///
    /// # Errors
    /// When the disk is full or not writable.
    pub async fn put(&self, content: Bytes) -> Result<ContentHash, BlobError> {
        let hash = ContentHash::of(&content);
        self.store
            .put(&key(hash), content.into())
            .await
            .map(|_| hash)
            .map_err(|source| BlobError::Store {
                attempt: "write",
                hash,
                source,
            })
    }

    /// Writes the content of a file whose hash is known.
    ///
    /// # Errors
    /// When the disk is full or not writable.
    pub async fn put_file(&self, path: &Path, hash: ContentHash) -> Result<(), BlobError> {
        let refused = |source| BlobError::Store {
            attempt: "write",
            hash,
            source,
        };
        let unread = |source| BlobError::Source { hash, source };
        let mut file = tokio::fs::File::open(path).await.map_err(unread)?;
        let upload = self
            .store
            .put_multipart(&key(hash))
            .await
            .map_err(refused)?;
        let mut writer = WriteMultipart::new(upload);
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let read = file.read(&mut chunk).await.map_err(unread)?;
            if read == 0 {
                break;
            }
            writer
                .wait_for_capacity(CHUNKS_IN_FLIGHT)
                .await
                .map_err(refused)?;
            writer.write(&chunk[..read]);
        }
        writer.finish().await.map(drop).map_err(refused)
    }

    /// Reads a blob; `None` if there is none of this hash.
    ///
    /// # Errors
    /// When it can't be read. Damage shows at the end of the stream.
    pub async fn get(&self, hash: ContentHash) -> Result<Option<BlobContent>, BlobError> {
        let refused = move |source| BlobError::Store {
            attempt: "read",
            hash,
            source,
        };
        match self.store.get(&key(hash)).await {
            Ok(found) => Ok(Some(BlobContent {
                size_bytes: found.meta.size,
                stream: verified(found.into_stream().map_err(refused), hash).boxed(),
            })),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(refused(source)),
        }
    }
}

fn key(hash: ContentHash) -> Key {
    let name = hash.to_string();
    Key::from(format!("{}/{name}", &name[..2]))
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

fn remove_leftovers(incoming: &Path) -> Result<(), BlobError> {
    let failed = |attempt, path: &Path| {
        let path = path.to_owned();
        move |source| BlobError::Directory {
            attempt,
            path,
            source,
        }
    };
    let entries = std::fs::read_dir(incoming).map_err(failed("list", incoming))?;
    for entry in entries {
        let path = entry.map_err(failed("list", incoming))?.path();
        let metadata = std::fs::symlink_metadata(&path).map_err(failed("look at", &path))?;
        let age = metadata
            .modified()
            .ok()
            .and_then(|time| time.elapsed().ok());
        if age.is_none_or(|age| age < LEFTOVER_AGE) {
            continue;
        }
        if metadata.is_dir() {
            std::fs::remove_dir_all(&path)
        } else {
            std::fs::remove_file(&path)
        }
        .map_err(failed("remove", &path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(store: &BlobStore, hash: ContentHash) -> Result<Vec<u8>, BlobError> {
        let content = store.get(hash).await?.expect("the blob is there");
        let pieces: Vec<Bytes> = content.stream.try_collect().await?;
        Ok(pieces.concat())
    }

    #[tokio::test]
    async fn what_is_written_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let store = BlobStore::open(directory.path()).unwrap();
        for content in [&b""[..], b"int main() {}"] {
            let hash = store.put(Bytes::copy_from_slice(content)).await.unwrap();
            assert_eq!(hash, ContentHash::of(content));
            assert_eq!(read(&store, hash).await.unwrap(), content);
        }
        assert!(
            store
                .get(ContentHash::of(b"other"))
                .await
                .unwrap()
                .is_none()
        );
    }

    #[tokio::test]
    async fn large_files_come_back_whole() {
        let directory = tempfile::tempdir().unwrap();
        let store = BlobStore::open(directory.path()).unwrap();
        let content: Vec<u8> = (0..7_000_000_u32)
            .map(|i| i.to_le_bytes()[(i % 3) as usize])
            .collect();
        let path = directory.path().join("file");
        std::fs::write(&path, &content).unwrap();
        let hash = ContentHash::of(&content);
        store.put_file(&path, hash).await.unwrap();
        assert!(read(&store, hash).await.unwrap() == content);
    }

    #[tokio::test]
    async fn damage_is_found_before_the_end_and_mended_by_writing_again() {
        let directory = tempfile::tempdir().unwrap();
        let store = BlobStore::open(directory.path()).unwrap();
        let hash = store.put(Bytes::from_static(b"content")).await.unwrap();
        let path = directory
            .path()
            .join("blobs")
            .join(&hash.to_string()[..2])
            .join(hash.to_string());
        std::fs::write(&path, b"C0ntent").unwrap();
        let content = store.get(hash).await.unwrap().unwrap();
        let pieces: Vec<_> = content.stream.collect().await;
        assert!(
            matches!(pieces.as_slice(), [Err(BlobError::Damaged { .. })]),
            "{pieces:?}"
        );
        store.put(Bytes::from_static(b"content")).await.unwrap();
        assert_eq!(read(&store, hash).await.unwrap(), b"content");
    }

    #[test]
    fn a_full_disk_is_recognized_below_other_errors() {
        let full = BlobError::Source {
            hash: ContentHash::of(b""),
            source: io::Error::from(io::ErrorKind::StorageFull),
        };
        assert!(full.is_full());
        let other = BlobError::Damaged {
            hash: ContentHash::of(b""),
        };
        assert!(!other.is_full());
    }
}
