//! Everything around the worker fails.

use std::process::Command;

use assize_common::id::WorkerId;
use assize_common::message::{Judged, Report, Task};
use assize_common::{ContentHash, Lane, Verdict};

use crate::fixture::{Fixture, RIGHT};
use crate::proxy::Proxy;
use crate::worker::Worker;

fn judging_error(outcome: Judged) -> String {
    match outcome {
        Judged::JudgingError { reason } => reason,
        Judged::Verdict { verdict, .. } => panic!("the verdict {verdict}"),
    }
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn a_scheduler_that_stumbles_is_asked_again() {
    let mut fixture = Fixture::new().await;
    let _worker = fixture.worker(&[]).await;
    // Away, failing, and sending other bytes than it was asked for.
    fixture.scheduler.disturb(&[503, 500, 200, 502]);
    fixture
        .broker
        .publish(&fixture.task(RIGHT, Lane::Live))
        .await;
    let finished = fixture.broker.finished().await;
    assert!(
        matches!(
            finished.outcome,
            Judged::Verdict {
                verdict: Verdict::Ac,
                ..
            }
        ),
        "{finished:?}"
    );
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn what_the_scheduler_lacks_is_a_judging_error() {
    let mut fixture = Fixture::new().await;
    let _worker = fixture.worker(&[]).await;
    let mut task = fixture.task(RIGHT, Lane::Live);
    task.package = ContentHash::of(b"nowhere");
    fixture.broker.publish(&task).await;
    let reason = judging_error(fixture.broker.finished().await.outcome);
    assert!(
        reason.contains("cannot fetch package") && reason.contains("has no blob"),
        "{reason}"
    );
    let mut task = fixture.task(RIGHT, Lane::Live);
    task.package = fixture.scheduler.store(b"no archive");
    fixture.broker.publish(&task).await;
    let reason = judging_error(fixture.broker.finished().await.outcome);
    assert!(reason.contains("the archive is damaged"), "{reason}");
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn a_worker_whose_token_is_revoked_hands_back_and_ends() {
    let mut fixture = Fixture::new().await;
    let mut worker = fixture.worker(&[]).await;
    fixture.scheduler.revoke();
    fixture
        .broker
        .publish(&fixture.task(RIGHT, Lane::Live))
        .await;
    let reports = fixture.broker.until_stopped().await;
    assert!(
        reports
            .iter()
            .any(|report| matches!(report, Report::HandedBack(_))),
        "{reports:?}"
    );
    assert_eq!(worker.ended().code(), Some(2));
    assert!(
        worker
            .log()
            .contains("the scheduler refuses ASSIZE_WORKER_TOKEN"),
        "{}",
        worker.log()
    );
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn a_judgement_outlives_the_connection_to_the_broker() {
    let mut fixture = Fixture::new().await;
    let proxy = Proxy::start(&fixture.broker.url).await;
    let directory = tempfile::tempdir().unwrap();
    let mut command = fixture.command(&directory);
    command.env("ASSIZE_AMQP_URL", proxy.url.reveal());
    let _worker = Worker::spawn(command, directory);
    fixture.broker.registered().await;
    let slow = fixture.task(
        &format!("import time; time.sleep(0.7)\n{RIGHT}"),
        Lane::Live,
    );
    fixture.broker.publish(&slow).await;
    fixture.broker.started().await;
    proxy.cut();
    // It connects anew, gets its task once more, and judges it no second time.
    fixture.broker.registered().await;
    assert_eq!(
        fixture.broker.finished().await.judgement.judgement_id,
        slow.judgement_id
    );
    proxy.cut();
    fixture.broker.registered().await;
    let next = fixture.task(RIGHT, Lane::Live);
    fixture.broker.publish(&next).await;
    assert_eq!(
        fixture.broker.finished().await.judgement.judgement_id,
        next.judgement_id
    );
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn a_task_that_workers_were_lost_over_is_not_judged() {
    let mut fixture = Fixture::new().await;
    let task = fixture.task(RIGHT, Lane::Live);
    fixture.broker.publish(&task).await;
    let queue = fixture.broker.topology.lane(Lane::Live);
    for _ in 0..10 {
        let connection = assize_common::amqp::Connection::open(
            &fixture.broker.url,
            "victim",
            &fixture.broker.topology,
            assize_common::amqp::Role::Scheduler,
        )
        .await
        .unwrap();
        let mut consumer = connection.consume(&queue, 1).await.unwrap();
        let taken = consumer.next().await.unwrap();
        connection.close().await.unwrap();
        drop(taken);
    }
    let _worker = fixture.worker(&[]).await;
    let handed_back = fixture
        .broker
        .report_of(|report| match report {
            Report::HandedBack(handed_back) => Some(handed_back),
            Report::Started(started) => panic!("started: {started:?}"),
            _ => None,
        })
        .await;
    assert_eq!(handed_back.judgement.judgement_id, task.judgement_id);
    assert_eq!(handed_back.earlier_deliveries, 10);
}

/// A file system of its own, which a test may fill; gone with the test.
struct SmallDisk<'a>(&'a std::path::Path);

impl<'a> SmallDisk<'a> {
    fn mount(at: &'a std::path::Path) -> Self {
        std::fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=32m", "assize-test"])
            .arg(at)
            .status();
        assert!(mounted.unwrap().success());
        Self(at)
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        // Lazily: a worker may still look at it.
        let unmounted = Command::new("umount").arg("-l").arg(self.0).status();
        assert!(unmounted.is_ok_and(|status| status.success()));
    }
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn a_full_disk_is_a_judging_error_and_passes() {
    let mut fixture = Fixture::new().await;
    let mount_point = tempfile::tempdir().unwrap();
    let cache = mount_point.path().join("cache");
    let disk = SmallDisk::mount(&cache);
    let arguments = ["--cache-dir", cache.to_str().unwrap()];
    let _worker = fixture.worker(&arguments).await;
    let filler = disk.0.join("filler");
    let filled = std::fs::File::create(&filler)
        .and_then(|mut file| std::io::copy(&mut std::io::repeat(0), &mut file));
    assert!(filled.is_err_and(|error| error.kind() == std::io::ErrorKind::StorageFull));
    let task = fixture.task(RIGHT, Lane::Live);
    fixture.broker.publish(&task).await;
    let reason = judging_error(fixture.broker.finished().await.outcome);
    assert!(reason.contains("No space left on device"), "{reason}");
    std::fs::remove_file(&filler).unwrap();
    let again = fixture.task(RIGHT, Lane::Live);
    fixture.broker.publish(&again).await;
    let finished = fixture.broker.finished().await;
    assert!(
        matches!(
            finished.outcome,
            Judged::Verdict {
                verdict: Verdict::Ac,
                ..
            }
        ),
        "{finished:?}"
    );
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn a_task_that_avoids_the_worker_is_handed_back_and_others_are_judged() {
    let mut fixture = Fixture::new().await;
    let _worker = fixture.worker(&[]).await;
    let avoiding = |worker_id| Task {
        avoid: vec![worker_id],
        ..fixture.task(RIGHT, Lane::Live)
    };
    let (not_here, here) = (
        avoiding(fixture.broker.latest),
        avoiding(WorkerId::generate()),
    );
    fixture.broker.publish(&not_here).await;
    let handed_back = fixture.broker.handed_back().await;
    assert_eq!(handed_back.judgement.judgement_id, not_here.judgement_id);
    assert!(handed_back.unsuited, "{handed_back:?}");
    fixture.broker.publish(&here).await;
    let finished = fixture.broker.finished().await;
    assert_eq!(finished.judgement.judgement_id, here.judgement_id);
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn a_task_in_a_language_that_the_worker_lacks_is_handed_back() {
    let mut fixture = Fixture::new().await;
    let _worker = fixture.worker(&[]).await;
    let task = Task {
        language: "c".to_owned(),
        ..fixture.task(RIGHT, Lane::Live)
    };
    fixture.broker.publish(&task).await;
    let handed_back = fixture.broker.handed_back().await;
    assert!(handed_back.unsuited, "{handed_back:?}");
    let next = fixture.task(RIGHT, Lane::Live);
    fixture.broker.publish(&next).await;
    let finished = fixture.broker.finished().await;
    assert_eq!(finished.judgement.judgement_id, next.judgement_id);
}
