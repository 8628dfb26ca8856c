//! Outputs over the API: stored, reported, fetched, removed.

use std::time::Duration;

use assize_common::ContentHash;
use assize_common::Verdict;
use assize_common::api::Scope;
use assize_common::id::WorkerId;
use assize_common::message::{Judged, Report};
use reqwest::{Method, StatusCode};
use sqlx::PgPool;

use super::{Server, problem, summary};
use crate::blob::BlobStore;
use crate::fixture::{SETTINGS, finished, make_token};
use crate::reports::apply_batch;
use crate::retention;

const OUTPUTS: &[u8] = b"outputs";

/// A judgement is done whose outputs are in `blob`.
async fn judged(server: &Server, blob: ContentHash) {
    let (_, held) = server.fixture.submit().await;
    let mut report = finished(WorkerId::generate(), held, Verdict::Ac);
    if let Report::Finished(finished) = &mut report.report
        && let Judged::Verdict { outputs, .. } = &mut finished.outcome
    {
        outputs.push(blob);
    }
    apply_batch(&server.fixture.store, &[&report], SETTINGS)
        .await
        .unwrap();
}

#[sqlx::test(migrations = "../migrations")]
async fn workers_store_outputs_and_have_them_again(pool: PgPool) {
    let server = Server::start(pool).await;
    let token = async |scope| make_token(&server.fixture.store, &[scope]).await.reveal();
    let worker = token(Scope::Worker).await;
    let asked = async |method: Method, hash: ContentHash, token: &str| {
        let path = format!("/api/v1/outputs/{hash}");
        let request = server.request_by(token, method, &path);
        request.body(OUTPUTS).send().await.unwrap()
    };
    let (right, wrong) = (ContentHash::of(OUTPUTS), ContentHash::of(b"others"));
    let none = problem(asked(Method::GET, right, &worker).await).await;
    assert_eq!(summary(&none), (404, "not-found", None));
    let refused = problem(asked(Method::PUT, wrong, &worker).await).await;
    assert_eq!(summary(&refused), (422, "invalid-field", Some("sha256")));
    let stored = asked(Method::PUT, right, &worker).await;
    assert_eq!(stored.status(), StatusCode::NO_CONTENT);
    let fetched = asked(Method::GET, right, &worker).await;
    assert_eq!(fetched.bytes().await.unwrap(), OUTPUTS);
    let submitter = token(Scope::Submit).await;
    for method in [Method::GET, Method::PUT] {
        let refused = asked(method, right, &submitter).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn old_outputs_go_and_those_that_are_referred_to_stay(pool: PgPool) {
    let server = Server::start(pool).await;
    let store = &server.fixture.store;
    let blobs = BlobStore::open(&server.data.path().join("outputs")).unwrap();
    let kept = blobs.put(OUTPUTS.into()).await.unwrap();
    blobs
        .put("of a report that never came".into())
        .await
        .unwrap();
    // One took over what the other has run.
    judged(&server, kept).await;
    judged(&server, kept).await;
    let (day, now) = (Duration::from_secs(24 * 60 * 60), Duration::ZERO);
    let remove = async |age, unreported| {
        let removed = retention::remove_outputs(store, &blobs, age, unreported).await;
        let rows = server.fixture.count("SELECT count(*) FROM outputs").await;
        (removed.unwrap(), rows)
    };
    assert_eq!(remove(Some(day), day).await, (0, 2));
    assert_eq!(remove(None, now).await, (1, 2));
    server
        .fixture
        .execute("UPDATE outputs SET created_at = created_at - interval '2 days' WHERE ctid = (SELECT min(ctid) FROM outputs)")
        .await
        .unwrap();
    assert_eq!(
        remove(Some(day), now).await,
        (0, 1),
        "one still refers to it"
    );
    assert!(blobs.get(kept).await.unwrap().is_some());
    assert_eq!(remove(Some(now), now).await, (1, 0));
    assert!(blobs.get(kept).await.unwrap().is_none());
}
