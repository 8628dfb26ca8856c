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
async fn all_of_it_without_services_in_both_sandboxes_alike() {
    let _turn = turn().await;
    let mut problems: Vec<PathBuf> = std::fs::read_dir(packages())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| assize_common::package::Package::is_at(path))
        .collect();
    problems.sort_unstable();
    let mut findings = Vec::new();
    for problem in problems {
        let mut verdicts = Vec::new();
        for sandbox in ["unshare", "ptrace"] {
            let results = judge_locally(&problem, sandbox, &mut findings).await;
            verdicts.push(results.iter().map(of_each_run).collect::<Vec<_>>());
        }
        for (unshare, ptrace) in verdicts[0].iter().zip(&verdicts[1]) {
            if unshare != ptrace {
                findings.push(format!(
                    "{}: the sandboxes disagree: {unshare:?}, {ptrace:?}",
                    problem.display()
                ));
            }
        }
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

/// Judges a problem's submissions without services. What is not as expected is
/// added to the findings.
async fn judge_locally(
    problem: &std::path::Path,
    sandbox: &str,
    findings: &mut Vec<String>,
) -> Vec<Value> {
    let mut judge = command("assize");
    judge
        .args(["judge", "--json", "--jobs", "2", "--sandbox", sandbox])
        .arg(problem);
    let output = judge.output().await.unwrap();
    let lines = String::from_utf8(output.stdout.clone()).unwrap();
    let mut results: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for result in results
        .iter()
        .filter(|result| result["as_expected"] != true)
    {
        findings.push(format!("{}, {sandbox}: {result}", problem.display()));
    }
    if output.status.code() != Some(0) || results.is_empty() {
        findings.push(format!(
            "{}, {sandbox}: {} {}",
            problem.display(),
            output.status,
            complaint(&output)
        ));
    }
    results.sort_by_key(|result| result["submission"].to_string());
    results
}

/// A submission with its verdict and that of each of its runs.
fn of_each_run(result: &Value) -> Vec<String> {
    let runs = result["runs"].as_array().into_iter().flatten();
    let runs = runs.map(|run| format!("{}: {}", run["testcase"], run["verdict"]));
    [&result["submission"], &result["verdict"]]
        .into_iter()
        .map(ToString::to_string)
        .chain(runs)
        .collect()
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
