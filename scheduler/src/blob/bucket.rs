//! Blobs in a bucket of an S3-compatible store: the client, and whether it works.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use object_store::aws::AmazonS3Builder;
use object_store::path::Path as Key;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ObjectStore, ObjectStoreExt as _, RetryConfig};
use uuid::Uuid;

use super::BlobError;
use super::http::Http;
use super::place::{BucketUrl, Place};

/// Whoever waits for a blob is a request or a worker, who try again themselves.
const RETRIES: RetryConfig = RetryConfig {
    backoff: BackoffConfig {
        init_backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(2),
        base: 2.0,
    },
    max_retries: 4,
    retry_timeout: Duration::from_secs(10),
};

/// Makes the client. Nothing is asked of the bucket yet.
pub(super) fn connect(
    client: AmazonS3Builder,
    url: &BucketUrl,
) -> Result<Arc<dyn ObjectStore>, BlobError> {
    let store = client
        .with_bucket_name(&url.bucket)
        .with_retry(RETRIES)
        .with_http_connector(Http)
        .build()
        .map_err(|source| BlobError::Settings {
            bucket: url.to_string(),
            source: Box::new(source),
        })?;
    Ok(Arc::new(PrefixStore::new(store, url.prefix.clone())))
}

/// Writes an object, finds and reads it, and removes it: all that blobs need.
pub(super) async fn check(store: &dyn ObjectStore, place: &Place) -> Result<(), BlobError> {
    const CONTENT: Bytes =
        Bytes::from_static(b"Written by a scheduler of Assize to see whether it can.\n");
    let directory = Key::from("check");
    let key = directory.clone().join(Uuid::now_v7().to_string());
    store
        .put(&key, CONTENT.into())
        .await
        .map_err(place.failed("write", &key))?;
    let found = store.list_with_delimiter(Some(&directory)).await;
    let found = found.map_err(place.failed("list", &directory))?;
    let read = async { store.get(&key).await?.bytes().await };
    let read = read.await.map_err(place.failed("read", &key))?;
    let is_listed = found.objects.iter().any(|object| object.location == key);
    if read != CONTENT || !is_listed {
        return Err(BlobError::Untrue {
            object: format!("{place}/{key}"),
        });
    }
    store
        .delete(&key)
        .await
        .map_err(place.failed("remove", &key))
}
