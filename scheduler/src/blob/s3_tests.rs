//! Blobs in a bucket of a real server of S3.

use std::time::Duration;

use super::testing::{self, read};
use super::*;

fn client() -> AmazonS3Builder {
    let endpoint = std::env::var("ASSIZE_TEST_S3_ENDPOINT");
    let endpoint = endpoint.expect("ASSIZE_TEST_S3_ENDPOINT names a server to test with");
    AmazonS3Builder::new()
        .with_endpoint(endpoint)
        .with_allow_http(true)
        .with_region("us-east-1")
        .with_access_key_id("tests:assize")
        .with_secret_access_key("assize")
}

async fn open(
    client: AmazonS3Builder,
    url: &str,
) -> (tempfile::TempDir, Result<BlobStore, BlobError>) {
    let data = tempfile::tempdir().unwrap();
    let store = BlobStore::connect(client, &url.parse().unwrap(), data.path()).await;
    (data, store)
}

/// A store with nothing in it.
async fn store() -> (tempfile::TempDir, BlobStore) {
    let url = format!("s3://assize/tests/{}", uuid::Uuid::now_v7());
    let (data, store) = open(client(), &url).await;
    (data, store.unwrap())
}

/// The error of opening, with its cause; and whether trying again may help.
async fn refused(client: AmazonS3Builder, url: &str) -> (String, bool) {
    let error = open(client, url).await.1.unwrap_err();
    (error.to_string(), error.is_temporary())
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_S3_ENDPOINT"]
async fn what_is_written_is_read() {
    testing::what_is_written_is_read(&store().await.1).await;
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_S3_ENDPOINT"]
async fn large_files_come_back_whole() {
    testing::large_files_come_back_whole(&store().await.1).await;
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_S3_ENDPOINT"]
async fn damage_is_found_before_the_end_and_mended_by_writing_again() {
    testing::damage_is_found_and_mended(&store().await.1).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ASSIZE_TEST_S3_ENDPOINT"]
async fn what_is_referred_to_is_there() {
    testing::what_is_referred_to_is_there(&store().await.1).await;
}

/// Not even one that was held up since yesterday can remove what was written today.
#[tokio::test]
#[ignore = "needs ASSIZE_TEST_S3_ENDPOINT"]
async fn nobody_removes_what_was_written_after_the_question() {
    const AGE: Duration = Duration::from_secs(2);
    let (_data, store) = store().await;
    let content = Bytes::from_static(b"content");
    let hash = store.put(content.clone()).await.unwrap();
    tokio::time::sleep(AGE * 2).await;
    let (late, again) = (store.clone(), content.clone());
    let wanted = async |_| {
        late.put(again.clone()).await?;
        tokio::time::sleep(AGE * 2).await;
        Ok::<_, BlobError>(Vec::new())
    };
    assert_eq!(
        store
            .remove_unwanted(vec![hash], AGE, &wanted)
            .await
            .unwrap(),
        1
    );
    assert_eq!(read(&store, hash).await.unwrap(), content);
    assert_eq!(
        store.copies(hash).await.unwrap().len(),
        1,
        "the old one is gone"
    );
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_S3_ENDPOINT"]
async fn a_wanted_blob_keeps_its_youngest_copy() {
    let (_data, store) = store().await;
    let content = Bytes::from_static(b"content");
    let hash = store.put(content.clone()).await.unwrap();
    for _ in 0..3 {
        store.put(content.clone()).await.unwrap();
    }
    let youngest = store.key_to_read(hash).await.unwrap();
    let wanted = async |blobs| Ok::<_, BlobError>(blobs);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let removed = store.remove_unwanted(vec![hash], Duration::ZERO, &wanted);
    assert_eq!(removed.await.unwrap(), 0);
    assert_eq!(store.copies(hash).await.unwrap().len(), 1);
    assert_eq!(store.key_to_read(hash).await.unwrap(), youngest);
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_S3_ENDPOINT"]
async fn a_bucket_that_can_not_be_used_is_refused_with_what_to_do() {
    let (error, temporary) = refused(client(), "s3://missing/x").await;
    assert!(
        error.starts_with("cannot write s3://missing/x/check/"),
        "{error}"
    );
    assert!(
        error.contains("is there such a bucket") && !temporary,
        "{error}"
    );

    let stranger = client().with_secret_access_key("wrong");
    let (error, temporary) = refused(stranger, "s3://assize").await;
    assert!(
        error.starts_with("cannot write s3://assize/check/"),
        "{error}"
    );
    assert!(
        error.contains("AWS_SECRET_ACCESS_KEY") && !temporary,
        "{error}"
    );

    let (error, _) = refused(client().with_allow_http(false), "s3://assize").await;
    assert!(error.contains("AWS_ALLOW_HTTP=true"), "{error}");
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let client = AmazonS3Builder::new()
        .with_endpoint(endpoint)
        .with_allow_http(true)
        .with_access_key_id("somebody")
        .with_secret_access_key("secret");
    // It takes connections, and that is all.
    let (error, temporary) = refused(client.clone(), "s3://assize").await;
    assert!(
        error.contains("does the server of AWS_ENDPOINT_URL answer"),
        "{error}"
    );
    assert!(temporary);
    drop(listener);
    let (error, temporary) = refused(client, "s3://assize").await;
    assert!(
        error.starts_with("cannot write s3://assize/check/"),
        "{error}"
    );
    assert!(temporary);
}
