//! The outbox: any number of relays, each task once.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use assize_common::Lane;
use assize_common::id::WorkerId;
use assize_common::message::{HandedBack, Report, WorkerReport};
use sqlx::PgPool;
use tokio::sync::Barrier;

use crate::fixture::{Fixture, SETTINGS, judging_error};
use crate::reports::apply_batch;
use crate::store::{OUTBOX_CHANNEL, Store, outbox_claim, outbox_remove};

#[sqlx::test(migrations = "../migrations")]
async fn a_task_carries_what_the_worker_needs(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (id, held) = fixture.submit().await;
    let mut transaction = fixture.store.begin().await.unwrap();
    let claimed = outbox_claim(&mut transaction, Lane::Live, 10, None, SETTINGS.lease)
        .await
        .unwrap();
    let [claimed] = claimed.as_slice() else {
        panic!("{claimed:?}")
    };
    let task = claimed.task.as_ref().unwrap();
    assert_eq!((task.judgement_id, task.attempt), (held.judgement_id, 1));
    assert_eq!(task.submission_id, id);
    assert_eq!(
        task.package,
        crate::fixture::package(1).archive_sha256,
        "the blob, not the content"
    );
    assert_eq!(task.files, fixture.new_submission().await.files);
    outbox_remove(&mut transaction, &[claimed.id])
        .await
        .unwrap();
    Store::commit(transaction).await.unwrap();
    assert_eq!(fixture.count("SELECT count(*) FROM outbox").await, 0);
    let dispatched = "SELECT count(*) FROM judgements WHERE dispatched_at IS NOT NULL";
    assert_eq!(fixture.count(dispatched).await, 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn relays_side_by_side_never_take_the_same_task(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    for _ in 0..30 {
        fixture.submit().await;
    }
    let barrier = Arc::new(Barrier::new(3));
    let relays: Vec<_> = (0..3)
        .map(|_| {
            let (store, barrier) = (fixture.store.clone(), barrier.clone());
            tokio::spawn(async move {
                let mut transaction = store.begin().await.unwrap();
                let claimed = outbox_claim(&mut transaction, Lane::Live, 10, None, SETTINGS.lease)
                    .await
                    .unwrap();
                // Nobody is done before everybody has taken.
                barrier.wait().await;
                let ids: Vec<i64> = claimed.iter().map(|claimed| claimed.id).collect();
                outbox_remove(&mut transaction, &ids).await.unwrap();
                Store::commit(transaction).await.unwrap();
                ids
            })
        })
        .collect();
    let mut seen = HashSet::new();
    for relay in relays {
        for id in relay.await.unwrap() {
            assert!(seen.insert(id), "{id} was taken twice");
        }
    }
    assert_eq!(seen.len(), 30);
    assert_eq!(fixture.count("SELECT count(*) FROM outbox").await, 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_relay_that_dies_leaves_its_tasks_to_others(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    fixture.submit().await;
    let mut transaction = fixture.store.begin().await.unwrap();
    let claimed = outbox_claim(&mut transaction, Lane::Live, 10, None, SETTINGS.lease)
        .await
        .unwrap();
    outbox_remove(&mut transaction, &[claimed[0].id])
        .await
        .unwrap();
    // Waited for, unlike a drop: until then the row is locked and skipped.
    transaction.rollback().await.unwrap();
    let mut transaction = fixture.store.begin().await.unwrap();
    let again = outbox_claim(&mut transaction, Lane::Live, 10, None, SETTINGS.lease)
        .await
        .unwrap();
    assert_eq!(again.len(), 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn tasks_wait_for_their_time_and_their_lane(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (id, held) = fixture.submit().await;
    let worker = WorkerId::generate();
    apply_batch(&fixture.store, &[&judging_error(worker, held)], SETTINGS)
        .await
        .unwrap();
    let mut transaction = fixture.store.begin().await.unwrap();
    let claimed = outbox_claim(&mut transaction, Lane::Live, 10, None, SETTINGS.lease)
        .await
        .unwrap();
    // The first attempt's row is there, but nobody wants it any more.
    assert_eq!(claimed.len(), 1);
    assert!(claimed[0].task.is_none());
    let other = outbox_claim(&mut transaction, Lane::Rejudge, 10, None, SETTINGS.lease)
        .await
        .unwrap();
    assert!(other.is_empty());
    transaction.rollback().await.unwrap();

    fixture
        .execute("UPDATE outbox SET not_before = now()")
        .await
        .unwrap();
    let mut transaction = fixture.store.begin().await.unwrap();
    let claimed = outbox_claim(&mut transaction, Lane::Live, 10, None, SETTINGS.lease)
        .await
        .unwrap();
    let tasks: Vec<_> = claimed
        .iter()
        .filter_map(|claimed| claimed.task.as_ref())
        .collect();
    assert_eq!(tasks.len(), 1);
    assert_eq!(tasks[0].attempt, fixture.held(id).await.attempt);
    assert_eq!(
        tasks[0].files.len(),
        1,
        "though the first row has them, too"
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn the_bell_rings_for_new_attempts(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let mut listener = fixture.store.listen(OUTBOX_CHANNEL).await.unwrap();
    // Who submits wakes the relay without Postgres.
    let (_, held) = fixture.submit().await;
    let handed_back = WorkerReport {
        worker_id: WorkerId::generate(),
        report: Report::HandedBack(HandedBack {
            judgement: held,
            reason: "draining".into(),
            earlier_deliveries: 0,
            unsuited: false,
        }),
    };
    apply_batch(&fixture.store, &[&handed_back], SETTINGS)
        .await
        .unwrap();
    assert_eq!(listener.next().await.unwrap().payload(), "live");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_long_wait_alone_does_not_make_a_task_lost(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let age = Duration::from_secs(60);
    let list = async || {
        fixture
            .store
            .judgement_list_undispatched(Lane::Live, age, 10)
            .await
            .unwrap()
    };
    let (_, old) = fixture.submit().await;
    fixture
        .execute("UPDATE judgements SET queued_at = now() - interval '5 min', dispatched_at = NULL")
        .await
        .unwrap();
    assert!(list().await.is_empty(), "it is still in the outbox");
    fixture.execute("DELETE FROM outbox").await.unwrap();
    fixture
        .execute("UPDATE judgements SET dispatched_at = now() - interval '4 min'")
        .await
        .unwrap();
    let [waiting] = list().await.try_into().unwrap();
    assert_eq!((waiting.held, waiting.overtaken), (old, false));

    // A task published much later that a worker took up.
    fixture.submit().await;
    fixture
        .execute(
            "UPDATE judgements SET state = 'running', dispatched_at = now(), started_at = now(), worker_id = id,
                 lease_until = now() + interval '1 min'
             WHERE dispatched_at IS NULL",
        )
        .await
        .unwrap();
    let [lost] = list().await.try_into().unwrap();
    assert_eq!((lost.held, lost.overtaken), (old, true));
}

#[sqlx::test(migrations = "../migrations")]
async fn what_waits_is_counted(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    for _ in 0..3 {
        fixture.submit().await;
    }
    let backlog = fixture.store.backlog_count().await.unwrap();
    assert_eq!(backlog.outbox_unsent, 3);
    assert_eq!(
        (backlog.lanes[0].lane, backlog.lanes[0].queued),
        (Lane::Live, 3)
    );
    assert!(backlog.outbox_oldest_seconds >= 0.0);
}
