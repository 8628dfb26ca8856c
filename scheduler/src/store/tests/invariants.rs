//! The invariants hold whatever happens, and each rule finds what breaks it.

use assize_common::Verdict;
use assize_common::api::{ApplyRejudging, NewRejudging, Overrides, Selection};
use assize_common::id::WorkerId;
use assize_common::message::{HeldJudgement, Report, Started, WorkerReport};
use chrono::Utc;
use sqlx::PgPool;

use crate::bell::Bells;
use crate::feeder::feed;
use crate::filter::Filter;
use crate::fixture::{Fixture, SETTINGS, finished, judging_error};
use crate::reports::apply_batch;
use crate::store::invariant::violation_list;
use crate::store::{CreatedRejudging, NewStoredRejudging, Selected};

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
    applied(&fixture).await;
    fixture
}

/// A rejudging that was applied, and one that is open.
async fn applied(fixture: &Fixture) {
    let a = fixture.judged("a", Verdict::Wa).await;
    let b = fixture.judged("b", Verdict::Wa).await;
    for (id, judge) in [(a, true), (b, false)] {
        let new = NewRejudging {
            reason: "a test".into(),
            selection: Selection::default(),
            overrides: Overrides::default(),
            skip_taken: false,
        };
        let new = NewStoredRejudging {
            new,
            selected: Selected {
                filter: Filter::All,
                submissions: vec![id],
            },
            created_by: fixture.token_id,
            idempotency: None,
        };
        let created = fixture.store.rejudging_create(&new).await.unwrap();
        let CreatedRejudging::Stored(id) = created else {
            panic!("nothing is in the way");
        };
        if !judge {
            continue;
        }
        feed(&fixture.store, &Bells::default()).await.unwrap();
        let judgement: uuid::Uuid =
            sqlx::query_scalar("SELECT id FROM judgements WHERE rejudging_id = $1")
                .bind(id.as_uuid())
                .fetch_one(&fixture.pool)
                .await
                .unwrap();
        let held = HeldJudgement {
            judgement_id: judgement.into(),
            attempt: 1,
        };
        fixture.report(held, Verdict::Ac).await;
        let asked = ApplyRejudging::default();
        let applied = fixture
            .store
            .rejudging_apply(id, &asked, &Filter::All, fixture.token_id);
        applied.await.unwrap().unwrap();
    }
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
        [
            "every rejudging was asked for",
            "every submission is judged",
            "the outbox is empty"
        ]
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
            "UPDATE runs SET judgement_id = gen_random_uuid()",
            "what others refer to is there",
        ),
        (
            "UPDATE judgements SET package_id = gen_random_uuid()",
            "what others refer to is there",
        ),
        (
            "UPDATE submissions SET submitted_by = gen_random_uuid()",
            "what others refer to is there",
        ),
        (
            "UPDATE submission_files SET submission_id = gen_random_uuid()",
            "what others refer to is there",
        ),
        (
            "UPDATE outbox SET judgement_id = gen_random_uuid()",
            "what others refer to is there",
        ),
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
        (
            "INSERT INTO result_changes (action_id, rejudging_id, submission_id, from_judgement_id, to_judgement_id)
             SELECT action_id, rejudging_id, submission_id, to_judgement_id, from_judgement_id FROM result_changes",
            "results are where the last change led",
        ),
        (
            "DELETE FROM result_changes",
            "a rejudging's judgement counts only once applied",
        ),
        (
            "UPDATE rejudgings SET state = 'cancelled', closed_at = now() WHERE state = 'open'",
            "an open rejudging has its members, and what they had counts",
        ),
        (
            "DELETE FROM rejudging_claims",
            "every member is open, applied or given up",
        ),
        (
            "UPDATE judgements SET rejudging_id = (SELECT id FROM rejudgings WHERE state = 'applied'), repetition = 2,
                 is_current = false WHERE state = 'queued' AND rejudging_id IS NULL",
            "nothing is judged for a closed rejudging",
        ),
    ] {
        let mut transaction = fixture.store.begin().await.unwrap();
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
async fn histories_are_only_ever_added_to(pool: PgPool) {
    let fixture = some_life(pool).await;
    for (statement, constraint) in [
        (
            "UPDATE judgement_history SET to_state = 'done'",
            "judgement_history_append_only",
        ),
        (
            "DELETE FROM judgement_history",
            "judgement_history_append_only",
        ),
        (
            "UPDATE admin_actions SET action = 'nothing'",
            "admin_actions_append_only",
        ),
        ("DELETE FROM result_changes", "result_changes_append_only"),
    ] {
        let error = fixture.execute(statement).await.unwrap_err();
        let refusal = error.into_database_error().unwrap();
        assert_eq!(refusal.constraint(), Some(constraint));
    }
}
