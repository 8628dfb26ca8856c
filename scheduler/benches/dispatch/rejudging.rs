//! A rejudging of a hundred thousand submissions: how long an admin waits for each
//! step, and how long readers wait meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::Client;
use crate::installation::Installation;
use crate::stub_worker::StubWorker;

const SUBMISSIONS: i32 = 100_000;

/// Creates, reviews, applies and undoes. Postgres has had no time to learn of the
/// new rows, as after a burst of judging.
pub(crate) async fn rejudging() {
    let installation = Installation::start().await;
    let worker = StubWorker::start(&installation, 4).await;
    Client::connect(&installation).await.submit(0).await;
    installation.all_judged().await;
    drop(worker);
    installation.copy_submission(SUBMISSIONS).await;

    let admin = Admin::new(&installation);
    let begin = Instant::now();
    let new = json!({ "reason": "bench", "selection": { "filter": "all" } });
    let created = admin.post("/api/v1/rejudgings", &new).await;
    report("create a rejudging", begin.elapsed(), None);
    let id = created["id"].as_str().unwrap().to_owned();
    installation.judge_members(&id).await;

    let begin = Instant::now();
    admin.get(&format!("/api/v1/rejudgings/{id}/review")).await;
    report("review a rejudging", begin.elapsed(), None);
    for (step, body) in [("apply", json!({})), ("undo", json!({}))] {
        let readers = Readers::start(&admin);
        let begin = Instant::now();
        let path = format!("/api/v1/rejudgings/{id}/{step}");
        let outcome = admin.post(&path, &body).await;
        let elapsed = begin.elapsed();
        assert!(outcome["switched"].as_i64().unwrap() > i64::from(SUBMISSIONS));
        let longest = readers.end().await;
        report(&format!("{step} a rejudging"), elapsed, Some(longest));
    }
    installation.end().await;
}

fn report(bench: &str, time: Duration, longest_read: Option<Duration>) {
    let longest_read = longest_read.map(|time| time.as_secs_f64() * 1e3);
    println!(
        "{}",
        json!({
            "bench": bench, "submissions": SUBMISSIONS, "seconds": time.as_secs_f64(),
            "longest_read_ms": longest_read,
        })
    );
}

#[derive(Clone)]
struct Admin {
    client: reqwest::Client,
    origin: String,
    token: String,
}

impl Admin {
    fn new(installation: &Installation) -> Self {
        Self {
            client: reqwest::Client::new(),
            origin: format!("http://{}", installation.address),
            token: installation.token.clone(),
        }
    }

    async fn get(&self, path: &str) -> Value {
        let request = self.client.get(format!("{}{path}", self.origin));
        Self::answer(request.bearer_auth(&self.token)).await
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.client.post(format!("{}{path}", self.origin));
        Self::answer(request.bearer_auth(&self.token).json(body)).await
    }

    async fn answer(request: reqwest::RequestBuilder) -> Value {
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let body = answer.text().await.unwrap();
        assert!(status.is_success(), "{status}: {body}");
        serde_json::from_str(&body).unwrap()
    }
}

/// Reads results again and again while something else is going on.
struct Readers {
    stop: Arc<AtomicBool>,
    longest: tokio::task::JoinHandle<Duration>,
}

impl Readers {
    fn start(admin: &Admin) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, admin) = (stop.clone(), admin.clone());
        let longest = tokio::spawn(async move {
            let mut longest = Duration::ZERO;
            while !stopped.load(Ordering::Relaxed) {
                let begin = Instant::now();
                admin
                    .get("/api/v1/submissions?contest=finals&limit=50")
                    .await;
                longest = longest.max(begin.elapsed());
            }
            longest
        });
        Self { stop, longest }
    }

    async fn end(self) -> Duration {
        self.stop.store(true, Ordering::Relaxed);
        self.longest.await.unwrap()
    }
}
