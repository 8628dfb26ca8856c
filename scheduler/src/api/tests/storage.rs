//! Packages and blobs, and what happens when disk or database fail.

use std::io::{Cursor, Write as _};
use std::time::Duration;

use assize_common::api::{
    ImportedPackage, NewFile, ProblemVersion, ProblemVersionList, Readiness, Submission,
};
use assize_common::{ContentHash, Lane, SandboxMode};
use bytesize::ByteSize;
use futures_util::StreamExt as _;
use reqwest::{Method, StatusCode};
use serde_json::json;
use sqlx::PgPool;

use super::{Server, listen, listen_under, problem, right, summary, with};
use crate::blob::BlobStore;
use crate::blob_collection;
use crate::fixture::SETTINGS;
use crate::pressure::{Limits, Pressure};
use crate::store::Store;

/// All columns of bytes.
const BYTES: [&str; 14] = [
    "_sqlx_migrations.checksum",
    "audit_runs.sha256",
    "dead_letters.message",
    "outputs.sha256",
    "packages.archive_sha256",
    "packages.content_hash",
    "rejudgings.request_sha256",
    "runs.key",
    "runs.program_key",
    "runs.validator_key",
    "submission_files.sha256",
    "submissions.request_sha256",
    "ticket_key.key",
    "tokens.secret_sha256",
];

fn archive(answer: &str) -> Vec<u8> {
    archive_with(&[("data/secret/1.ans", answer)])
}

fn archive_with(files: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let always = [
        ("problem.yaml", "name: Echo\nlimits:\n  memory: 64\n"),
        (".timelimit", "2\n"),
        ("data/secret/1.in", "1\n"),
    ];
    for (name, content) in always.iter().chain(files) {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[sqlx::test(migrations = "../migrations")]
async fn packages_are_imported_once_and_served_to_workers(pool: PgPool) {
    let server = Server::start(pool).await;
    let first = server.import(archive("1\n")).await;
    assert_eq!(first.status(), StatusCode::CREATED);
    let first: ImportedPackage = first.json().await.unwrap();
    assert_eq!((first.problem.version, first.unchanged), (1, false));
    assert_eq!(first.problem.memory_limit_bytes, 64 << 20);

    let again = server.import(archive("1\n")).await;
    assert_eq!(again.status(), StatusCode::OK);
    let again: ImportedPackage = again.json().await.unwrap();
    assert!(again.unchanged);

    let blob = ContentHash::of(&archive("1\n"));
    let fetched = server.get(&format!("/api/v1/blobs/{blob}")).await;
    assert_eq!(fetched.bytes().await.unwrap(), archive("1\n"));

    let fixed: ImportedPackage = server.import(archive("2\n")).await.json().await.unwrap();
    assert_eq!((fixed.problem.version, fixed.unchanged), (2, false));
    let leftovers = std::fs::read_dir(server.data.path().join("incoming")).unwrap();
    assert_eq!(leftovers.count(), 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_package_may_wait_to_be_activated(pool: PgPool) {
    let server = Server::start(pool).await;
    let import = async |answer| -> (u16, bool) {
        let query = "short_name=echo&activate=false";
        let response = server.import_by(query, archive(answer)).await;
        let status = response.status().as_u16();
        let imported: ImportedPackage = response.json().await.unwrap();
        (status, imported.is_active)
    };
    let to_echo = with(json!({ "problem": "echo" }));
    assert_eq!(import("1\n").await, (201, false));
    assert_eq!(import("1\n").await, (200, false));
    let refused = problem(server.submit(&to_echo).await).await;
    assert_eq!(
        summary(&refused),
        (422, "unknown-problem", Some("problem")),
        "{refused:?}"
    );
    let activate = async |version: u32| {
        let request = server.request(Method::PUT, "/api/v1/problems/echo/active-version");
        request
            .json(&json!({ "version": version }))
            .send()
            .await
            .unwrap()
    };
    assert_eq!(activate(2).await.status(), StatusCode::NOT_FOUND);
    let activated: ProblemVersion = activate(1).await.json().await.unwrap();
    assert!(activated.is_active && activated.problem.version == 1);
    assert_eq!(server.submit(&to_echo).await.status(), StatusCode::CREATED);
    assert_eq!(import("2\n").await, (201, false));
    let versions = server.get("/api/v1/problems/echo/versions").await;
    let versions: ProblemVersionList = versions.json().await.unwrap();
    let versions = versions.versions.iter();
    let versions: Vec<_> = versions
        .map(|one| (one.problem.version, one.is_active))
        .collect();
    assert_eq!(versions, [(2, false), (1, true)]);
    let none = problem(server.get("/api/v1/problems/none/versions").await).await;
    assert_eq!(summary(&none), (404, "not-found", None));
}

#[sqlx::test(migrations = "../migrations")]
async fn blobs_that_nothing_refers_to_are_collected(pool: PgPool) {
    let server = Server::start(pool).await;
    let imported = server.import(archive("1\n")).await;
    assert_eq!(imported.status(), StatusCode::CREATED);
    let submission = server.submit(&right()).await;
    assert_eq!(submission.status(), StatusCode::CREATED);
    let blobs = BlobStore::open(server.data.path()).unwrap();
    let orphan = blobs.put("orphan".into()).await.unwrap();
    let ever = Duration::ZERO..Duration::MAX;
    let before = blobs.list_written(ever.clone()).count().await;
    let collect = || blob_collection::collect(&server.fixture.store, &blobs, ever.clone());
    assert_eq!(collect().await.unwrap(), 1);
    assert!(blobs.get(orphan).await.unwrap().is_none());
    assert_eq!(blobs.list_written(ever.clone()).count().await, before - 1);
    assert!(before > 2, "a package and a source stay");
    assert_eq!(collect().await.unwrap(), 0);
}

/// Whoever adds one has to say whether it names a blob, and then have it kept:
/// `Store::blob_list_kept`, or `Store::audit_blob_list_kept` for audits and
/// `Store::output_blob_list_kept` for outputs.
#[sqlx::test(migrations = "../migrations")]
async fn every_column_that_may_refer_to_a_blob_is_known(pool: PgPool) {
    let columns: Vec<String> = sqlx::query_scalar(
        "SELECT table_name || '.' || column_name FROM information_schema.columns
         WHERE table_schema = 'public' AND data_type = 'bytea' ORDER BY 1",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(columns, BYTES);
}

/// Rules that nobody enforces would be none.
#[sqlx::test(migrations = "../migrations")]
async fn submissions_to_a_package_with_rules_are_traced(pool: PgPool) {
    let server = Server::start(pool).await;
    let answer = ("data/secret/1.ans", "1\n");
    let rules = "[[budget]]\nid = 'alone'\nwhy = 'one process'\nsyscalls = ['fork']\ncount = 0\naction = 'kill'\n";
    let wrong = rules.replace("fork", "forkk");
    let refused = server
        .import(archive_with(&[answer, ("assize-policy.toml", &wrong)]))
        .await;
    let refused = problem(refused).await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.detail.contains("assize-policy.toml") && refused.detail.contains("mean fork?"),
        "{refused:?}"
    );

    let imported = server
        .import(archive_with(&[answer, ("assize-policy.toml", rules)]))
        .await;
    assert_eq!(imported.status(), StatusCode::CREATED);
    let sent = server.submit(&with(json!({"problem": "echo"}))).await;
    let sent: Submission = sent.json().await.unwrap();
    let sandbox = sent.judgement.sandbox;
    assert_eq!(
        (sandbox.mode, &*sandbox.reason, sent.judgement.lane),
        (SandboxMode::Ptrace, "its problem has rules", Lane::Live)
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn damaged_blobs_are_never_served_whole(pool: PgPool) {
    let server = Server::start(pool).await;
    let small = b"int main() {}\n".to_vec();
    let large = b"// one line of many\n".repeat(5000);
    for source in [&small, &large] {
        let file = NewFile {
            name: "a.cpp".into(),
            content: source.clone(),
        };
        let response = server.submit(&with(json!({"files": [file]}))).await;
        assert_eq!(response.status(), StatusCode::CREATED);
    }
    let damage = |content: &[u8]| {
        let hash = ContentHash::of(content).to_string();
        let path = server.data.path().join("blobs").join(&hash[..2]);
        let mut content = content.to_vec();
        content[0] ^= 1;
        std::fs::write(path.join(&hash), content).unwrap();
        format!("/api/v1/blobs/{hash}")
    };
    let problem = problem(server.get(&damage(&small)).await).await;
    assert_eq!(summary(&problem), (500, "damaged-blob", None));
    let begun = server.request(Method::GET, &damage(&large)).send().await;
    // Whether the beginning got through is a matter of buffers.
    if let Ok(begun) = begun {
        assert!(begun.bytes().await.is_err());
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn without_the_blob_store_nothing_is_half_done(pool: PgPool) {
    let server = Server::start(pool).await;
    let blobs = server.data.path().join("blobs");
    std::fs::remove_dir_all(&blobs).unwrap();
    std::fs::write(&blobs, "in the way").unwrap();
    let problem = problem(server.submit(&right()).await).await;
    assert_eq!(summary(&problem), (503, "storage-unavailable", None));
    let path = server.data.path().to_str().unwrap();
    assert!(!problem.detail.contains(path), "{problem:?}");
    assert_eq!(
        server
            .fixture
            .count("SELECT count(*) FROM submissions")
            .await,
        0
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn without_the_database_requests_are_told_to_come_back(pool: PgPool) {
    let server = Server::start(pool).await;
    let ready: Readiness = server.get("/readyz").await.json().await.unwrap();
    assert_eq!((ready.ready, ready.broker), (true, false));
    // What a stopped Postgres looks like to the pool.
    let gone = "postgres://nobody@127.0.0.1:9/none".parse().unwrap();
    let address = listen(Store::new(&gone, 4), server.data.path()).await;
    let get = async |path: &str| {
        let request = server.client.get(format!("http://{address}{path}"));
        request.bearer_auth(&server.admin).send().await.unwrap()
    };
    assert_eq!(get("/healthz").await.status(), StatusCode::OK);
    assert_eq!(get("/metrics").await.status(), StatusCode::OK);
    assert_eq!(
        get("/readyz").await.status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    let response = get("/api/v1/problems").await;
    assert!(response.headers().contains_key("retry-after"));
    let problem = problem(response).await;
    assert_eq!(summary(&problem), (503, "database-unavailable", None));
    // A commit whose answer is lost looks the same.
    assert!(
        problem.detail.contains("stored or not") && problem.detail.contains("Idempotency-Key"),
        "{}",
        problem.detail
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn audits_leave_the_reserve_of_the_disk_alone(pool: PgPool) {
    let server = Server::start(pool).await;
    let store = &server.fixture.store;
    let pressure = Pressure::default();
    let address = listen_under(store.clone(), server.data.path(), pressure.clone()).await;
    let audit = vec![7; 3 << 20];
    let hash = ContentHash::of(&audit);
    let put = async |content: &[u8]| {
        let url = format!("http://{address}/api/v1/audits/{hash}");
        let request = server.client.put(url).bearer_auth(&server.admin);
        request.body(content.to_vec()).send().await.unwrap()
    };
    let reserve = async |disk_reserve| {
        let limits = Limits {
            disk_reserve,
            ..SETTINGS.limits
        };
        pressure
            .look(store, server.data.path(), limits)
            .await
            .unwrap();
    };
    reserve(ByteSize::pib(1000)).await;
    let refused = problem(put(&audit).await).await;
    assert_eq!(summary(&refused), (507, "storage-full", None));
    reserve(ByteSize(0)).await;
    let damaged = problem(put(b"other").await).await;
    assert_eq!(summary(&damaged), (422, "invalid-field", Some("sha256")));
    assert_eq!(put(&audit).await.status(), StatusCode::NO_CONTENT);
    let stored = server.get(&format!("/api/v1/audits/{hash}")).await;
    assert_eq!(stored.bytes().await.unwrap(), audit);
    let leftovers = server.data.path().join("audits/incoming");
    assert_eq!(std::fs::read_dir(leftovers).unwrap().count(), 0);
}
