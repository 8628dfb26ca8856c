//! Receiving what is too large to be held in memory: into a file below the data
//! directory, hashed on the way.

use std::path::{Path, PathBuf};

use assize_common::ContentHash;
use assize_common::content_hash::ContentHasher;
use assize_common::telemetry::error_chain;
use axum::body::Body;
use axum::http::StatusCode;
use bytesize::ByteSize;
use futures_util::StreamExt as _;
use tokio::io::AsyncWriteExt as _;

use super::Api;
use super::error::{ApiError, ErrorKind};
use crate::blob::{BlobStore, is_disk_full};

/// What goes wrong on our side while something is received.
#[derive(Debug, thiserror::Error)]
#[error("cannot {attempt} what comes in below {}", path.display())]
struct Workspace {
    attempt: &'static str,
    path: PathBuf,
    #[source]
    source: std::io::Error,
}

/// How large a body may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    pub(super) size: ByteSize,
    /// What the body is, for people.
    pub(super) of: &'static str,
    /// What follows "the limit".
    pub(super) set_by: &'static str,
}

/// Writes the body to a file. Returns its hash and size.
///
/// # Errors
/// When it breaks off or is too large, or the disk is full or not writable.
pub(super) async fn receive(
    body: Body,
    path: &Path,
    most: Most,
) -> Result<(ContentHash, ByteSize), ApiError> {
    let failed = |source| unusable("write", path, source);
    let mut file = tokio::fs::File::create(path).await.map_err(failed)?;
    let mut hasher = ContentHasher::default();
    let mut size = 0_u64;
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| {
            ApiError::new(
                ErrorKind::UnreadableBody,
                format!("the upload broke off after {size} bytes: {error}"),
            )
        })?;
        size += piece.len() as u64;
        if size > most.size.as_u64() {
            return Err(ApiError::new(
                ErrorKind::BodyTooLarge,
                format!(
                    "{} is larger than {}, the limit{}",
                    most.of,
                    most.size.display(),
                    most.set_by
                ),
            ));
        }
        hasher.update(&piece);
        file.write_all(&piece).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    Ok((hasher.finish(), ByteSize(size)))
}

/// Takes a blob of a worker into `store`.
///
/// # Errors
/// When the disk is nearly full, the body is not what has this hash, or as [`receive`].
pub(super) async fn store_blob(
    api: &Api,
    store: &BlobStore,
    hash: ContentHash,
    body: Body,
    most: Most,
) -> Result<StatusCode, ApiError> {
    if api.pressure.disk_is_low() {
        return Err(ApiError::storage_full());
    }
    let incoming = store.incoming();
    let file = tempfile::NamedTempFile::new_in(incoming)
        .map_err(|source| unusable("receive", incoming, source))?
        .into_temp_path();
    let (received, _) = receive(body, &file, most).await?;
    if received != hash {
        return Err(ApiError::new(
            ErrorKind::InvalidField,
            format!("the bytes do not have the hash {hash}: they were damaged on the way"),
        )
        .in_field("sha256"));
    }
    store.put_file(&file, hash).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn unusable(attempt: &'static str, path: &Path, source: std::io::Error) -> ApiError {
    unusable_because(&Workspace {
        attempt,
        path: path.to_owned(),
        source,
    })
}

pub(super) fn unusable_because(error: &(dyn std::error::Error + 'static)) -> ApiError {
    tracing::error!(error = %error_chain(error), "what comes in can't be stored");
    if is_disk_full(error) {
        return ApiError::storage_full();
    }
    ApiError::new(
        ErrorKind::StorageUnavailable,
        "the scheduler can't use its data directory: its admin finds the cause in the log; nothing was stored",
    )
}
