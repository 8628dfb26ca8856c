//! Removing old audits, and blobs of audits that nothing refers to.

use std::time::Duration;

use assize_common::ContentHash;
use assize_common::telemetry::error_chain;
use tokio_util::sync::CancellationToken;

use crate::blob::{BlobError, BlobStore};
use crate::settings::Settings;
use crate::store::{Store, StoreError};

const PERIOD: Duration = Duration::from_secs(60 * 60);
/// A blob is stored before the report that names it: not longer than this, even
/// if the broker is away meanwhile.
const UNREPORTED_AGE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const BATCH: u16 = 500;

/// Why old audits can't be removed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RetentionError {
    /// The database failed.
    #[error("cannot find out which audits are old")]
    Store(#[from] StoreError),
    /// The blob store failed.
    #[error("cannot remove the blobs of old audits")]
    Blob(#[from] BlobError),
}

/// Removes what is old from time to time, until stopped.
pub(crate) async fn run(
    store: Store,
    audits: BlobStore,
    settings: Settings,
    stop: CancellationToken,
) {
    loop {
        let removing = remove(&store, &audits, settings.audit_age, UNREPORTED_AGE);
        match stop.run_until_cancelled(removing).await {
            None => return,
            Some(Ok(0)) => {}
            Some(Ok(blobs)) => tracing::info!(blobs, "removed old audits"),
            Some(Err(error)) => {
                tracing::warn!(error = %error_chain(&error), "cannot remove old audits; trying again");
            }
        }
        if stop
            .run_until_cancelled(tokio::time::sleep(PERIOD))
            .await
            .is_none()
        {
            return;
        }
    }
}

/// Removes audits older than `age`, then blobs that no audit is in and that were
/// written longer than `unreported` ago. Returns how many blobs went.
///
/// # Errors
/// When the database can't be reached or the disk is not writable.
pub(crate) async fn remove(
    store: &Store,
    audits: &BlobStore,
    age: Option<Duration>,
    unreported: Duration,
) -> Result<u64, RetentionError> {
    if let Some(age) = age {
        while store.audit_list_remove(age, BATCH).await? == u64::from(BATCH) {}
    }
    let kept = |blobs: Vec<ContentHash>| async move {
        let kept = store.audit_blob_list_kept(&blobs).await;
        kept.map_err(RetentionError::from)
    };
    let ago = unreported..Duration::MAX;
    audits.remove_all_unwanted(ago, kept).await
}
