//! Submissions from request to verdict, and requests that come twice.

use assize_common::api::{Judgement, Submission, SubmissionList};
use assize_common::id::WorkerId;
use assize_common::language::NO_LANGUAGE;
use assize_common::{ContentHash, Lane, SandboxMode, Verdict};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{Server, file, problem, right, summary, with};
use crate::fixture::{SETTINGS, finished, package};
use crate::reports::apply_batch;
use crate::store::{Activation, NewPackage};

#[sqlx::test(migrations = "../migrations")]
async fn a_submission_from_request_to_verdict(pool: PgPool) {
    let server = Server::start(pool).await;
    let body = with(json!({"contest": "finals", "team": "Seals 🦭"}));
    let response = server.submit(&body).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    let submission: Submission = response.json().await.unwrap();
    assert_eq!(location, format!("/api/v1/submissions/{}", submission.id));
    assert_eq!(submission.judgement.lane, Lane::Live);
    assert_eq!(submission.judgement.sandbox.mode, SandboxMode::Unshare);

    let source = ContentHash::of(b"int main() {}\n");
    let blob = server.get(&format!("/api/v1/blobs/{source}")).await;
    assert_eq!(blob.bytes().await.unwrap(), "int main() {}\n");

    let held = server.fixture.held(submission.id).await;
    let report = finished(WorkerId::generate(), held, Verdict::Wa);
    apply_batch(&server.fixture.store, &[&report], SETTINGS)
        .await
        .unwrap();
    let read: Submission = server.get(&location).await.json().await.unwrap();
    assert_eq!(read.judgement.verdict, Some(Verdict::Wa));
    let current: Judgement = server
        .get(&format!("{location}/judgement"))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(current.runs.len(), 2);
    let path = format!("/api/v1/judgements/{}", current.summary.id);
    let same: Judgement = server.get(&path).await.json().await.unwrap();
    assert_eq!(same, current);
    let list: SubmissionList = server
        .get("/api/v1/submissions?verdict=WA&state=done&contest=finals&limit=1")
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(list.submissions, [read]);
    assert_eq!(list.next, None);
}

#[sqlx::test(migrations = "../migrations")]
async fn flagged_submissions_go_to_ptrace(pool: PgPool) {
    let server = Server::start(pool).await;
    let response = server.submit(&with(json!({"flag": "reads /proc"}))).await;
    let submission: Submission = response.json().await.unwrap();
    assert_eq!(submission.judgement.lane, Lane::Flagged);
    assert_eq!(submission.judgement.sandbox.mode, SandboxMode::Ptrace);
    assert_eq!(submission.judgement.sandbox.reason, "flagged: reads /proc");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_repeated_request_makes_one_submission(pool: PgPool) {
    let server = Server::start(pool).await;
    let submit = async |body: Value, key: &str| {
        server
            .request(Method::POST, "/api/v1/submissions")
            .header("idempotency-key", key)
            .json(&body)
            .send()
            .await
            .unwrap()
    };
    let first: Submission = submit(right(), "k1").await.json().await.unwrap();
    let again = submit(right(), "k1").await;
    assert_eq!(again.status(), StatusCode::CREATED);
    let again: Submission = again.json().await.unwrap();
    assert_eq!(again.id, first.id);
    let other = submit(with(json!({"team": "Otters"})), "k1").await;
    assert_eq!(
        summary(&problem(other).await),
        (409, "idempotency-key-reused", None)
    );
    let second: Submission = submit(right(), "k2").await.json().await.unwrap();
    assert_ne!(second.id, first.id);
    assert_eq!(
        server
            .fixture
            .count("SELECT count(*) FROM submissions")
            .await,
        2
    );
}

/// Outputs instead of a program, to a problem that takes those, and only there.
#[sqlx::test(migrations = "../migrations")]
async fn outputs_are_submitted_in_no_language(pool: PgPool) {
    let server = Server::start(pool).await;
    let store = &server.fixture.store;
    let package = NewPackage {
        takes_outputs: true,
        ..package(99)
    };
    let imported = store.problem_import(
        "queens",
        &package,
        Activation::AtOnce,
        server.fixture.token_id,
    );
    assert!(imported.await.unwrap().version.problem.takes_outputs);

    let blob = json!({"name": "02.ans", "content_base64": "eHh4".repeat(2000)});
    let outputs = json!([file("secret/01.out"), blob]);
    let body = json!({"problem": "queens", "files": outputs});
    let response = server.submit(&body).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    let submission: Submission = response.json().await.unwrap();
    assert_eq!(submission.language, NO_LANGUAGE);
    assert_eq!(submission.files, ["secret/01.out", "02.ans"]);
    // Nothing of it runs, so it can't be suspicious.
    assert_eq!(submission.judgement.lane, Lane::Live);

    let many: Vec<Value> = (0..1025).map(|at| file(&format!("{at}.out"))).collect();
    let deep = "a/".repeat(8) + "1.out";
    for (body, field) in [
        (json!({"problem": "sum", "files": outputs}), "language"),
        (with(json!({"problem": "queens"})), "language"),
        (with(json!({"files": [file("src/a.cpp")]})), "files[0].name"),
        (
            json!({"problem": "queens", "files": [file("../1.out")]}),
            "files[0].name",
        ),
        (
            json!({"problem": "queens", "files": [file("/1.out")]}),
            "files[0].name",
        ),
        (
            json!({"problem": "queens", "files": [file(&deep)]}),
            "files[0].name",
        ),
        (json!({"problem": "queens", "files": many}), "files"),
        (json!({"problem": "queens", "files": []}), "files"),
    ] {
        let refused = problem(server.submit(&body).await).await;
        assert_eq!(
            summary(&refused),
            (422, "invalid-field", Some(field)),
            "{refused:?}"
        );
    }
}
