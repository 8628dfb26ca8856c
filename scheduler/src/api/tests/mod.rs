//! The API as clients see it: a real server, a real database.

mod access;
mod audits;
mod dead_letters;
mod faults;
mod feedback;
mod flags;
mod lanes;
mod outputs;
mod pauses;
mod rejudgings;
mod stop_rules;
mod storage;
mod submissions;
mod workers;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use assize_common::api::{FeedbackPart, ProblemDetails, Scope};
use assize_common::language::LanguageTable;
use bytesize::ByteSize;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use sqlx::PgPool;
use tempfile::TempDir;

use super::{Api, description, router};
use crate::bell::Bells;
use crate::blob::BlobStore;
use crate::fixture::{Fixture, SETTINGS, make_token};
use crate::intake::Intake;
use crate::pressure::Pressure;
use crate::store::Store;
use crate::suspicion::SuspicionRules;

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
        self.request_by(&self.admin, method, path)
    }

    fn request_by(&self, token: &str, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = format!("http://{}{path}", self.address);
        self.client.request(method, url).bearer_auth(token)
    }

    async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    async fn submit(&self, body: &Value) -> Response {
        let request = self.request(Method::POST, "/api/v1/submissions");
        request.json(body).send().await.unwrap()
    }

    async fn import(&self, archive: Vec<u8>) -> Response {
        self.import_by("short_name=echo", archive).await
    }

    async fn import_by(&self, query: &str, archive: Vec<u8>) -> Response {
        self.request(Method::POST, &format!("/api/v1/problems?{query}"))
            .header(CONTENT_TYPE, "application/zip")
            .body(archive)
            .send()
            .await
            .unwrap()
    }
}

async fn listen(store: Store, data: &Path) -> SocketAddr {
    listen_under(store, data, Pressure::default()).await
}

async fn listen_under(store: Store, data: &Path, pressure: Pressure) -> SocketAddr {
    let (_, broker) = tokio::sync::watch::channel(false);
    let bells = Bells::default();
    let api = Api {
        intake: Intake::new(&store, &bells),
        store,
        bells,
        pressure,
        blobs: BlobStore::open(data).unwrap(),
        audits: BlobStore::open(&data.join("audits")).unwrap(),
        outputs: BlobStore::open(&data.join("outputs")).unwrap(),
        suspicion: Arc::new(SuspicionRules::load(None).unwrap()),
        languages: Arc::new(LanguageTable::embedded().unwrap()),
        max_package: ByteSize::mib(1),
        team_feedback: FeedbackPart::ALL.into(),
        broker,
        lease: SETTINGS.lease,
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
