//! What judging fails on is paused; all else is judged.

use assize_common::api::Pause;
use assize_common::id::{SubmissionId, WorkerId};
use assize_common::message::{
    HeldJudgement, Registered, Report, Started, WorkerMode, WorkerReport,
};
use assize_common::{Lane, Verdict};
use chrono::Utc;
use sqlx::PgPool;

use crate::fixture::{Fixture, SETTINGS, finished, judging_error, package};
use crate::pauser::{cordon_failing, pause_culprit};
use crate::reconciler::expire_leases;
use crate::reports::apply_batch;
use crate::store::{Activation, lane_load, outbox_claim, outbox_remove};

const NOTED: &str = "SELECT count(*) FROM judging_failures";

async fn apply(fixture: &Fixture, worker_id: WorkerId, report: Report) {
    let report = WorkerReport { worker_id, report };
    apply_batch(&fixture.store, &[&report], SETTINGS)
        .await
        .unwrap();
}

/// A submission to the current version of the only problem.
async fn submit(fixture: &Fixture, team: &str, language: &str) -> HeldJudgement {
    let mut new = fixture.new_submission().await;
    new.team = Some(team.to_owned());
    new.language = language.to_owned();
    let id = fixture.stored(&new).await;
    fixture.held(id).await
}

/// So many attempts of it fail.
async fn fail(fixture: &Fixture, held: HeldJudgement, attempts: u32) {
    for attempt in 1..=attempts {
        let report = judging_error(WorkerId::generate(), HeldJudgement { attempt, ..held });
        apply_batch(&fixture.store, &[&report], SETTINGS)
            .await
            .unwrap();
    }
}

async fn look(fixture: &Fixture) -> Vec<Pause> {
    pause_culprit(&fixture.store, SETTINGS.lease).await.unwrap();
    fixture.store.pause_list().await.unwrap()
}

/// The submissions whose tasks are published now.
async fn published(fixture: &Fixture) -> Vec<SubmissionId> {
    fixture
        .execute("UPDATE outbox SET not_before = now()")
        .await
        .unwrap();
    let mut transaction = fixture.store.begin().await.unwrap();
    let claimed = outbox_claim(&mut transaction, Lane::Live, 100, None, SETTINGS.lease)
        .await
        .unwrap();
    let ids: Vec<_> = claimed.iter().map(|claimed| claimed.id).collect();
    outbox_remove(&mut transaction, &ids).await.unwrap();
    transaction.commit().await.unwrap();
    let tasks = claimed.into_iter().filter_map(|claimed| claimed.task);
    tasks.map(|task| task.submission_id).collect()
}

async fn live_waits(fixture: &Fixture) -> bool {
    let mut transaction = fixture.store.begin().await.unwrap();
    let load = lane_load(&mut transaction, Lane::Rejudge, SETTINGS.lease, None);
    load.await.unwrap().live_waits
}

/// Three submissions of two teams fail twice each, in C++; their third attempts wait.
async fn broken(fixture: &Fixture) -> Vec<HeldJudgement> {
    let mut failed = Vec::new();
    for team in ["a", "b", "b"] {
        let held = submit(fixture, team, "cpp20").await;
        fail(fixture, held, 2).await;
        failed.push(held);
    }
    failed
}

#[sqlx::test(migrations = "../migrations")]
async fn tasks_of_the_culprit_wait_and_all_others_are_published(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    assert_eq!(look(&fixture).await, []);
    broken(&fixture).await;
    let late = submit(&fixture, "c", "cpp20").await;
    let other = submit(&fixture, "c", "java").await;
    let paused = look(&fixture).await;
    assert_eq!(look(&fixture).await, paused, "once is enough");
    let [pause] = paused.try_into().unwrap();
    assert_eq!(
        (
            pause.problem.as_deref(),
            pause.version,
            pause.language.as_deref(),
            pause.waiting
        ),
        (Some("sum"), Some(1), Some("cpp20"), 4)
    );
    assert!(
        pause.reason.ends_with("because: the jail did not start"),
        "{}",
        pause.reason
    );

    let of = async |held: HeldJudgement| {
        let judgement = fixture.store.judgement_read(held.judgement_id).await;
        judgement.unwrap().unwrap().submission_id
    };
    assert!(live_waits(&fixture).await);
    assert_eq!(published(&fixture).await, [of(other).await]);
    assert!(
        !live_waits(&fixture).await,
        "rejudging need not wait for it"
    );

    // The next version may be the repair.
    fixture
        .store
        .problem_import("sum", &package(2), Activation::AtOnce, fixture.token_id)
        .await
        .unwrap();
    let repaired = submit(&fixture, "c", "cpp20").await;
    assert_eq!(published(&fixture).await, [of(repaired).await]);

    let by = fixture.token_id;
    assert!(
        !fixture
            .store
            .pause_end(Some("sum"), None, by)
            .await
            .unwrap()
    );
    assert!(
        !fixture
            .store
            .pause_end(None, Some("cpp20"), by)
            .await
            .unwrap()
    );
    assert!(
        fixture
            .store
            .pause_end(Some("sum"), Some("cpp20"), by)
            .await
            .unwrap()
    );
    assert!(
        !fixture
            .store
            .pause_end(Some("sum"), Some("cpp20"), by)
            .await
            .unwrap()
    );
    assert_eq!(look(&fixture).await, [], "what failed before is forgiven");
    let resumed = published(&fixture).await;
    assert_eq!(resumed.len(), 4);
    assert!(resumed.contains(&of(late).await));
    let actions = fixture
        .store
        .admin_action_list(Some("sum"), None, 9)
        .await
        .unwrap();
    assert_eq!(
        (actions.len(), actions[0].action.as_str()),
        (1, "pause.end")
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn what_fails_again_after_a_pause_is_paused_again(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let failed = broken(&fixture).await;
    assert_eq!(look(&fixture).await.len(), 1);
    let by = fixture.token_id;
    assert!(
        fixture
            .store
            .pause_end(Some("sum"), Some("cpp20"), by)
            .await
            .unwrap()
    );
    // Their last attempts fail as well.
    for held in failed {
        let report = judging_error(WorkerId::generate(), HeldJudgement { attempt: 3, ..held });
        apply_batch(&fixture.store, &[&report], SETTINGS)
            .await
            .unwrap();
    }
    assert_eq!(look(&fixture).await.len(), 1);
    assert_eq!(fixture.count("SELECT count(*) FROM pauses").await, 2);

    let ended = fixture
        .store
        .pause_end(Some("sum"), Some("cpp20"), by)
        .await;
    assert!(ended.unwrap());
    broken(&fixture).await;
    fixture
        .execute("UPDATE judgements SET is_current = false")
        .await
        .unwrap();
    assert_eq!(look(&fixture).await, [], "another judgement counts by now");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_problem_is_paused_in_all_languages_and_only_if_nothing_of_it_is_judged(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    for (team, language) in [("a", "cpp20"), ("b", "java"), ("b", "java")] {
        let held = submit(&fixture, team, language).await;
        fail(&fixture, held, 2).await;
    }
    fixture.judged("c", Verdict::Wa).await;
    assert_eq!(look(&fixture).await, [], "it was judged since");
    for (team, language) in [("a", "cpp20"), ("b", "java"), ("b", "cpp20")] {
        let held = submit(&fixture, team, language).await;
        fail(&fixture, held, 3).await;
    }
    let [pause] = look(&fixture).await.try_into().unwrap();
    assert_eq!(
        (pause.problem.as_deref(), pause.language),
        (Some("sum"), None)
    );
    submit(&fixture, "a", "pypy3").await;
    assert_eq!(look(&fixture).await[0].waiting, 4, "three ended before");
}

#[sqlx::test(migrations = "../migrations")]
async fn lost_workers_and_old_failures_say_nothing(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    for team in ["a", "b", "c"] {
        let held = submit(&fixture, team, "cpp20").await;
        for attempt in 1..=2 {
            let judgement = HeldJudgement { attempt, ..held };
            let started = Report::Started(Started {
                judgement,
                at: Utc::now(),
            });
            apply(&fixture, WorkerId::generate(), started).await;
            fixture
                .execute("UPDATE judgements SET lease_until = now() - interval '1 s' WHERE state = 'running'")
                .await
                .unwrap();
            expire_leases(&fixture.store, SETTINGS).await.unwrap();
        }
    }
    assert_eq!(look(&fixture).await, []);
    broken(&fixture).await;
    assert_eq!(fixture.count(NOTED).await, 6);
    fixture
        .execute("UPDATE judging_failures SET at = at - interval '2 hours'")
        .await
        .unwrap();
    assert_eq!(look(&fixture).await, []);
    assert_eq!(fixture.count(NOTED).await, 0, "and are forgotten");
}

/// What only one of two workers fails on is not paused.
#[sqlx::test(migrations = "../migrations")]
async fn several_workers_must_fail_if_there_are_several(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let workers = [WorkerId::generate(), WorkerId::generate()];
    for (worker, name) in workers.into_iter().zip(["judge-1", "judge-2"]) {
        register(&fixture, worker, name).await;
    }
    let fail = async |team: &str, workers: [WorkerId; 2]| {
        let held = submit(&fixture, team, "cpp20").await;
        for (attempt, worker) in (1..).zip(workers) {
            let judgement = HeldJudgement { attempt, ..held };
            let at = Utc::now();
            apply(&fixture, worker, Report::Started(Started { judgement, at })).await;
            apply(&fixture, worker, judging_error(worker, judgement).report).await;
        }
    };
    for team in ["a", "b", "c"] {
        fail(team, [workers[0]; 2]).await;
    }
    assert_eq!(look(&fixture).await, []);
    fail("a", workers).await;
    assert_eq!(look(&fixture).await.len(), 1);
}

async fn register(fixture: &Fixture, worker: WorkerId, name: &str) {
    let registered = Registered {
        name: name.into(),
        version: "0".into(),
        slots: 1,
        lanes: vec!["live".into()],
        languages: Vec::new(),
    };
    apply(fixture, worker, Report::Registered(registered)).await;
}

/// A submission to a problem that fails at a worker, and another one judges.
async fn fail_at(fixture: &Fixture, worker: WorkerId, problem: &str) {
    let mut new = fixture.new_submission().await;
    let found = fixture.package_of(problem).await.unwrap();
    (new.problem_id, new.package_id) = (found.problem_id, found.package_id);
    let id = fixture.stored(&new).await;
    let judgement = fixture.held(id).await;
    let at = Utc::now();
    apply(fixture, worker, Report::Started(Started { judgement, at })).await;
    apply(fixture, worker, judging_error(worker, judgement).report).await;
    fixture.report(fixture.held(id).await, Verdict::Ac).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_worker_that_fails_on_what_others_judge_is_cordoned(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    fixture
        .store
        .problem_import("other", &package(2), Activation::AtOnce, fixture.token_id)
        .await
        .unwrap();
    let worker = WorkerId::generate();
    register(&fixture, worker, "judge-1").await;
    let look = async || {
        cordon_failing(&fixture.store, SETTINGS.lease)
            .await
            .unwrap();
        let workers = fixture.store.worker_list(SETTINGS.lease).await.unwrap();
        let it = workers.into_iter().find(|it| it.name == "judge-1").unwrap();
        (it.mode, it.mode_reason)
    };
    for problem in ["sum", "sum", "other"] {
        assert_eq!(look().await, (WorkerMode::Run, None));
        fail_at(&fixture, worker, problem).await;
    }
    let (_, held) = fixture.submit().await;
    let verdict = finished(worker, held, Verdict::Ac).report;
    apply(&fixture, worker, verdict).await;
    assert_eq!(look().await, (WorkerMode::Run, None), "it judges");
    for problem in ["sum", "other", "other"] {
        fail_at(&fixture, worker, problem).await;
    }
    assert_eq!(look().await, (WorkerMode::Run, None), "it is the only one");
    register(&fixture, WorkerId::generate(), "judge-2").await;
    let (mode, reason) = look().await;
    assert_eq!(mode, WorkerMode::Cordon);
    let reason = reason.unwrap();
    assert!(
        reason.ends_with("because: the jail did not start"),
        "{reason}"
    );
    fixture
        .store
        .worker_set_mode(worker, WorkerMode::Run)
        .await
        .unwrap();
    assert_eq!(look().await, (WorkerMode::Run, None), "the admin knows");
}
