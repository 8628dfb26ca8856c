//! Telling workers how to work, and what to leave.

use assize_common::api::{JudgementState, Submission, WorkerList};
use assize_common::id::WorkerId;
use assize_common::message::{Registered, Report, WorkerMode, WorkerReport};
use reqwest::Method;
use serde_json::json;
use sqlx::PgPool;

use super::{Server, problem, right, summary};
use crate::fixture::SETTINGS;
use crate::reports::apply_batch;

#[sqlx::test(migrations = "../migrations")]
async fn a_worker_is_cordoned_and_runs_again(pool: PgPool) {
    let server = Server::start(pool).await;
    let worker_id = WorkerId::generate();
    let report = WorkerReport {
        worker_id,
        report: Report::Registered(Registered {
            name: "w".into(),
            version: "1".into(),
            slots: 2,
            lanes: vec!["live".into()],
            languages: Vec::new(),
        }),
    };
    let store = &server.fixture.store;
    apply_batch(store, &[&report], SETTINGS).await.unwrap();
    let set = async |id: WorkerId, mode: &str| {
        let path = format!("/api/v1/workers/{id}/mode");
        let request = server.request(Method::PUT, &path);
        let request = request.json(&json!({ "mode": mode }));
        request.send().await.unwrap()
    };
    let mode = async || {
        let list: WorkerList = server.get("/api/v1/workers").await.json().await.unwrap();
        let worker = &list.workers[0];
        (worker.mode, worker.busy)
    };
    assert_eq!(mode().await, (WorkerMode::Run, 0));
    assert_eq!(set(worker_id, "cordon").await.status(), 204);
    assert_eq!(mode().await, (WorkerMode::Cordon, 0));
    let lately = std::time::Duration::from_secs(60);
    let modes = store.worker_list_modes(lately).await.unwrap();
    assert_eq!(modes, [(worker_id, WorkerMode::Cordon)]);
    assert_eq!(set(worker_id, "run").await.status(), 204);
    assert_eq!(mode().await, (WorkerMode::Run, 0));
    let refused = problem(set(worker_id, "sleep").await).await;
    assert_eq!(summary(&refused), (422, "invalid-shape", None));
    let refused = problem(set(WorkerId::generate(), "drain").await).await;
    assert_eq!(summary(&refused), (404, "not-found", None));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_submission_is_cancelled_once(pool: PgPool) {
    let server = Server::start(pool).await;
    let submission: Submission = server.submit(&right()).await.json().await.unwrap();
    let path = format!("/api/v1/submissions/{}/cancel", submission.id);
    let cancel = async |reason: &str| {
        let request = server.request(Method::POST, &path);
        let request = request.json(&json!({ "reason": reason }));
        request.send().await.unwrap()
    };
    let refused = problem(cancel(" ").await).await;
    assert_eq!(summary(&refused), (422, "invalid-field", Some("reason")));
    assert_eq!(cancel("sent by mistake").await.status(), 204);
    let own = format!("/api/v1/submissions/{}", submission.id);
    let read: Submission = server.get(&own).await.json().await.unwrap();
    assert_eq!(read.judgement.state, JudgementState::Error);
    let refused = problem(cancel("again").await).await;
    assert_eq!(summary(&refused), (409, "already-decided", None));
}
