//! Tasks in, reports out.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

use assize_common::message::{Judged, Report};
use assize_common::{Lane, Verdict};

use crate::fixture::{ENDLESS, Fixture, RIGHT, WRONG};

fn verdict(outcome: &Judged) -> Verdict {
    match outcome {
        Judged::Verdict { verdict, .. } => *verdict,
        Judged::JudgingError { reason } => panic!("a judging error: {reason}"),
    }
}

/// Live work comes first, but not for ever.
#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn no_lane_starves() {
    let mut fixture = Fixture::new().await;
    let others = [Lane::Flagged, Lane::Rejudge, Lane::Batch, Lane::Quarantine];
    let mut awaited = Vec::new();
    for lane in others {
        let task = fixture.task(RIGHT, lane);
        awaited.push(task.judgement_id);
        fixture.broker.publish(&task).await;
    }
    for _ in 0..40 {
        let task = fixture.task(RIGHT, Lane::Live);
        fixture.broker.publish(&task).await;
    }
    let _worker = fixture.worker(&[]).await;
    let mut live = 0;
    while !awaited.is_empty() {
        let finished = fixture.broker.finished().await.judgement;
        let others = awaited.len();
        awaited.retain(|id| *id != finished.judgement_id);
        live += usize::from(awaited.len() == others);
    }
    assert!((28..40).contains(&live), "{live} live ones came before");
}

/// One slot, and what is under way there has two test cases to go.
#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn whoever_waits_does_not_wait_for_the_end_of_a_rejudgement() {
    let mut fixture = Fixture::new().await;
    let _worker = fixture.worker(&[]).await;
    let slow = format!("import time; time.sleep(0.7)\n{RIGHT}");
    for (lane, makes_way) in [
        (Lane::Rejudge, true),
        (Lane::Batch, true),
        (Lane::Flagged, false),
    ] {
        let under_way = fixture.task(&slow, lane);
        fixture.broker.publish(&under_way).await;
        fixture.broker.started().await;
        let live = fixture.task(RIGHT, Lane::Live);
        fixture.broker.publish(&live).await;
        let first = fixture.broker.finished().await;
        let second = fixture.broker.finished().await;
        let was_first = first.judgement.judgement_id == live.judgement_id;
        assert_eq!(was_first, makes_way, "{lane}");
        // Nothing is judged again: it goes on where it was.
        for finished in [&first, &second] {
            let Judged::Verdict { verdict, runs, .. } = &finished.outcome else {
                panic!("{finished:?}")
            };
            assert_eq!((*verdict, runs.len()), (Verdict::Ac, 3));
        }
    }
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn verdicts_with_their_runs() {
    let mut fixture = Fixture::new().await;
    let mut worker = fixture.worker(&[]).await;
    for (source, expected, runs) in [
        (RIGHT, Verdict::Ac, 3),
        (WRONG, Verdict::Wa, 1),
        ("1 +\n", Verdict::Ce, 0),
        (RIGHT, Verdict::Ac, 3),
    ] {
        let task = fixture.task(source, Lane::Live);
        fixture.broker.publish(&task).await;
        let finished = fixture.broker.finished().await;
        assert_eq!(finished.judgement.judgement_id, task.judgement_id);
        assert_eq!(finished.judgement.attempt, 1);
        assert!(finished.started_at <= finished.finished_at);
        assert_eq!(verdict(&finished.outcome), expected);
        let Judged::Verdict { runs: reported, .. } = finished.outcome else {
            unreachable!()
        };
        assert_eq!(reported.len(), runs);
    }
    // The package once, and each of the three sources once.
    assert_eq!(fixture.scheduler.served(), 4);
    worker.signal("TERM");
    let farewell = fixture.broker.until_stopped().await;
    assert!(
        farewell
            .iter()
            .all(|report| matches!(report, Report::Heartbeat { held } if held.is_empty())),
        "{farewell:?}"
    );
    assert_eq!(worker.ended().code(), Some(0));
    assert_eq!(fixture.broker.waiting(Lane::Live).await, 0);
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn slots_that_wait_help_and_verdicts_stay_the_same() {
    let mut fixture = Fixture::new().await;
    let options = ["--slots", "3", "--tests-at-once", "3"];
    let _worker = fixture.worker(&options).await;
    let mut expected = std::collections::BTreeMap::new();
    for _ in 0..4 {
        for (source, verdict, runs) in [(RIGHT, Verdict::Ac, 3), (WRONG, Verdict::Wa, 1)] {
            let task = fixture.task(source, Lane::Live);
            fixture.broker.publish(&task).await;
            expected.insert(task.judgement_id, (verdict, runs));
        }
    }
    while !expected.is_empty() {
        let finished = fixture.broker.finished().await;
        let wanted = expected.remove(&finished.judgement.judgement_id).unwrap();
        let Judged::Verdict { verdict, runs, .. } = finished.outcome else {
            panic!("{finished:?}");
        };
        assert_eq!((verdict, runs.len()), wanted);
    }
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn what_nobody_can_read_goes_to_the_dead_letters() {
    let mut fixture = Fixture::new().await;
    let _worker = fixture.worker(&[]).await;
    let dead = fixture.broker.topology.dead();
    let mut dead = fixture.broker.connection.consume(&dead, 10).await.unwrap();
    for garbage in [
        &b"\xff garbage"[..],
        b"{\"v\": 9}",
        b"{\"v\": 1, \"attempt\": \"x\"}",
    ] {
        fixture.broker.publish_raw(Lane::Flagged, garbage).await;
        let letter = tokio::time::timeout(crate::broker::PATIENCE, dead.next())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(letter.body(), garbage);
        letter.ack().await.unwrap();
    }
    let task = fixture.task(RIGHT, Lane::Flagged);
    fixture.broker.publish(&task).await;
    assert_eq!(
        verdict(&fixture.broker.finished().await.outcome),
        Verdict::Ac
    );
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn a_task_that_comes_twice_is_judged_once() {
    let mut fixture = Fixture::new().await;
    let mut worker = fixture.worker(&["--slots", "2"]).await;
    let slow = fixture.task(
        &format!("import time; time.sleep(0.5)\n{RIGHT}"),
        Lane::Live,
    );
    fixture.broker.publish(&slow).await;
    fixture.broker.started().await;
    fixture.broker.publish(&slow).await;
    fixture.broker.finished().await;
    fixture.broker.publish(&slow).await;
    let other = fixture.task(RIGHT, Lane::Live);
    fixture.broker.publish(&other).await;
    assert_eq!(
        fixture.broker.finished().await.judgement.judgement_id,
        other.judgement_id
    );
    worker.signal("TERM");
    let farewell = fixture.broker.until_stopped().await;
    assert!(
        !farewell
            .iter()
            .any(|report| matches!(report, Report::Finished(_))),
        "{farewell:?}"
    );
    assert_eq!(worker.ended().code(), Some(0));
    // Nothing comes back once the worker's connection is gone.
    let _second = fixture.worker(&[]).await;
    let last = fixture.task(WRONG, Lane::Live);
    fixture.broker.publish(&last).await;
    assert_eq!(
        fixture.broker.finished().await.judgement.judgement_id,
        last.judgement_id
    );
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn a_busy_worker_takes_nothing_that_another_one_could_judge() {
    let mut fixture = Fixture::new().await;
    let _busy = fixture.worker(&[]).await;
    let slow = fixture.task(ENDLESS, Lane::Rejudge);
    fixture.broker.publish(&slow).await;
    fixture.broker.started().await;
    let (first, second) = (
        fixture.task(RIGHT, Lane::Rejudge),
        fixture.task(RIGHT, Lane::Live),
    );
    fixture.broker.publish(&first).await;
    fixture.broker.publish(&second).await;
    let _idle = fixture.worker(&[]).await;
    // The urgent one first, though it came later; both before the slow one.
    for task in [second, first] {
        assert_eq!(
            fixture.broker.finished().await.judgement.judgement_id,
            task.judgement_id
        );
    }
}

/// What the worker's metrics say.
fn metrics(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn metrics_tell_what_was_judged() {
    let mut fixture = Fixture::new().await;
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let _worker = fixture
        .worker(&["--metrics-listen", &address.to_string()])
        .await;
    fixture
        .broker
        .publish(&fixture.task(RIGHT, Lane::Live))
        .await;
    fixture.broker.finished().await;
    let metrics = metrics(address);
    for line in [
        "assize_judgements_total{outcome=\"AC\"} 1",
        "assize_amqp_connected{role=\"worker\"} 1",
        "assize_worker_slots 1",
        "assize_runs_total{left=\"nothing\"}",
        "assize_judging_seconds_count{phase=\"fetch\"} 1",
        "assize_judging_seconds_count{phase=\"compile\"} 1",
        "assize_judging_seconds_count{phase=\"run\"} 1",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
}
