//! How judging scales with workers. Programs that sleep need no core, so that what is
//! measured is whether everybody always has something to do.
//!
//! Needs the services of `tests/with-services`. Prints one line of JSON for each number of
//! workers; `share` is of what as many workers would judge that never waited for anything.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench reports on standard output, and ends when anything is wrong"
)]

use std::time::{Duration, Instant};

use assize_common::Verdict;
use assize_tests::double::{Version, sent};
use assize_tests::system::{PAUSE, System, patiently};
use futures_util::stream::{self, StreamExt as _};
use serde_json::json;

/// One slot each.
const WORKERS: [u16; 5] = [1, 2, 4, 16, 64];
/// How long each submission sleeps, on the first test, which it gets wrong.
const SLEEPS: Duration = Duration::from_secs(1);
const SLEEPER: &str = "#include <unistd.h>\nint main() { sleep(1); }\n";
/// How many each worker gets to judge.
const EACH: usize = 10;
const AT_ONCE: usize = 16;

#[tokio::main]
async fn main() {
    for workers in WORKERS {
        measure(workers).await;
    }
}

async fn measure(workers: u16) {
    let count = workers.to_string();
    let arguments = ["--workers", &count, "--slots", "1", "--languages", "c"];
    let system = System::start(&arguments).await;
    Version::default().import(&system).await;
    let workers = usize::from(workers);
    // So that everybody has the package, and the program compiled.
    judge(&system, 2 * workers).await;
    let begin = Instant::now();
    let submissions = EACH * workers;
    judge(&system, submissions).await;
    let took = begin.elapsed();
    let least = SLEEPS * u32::try_from(EACH).unwrap();
    println!(
        "{}",
        json!({
            "bench": "sleeping programs", "workers": workers, "submissions": submissions,
            "seconds": took.as_secs_f64(), "share": least.as_secs_f64() / took.as_secs_f64(),
        })
    );
    system.end(2 * workers + submissions).await;
}

/// Submits so many and waits until all are judged.
async fn judge(system: &System, submissions: usize) {
    let submitting = (0..submissions).map(|number| {
        let new = sent(&format!("team{number}"), "c", SLEEPER.to_owned());
        async move { system.api().submit(&new, None).await.unwrap().id }
    });
    let submitted = stream::iter(submitting).buffer_unordered(AT_ONCE);
    let ids: Vec<_> = submitted.collect().await;
    let open = "SELECT count(*) FROM judgements WHERE state IN ('queued', 'running')";
    let judged = patiently(PAUSE, async || {
        let open: i64 = sqlx::query_scalar(open)
            .fetch_one(system.database())
            .await
            .unwrap();
        (open == 0).then_some(())
    });
    judged.await.unwrap();
    let last = system.ended(*ids.last().unwrap()).await;
    assert_eq!(last.summary.verdict, Some(Verdict::Wa));
}
