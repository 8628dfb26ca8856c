//! How fast submissions are taken, dispatched and reported, with a real
//! Postgres, a real RabbitMQ and a worker that returns at once.
//!
//! Needs `DATABASE_URL` (a user who may create databases) and
//! `ASSIZE_TEST_AMQP_URL`, as the tests do. Prints one line of JSON for each
//! measurement. What is durable costs what it costs only when Postgres runs with
//! `fsync` on: the bench says so when it does not.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench reports on standard output, and ends when anything is wrong"
)]

mod client;
mod installation;
mod rejudging;
mod stub_worker;

use std::time::{Duration, Instant};

use client::Client;
use installation::Installation;
use serde_json::json;
use stub_worker::StubWorker;

const INGESTED: usize = 20_000;
const CONNECTIONS: usize = 64;
const RATE_PER_SECOND: u32 = 200;
const RATE_LASTS: Duration = Duration::from_secs(10);
const REJUDGEMENTS: i32 = 100_000;

#[tokio::main]
async fn main() {
    let only = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    if wanted("throughput") {
        throughput().await;
    }
    if wanted("latency") {
        latency().await;
    }
    if wanted("overtaking") {
        overtaking().await;
    }
    if wanted("rejudging") {
        rejudging::rejudging().await;
    }
}

/// Submissions through HTTP until they are durable, and then everything from
/// the outbox to the verdict.
async fn throughput() {
    let installation = Installation::start().await;
    let begin = Instant::now();
    submit_all(&installation, INGESTED).await;
    report("ingest", INGESTED, begin.elapsed());

    let begin = Instant::now();
    let worker = StubWorker::start(&installation, 64).await;
    installation.all_judged().await;
    report("relay and reports", INGESTED, begin.elapsed());
    drop(worker);
    installation.end().await;
}

/// From the first byte of a request until the worker has the task.
async fn latency() {
    let installation = Installation::start().await;
    let worker = StubWorker::start(&installation, 4).await;
    let mut clients = Vec::new();
    for _ in 0..8 {
        clients.push(Client::connect(&installation).await);
    }
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / RATE_PER_SECOND);
    let (begin, mut sent) = (Instant::now(), Vec::new());
    let mut requests = Vec::new();
    while begin.elapsed() < RATE_LASTS {
        ticks.tick().await;
        let mut client = match clients.pop() {
            Some(client) => client,
            None => Client::connect(&installation).await,
        };
        let number = sent.len();
        sent.push(number);
        requests.push(tokio::spawn(async move {
            let at = Instant::now();
            let id = client.submit(number).await;
            (client, id, at)
        }));
        if requests.len() >= 8 {
            let (client, id, at) = requests.remove(0).await.unwrap();
            worker.expect(id, at);
            clients.push(client);
        }
    }
    for request in requests {
        let (_, id, at) = request.await.unwrap();
        worker.expect(id, at);
    }
    let mut delays = worker.delays(sent.len()).await;
    delays.sort_unstable();
    let quantile = |share: usize| delays[(delays.len() - 1) * share / 100].as_secs_f64() * 1e3;
    println!(
        "{}",
        json!({
            "bench": "from POST to worker", "submissions": sent.len(), "per_second": RATE_PER_SECOND,
            "p50_ms": quantile(50), "p90_ms": quantile(90), "p99_ms": quantile(99), "max_ms": quantile(100),
        })
    );
    installation.end().await;
}

/// Live submissions while a hundred thousand rejudgements wait.
async fn overtaking() {
    let installation = Installation::start().await;
    installation.queue_rejudgements(REJUDGEMENTS).await;
    let worker = StubWorker::start(&installation, 4).await;
    let mut client = Client::connect(&installation).await;
    let mut delays = Vec::new();
    for number in 0..100 {
        let at = Instant::now();
        let id = client.submit(number).await;
        worker.expect(id, at);
        delays = worker.delays(number + 1).await;
    }
    delays.sort_unstable();
    println!(
        "{}",
        json!({
            "bench": "live submissions before rejudgements", "waiting_rejudgements": REJUDGEMENTS,
            "p50_ms": delays[50].as_secs_f64() * 1e3, "max_ms": delays[99].as_secs_f64() * 1e3,
            "rejudged_meanwhile": worker.rejudged(),
        })
    );
    installation.end().await;
}

async fn submit_all(installation: &Installation, number: usize) {
    let share = number / CONNECTIONS;
    let tasks: Vec<_> = (0..CONNECTIONS)
        .map(|connection| {
            let address = installation.clone();
            tokio::spawn(async move {
                let mut client = Client::connect(&address).await;
                let rest = if connection == 0 {
                    number % CONNECTIONS
                } else {
                    0
                };
                for request in 0..share + rest {
                    client.submit(connection * 1_000_000 + request).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

fn report(bench: &str, number: usize, time: Duration) {
    let number = u32::try_from(number).unwrap();
    println!(
        "{}",
        json!({
            "bench": bench, "submissions": number, "seconds": time.as_secs_f64(),
            "per_second": f64::from(number) / time.as_secs_f64(),
        })
    );
}
