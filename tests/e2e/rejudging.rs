//! A wrong answer file is found in the middle of a contest, and the scheduler dies
//! while results are exchanged: readers see all old or all new results.

use std::collections::BTreeMap;
use std::path::Path;

use assize::demo::{Contest, Entry};
use assize_common::Verdict;
use assize_common::api::{
    ApplyRejudging, NewRejudging, Overrides, RejudgingOutcome, RejudgingState, Selection,
};
use assize_common::id::{RejudgingId, SubmissionId};
use assize_tests::invariants;
use assize_tests::system::{PATIENCE, PAUSE, System, patiently};
use assize_tests::tree;

const PROBLEM: &str = "ledger";
const ANSWER: &str = "data/secret/07-odd.ans";
const BEFORE: usize = 10;
const MEANWHILE: usize = 4;

type Results = BTreeMap<SubmissionId, Verdict>;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the daemons, which tests/run builds"]
async fn a_wrong_answer_is_mended_while_schedulers_die() {
    let system = System::start_with_private_services(&["--workers", "1", "--slots", "2"]).await;
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join(PROBLEM);
    copy(&tree::root().join("tests/packages").join(PROBLEM), &root);
    let right = std::fs::read(root.join(ANSWER)).unwrap();
    std::fs::write(root.join(ANSWER), "0\n").unwrap();
    let contest = import(&system, place.path()).await;
    let enabled = system.api().languages().await.unwrap().languages;
    let mut entries = contest.entries("finals", &enabled).unwrap();
    entries.retain(|entry| entry.expectation.verdicts() == [Verdict::Ac].into());
    assert!(!entries.is_empty(), "{PROBLEM} has accepted submissions");

    let old = judged(&system, &entries, "before", BEFORE).await;
    assert!(old.values().all(|verdict| *verdict == Verdict::Wa));
    std::fs::write(root.join(ANSWER), right).unwrap();
    import(&system, place.path()).await;

    let id = rejudge(&system).await;
    let fresh = judged(&system, &entries, "meanwhile", MEANWHILE).await;
    assert!(fresh.values().all(|verdict| *verdict == Verdict::Ac));
    until_judged(&system, id).await;
    assert_eq!(results(&system, &old).await, old);
    // Each has failed on that test: it, and what comes after it, is run; what comes before is not.
    let taken_over: i64 = sqlx::query_scalar(
        "SELECT count(DISTINCT judgement_id) FROM runs WHERE reused_from IS NOT NULL",
    )
    .fetch_one(system.database())
    .await
    .unwrap();
    assert_eq!(
        usize::try_from(taken_over),
        Ok(BEFORE),
        "the runs before it are taken over"
    );

    let new: Results = old.keys().map(|id| (*id, Verdict::Ac)).collect();
    exchange(&system, id, Step::Apply, [&old, &new]).await;
    exchange(&system, id, Step::Undo, [&new, &old]).await;
    assert_eq!(results(&system, &fresh).await, fresh);
    let state = system.api().rejudging(id).await.unwrap().state;
    assert_eq!(state, RejudgingState::Undone);

    // What was undone can be done again, by a rejudging of its own.
    let again = rejudge(&system).await;
    until_judged(&system, again).await;
    exchange(&system, again, Step::Apply, [&old, &new]).await;
    system.end(BEFORE + MEANWHILE).await;
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Apply,
    Undo,
}

/// Takes a step until the scheduler says that it is done, however often it dies on
/// the way, and looks at the results all the time.
async fn exchange(system: &System, id: RejudgingId, step: Step, [before, after]: [&Results; 2]) {
    let kills = async {
        for _ in 0..2 {
            system.kill("scheduler").await;
        }
    };
    let exchanged = async {
        loop {
            let outcome = take(system, id, step).await;
            if outcome.is_ok() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let seen = async {
        loop {
            let now = results(system, before).await;
            assert!(now == *before || now == *after, "{step:?}: a mix: {now:?}");
            if now == *after {
                return;
            }
        }
    };
    let all = async { tokio::join!(kills, exchanged, seen) };
    tokio::time::timeout(PATIENCE, all)
        .await
        .unwrap_or_else(|_| panic!("{step:?} does not come to an end"));
    // A client that was cut off asks again, and nothing more happens.
    let again = take(system, id, step).await.unwrap();
    assert_eq!(again.switched, 0, "{step:?} was done twice");
    assert_eq!(results(system, before).await, *after);
    invariants::assert_hold(system.database(), BEFORE + MEANWHILE).await;
}

async fn take(
    system: &System,
    id: RejudgingId,
    step: Step,
) -> Result<RejudgingOutcome, assize::client::ClientError> {
    match step {
        Step::Apply => {
            let all = ApplyRejudging::default();
            system.api().apply_rejudging(id, &all).await
        }
        Step::Undo => system.api().undo_rejudging(id).await,
    }
}

/// The verdicts that count, as of one moment.
async fn results(system: &System, of: &Results) -> Results {
    let ids: Vec<uuid::Uuid> = of.keys().map(|id| id.as_uuid()).collect();
    let rows: Vec<(uuid::Uuid, String)> = sqlx::query_as(
        "SELECT submission_id, verdict FROM judgements WHERE is_current AND submission_id = ANY($1)",
    )
    .bind(ids)
    .fetch_all(system.database())
    .await
    .unwrap();
    rows.into_iter()
        .map(|(id, verdict)| (id.into(), verdict.parse().unwrap()))
        .collect()
}

async fn rejudge(system: &System) -> RejudgingId {
    let new = NewRejudging {
        reason: "answer 07 was wrong".into(),
        selection: Selection {
            filter: Some("outdated = true".into()),
            submissions: Vec::new(),
        },
        overrides: Overrides::default(),
        skip_taken: false,
    };
    let created = system.api().create_rejudging(&new, None).await.unwrap();
    assert_eq!(created.progress.submissions, BEFORE as u64);
    created.id
}

async fn until_judged(system: &System, id: RejudgingId) {
    let judged = patiently(PAUSE, async || {
        let rejudging = system.api().rejudging(id).await.unwrap();
        rejudging.progress.is_judged().then_some(())
    });
    judged.await.expect("the rejudging is judged");
}

async fn judged(system: &System, entries: &[Entry], round: &str, number: usize) -> Results {
    let mut ids = Vec::new();
    for (number, entry) in entries.iter().cycle().take(number).enumerate() {
        let key = format!("{round} {number}");
        let submission = system.api().submit(&entry.new, Some(&key)).await.unwrap();
        ids.push(submission.id);
    }
    let mut results = Results::new();
    for id in ids {
        let judgement = system.ended(id).await;
        results.insert(id, judgement.summary.verdict.expect("a verdict"));
    }
    results
}

async fn import(system: &System, place: &Path) -> Contest {
    let contest = Contest::read(place).unwrap();
    for problem in contest.problems() {
        let archive = problem.archive.clone();
        let imported = system.api().import_problem(PROBLEM, archive).await;
        imported.unwrap();
    }
    contest
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (source, target) = (
            entry.as_ref().unwrap().path(),
            to.join(entry.unwrap().file_name()),
        );
        if source.is_dir() {
            copy(&source, &target);
        } else {
            std::fs::copy(&source, &target).unwrap();
        }
    }
}
