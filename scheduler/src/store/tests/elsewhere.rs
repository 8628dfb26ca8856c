//! What another worker is to judge: attempts that failed, and close calls.

use assize_common::api::{NewRejudging, Overrides, Selection};
use assize_common::id::{SubmissionId, WorkerId};
use assize_common::message::{
    HeldJudgement, Judged, LanguageVersion, Registered, Report, Started, Task, WorkerReport,
};
use assize_common::{Lane, Verdict};
use chrono::Utc;
use sqlx::PgPool;

use crate::bell::Bells;
use crate::feeder::feed;
use crate::filter::Filter;
use crate::fixture::{Fixture, SETTINGS, finished, judging_error};
use crate::reports::apply_batch;
use crate::store::{CreatedRejudging, NewStoredRejudging, Selected, outbox_claim, outbox_remove};

async fn apply(fixture: &Fixture, report: WorkerReport) {
    apply_batch(&fixture.store, &[&report], SETTINGS)
        .await
        .unwrap();
}

/// A worker of this name that has registered, with this language and in these lanes.
async fn worker(fixture: &Fixture, name: &str, language: &str, lanes: &[Lane]) -> WorkerId {
    let worker_id = WorkerId::generate();
    let report = Report::Registered(Registered {
        name: name.into(),
        version: "0".into(),
        slots: 1,
        lanes: lanes.iter().map(ToString::to_string).collect(),
        languages: vec![LanguageVersion {
            id: language.into(),
            version: String::new(),
        }],
    });
    apply(fixture, WorkerReport { worker_id, report }).await;
    worker_id
}

async fn start(fixture: &Fixture, worker_id: WorkerId, judgement: HeldJudgement) {
    let at = Utc::now();
    let report = Report::Started(Started { judgement, at });
    apply(fixture, WorkerReport { worker_id, report }).await;
}

/// The task of a lane that is published next.
async fn next_task(fixture: &Fixture, lane: Lane) -> Option<Task> {
    sqlx::query("UPDATE outbox SET not_before = now()")
        .execute(&fixture.pool)
        .await
        .unwrap();
    let mut transaction = fixture.store.begin().await.unwrap();
    let claimed = outbox_claim(&mut transaction, lane, 10, None, SETTINGS.lease)
        .await
        .unwrap();
    let ids: Vec<_> = claimed.iter().map(|claimed| claimed.id).collect();
    outbox_remove(&mut transaction, &ids).await.unwrap();
    transaction.commit().await.unwrap();
    let mut tasks = claimed.into_iter().filter_map(|claimed| claimed.task);
    let task = tasks.next();
    assert_eq!(tasks.next(), None);
    task
}

#[sqlx::test(migrations = "../migrations")]
async fn an_attempt_that_failed_is_tried_again_elsewhere(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (_, held) = fixture.submit().await;
    let first = worker(&fixture, "a", "cpp20", &[Lane::Live]).await;
    assert!(
        next_task(&fixture, Lane::Live)
            .await
            .unwrap()
            .avoid
            .is_empty()
    );
    start(&fixture, first, held).await;
    apply(&fixture, judging_error(first, held)).await;
    // Nobody else can: better there than nowhere.
    worker(&fixture, "b", "java", &[Lane::Live]).await;
    worker(&fixture, "c", "cpp20", &[Lane::Batch]).await;
    let task = next_task(&fixture, Lane::Live).await.unwrap();
    assert_eq!((task.attempt, task.avoid), (2, Vec::new()));

    let again = HeldJudgement { attempt: 2, ..held };
    start(&fixture, first, again).await;
    apply(&fixture, judging_error(first, again)).await;
    worker(&fixture, "d", "cpp20", &[Lane::Live]).await;
    let task = next_task(&fixture, Lane::Live).await.unwrap();
    assert_eq!((task.attempt, task.avoid), (3, vec![first]));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_worker_is_avoided_by_its_name_and_not_for_handing_back(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (_, held) = fixture.submit().await;
    let first = worker(&fixture, "a", "cpp20", &[Lane::Live]).await;
    let other = worker(&fixture, "b", "cpp20", &[Lane::Live]).await;
    start(&fixture, other, held).await;
    let report = Report::HandedBack(assize_common::message::HandedBack {
        judgement: held,
        reason: "draining".into(),
        earlier_deliveries: 0,
        unsuited: false,
    });
    let worker_id = other;
    apply(&fixture, WorkerReport { worker_id, report }).await;
    let again = HeldJudgement { attempt: 2, ..held };
    start(&fixture, first, again).await;
    apply(&fixture, judging_error(first, again)).await;
    let stopped = Report::Stopped;
    apply(
        &fixture,
        WorkerReport {
            worker_id: first,
            report: stopped,
        },
    )
    .await;
    let restarted = worker(&fixture, "a", "cpp20", &[Lane::Live]).await;
    let task = next_task(&fixture, Lane::Live).await.unwrap();
    assert_eq!(task.avoid, vec![restarted]);
}

/// Makes a rejudging of everything that the worker of this name is to judge.
async fn rejudge_on(fixture: &Fixture, name: &str) {
    let new = NewStoredRejudging {
        selected: Selected {
            filter: Filter::All,
            submissions: Vec::new(),
        },
        new: NewRejudging {
            reason: "is it slow?".into(),
            selection: Selection {
                filter: Some("all".into()),
                submissions: Vec::new(),
            },
            overrides: Overrides {
                worker: Some(name.into()),
                ..Overrides::default()
            },
            skip_taken: false,
        },
        created_by: fixture.token_id,
        idempotency: None,
    };
    let created = fixture.store.rejudging_create(&new).await.unwrap();
    assert!(matches!(created, CreatedRejudging::Stored(_)));
    feed(&fixture.store, &Bells::default()).await.unwrap();
}

#[sqlx::test(migrations = "../migrations")]
async fn what_one_worker_is_to_judge_all_others_avoid(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    fixture.judged("a", Verdict::Wa).await;
    let lanes = [Lane::Live, Lane::Rejudge];
    let first = worker(&fixture, "a", "cpp20", &lanes).await;
    let second = worker(&fixture, "b", "cpp20", &lanes).await;
    let third = worker(&fixture, "c", "java", &lanes).await;
    rejudge_on(&fixture, "b").await;
    let mut avoid = next_task(&fixture, Lane::Rejudge).await.unwrap().avoid;
    avoid.sort_unstable();
    let mut others = vec![first, third];
    others.sort_unstable();
    assert_eq!(avoid, others);

    // It fails there: better elsewhere than there again.
    let id: uuid::Uuid = sqlx::query_scalar("SELECT id FROM judgements WHERE lane = 'rejudge'")
        .fetch_one(&fixture.pool)
        .await
        .unwrap();
    let held = HeldJudgement {
        judgement_id: id.into(),
        attempt: 1,
    };
    start(&fixture, second, held).await;
    apply(&fixture, judging_error(second, held)).await;
    let task = next_task(&fixture, Lane::Rejudge).await.unwrap();
    assert_eq!((task.attempt, task.avoid), (2, vec![second]));
}

#[sqlx::test(migrations = "../migrations")]
async fn what_a_worker_that_is_gone_was_to_judge_others_judge(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    fixture.judged("a", Verdict::Wa).await;
    worker(&fixture, "a", "cpp20", &[Lane::Live, Lane::Rejudge]).await;
    rejudge_on(&fixture, "b").await;
    let task = next_task(&fixture, Lane::Rejudge).await.unwrap();
    assert_eq!(task.avoid, Vec::new());
}

/// A verdict with a run that took so long; the limit is 1500 ms.
fn took(worker: WorkerId, held: HeldJudgement, verdict: Verdict, time: u64) -> WorkerReport {
    let mut report = finished(worker, held, verdict);
    if let Report::Finished(finished) = &mut report.report
        && let Judged::Verdict { runs, .. } = &mut finished.outcome
    {
        runs[1].cpu_time_ms = time;
    }
    report
}

async fn disputed(fixture: &Fixture, id: SubmissionId) -> bool {
    let asked = "SELECT EXISTS (SELECT FROM judgements o JOIN judgements j ON o.confirms = j.id
        WHERE j.submission_id = $1 AND o.verdict <> j.verdict)";
    sqlx::query_scalar(asked)
        .bind(id.as_uuid())
        .fetch_one(&fixture.pool)
        .await
        .unwrap()
}

#[sqlx::test(migrations = "../migrations")]
async fn a_close_call_is_confirmed_by_another_worker_beside_it(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let lanes = [Lane::Live, Lane::Batch];
    let first = worker(&fixture, "a", "cpp20", &lanes).await;
    let (id, held) = fixture.submit().await;
    next_task(&fixture, Lane::Live).await.unwrap();
    // By whom?
    apply(&fixture, took(first, held, Verdict::Ac, 1490)).await;
    assert_eq!(next_task(&fixture, Lane::Batch).await, None);

    worker(&fixture, "b", "cpp20", &lanes).await;
    let (far, held_far) = fixture.submit().await;
    apply(&fixture, took(first, held_far, Verdict::Ac, 700)).await;
    assert_eq!(next_task(&fixture, Lane::Batch).await, None);
    let (near, held_near) = fixture.submit().await;
    apply(&fixture, took(first, held_near, Verdict::Ac, 1490)).await;
    let task = next_task(&fixture, Lane::Batch).await.unwrap();
    assert_eq!((task.submission_id, task.avoid), (near, vec![first]));
    assert_eq!(
        task.sandbox.reason,
        "to confirm a close call: secret/1 took 1490 ms of 1500"
    );
    assert_eq!(fixture.held(near).await, held_near);

    // The second result is kept, confirmed by nobody and changes nothing.
    let confirmation = HeldJudgement {
        judgement_id: task.judgement_id,
        attempt: 1,
    };
    let other = worker(&fixture, "c", "cpp20", &lanes).await;
    apply(&fixture, took(other, confirmation, Verdict::Tle, 1510)).await;
    assert_eq!(next_task(&fixture, Lane::Batch).await, None);
    assert_eq!(fixture.held(near).await, held_near);
    assert!(disputed(&fixture, near).await);
    assert!(!disputed(&fixture, far).await && !disputed(&fixture, id).await);
    let list = fixture.store.escalation_list(near).await.unwrap();
    assert_eq!((list.len(), list[0].verdict), (1, Some(Verdict::Tle)));
}
