//! Outputs: stored with the scheduler before the report that names them.

use assize_common::message::Judged;
use assize_common::{ContentHash, Lane, SandboxMode};
use assize_worker::outputs::Outputs;

use crate::fixture::{Fixture, RIGHT};

async fn outputs_of(fixture: &mut Fixture, mode: SandboxMode) -> Vec<ContentHash> {
    let mut task = fixture.task(RIGHT, Lane::Live);
    task.sandbox.mode = mode;
    fixture.broker.publish(&task).await;
    match fixture.broker.finished().await.outcome {
        Judged::Verdict { outputs, runs, .. } => {
            let known = runs.iter().all(|run| run.key_parts.is_some());
            assert_eq!(known, mode == SandboxMode::Unshare, "{runs:?}");
            outputs
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn outputs_are_stored_and_then_reported() {
    let mut fixture = Fixture::new().await;
    let _worker = fixture.worker(&[]).await;
    let [blob] = outputs_of(&mut fixture, SandboxMode::Unshare).await[..] else {
        panic!("one blob for all runs");
    };
    let stored = fixture.scheduler.outputs(blob).unwrap();
    assert_eq!(ContentHash::of(&stored), blob);
    assert!(!Outputs::decode(&stored).unwrap().is_empty());
    let traced = outputs_of(&mut fixture, SandboxMode::Ptrace).await;
    assert_eq!(traced, [], "each of those is to be seen");
}
