//! Tokens and what they open.

use assize_common::ContentHash;
use assize_common::api::Scope;
use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{Server, problem, right, summary, with};
use crate::fixture::make_token;

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
        (&read, Method::GET, "/api/v1/rejudgings", None, 403),
        (
            &read,
            Method::POST,
            "/api/v1/rejudgings/preview",
            Some(&json!({"filter": "all"})),
            403,
        ),
        (
            &read,
            Method::GET,
            "/api/v1/rejudgings/01890a5d-ac96-774b-bcce-b302099a8057",
            None,
            403,
        ),
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
