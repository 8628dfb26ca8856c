//! Bad requests: each gets the right status, an error document that names the
//! fault, and leaves nothing behind.

use assize_common::api::ProblemDetails;
use assize_tests::system::System;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

/// A request that must be refused, and how.
struct Refusal {
    what: &'static str,
    method: Method,
    path: &'static str,
    token: bool,
    body: Option<Value>,
    status: StatusCode,
    kind: &'static str,
    /// A part of the explanation that tells the sender what to mend.
    names: &'static str,
}

fn submission(change: Value) -> Value {
    let mut body = json!({
        "problem": "greeting",
        "language": "python3",
        "files": [{"name": "a.py", "content_base64": "cHJpbnQoMSkK"}],
    });
    for (key, value) in change.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

fn refusals() -> Vec<Refusal> {
    let submit = |what, change, status, kind, names| Refusal {
        what,
        method: Method::POST,
        path: "/api/v1/submissions",
        token: true,
        body: Some(submission(change)),
        status,
        kind,
        names,
    };
    let get = |what, path, token, status, kind, names| Refusal {
        what,
        method: Method::GET,
        path,
        token,
        body: None,
        status,
        kind,
        names,
    };
    let large = "A".repeat(400 * 1024);
    vec![
        submit(
            "an unknown language",
            json!({"language": "cobol"}),
            StatusCode::UNPROCESSABLE_ENTITY,
            "unknown-language",
            "cobol",
        ),
        submit(
            "an unknown problem",
            json!({"problem": "nowhere"}),
            StatusCode::UNPROCESSABLE_ENTITY,
            "unknown-problem",
            "nowhere",
        ),
        submit(
            "an oversized source",
            json!({"files": [{"name": "a.py", "content_base64": large}]}),
            StatusCode::PAYLOAD_TOO_LARGE,
            "source-too-large",
            "KiB",
        ),
        submit(
            "a file name with a path",
            json!({"files": [{"name": "../a.py", "content_base64": "AA=="}]}),
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid-field",
            "files[0].name",
        ),
        submit(
            "no files",
            json!({"files": []}),
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid-field",
            "files",
        ),
        submit(
            "a field of another type",
            json!({"files": 7}),
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid-shape",
            "files",
        ),
        get(
            "an invalid id",
            "/api/v1/submissions/7",
            true,
            StatusCode::BAD_REQUEST,
            "invalid-id",
            "7",
        ),
        get(
            "an id of nothing",
            "/api/v1/submissions/0192d2f8-0000-7000-8000-000000000000",
            true,
            StatusCode::NOT_FOUND,
            "not-found",
            "",
        ),
        get(
            "a missing token",
            "/api/v1/submissions",
            false,
            StatusCode::UNAUTHORIZED,
            "missing-token",
            "Authorization",
        ),
        get(
            "an invalid query",
            "/api/v1/submissions?limit=many",
            true,
            StatusCode::BAD_REQUEST,
            "invalid-query",
            "limit",
        ),
    ]
}

struct Sender {
    client: Client,
    url: String,
    token: String,
}

impl Sender {
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    fn authorised(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path).bearer_auth(&self.token)
    }
}

async fn refused(request: RequestBuilder) -> (StatusCode, ProblemDetails) {
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let form = answer.headers()["content-type"]
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(form, "application/problem+json");
    (status, answer.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs tests/with-services"]
async fn bad_requests_are_refused_with_a_reason_and_leave_nothing() {
    let system = System::start(&["--workers", "0"]).await;
    let sender = Sender {
        client: Client::builder().no_proxy().build().unwrap(),
        url: system.api().url().to_owned(),
        token: std::fs::read_to_string(system.installation().path().join("secrets/admin-token"))
            .unwrap()
            .trim()
            .to_owned(),
    };
    let greeting = assize_common::package::Package::pack(
        &assize_tests::tree::root().join("tests/packages/greeting"),
    )
    .unwrap();
    system
        .api()
        .import_problem("greeting", greeting)
        .await
        .unwrap();

    let mut findings = Vec::new();
    for expected in refusals() {
        let mut request = sender.request(expected.method.clone(), expected.path);
        if expected.token {
            request = request.bearer_auth(&sender.token);
        }
        if let Some(body) = &expected.body {
            request = request.json(body);
        }
        let (status, problem) = refused(request).await;
        let named = problem.detail.contains(expected.names)
            || problem.field.as_deref() == Some(expected.names);
        if status != expected.status || problem.kind != expected.kind || !named {
            findings.push(format!("{}: {status} {problem:?}", expected.what));
        }
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));

    let post = || sender.authorised(Method::POST, "/api/v1/submissions");
    let (status, problem) =
        refused(post().header("content-type", "application/json").body("{")).await;
    assert_eq!(
        (status, problem.kind.as_str()),
        (StatusCode::BAD_REQUEST, "malformed-json")
    );
    let (status, problem) = refused(post().header("content-type", "text/plain").body("{}")).await;
    assert_eq!(
        (status, problem.kind.as_str()),
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong-content-type")
    );
    let (status, problem) = refused(
        sender
            .request(Method::GET, "/api/v1/submissions")
            .bearer_auth("asz_nobody_knows"),
    )
    .await;
    assert_eq!(
        (status, problem.kind.as_str()),
        (StatusCode::UNAUTHORIZED, "invalid-token")
    );
    let import = sender
        .authorised(Method::POST, "/api/v1/problems?short_name=broken")
        .header("content-type", "application/zip");
    let (status, problem) = refused(import.body("not a zip archive")).await;
    assert_eq!(
        (status, problem.kind.as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, "invalid-package")
    );

    let problems: i64 = sqlx::query_scalar("SELECT count(*) FROM problems")
        .fetch_one(system.database())
        .await
        .unwrap();
    assert_eq!(problems, 1, "nothing of the refused package is stored");
    system.end(0).await;
}
