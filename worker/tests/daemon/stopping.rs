//! How workers come to their end.

use std::process::Stdio;

use assize_common::Lane;
use assize_common::message::{HeldJudgement, Report, Task};

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
