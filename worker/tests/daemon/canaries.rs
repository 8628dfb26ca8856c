//! Programs that always do the same, while there is nothing else to do.

use assize_common::message::{Canaries, Report};
use assize_common::{Lane, Verdict};

use crate::fixture::{Fixture, RIGHT};
use crate::worker::Worker;

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn an_idle_slot_runs_canaries_and_judges_what_comes() {
    let mut fixture = Fixture::new().await;
    let directory = tempfile::tempdir().unwrap();
    let mut command = fixture.command(&directory);
    command
        .env("ASSIZE_LANGUAGES", "c,python3")
        .args(["--canaries", "0.1"]);
    let _worker = Worker::spawn(command, directory);
    let canaries = |report| match report {
        Report::Canaries(canaries) => Some(canaries),
        _ => None,
    };
    let first: Canaries = fixture.broker.report_of(canaries).await;
    let programs: Vec<_> = first
        .readings
        .iter()
        .map(|reading| &*reading.program)
        .collect();
    assert_eq!(
        (first.slot, programs),
        (0, vec!["cpu", "memory", "syscalls"])
    );
    assert!(first.readings.iter().all(|reading| reading.cpu_time_ms > 0));

    let task = fixture.task(RIGHT, Lane::Live);
    fixture.broker.publish(&task).await;
    let finished = fixture.broker.finished().await;
    assert_eq!(finished.judgement.judgement_id, task.judgement_id);
    assert!(matches!(
        finished.outcome,
        assize_common::message::Judged::Verdict {
            verdict: Verdict::Ac,
            ..
        }
    ));
    let later = fixture.broker.report_of(canaries).await;
    assert!(later.at > first.at);
}
