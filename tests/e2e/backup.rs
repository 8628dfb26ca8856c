//! A backup by the commands of docs/operations.md, taken while all runs, brings
//! everything back that was there when it began.

use std::path::Path;

use assize::demo::Entry;
use assize_common::api::JudgementState;
use assize_common::message::WorkerMode;
use assize_tests::services::Services;
use assize_tests::system::{PATIENCE, PAUSE, System, patiently};
use assize_tests::tree;
use tokio::process::Command;

const PROBLEM: &str = "ledger";
const ONE_WORKER: [&str; 4] = ["--workers", "1", "--slots", "1"];

/// The shell blocks of a section of docs/operations.md, in their order.
fn shell_blocks(section: &str) -> Vec<String> {
    let text = tree::text("docs/operations.md");
    let (_, section) = text.split_once(&format!("\n## {section}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let blocks = section.split("```sh\n").skip(1);
    let blocks = blocks.map(|block| block.split("```").next().unwrap().to_owned());
    blocks.collect()
}

async fn run(commands: &str, place: &Path, database_url: &str, data: &Path) {
    let mut shell = Command::new("/bin/sh");
    let status = shell
        .args(["-euc", commands])
        .current_dir(place)
        .env("ASSIZE_DATABASE_URL", database_url)
        .env("ASSIZE_DATA_DIR", data)
        .status();
    assert!(status.await.unwrap().success(), "{commands}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs tests/with-services"]
async fn everything_comes_back_from_a_backup() {
    let [backup, restore] = shell_blocks("Backup and restore").try_into().unwrap();
    let kept = tempfile::tempdir().unwrap();
    let services = Services::new().await;
    let database_url = services.database_url();
    let system = System::start_with(services, &ONE_WORKER).await;
    let contest = system.import_example(PROBLEM).await;
    let api = system.api();
    let enabled = api.languages().await.unwrap().languages;
    let mut entries = contest.entries("test", &enabled).unwrap();
    entries.retain(|entry| entry.new.problem == PROBLEM);
    let Some(entry): Option<&Entry> = entries.first() else {
        panic!("{PROBLEM} has submissions");
    };

    let judged = api.submit(&entry.new, Some("judged")).await.unwrap().id;
    let before = system.ended(judged).await;
    let worker = api.workers().await.unwrap().workers[0].id;
    api.set_worker_mode(worker, WorkerMode::Cordon)
        .await
        .unwrap();
    let idle = async {
        // It is told within a second, and may be about to take a task until then.
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        api.submit(&entry.new, Some("queued")).await.unwrap().id
    };
    let queued = tokio::time::timeout(PATIENCE, idle).await.unwrap();
    let published = patiently(PAUSE, async || {
        let waiting = sqlx::query_scalar("SELECT EXISTS (SELECT FROM outbox)");
        let waiting: bool = waiting.fetch_one(system.database()).await.unwrap();
        (!waiting).then_some(())
    });
    published.await.unwrap();
    let data = |place: &Path| place.join("data/scheduler");
    run(&backup, kept.path(), &database_url, &data(system.data())).await;
    let place = system.stop().await;

    // Another database and another broker, both empty, and nothing in the data directory.
    for directory in ["blobs", "audits"] {
        std::fs::remove_dir_all(data(place.path()).join(directory)).unwrap();
    }
    let services = Services::new().await;
    let database_url = services.database_url();
    run(&restore, kept.path(), &database_url, &data(place.path())).await;
    let system = System::start_again(services, place, &ONE_WORKER).await;
    assert_eq!(system.api().judgement(judged).await.unwrap(), before);
    // It was cordoned, and the one of its name that starts now is.
    let workers = system.api().workers().await.unwrap().workers;
    for worker in workers
        .iter()
        .filter(|worker| worker.mode == WorkerMode::Cordon)
    {
        let running = system.api().set_worker_mode(worker.id, WorkerMode::Run);
        running.await.unwrap();
    }
    // Its task was lost with the broker.
    let ended = system.ended(queued).await;
    assert_eq!(ended.summary.state, JudgementState::Done);
    assert_eq!(ended.summary.verdict, before.summary.verdict);
    // Package and sources are there, too: it is judged from them.
    system.end(2).await;
}
