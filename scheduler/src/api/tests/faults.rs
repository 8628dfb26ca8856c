//! What can be wrong with a request: each fault has its status, type and field.

use assize_common::ContentHash;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::json;
use sqlx::PgPool;

use super::{Server, file, problem, right, summary, with};

#[sqlx::test(migrations = "../migrations")]
async fn every_fault_of_a_submission_is_named(pool: PgPool) {
    let server = Server::start(pool).await;
    let large = "A".repeat(200 * 1024);
    for (body, expected) in [
        (
            with(json!({"problem": "nope"})),
            (422, "unknown-problem", Some("problem")),
        ),
        (
            with(json!({"problem": "a\0b"})),
            (422, "unknown-problem", Some("problem")),
        ),
        (
            with(json!({"language": "cobol"})),
            (422, "unknown-language", Some("language")),
        ),
        (
            with(json!({"files": []})),
            (422, "invalid-field", Some("files")),
        ),
        (
            with(json!({"files": [file("a.py")]})),
            (422, "invalid-field", Some("files")),
        ),
        (
            with(json!({"files": [file("../a.cpp")]})),
            (422, "invalid-field", Some("files[0].name")),
        ),
        (
            with(json!({"files": [file("-o.cpp")]})),
            (422, "invalid-field", Some("files[0].name")),
        ),
        (
            with(json!({"files": [file("")]})),
            (422, "invalid-field", Some("files[0].name")),
        ),
        (
            with(json!({"files": [file(".cpp")]})),
            (422, "invalid-field", Some("files[0].name")),
        ),
        (
            with(json!({"files": [file("a.cpp"), file("a.cpp")]})),
            (422, "invalid-field", Some("files[1].name")),
        ),
        (
            with(json!({"files": (0..65).map(|i| file(&format!("{i}.cpp"))).collect::<Vec<_>>()})),
            (422, "invalid-field", Some("files")),
        ),
        (
            with(json!({"files": [{"name": "a.cpp", "content_base64": large}]})),
            (413, "source-too-large", Some("files")),
        ),
        (
            with(json!({"files": [{"name": "a.cpp", "content_base64": "!"}]})),
            (422, "invalid-shape", None),
        ),
        (
            with(json!({"entry_point": "-Dx"})),
            (422, "invalid-field", Some("entry_point")),
        ),
        (
            with(json!({"entry_point": "../x"})),
            (422, "invalid-field", Some("entry_point")),
        ),
        (
            with(json!({"team": " "})),
            (422, "invalid-field", Some("team")),
        ),
        (
            with(json!({"team": "a\0b"})),
            (422, "invalid-field", Some("team")),
        ),
        (
            with(json!({"contest": "c".repeat(129)})),
            (422, "invalid-field", Some("contest")),
        ),
        (
            with(json!({"sandbox": "chroot"})),
            (422, "invalid-shape", None),
        ),
        (with(json!({"surprise": 1})), (422, "invalid-shape", None)),
        (json!({"problem": "sum"}), (422, "invalid-shape", None)),
        (json!([]), (422, "invalid-shape", None)),
    ] {
        let problem = problem(server.submit(&body).await).await;
        assert_eq!(summary(&problem), expected, "{problem:?}");
    }
    assert_eq!(
        server
            .fixture
            .count("SELECT count(*) FROM submissions")
            .await,
        0
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn every_fault_of_a_request_is_a_problem_document(pool: PgPool) {
    let server = Server::start(pool).await;
    let submissions = "/api/v1/submissions";
    let post = || server.request(Method::POST, submissions);
    let get = |path: &str| server.request(Method::GET, path);
    let json = "application/json";
    let unknown = "01890a5d-ac96-774b-bcce-b302099a8057";
    let import = |query: &str| {
        server
            .request(Method::POST, &format!("/api/v1/problems{query}"))
            .header(CONTENT_TYPE, "application/zip")
    };
    for (request, expected) in [
        (
            post().header(CONTENT_TYPE, json).body("{\"problem\":"),
            (400, "malformed-json", None),
        ),
        (
            post().header(CONTENT_TYPE, json).body("\u{0}"),
            (400, "malformed-json", None),
        ),
        (post().body("{}"), (415, "wrong-content-type", None)),
        (
            post().header(CONTENT_TYPE, "text/plain").body("{}"),
            (415, "wrong-content-type", None),
        ),
        (
            post().header(CONTENT_TYPE, json).body(vec![b' '; 9 << 20]),
            (413, "body-too-large", None),
        ),
        (
            post().header("idempotency-key", "").json(&right()),
            (422, "invalid-field", Some("Idempotency-Key")),
        ),
        (
            post()
                .header("idempotency-key", "k".repeat(256))
                .json(&right()),
            (422, "invalid-field", Some("Idempotency-Key")),
        ),
        (
            get("/api/v1/submissions?verdict=XX"),
            (400, "invalid-query", None),
        ),
        (
            get("/api/v1/submissions?state=lost"),
            (400, "invalid-query", None),
        ),
        (
            get("/api/v1/submissions?colour=red"),
            (400, "invalid-query", None),
        ),
        (
            get("/api/v1/submissions?limit=0"),
            (400, "invalid-query", Some("limit")),
        ),
        (
            get("/api/v1/submissions?limit=-1"),
            (400, "invalid-query", None),
        ),
        (
            get("/api/v1/submissions?limit=201"),
            (400, "invalid-query", Some("limit")),
        ),
        (
            get("/api/v1/submissions?cursor=x"),
            (400, "invalid-query", Some("cursor")),
        ),
        (
            get("/api/v1/submissions?team=%00"),
            (400, "invalid-query", Some("team")),
        ),
        (get("/api/v1/submissions/42"), (400, "invalid-id", None)),
        (get("/api/v1/submissions/%ff"), (400, "invalid-id", None)),
        (
            get(&format!("/api/v1/submissions/{unknown}")),
            (404, "not-found", None),
        ),
        (
            get(&format!("/api/v1/submissions/{unknown}/judgement")),
            (404, "not-found", None),
        ),
        (
            get(&format!("/api/v1/judgements/{unknown}")),
            (404, "not-found", None),
        ),
        (get("/api/v1/judgements/x"), (400, "invalid-id", None)),
        (get("/api/v1/blobs/x"), (400, "invalid-id", None)),
        (
            get("/api/v1/blobs/..%2f..%2fetc%2fpasswd"),
            (400, "invalid-id", None),
        ),
        (
            get(&format!("/api/v1/blobs/{}", ContentHash::of(b"none"))),
            (404, "not-found", None),
        ),
        (get("/nothing/here"), (404, "not-found", None)),
        (get("/"), (404, "not-found", None)),
        (
            server.request(Method::DELETE, submissions),
            (405, "method-not-allowed", None),
        ),
        (
            server.request(Method::PUT, "/healthz"),
            (405, "method-not-allowed", None),
        ),
        (import(""), (400, "invalid-query", None)),
        (
            import("?short_name=Not%20Good"),
            (400, "invalid-query", Some("short_name")),
        ),
        (
            import("?short_name="),
            (400, "invalid-query", Some("short_name")),
        ),
        (
            import("?short_name=x").body("not a zip"),
            (422, "invalid-package", None),
        ),
        (
            import("?short_name=x").body(vec![0; 2 << 20]),
            (413, "body-too-large", None),
        ),
        (
            server
                .request(Method::POST, "/api/v1/problems?short_name=x")
                .body("zip"),
            (415, "wrong-content-type", None),
        ),
    ] {
        let request = request.build().unwrap();
        let what = format!("{} {}", request.method(), request.url());
        let problem = problem(server.client.execute(request).await.unwrap()).await;
        assert_eq!(summary(&problem), expected, "{what}: {problem:?}");
    }
    let leftovers = std::fs::read_dir(server.data.path().join("incoming")).unwrap();
    assert_eq!(leftovers.count(), 0);
    assert_eq!(
        server.fixture.count("SELECT count(*) FROM problems").await,
        1
    );
}
