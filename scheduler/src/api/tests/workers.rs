//! Telling workers how to work, and what to leave.

use assize_common::Verdict;
use assize_common::api::{JudgementState, RejudgingPreview, Submission, WorkerList};
use assize_common::id::WorkerId;
use assize_common::message::{
    Canaries, CanaryReading, Control, Registered, Report, WorkerMode, WorkerReport,
};
use chrono::{TimeDelta, Utc};
use reqwest::Method;
use serde_json::json;
use sqlx::PgPool;

use super::{Server, problem, right, summary};
use crate::fixture::{SETTINGS, finished};
use crate::reports::apply_batch;

fn registered(worker_id: WorkerId) -> WorkerReport {
    registered_as("w", worker_id)
}

fn registered_as(name: &str, worker_id: WorkerId) -> WorkerReport {
    WorkerReport {
        worker_id,
        report: Report::Registered(Registered {
            name: name.into(),
            version: "1".into(),
            slots: 2,
            lanes: vec!["live".into()],
            languages: Vec::new(),
        }),
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_worker_is_cordoned_and_runs_again(pool: PgPool) {
    let server = Server::start(pool).await;
    let worker_id = WorkerId::generate();
    let report = registered(worker_id);
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

/// What was judged before it became slower is not suspect, and an admin has the last word.
#[sqlx::test(migrations = "../migrations")]
async fn a_worker_that_becomes_slower_is_cordoned_and_what_it_judged_suspected(pool: PgPool) {
    let server = Server::start(pool).await;
    let store = &server.fixture.store;
    let worker_id = WorkerId::generate();
    let registered = registered(worker_id);
    apply_batch(store, &[&registered], SETTINGS).await.unwrap();
    let judged_by = async |worker_id: WorkerId| {
        let (_, held) = server.fixture.submit().await;
        let report = finished(worker_id, held, Verdict::Ac);
        apply_batch(store, &[&report], SETTINGS).await.unwrap();
    };
    let begin = Utc::now() - TimeDelta::minutes(1);
    let canaries = async |number: i32, cpu_time_ms: u64| {
        let report = WorkerReport {
            worker_id,
            report: Report::Canaries(Canaries {
                slot: 1,
                at: begin + TimeDelta::seconds(number.into()),
                readings: vec![
                    CanaryReading {
                        program: "cpu".into(),
                        cpu_time_ms,
                    },
                    CanaryReading {
                        program: "memory".into(),
                        cpu_time_ms: 50,
                    },
                ],
            }),
        };
        // Any report may come twice.
        for _ in 0..2 {
            apply_batch(store, &[&report], SETTINGS).await.unwrap();
        }
    };
    let worker = async || {
        let list: WorkerList = server.get("/api/v1/workers").await.json().await.unwrap();
        let mut workers = list.workers.into_iter();
        workers.find(|worker| worker.id == worker_id).unwrap()
    };
    let suspects = async || {
        let request = server.request(Method::POST, "/api/v1/rejudgings/preview");
        let request = request.json(&json!({"filter": "suspect = true"}));
        let preview: RejudgingPreview = request.send().await.unwrap().json().await.unwrap();
        preview.submissions
    };
    for (number, time) in (0..).zip([100, 101, 99, 300, 100, 100, 200, 200]) {
        canaries(number, time).await;
    }
    let known = worker().await;
    assert_eq!(known.mode, WorkerMode::Run, "two may be slow");
    assert_eq!((known.mode_reason, known.suspect_since), (None, None));
    let cpu = &known.canaries[0];
    assert_eq!(
        (cpu.program.as_str(), cpu.usual_ms, cpu.latest_ms),
        ("cpu", Some(100), 200)
    );

    judged_by(worker_id).await;
    judged_by(WorkerId::generate()).await;
    assert_eq!(suspects().await, 0);
    canaries(8, 180).await;
    let alone = worker().await;
    assert_eq!(
        alone.mode,
        WorkerMode::Run,
        "nobody else takes what it takes"
    );
    assert!(alone.mode_reason.is_none() && alone.suspect_since.is_some());
    assert_eq!(suspects().await, 1);

    let other = registered_as("other", WorkerId::generate());
    apply_batch(store, &[&other], SETTINGS).await.unwrap();
    canaries(9, 180).await;
    let known = worker().await;
    assert_eq!(known.mode, WorkerMode::Cordon);
    let reason = known.mode_reason.unwrap();
    assert!(
        reason.contains("canary cpu takes 180 ms on slot 1 and took 100 ms"),
        "{reason}"
    );
    assert!(known.suspect_since.is_some() && known.suspect_until.is_none());
    assert_eq!(suspects().await, 1);
    let lately = std::time::Duration::from_secs(60);
    let modes = store.worker_list_modes(lately).await.unwrap();
    assert_eq!(modes, [(worker_id, WorkerMode::Cordon)]);

    assert!(
        store
            .worker_set_mode(worker_id, WorkerMode::Run)
            .await
            .unwrap()
    );
    let known = worker().await;
    assert_eq!((known.mode, known.mode_reason), (WorkerMode::Run, None));
    assert!(known.suspect_until.is_some() && known.canaries.is_empty());
    canaries(10, 180).await;
    assert_eq!(worker().await.mode, WorkerMode::Run, "this is usual now");
    judged_by(worker_id).await;
    assert_eq!(suspects().await, 1, "the same as before");

    // An admin's later word, and a second drift, leave the time of the first one alone.
    store
        .worker_set_mode(worker_id, WorkerMode::Cordon)
        .await
        .unwrap();
    assert_eq!(worker().await.suspect_until, known.suspect_until);
    assert_eq!(suspects().await, 1);
    store
        .worker_set_mode(worker_id, WorkerMode::Run)
        .await
        .unwrap();
    assert_eq!(worker().await.suspect_until, known.suspect_until);
    for (number, time) in (11..).zip([180, 180, 180, 180, 300, 300, 300]) {
        canaries(number, time).await;
    }
    let again = worker().await;
    assert_eq!(again.mode, WorkerMode::Cordon);
    assert_eq!(
        (again.suspect_since, again.suspect_until),
        (known.suspect_since, None)
    );
    // A clock that is years ahead.
    canaries(i32::MAX, 300).await;
    let ran_at = worker().await.canaries[0].ran_at;
    assert!(ran_at < Utc::now() + TimeDelta::days(2));
}

/// Whoever has a name that stays is not let loose by a crash.
#[sqlx::test(migrations = "../migrations")]
async fn a_worker_that_is_cordoned_is_so_after_a_restart(pool: PgPool) {
    let server = Server::start(pool).await;
    let store = &server.fixture.store;
    let mut told = store.listen(crate::store::CONTROL_CHANNEL).await.unwrap();
    let mut start = async |worker_id: WorkerId| {
        let report = registered(worker_id);
        apply_batch(store, &[&report], SETTINGS).await.unwrap();
        loop {
            let news = told.next().await.unwrap();
            let news = serde_json::from_str(news.payload()).unwrap();
            if let Control::Mode {
                worker_id: id,
                mode,
            } = news
                && id == worker_id
            {
                return mode;
            }
        }
    };
    let (first, second, third) = (
        WorkerId::generate(),
        WorkerId::generate(),
        WorkerId::generate(),
    );
    assert_eq!(start(first).await, WorkerMode::Run);
    store
        .worker_set_mode(first, WorkerMode::Cordon)
        .await
        .unwrap();
    assert_eq!(start(second).await, WorkerMode::Cordon);
    store
        .worker_set_mode(second, WorkerMode::Run)
        .await
        .unwrap();
    assert_eq!(start(third).await, WorkerMode::Run);
    // It is told whenever it connects, too.
    store
        .worker_set_mode(third, WorkerMode::Cordon)
        .await
        .unwrap();
    assert_eq!(start(third).await, WorkerMode::Cordon);
    store
        .worker_set_mode(third, WorkerMode::Drain)
        .await
        .unwrap();
    assert_eq!(
        start(WorkerId::generate()).await,
        WorkerMode::Run,
        "drained is over"
    );
    // Of several of one name, one that is cordoned says nothing of the next.
    let latest = WorkerId::generate();
    start(latest).await;
    store
        .worker_set_mode(latest, WorkerMode::Cordon)
        .await
        .unwrap();
    assert_eq!(start(WorkerId::generate()).await, WorkerMode::Run);
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
