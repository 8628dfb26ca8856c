//! Whatever dies in the middle of work: every submission ends with its verdict,
//! once.

use assize::demo::{Contest, Entry};
use assize_common::api::{JudgementState, Submission};
use assize_tests::system::{System, patiently};
use assize_tests::tree;

/// The problem whose submissions are short enough to have many of them.
const PROBLEM: &str = "ledger";
/// How many submissions are under way when something dies.
const SUBMISSIONS: usize = 12;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the daemons, which tests/run builds"]
async fn every_submission_gets_its_verdict_once() {
    let system = System::start_with_private_services(&["--workers", "1", "--slots", "2"]).await;
    let contest = Contest::read(&tree::root().join("tests/packages")).unwrap();
    let problem = contest
        .problems()
        .iter()
        .find(|problem| problem.short_name == PROBLEM)
        .unwrap();
    system
        .api()
        .import_problem(PROBLEM, problem.archive.clone())
        .await
        .unwrap();
    let enabled = system.api().languages().await.unwrap().languages;
    let mut entries = contest.entries("test", &enabled).unwrap();
    entries.retain(|entry| entry.new.problem == PROBLEM);

    let victims = ["worker-1", "scheduler", "rabbitmq", "postgres"];
    for (round, victim) in victims.iter().enumerate() {
        let submissions = submit(&system, &entries, victim).await;
        until_some_run(&system).await;
        system.kill(victim).await;
        for (entry, submission) in &submissions {
            let judgement = system.ended(submission.id).await;
            let summary = judgement.summary;
            let expected = entry.expectation.verdicts();
            let verdict = summary
                .verdict
                .unwrap_or_else(|| panic!("{victim} died, {} got {summary:?}", entry.name));
            assert!(
                expected.contains(&verdict),
                "{victim} died, {}: {verdict}, expected {expected:?}",
                entry.name
            );
        }
        assize_tests::invariants::assert_hold(system.database(), SUBMISSIONS * (round + 1)).await;
    }
    system.end(SUBMISSIONS * victims.len()).await;
}

async fn submit<'a>(
    system: &System,
    entries: &'a [Entry],
    round: &str,
) -> Vec<(&'a Entry, Submission)> {
    let mut submissions = Vec::new();
    for (number, entry) in entries.iter().cycle().take(SUBMISSIONS).enumerate() {
        let key = format!("{round} {number}");
        let submission = system.api().submit(&entry.new, Some(&key)).await.unwrap();
        submissions.push((entry, submission));
    }
    submissions
}

/// Waits until a worker is at work and others wait behind.
async fn until_some_run(system: &System) {
    let running = patiently(std::time::Duration::from_millis(5), async || {
        let filter = assize::client::SubmissionFilter {
            state: Some(JudgementState::Running),
            ..Default::default()
        };
        let page = system.api().submissions(&filter, None, 1).await.unwrap();
        (!page.submissions.is_empty()).then_some(())
    });
    running.await.expect("a worker takes something up");
}
