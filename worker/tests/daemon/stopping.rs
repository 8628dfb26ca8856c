//! How workers come to their end.

use std::process::Stdio;
use std::time::Duration;

use assize_common::Lane;
use assize_common::message::{HeldJudgement, Report, Task};

use crate::broker::PATIENCE;
use crate::fixture::{ENDLESS, Fixture, RIGHT};
use crate::worker::Worker;

fn handed_back(reports: &[Report]) -> Vec<HeldJudgement> {
    reports
        .iter()
        .filter_map(|report| match report {
            Report::HandedBack(handed_back) => Some(handed_back.judgement),
            Report::Finished(finished) => panic!("finished: {finished:?}"),
            _ => None,
        })
        .collect()
}

/// RabbitMQ waits for an acknowledgement for so long only, and a judgement may take longer.
#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn the_task_of_a_long_judgement_is_acknowledged_before_its_end() {
    for (acknowledge_after, left) in [("600", 1), ("0.2", 0)] {
        let mut fixture = Fixture::new().await;
        let arguments = ["--acknowledge-after", acknowledge_after];
        let worker = fixture.worker(&arguments).await;
        let task = fixture.task(ENDLESS, Lane::Live);
        fixture.broker.publish(&task).await;
        fixture.broker.started().await;
        // The heartbeat at the start holds nothing, and the next one comes after ten seconds.
        if left == 0 {
            let named = fixture.broker.report_of(|report| match report {
                Report::Heartbeat { held } if !held.is_empty() => Some(held),
                _ => None,
            });
            assert_eq!(named.await, [held(&task)]);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        // RabbitMQ takes back what is not acknowledged.
        drop(worker);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let taken_back = async {
            while fixture.broker.waiting(Lane::Live).await != left {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, taken_back).await.unwrap();
    }
}

const fn held(task: &Task) -> HeldJudgement {
    HeldJudgement {
        judgement_id: task.judgement_id,
        attempt: task.attempt,
    }
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn what_runs_is_finished_and_what_waits_stays_in_the_queue() {
    let mut fixture = Fixture::new().await;
    let mut worker = fixture.worker(&[]).await;
    let slow = fixture.task(
        &format!("import time; time.sleep(0.7)\n{RIGHT}"),
        Lane::Live,
    );
    fixture.broker.publish(&slow).await;
    fixture.broker.started().await;
    fixture
        .broker
        .publish(&fixture.task(RIGHT, Lane::Live))
        .await;
    worker.signal("TERM");
    assert_eq!(fixture.broker.finished().await.judgement, held(&slow));
    assert_eq!(handed_back(&fixture.broker.until_stopped().await), []);
    assert_eq!(worker.ended().code(), Some(0));
    assert_eq!(fixture.broker.waiting(Lane::Live).await, 1);
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn what_does_not_end_in_time_is_handed_back() {
    let mut fixture = Fixture::new().await;
    let mut worker = fixture.worker(&["--drain-timeout", "0.2"]).await;
    let slow = fixture.task(ENDLESS, Lane::Live);
    fixture.broker.publish(&slow).await;
    fixture.broker.started().await;
    worker.signal("INT");
    assert_eq!(
        handed_back(&fixture.broker.until_stopped().await),
        [held(&slow)]
    );
    assert_eq!(worker.ended().code(), Some(0));
    assert_eq!(fixture.broker.waiting(Lane::Live).await, 0);
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn a_second_signal_hands_back_at_once() {
    let mut fixture = Fixture::new().await;
    let mut worker = fixture.worker(&["--drain-timeout", "3600"]).await;
    let slow = fixture.task(ENDLESS, Lane::Live);
    fixture.broker.publish(&slow).await;
    fixture.broker.started().await;
    worker.signal("TERM");
    worker.signal("INT");
    assert_eq!(
        handed_back(&fixture.broker.until_stopped().await),
        [held(&slow)]
    );
    assert_eq!(worker.ended().code(), Some(0));
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn a_supervised_worker_ends_with_its_parent() {
    let mut fixture = Fixture::new().await;
    let directory = tempfile::tempdir().unwrap();
    let mut command = fixture.command(&directory);
    command.arg("--supervised").stdin(Stdio::piped());
    let mut worker = Worker::spawn(command, directory);
    fixture.broker.registered().await;
    worker.close_input();
    fixture.broker.until_stopped().await;
    assert_eq!(worker.ended().code(), Some(0));
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn the_task_of_a_killed_worker_goes_to_another_one() {
    let mut fixture = Fixture::new().await;
    let worker = fixture.worker(&[]).await;
    let task = fixture.task(
        &format!("import time; time.sleep(0.3)\n{RIGHT}"),
        Lane::Live,
    );
    fixture.broker.publish(&task).await;
    fixture.broker.started().await;
    worker.signal("KILL");
    let _second = fixture.worker(&[]).await;
    assert_eq!(fixture.broker.finished().await.judgement, held(&task));
}
