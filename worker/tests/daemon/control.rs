//! What schedulers tell workers.

use std::time::Duration;

use assize_common::Lane;
use assize_common::message::{Control, HeldJudgement, Task, WorkerMode};

use crate::broker::PATIENCE;
use crate::fixture::{ENDLESS, Fixture, RIGHT};

const fn held(task: &Task) -> HeldJudgement {
    HeldJudgement {
        judgement_id: task.judgement_id,
        attempt: task.attempt,
    }
}

async fn set_mode(fixture: &Fixture, mode: WorkerMode) {
    let worker_id = fixture.broker.latest;
    let control = Control::Mode { worker_id, mode };
    fixture.broker.tell(&control).await;
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn a_cancelled_judgement_ends_and_the_worker_goes_on() {
    let mut fixture = Fixture::new().await;
    let _worker = fixture.worker(&[]).await;
    let endless = fixture.task(ENDLESS, Lane::Live);
    fixture.broker.publish(&endless).await;
    fixture.broker.started().await;
    // Of another attempt, which is none of its business.
    let mut earlier = held(&endless);
    earlier.attempt += 1;
    fixture.broker.tell(&Control::Cancel(earlier)).await;
    fixture.broker.tell(&Control::Cancel(held(&endless))).await;
    let handed_back = fixture.broker.handed_back().await;
    assert_eq!(handed_back.judgement, held(&endless));
    assert_eq!(handed_back.reason, "cancelled");
    let next = fixture.task(RIGHT, Lane::Live);
    fixture.broker.publish(&next).await;
    assert_eq!(fixture.broker.finished().await.judgement, held(&next));
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn a_cordoned_worker_takes_nothing_and_a_drained_one_ends() {
    let mut fixture = Fixture::new().await;
    let mut worker = fixture.worker(&[]).await;
    set_mode(&fixture, WorkerMode::Cordon).await;
    worker.says("told how to work").await;
    let waiting = fixture.task(RIGHT, Lane::Live);
    fixture.broker.publish(&waiting).await;
    // What came in at that moment is handed back.
    let is_back = async {
        while fixture.broker.waiting(Lane::Live).await != 1 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, is_back).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(
        fixture.broker.waiting(Lane::Live).await,
        1,
        "it stays there"
    );
    set_mode(&fixture, WorkerMode::Run).await;
    assert_eq!(fixture.broker.finished().await.judgement, held(&waiting));

    let slow = fixture.task(
        &format!("import time; time.sleep(0.7)\n{RIGHT}"),
        Lane::Live,
    );
    fixture.broker.publish(&slow).await;
    fixture.broker.started().await;
    set_mode(&fixture, WorkerMode::Drain).await;
    assert_eq!(fixture.broker.finished().await.judgement, held(&slow));
    fixture.broker.until_stopped().await;
    assert_eq!(worker.ended().code(), Some(0));
}

/// The first two workers did not live to say so, or one did not and a lease told of the other.
#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn what_two_workers_were_lost_with_can_be_taken_from_the_third_before_it_runs() {
    let mut fixture = Fixture::new().await;
    for losses in 0..2 {
        let suspect = Task {
            losses,
            ..fixture.task(ENDLESS, Lane::Live)
        };
        fixture.broker.publish(&suspect).await;
        let queue = fixture.broker.topology.lane(Lane::Live);
        let puller = fixture.broker.connection.puller().await.unwrap();
        for earlier in 0..u64::from(2 - losses) {
            let delivery = loop {
                if let Some(delivery) = puller.pull(&queue).await.unwrap() {
                    break delivery;
                }
            };
            assert_eq!(delivery.earlier_deliveries(), earlier);
            delivery.hand_back().await.unwrap();
        }
        let mut worker = fixture.worker(&[]).await;
        assert_eq!(fixture.broker.started().await.judgement, held(&suspect));
        fixture.broker.tell(&Control::Cancel(held(&suspect))).await;
        assert_eq!(fixture.broker.handed_back().await.judgement, held(&suspect));
        assert_eq!(fixture.scheduler.served(), 0, "not even its source");
        // Not before it acknowledged the task.
        worker.signal("TERM");
        assert!(worker.ended().success());
    }
}
