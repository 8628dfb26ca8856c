//! Removing packages and sources that nothing refers to: their upload was refused
//! or broken off after they were stored.

use std::ops::Range;
use std::time::Duration;

use assize_common::ContentHash;
use assize_common::telemetry::error_chain;
use tokio_util::sync::CancellationToken;

use crate::blob::{BlobError, BlobStore};
use crate::store::{Store, StoreError, round};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const PERIOD: Duration = Duration::from_secs(6 * 60 * 60);
/// What is looked at. Whoever writes a blob refers to it within minutes; nothing that
/// is referred to ever stops being so, so that what is older was looked at before.
const AGES: Range<Duration> = DAY..DAY.saturating_mul(30);

/// Why blobs can't be collected.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CollectionError {
    /// The database failed.
    #[error("cannot find out which blobs are referred to")]
    Store(#[from] StoreError),
    /// The blob store failed.
    #[error("cannot remove blobs that nothing refers to")]
    Blob(#[from] BlobError),
}

/// Removes what nothing refers to from time to time, until stopped.
pub(crate) async fn run(store: Store, blobs: BlobStore, stop: CancellationToken) {
    // Of a pass that a crash broke off: somebody may have referred to it since.
    if let Err(error) = blobs.put_all_back().await {
        tracing::warn!(error = %error_chain(&error), "cannot put back what collecting blobs has left aside; trying again in hours");
    }
    loop {
        let pause = tokio::time::sleep(PERIOD);
        if stop.run_until_cancelled(pause).await.is_none() {
            return;
        }
        match stop
            .run_until_cancelled(collect(&store, &blobs, AGES))
            .await
        {
            None => return,
            Some(Ok(0)) => {}
            Some(Ok(blobs)) => tracing::info!(blobs, "removed blobs that nothing refers to"),
            Some(Err(error)) => {
                tracing::warn!(error = %error_chain(&error), "cannot collect blobs; trying again");
            }
        }
    }
}

/// Removes what was last written so long ago and nothing refers to. Returns how many
/// blobs went.
///
/// # Errors
/// When the database can't be reached or the disk is not writable.
pub(crate) async fn collect(
    store: &Store,
    blobs: &BlobStore,
    ages: Range<Duration>,
) -> Result<u64, CollectionError> {
    let kept = |blobs: Vec<ContentHash>| async move {
        let kept = round(store.blob_list_kept(&blobs)).await;
        kept.map_err(CollectionError::from)
    };
    blobs.remove_all_unwanted(ages, kept).await
}
