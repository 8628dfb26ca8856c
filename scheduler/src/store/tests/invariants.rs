//! The invariants hold whatever happens, and each rule finds what breaks it.

use assize_common::Verdict;
use assize_common::id::WorkerId;
use assize_common::message::{Report, Started, WorkerReport};
use chrono::Utc;
use sqlx::PgPool;

use crate::fixture::{Fixture, SETTINGS, finished, judging_error};
use crate::reports::apply_batch;
use crate::store::invariant::violation_list;

/// One judgement done after a failed attempt, one running, one queued.
async fn some_life(pool: PgPool) -> Fixture {
    let fixture = Fixture::new(pool).await;
    let worker = WorkerId::generate();
    let (id, held) = fixture.submit().await;
    let report = async |report: WorkerReport| {
        apply_batch(&fixture.store, &[&report], SETTINGS)
            .await
            .unwrap();
    };
    report(judging_error(worker, held)).await;
    report(finished(worker, fixture.held(id).await, Verdict::Ac)).await;
    let (_, judgement) = fixture.submit().await;
    let at = Utc::now();
    report(WorkerReport {
        worker_id: worker,
        report: Report::Started(Started { judgement, at }),
    })
    .await;
    fixture.submit().await;
    fixture
}

async fn broken(fixture: &Fixture, at_rest: bool) -> Vec<&'static str> {
    let violations = fixture.store.invariant_check(at_rest).await.unwrap();
    let mut rules: Vec<_> = violations.iter().map(|found| found.rule).collect();
    rules.dedup();
    rules
}

#[sqlx::test(migrations = "../migrations")]
async fn a_sound_database_breaks_no_rule(pool: PgPool) {
    let fixture = some_life(pool).await;
    assert_eq!(fixture.store.invariant_check(false).await.unwrap(), []);
    assert_eq!(
        broken(&fixture, true).await,
        ["every submission is judged", "the outbox is empty"]
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn each_rule_finds_what_breaks_it(pool: PgPool) {
    let fixture = some_life(pool).await;
    // Only without triggers can any of this be done at all.
    for (statement, rule) in [
        (
            "UPDATE judgements SET is_current = false WHERE state = 'queued'",
            "one current judgement for each submission",
        ),
        (
            "UPDATE runs SET attempt = 1",
            "runs belong to the attempt that decided",
        ),
        (
            "DELETE FROM runs WHERE ordinal = 0",
            "runs are complete",
        ),
        ("DELETE FROM runs", "a verdict that needs runs has them"),
        (
            "UPDATE outbox SET attempt = 9 WHERE attempt = 1",
            "nothing is asked for that is yet to come",
        ),
        (
            "UPDATE judgement_history SET from_state = 'done' WHERE to_state = 'running'",
            "every step is legal",
        ),
        (
            "UPDATE judgement_history SET attempt = 7 WHERE to_state = 'done'",
            "every step is legal",
        ),
        (
            "DELETE FROM judgement_history WHERE to_state = 'running'",
            "the history ends where the judgement is",
        ),
        (
            "INSERT INTO judgement_history (judgement_id, attempt, from_state, to_state, lane)
             SELECT judgement_id, attempt, to_state, to_state, lane FROM judgement_history WHERE to_state = 'done'",
            "a judgement ends once",
        ),
    ] {
        let mut transaction = fixture.pool.begin().await.unwrap();
        for statement in [
            "SET LOCAL session_replication_role = replica",
            statement,
        ] {
            sqlx::query(statement)
                .execute(&mut *transaction)
                .await
                .unwrap();
        }
        let found = violation_list(&mut transaction, false).await.unwrap();
        assert!(
            found.iter().any(|found| found.rule == rule),
            "{statement}: {found:?}"
        );
        transaction.rollback().await.unwrap();
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn the_history_is_only_ever_added_to(pool: PgPool) {
    let fixture = some_life(pool).await;
    for statement in [
        "UPDATE judgement_history SET to_state = 'done'",
        "DELETE FROM judgement_history",
    ] {
        let error = fixture.execute(statement).await.unwrap_err();
        let refusal = error.into_database_error().unwrap();
        assert_eq!(refusal.constraint(), Some("judgement_history_append_only"));
    }
}
