//! The API as clients see it: a real server, a real database.

use std::io::{Cursor, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use assize_common::ContentHash;
use assize_common::api::{
    ImportedPackage, Judgement, NewFile, ProblemDetails, Readiness, Scope, Submission,
    SubmissionList,
};
use assize_common::id::WorkerId;
use assize_common::language::LanguageTable;
use assize_common::{Lane, SandboxMode, Verdict};
use bytesize::ByteSize;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;
use tempfile::TempDir;

use super::{Api, description, router};
use crate::blob::BlobStore;
use crate::fixture::{Fixture, SETTINGS, finished, make_token};
use crate::reports::apply_batch;
use crate::store::Store;

struct Server {
    fixture: Fixture,
    address: SocketAddr,
    client: reqwest::Client,
    data: TempDir,
    admin: String,
}

impl Server {
    async fn start(pool: PgPool) -> Self {
        let fixture = Fixture::new(pool).await;
        let data = tempfile::tempdir().unwrap();
        let address = listen(fixture.store.clone(), data.path()).await;
        let admin = make_token(&fixture.store, &[Scope::Admin]).await.reveal();
        Self {
            fixture,
            address,
            client: reqwest::Client::new(),
            data,
            admin,
        }
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = format!("http://{}{path}", self.address);
        self.client.request(method, url).bearer_auth(&self.admin)
    }

    async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    async fn submit(&self, body: &Value) -> Response {
        let request = self.request(Method::POST, "/api/v1/submissions");
        request.json(body).send().await.unwrap()
    }

    async fn import(&self, archive: Vec<u8>) -> Response {
        self.request(Method::POST, "/api/v1/problems?short_name=echo")
            .header(CONTENT_TYPE, "application/zip")
            .body(archive)
            .send()
            .await
            .unwrap()
    }
}

async fn listen(store: Store, data: &Path) -> SocketAddr {
    let (_, broker) = tokio::sync::watch::channel(false);
    let api = Api {
        store,
        blobs: BlobStore::open(data).unwrap(),
        languages: Arc::new(LanguageTable::embedded().unwrap()),
        max_package: ByteSize::mib(1),
        broker,
        metrics: Arc::new(|| "up 1\n".to_owned()),
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, router(api)).into_future());
    address
}

/// A submission that is right in every respect.
fn right() -> Value {
    json!({
        "problem": "sum",
        "language": "cpp20",
        "files": [{"name": "a.cpp", "content_base64": "aW50IG1haW4oKSB7fQo="}],
    })
}

fn with(changes: Value) -> Value {
    let mut body = right();
    for (key, value) in changes.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

fn file(name: &str) -> Value {
    json!({"name": name, "content_base64": "eA=="})
}

async fn problem(response: Response) -> ProblemDetails {
    assert_eq!(
        response.headers()[CONTENT_TYPE],
        "application/problem+json",
        "{response:?}"
    );
    assert!(response.headers().contains_key("x-request-id"));
    let status = response.status().as_u16();
    let problem: ProblemDetails = response.json().await.unwrap();
    assert_eq!(problem.status, status);
    assert!(
        !problem.title.is_empty() && !problem.detail.is_empty(),
        "{problem:?}"
    );
    problem
}

fn summary(problem: &ProblemDetails) -> (u16, &str, Option<&str>) {
    (
        problem.status,
        problem.kind.as_str(),
        problem.field.as_deref(),
    )
}

#[test]
fn the_description_is_the_published_one() {
    // A change here is a change for every client: additions are fine, the rest is not.
    insta::assert_snapshot!(description().to_pretty_json().unwrap());
}

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

#[sqlx::test(migrations = "../migrations")]
async fn tokens_open_what_their_scopes_name(pool: PgPool) {
    let server = Server::start(pool).await;
    let store = &server.fixture.store;
    let token = async |scope| make_token(store, &[scope]).await.reveal();
    let read = token(Scope::Read).await;
    let submit = token(Scope::Submit).await;
    let worker = token(Scope::Worker).await;
    let blob = format!("/api/v1/blobs/{}", ContentHash::of(b"none"));
    let flagged = with(json!({"flag": "odd"}));
    let sandboxed = with(json!({"sandbox": "ptrace"}));
    let call = async |token: &str, method: Method, path: &str, body: Option<&Value>| {
        let mut request = server
            .client
            .request(method, format!("http://{}{path}", server.address))
            .header(AUTHORIZATION, format!("Bearer {token}"));
        if let Some(body) = body {
            request = request.json(body);
        }
        request.send().await.unwrap().status().as_u16()
    };
    let submissions = "/api/v1/submissions";
    for (token, method, path, body, expected) in [
        (&read, Method::GET, submissions, None, 200),
        (&read, Method::GET, "/api/v1/problems", None, 200),
        (&read, Method::GET, "/api/v1/languages", None, 200),
        (&read, Method::GET, "/api/v1/workers", None, 200),
        (&read, Method::POST, submissions, Some(&right()), 403),
        (
            &read,
            Method::POST,
            "/api/v1/problems?short_name=x",
            None,
            403,
        ),
        (&read, Method::GET, blob.as_str(), None, 403),
        (&submit, Method::POST, submissions, Some(&right()), 201),
        (&submit, Method::GET, submissions, None, 403),
        (&submit, Method::POST, submissions, Some(&flagged), 403),
        (&submit, Method::POST, submissions, Some(&sandboxed), 403),
        (&worker, Method::GET, blob.as_str(), None, 404),
        (&worker, Method::GET, "/api/v1/problems", None, 403),
        (&server.admin, Method::GET, blob.as_str(), None, 404),
        (
            &server.admin,
            Method::POST,
            submissions,
            Some(&sandboxed),
            201,
        ),
    ] {
        let what = format!("{method} {path}");
        assert_eq!(call(token, method, path, body).await, expected, "{what}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn without_a_valid_token_nothing_opens(pool: PgPool) {
    let server = Server::start(pool).await;
    let url = format!("http://{}/api/v1/problems", server.address);
    let bare = server.client.get(&url).send().await.unwrap();
    assert_eq!(bare.headers()["www-authenticate"], "Bearer");
    assert_eq!(summary(&problem(bare).await), (401, "missing-token", None));
    let wrong_secret = server.admin.replace("0707", "0808");
    let revoked = make_token(&server.fixture.store, &[Scope::Admin]).await;
    server
        .fixture
        .store
        .token_revoke(revoked.id())
        .await
        .unwrap();
    let scheme = format!("Basic {}", server.admin);
    for header in [
        format!("Bearer {wrong_secret}"),
        format!("Bearer {}", revoked.reveal()),
        "Bearer hunter2".to_owned(),
        "Bearer".to_owned(),
        String::new(),
        scheme,
    ] {
        let request = server.client.get(&url).header(AUTHORIZATION, &header);
        let problem = problem(request.send().await.unwrap()).await;
        assert_eq!(summary(&problem), (401, "invalid-token", None), "{header}");
        assert!(!problem.detail.contains("hunter2"));
    }
    // Before the body is looked at.
    let post = server
        .client
        .post(format!("http://{}/api/v1/submissions", server.address));
    let problem = problem(post.body("junk").send().await.unwrap()).await;
    assert_eq!(problem.kind, "missing-token");
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

fn archive(answer: &str) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in [
        ("problem.yaml", "name: Echo\nlimits:\n  memory: 64\n"),
        (".timelimit", "2\n"),
        ("data/secret/1.in", "1\n"),
        ("data/secret/1.ans", answer),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default())
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
}
