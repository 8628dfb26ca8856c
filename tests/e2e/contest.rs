//! The example contest: every verdict as its packages expect, whichever way a
//! submission takes to it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use assize::demo::{Contest, Entry, Outcome, Outcomes};
use assize_common::SandboxMode;
use assize_tests::program::{command, complaint};
use assize_tests::system::{System, turn};
use assize_tests::tree;
use serde_json::Value;

/// Problems that together have every kind of validation: a default one, an
/// interactor, one in C++, one in Python.
const FEW: [&str; 4] = ["countdown", "greeting", "guess", "shelf"];

fn packages() -> PathBuf {
    tree::root().join("tests/packages")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs tests/with-services"]
async fn all_of_it_by_one_worker() {
    let system = System::start(&["--workers", "1", "--slots", "2"]).await;
    let entries = import(&system, |_| true).await;
    let modes = judge(&system, &entries).await;
    assert_eq!(modes.len(), 2, "the contest uses both sandboxes");
    system.end(entries.len()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs tests/with-services"]
async fn a_part_of_it_by_three_workers() {
    let system = System::start(&["--workers", "3", "--slots", "1"]).await;
    let entries = import(&system, |problem| FEW.contains(&problem)).await;
    judge(&system, &entries).await;
    let judges: i64 = sqlx::query_scalar("SELECT count(DISTINCT worker_id) FROM judgements")
        .fetch_one(system.database())
        .await
        .unwrap();
    assert_eq!(judges, 3, "all workers had a share");
    system.end(entries.len()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the programs, which tests/run builds"]
async fn all_of_it_without_services() {
    let _turn = turn().await;
    let mut problems: Vec<PathBuf> = std::fs::read_dir(packages())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("problem.yaml").exists())
        .collect();
    problems.sort_unstable();
    let mut findings = Vec::new();
    for problem in problems {
        let mut judge = command("assize");
        judge.args(["judge", "--json", "--jobs", "2"]).arg(&problem);
        let output = judge.output().await.unwrap();
        let lines = String::from_utf8(output.stdout.clone()).unwrap();
        let results: Vec<Value> = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        for result in results
            .iter()
            .filter(|result| result["as_expected"] != true)
        {
            findings.push(format!("{}: {result}", problem.display()));
        }
        if output.status.code() != Some(0) || results.is_empty() {
            findings.push(format!(
                "{}: {} {}",
                problem.display(),
                output.status,
                complaint(&output)
            ));
        }
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

/// Imports the problems that are wanted, and returns their submissions.
async fn import(system: &System, wanted: impl Fn(&str) -> bool) -> Vec<Entry> {
    let contest = Contest::read(&packages()).unwrap();
    for problem in contest
        .problems()
        .iter()
        .filter(|problem| wanted(&problem.short_name))
    {
        let import = system
            .api()
            .import_problem(&problem.short_name, problem.archive.clone());
        import.await.unwrap();
    }
    let enabled = system.api().languages().await.unwrap().languages;
    let mut entries = contest.entries("test", &enabled).unwrap();
    entries.retain(|entry| wanted(&entry.new.problem));
    entries
}

/// Submits all of them, waits for their verdicts, and returns the sandboxes that were used.
async fn judge(system: &System, entries: &[Entry]) -> BTreeSet<SandboxMode> {
    let mut submissions = Vec::new();
    for entry in entries {
        submissions.push(
            system
                .api()
                .submit(&entry.new, Some(&entry.name))
                .await
                .unwrap(),
        );
    }
    let mut outcomes = Vec::new();
    let mut modes = BTreeSet::new();
    for (entry, submission) in entries.iter().zip(&submissions) {
        let judgement = system.ended(submission.id).await;
        modes.insert(judgement.summary.sandbox.mode);
        outcomes.push(Outcome::new(entry, submission, judgement));
    }
    let outcomes = Outcomes::new(outcomes);
    assert_eq!(outcomes.exit_code(), 0, "{outcomes}");
    modes
}
