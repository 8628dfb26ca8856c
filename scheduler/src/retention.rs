//! Removing old audits and outputs, and blobs of either that nothing refers to.

use std::time::Duration;

use assize_common::ContentHash;
use assize_common::telemetry::error_chain;
use tokio_util::sync::CancellationToken;

use crate::blob::{BlobError, BlobStore};
use crate::settings::Settings;
use crate::store::{Store, StoreError, round};

const PERIOD: Duration = Duration::from_secs(60 * 60);
/// A blob is stored before the report that names it: not longer than this, even
/// if the broker is away meanwhile.
const UNREPORTED_AGE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const BATCH: u16 = 500;

/// Why what is old can't be removed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RetentionError {
    /// The database failed.
    #[error("cannot find out what is old")]
    Store(#[from] StoreError),
    /// The blob store failed.
    #[error("cannot remove the blobs of what is old")]
    Blob(#[from] BlobError),
}

/// Removes what is old from time to time, until stopped.
pub(crate) async fn run(
    store: Store,
    audits: BlobStore,
    outputs: BlobStore,
    settings: Settings,
    stop: CancellationToken,
) {
    loop {
        let of_audits = remove_audits(&store, &audits, settings.audit_age, UNREPORTED_AGE);
        let Some(removed) = stop.run_until_cancelled(of_audits).await else {
            return;
        };
        tell("audits", removed);
        let of_outputs = remove_outputs(&store, &outputs, settings.output_age, UNREPORTED_AGE);
        let Some(removed) = stop.run_until_cancelled(of_outputs).await else {
            return;
        };
        tell("outputs", removed);
        let pause = tokio::time::sleep(PERIOD);
        if stop.run_until_cancelled(pause).await.is_none() {
            return;
        }
    }
}

fn tell(of: &str, removed: Result<u64, RetentionError>) {
    match removed {
        Ok(0) => {}
        Ok(blobs) => tracing::info!(blobs, of, "removed what is old"),
        Err(error) => {
            tracing::warn!(error = %error_chain(&error), of, "cannot remove what is old; trying again");
        }
    }
}

/// Removes audits older than `age`, then blobs that no audit is in and that were
/// written longer than `unreported` ago. Returns how many blobs went.
///
/// # Errors
/// When the database can't be reached or the disk is not writable.
pub(crate) async fn remove_audits(
    store: &Store,
    audits: &BlobStore,
    age: Option<Duration>,
    unreported: Duration,
) -> Result<u64, RetentionError> {
    if let Some(age) = age {
        while round(store.audit_list_remove(age, BATCH)).await? == u64::from(BATCH) {}
    }
    let kept = |blobs: Vec<ContentHash>| async move {
        let kept = round(store.audit_blob_list_kept(&blobs)).await;
        kept.map_err(RetentionError::from)
    };
    let ago = unreported..Duration::MAX;
    audits.remove_all_unwanted(ago, kept).await
}

/// The same with outputs.
///
/// # Errors
/// When the database can't be reached or the disk is not writable.
pub(crate) async fn remove_outputs(
    store: &Store,
    outputs: &BlobStore,
    age: Option<Duration>,
    unreported: Duration,
) -> Result<u64, RetentionError> {
    if let Some(age) = age {
        while round(store.output_list_remove(age, BATCH)).await? == u64::from(BATCH) {}
    }
    let kept = |blobs: Vec<ContentHash>| async move {
        let kept = round(store.output_blob_list_kept(&blobs)).await;
        kept.map_err(RetentionError::from)
    };
    let ago = unreported..Duration::MAX;
    outputs.remove_all_unwanted(ago, kept).await
}
