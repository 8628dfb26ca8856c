//! Rejudgings that meet each other, and submissions that arrive while results are
//! exchanged: nothing is lost, nothing judged twice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use assize::client::{Api, ClientError};
use assize_common::Verdict;
use assize_common::api::{ApplyRejudging, RejudgingOutcome, RejudgingState};
use assize_common::id::{RejudgingId, SubmissionId};
use assize_tests::double::{Court, RIGHT, Version, asked, right};
use assize_tests::invariants;
use assize_tests::system::{PATIENCE, System, patiently};
use tokio::task::JoinHandle;

const WORKERS: [&str; 4] = ["--workers", "1", "--slots", "2"];
const TEAMS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// Judged by a wrong answer file, which is mended.
async fn mended() -> Court {
    let mut court = Court::start(&WORKERS).await;
    let wrong = Version {
        last_answer: RIGHT + 1,
        ..Version::default()
    };
    wrong.import(&court.system).await;
    for team in TEAMS {
        court.submit(&right(team)).await;
    }
    accepted(&court, "").await;
    Version::default().import(&court.system).await;
    court
}

/// Checks that these teams are accepted, the others not, and the invariants.
async fn accepted(court: &Court, teams: &str) {
    let expected = TEAMS.map(|team| {
        let accepted = teams.contains(team);
        (team, if accepted { Verdict::Ac } else { Verdict::Wa })
    });
    assert_eq!(court.verdicts().await, BTreeMap::from(expected));
    court.holds().await;
}

/// That a step was refused because of another rejudging.
fn refused_for<T>(outcome: Result<T, ClientError>, other: RejudgingId) {
    let Err(refusal) = outcome else {
        panic!("rejudging {other} should be in the way");
    };
    let told = refusal.to_string();
    assert!(told.contains(&other.to_string()), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs tests/with-services"]
async fn rejudgings_that_overlap_lose_nothing() {
    let court = mended().await;
    let api = court.system.api();
    let first_teams = asked("team in (a, b, c, d)", "the answer was wrong");
    let mut last_teams = asked("team in (c, d, e, f)", "another admin's doubt");
    let all = asked("all", "and once more");

    // The second one is told what the first has, and gets the rest if it says so.
    let first = court.create(&first_teams, 4).await;
    let preview = api.preview_rejudging(&last_teams.selection).await.unwrap();
    let taken: Vec<_> = preview.taken.iter().map(|it| it.submissions).collect();
    assert_eq!((preview.submissions, taken), (4, vec![2]));
    refused_for(api.create_rejudging(&last_teams, None).await, first);
    last_teams.skip_taken = true;
    let second = court.create(&last_teams, 2).await;

    // In one order: the second is applied before the first, and undone after it.
    assert_eq!(court.apply(second).await, 2);
    accepted(&court, "ef").await;
    assert_eq!(court.apply(first).await, 4);
    accepted(&court, "abcdef").await;
    api.undo_rejudging(second).await.unwrap();
    accepted(&court, "abcd").await;
    api.undo_rejudging(first).await.unwrap();
    accepted(&court, "").await;

    // One is given up; what it had is free, and the other is not touched by it.
    let first = court.create(&first_teams, 4).await;
    let second = court.create(&last_teams, 2).await;
    court.judged(first).await;
    court.judged(second).await;
    api.cancel_rejudging(first).await.unwrap();
    accepted(&court, "").await;
    court.apply(second).await;
    accepted(&court, "ef").await;

    // One upon another: what has results of it, or is about to, is in the way of undoing.
    let third = court.create(&all, 6).await;
    refused_for(api.undo_rejudging(second).await, third);
    assert_eq!(court.apply(third).await, 4);
    accepted(&court, "abcdef").await;
    refused_for(api.undo_rejudging(second).await, third);
    api.undo_rejudging(third).await.unwrap();
    accepted(&court, "ef").await;
    api.undo_rejudging(second).await.unwrap();
    accepted(&court, "").await;

    // What is over stays over.
    for id in [first, second, third] {
        let again = api.apply_rejudging(id, &ApplyRejudging::default()).await;
        assert!(again.is_err(), "{id} was closed");
    }
    accepted(&court, "").await;
    court.end().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs tests/with-services"]
async fn admins_at_the_same_moment_get_one_of_two_outcomes() {
    const ROUNDS: usize = 12;
    let court = mended().await;
    let api = court.system.api();
    let everything = asked("all", "two admins find the same");
    for round in 0..ROUNDS {
        let (one, other) = tokio::join!(
            api.create_rejudging(&everything, None),
            api.create_rejudging(&everything, None)
        );
        let (made, refused) = if one.is_ok() {
            (one, other)
        } else {
            (other, one)
        };
        let id = made.expect("one of them is made").id;
        refused_for(refused, id);
        court.judged(id).await;

        // Twice the same, or one thing and its opposite.
        let all = ApplyRejudging::default();
        let apply = || api.apply_rejudging(id, &all);
        let state = if round % 2 == 0 {
            let outcomes = tokio::join!(apply(), apply());
            let switched = |of: Result<RejudgingOutcome, ClientError>| of.unwrap().switched;
            assert_eq!(switched(outcomes.0) + switched(outcomes.1), 6);
            RejudgingState::Applied
        } else {
            let (applied, cancelled) = tokio::join!(apply(), api.cancel_rejudging(id));
            assert!(
                applied.is_ok() != cancelled.is_ok(),
                "{applied:?}, {cancelled:?}"
            );
            match applied {
                Ok(_) => RejudgingState::Applied,
                Err(_) => RejudgingState::Cancelled,
            }
        };
        assert_eq!(api.rejudging(id).await.unwrap().state, state);
        if state == RejudgingState::Applied {
            accepted(&court, "abcdef").await;
            let (one, other) = tokio::join!(api.undo_rejudging(id), api.undo_rejudging(id));
            assert_eq!(one.unwrap().switched + other.unwrap().switched, 6);
        }
        accepted(&court, "").await;
    }
    court.end().await;
}

/// How many versions of the package follow each other.
const VERSIONS: u64 = 6;
/// Submissions that arrive while each of them is rejudged, at least.
const MEANWHILE: usize = 12;
const CLIENTS: usize = 3;
/// Between a verdict and what is sent next: all of them together are to be rejudged sooner
/// than as many again arrive.
const BETWEEN: Duration = Duration::from_millis(500);

/// Clients that submit all the time, each soon after the verdict of what it sent before.
struct Clients {
    stop: Arc<AtomicBool>,
    /// The version that was imported when they began to send.
    version: Arc<AtomicU64>,
    sent: Arc<AtomicUsize>,
    tasks: Vec<JoinHandle<Vec<(SubmissionId, u64)>>>,
}

impl Clients {
    fn start(api: &Api) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let version = Arc::new(AtomicU64::new(0));
        let sent = Arc::new(AtomicUsize::new(0));
        let tasks = (0..CLIENTS).map(|client| {
            let (stop, version, number) = (stop.clone(), version.clone(), sent.clone());
            let api = api.clone();
            tokio::spawn(async move {
                let new = right(&format!("team {client}"));
                let mut sent = Vec::new();
                while !stop.load(Ordering::SeqCst) {
                    let imported = version.load(Ordering::SeqCst);
                    let submission = api.submit(&new, None).await.unwrap();
                    sent.push((submission.id, imported));
                    number.fetch_add(1, Ordering::SeqCst);
                    let judged = until_judged(&api, submission.id);
                    let judged = tokio::time::timeout(PATIENCE, judged).await;
                    judged.expect("it gets its verdict");
                    tokio::time::sleep(BETWEEN).await;
                }
                sent
            })
        });
        let tasks = tasks.collect();
        Self {
            stop,
            version,
            sent,
            tasks,
        }
    }

    /// Waits until so many more were sent.
    async fn send(&self, more: usize) {
        let enough = self.sent.load(Ordering::SeqCst) + more;
        let sent = patiently(Duration::from_millis(5), async || {
            (self.sent.load(Ordering::SeqCst) >= enough).then_some(())
        });
        sent.await.expect("submissions are taken");
    }

    /// All that was sent, with the version that was imported by then.
    async fn end(self) -> Vec<(SubmissionId, u64)> {
        self.stop.store(true, Ordering::SeqCst);
        let mut all = Vec::new();
        for task in self.tasks {
            all.extend(task.await.unwrap());
        }
        all
    }
}

async fn until_judged(api: &Api, id: SubmissionId) {
    while !api.judgement(id).await.unwrap().summary.state.is_final() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// By odd versions everybody is wrong.
async fn import(system: &System, number: u64) {
    let version = Version {
        last_answer: RIGHT + i64::from(number % 2 == 1),
        name: format!("Double {number}"),
        ..Version::default()
    };
    version.import(system).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs tests/with-services"]
async fn what_arrives_while_a_rejudging_is_applied_is_judged_once_by_the_new_version() {
    let system = System::start(&WORKERS).await;
    import(&system, 0).await;
    let clients = Clients::start(system.api());
    for number in 1..=VERSIONS {
        clients.send(MEANWHILE / 2).await;
        import(&system, number).await;
        clients.version.store(number, Ordering::SeqCst);
        let outdated = asked("outdated = true", "the version before was wrong");
        let api = system.api();
        let id = api.create_rejudging(&outdated, None).await.unwrap().id;
        let applied = patiently(Duration::from_millis(20), async || {
            let applied = api.apply_rejudging(id, &ApplyRejudging::default()).await;
            applied.ok()
        });
        applied.await.expect("the rejudging is judged and applied");
        assert_eq!(outdated_results(&system).await, 0, "of version {number}");
        clients.send(MEANWHILE / 2).await;
    }
    let sent = clients.end().await;
    let by_version = VERSIONS % 2;
    for (id, sent_by) in &sent {
        let judgement = system.ended(*id).await;
        let expected = if by_version == 1 {
            Verdict::Wa
        } else {
            Verdict::Ac
        };
        assert_eq!(judgement.summary.verdict, Some(expected), "{id}");
        // Once by what was imported when it was sent, and once for each version since. Who was
        // sent while one was imported may have met either.
        let judged = versions_that_judged(&system, *id).await;
        let last = 1 + i32::try_from(VERSIONS).unwrap();
        let first = *judged.first().expect("it was judged");
        assert_eq!(judged, (first..=last).collect::<Vec<_>>(), "{id}");
        let imported = 1 + i32::try_from(*sent_by).unwrap();
        assert!(
            (imported..=imported + 1).contains(&first),
            "{id}: {judged:?} from {imported} on"
        );
    }
    invariants::assert_hold(system.database(), sent.len()).await;
    system.end(sent.len()).await;
}

/// How many results are of another version than new submissions get.
async fn outdated_results(system: &System) -> i64 {
    sqlx::query_scalar(
        "SELECT count(*) FROM judgements j JOIN packages p ON p.id = j.package_id
         WHERE j.is_current AND NOT p.is_current",
    )
    .fetch_one(system.database())
    .await
    .unwrap()
}

/// The versions by which a submission was judged, once for each judgement.
async fn versions_that_judged(system: &System, id: SubmissionId) -> Vec<i32> {
    sqlx::query_scalar(
        "SELECT p.version FROM judgements j JOIN packages p ON p.id = j.package_id
         WHERE j.submission_id = $1 ORDER BY p.version",
    )
    .bind(id.as_uuid())
    .fetch_all(system.database())
    .await
    .unwrap()
}
