//! Audits: stored with the scheduler before the report that names them.

use assize_common::message::{AuditDecision, AuditReport, Judged, Task};
use assize_common::scrutiny::AuditDetail;
use assize_common::{Lane, SandboxMode, Scrutiny, Verdict};
use assize_sandbox::{Audit, AuditLevel};

use crate::fixture::{Fixture, RIGHT};

async fn audit_of(fixture: &mut Fixture, mode: SandboxMode) -> Option<Box<AuditReport>> {
    let mut task = fixture.task(RIGHT, Lane::Flagged);
    task.sandbox.mode = mode;
    audit_of_task(fixture, task).await
}

async fn audit_of_task(fixture: &mut Fixture, task: Task) -> Option<Box<AuditReport>> {
    fixture.broker.publish(&task).await;
    match fixture.broker.finished().await.outcome {
        Judged::Verdict {
            verdict: Verdict::Ac,
            audit,
            ..
        } => audit,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn audits_are_stored_and_then_reported() {
    let mut fixture = Fixture::new().await;
    let _worker = fixture.worker(&[]).await;
    // It has all it needs from then on, so that only its audits can be disturbed.
    assert_eq!(audit_of(&mut fixture, SandboxMode::Unshare).await, None);
    fixture.scheduler.disturb(&[503, 500]);
    let report = audit_of(&mut fixture, SandboxMode::Ptrace).await.unwrap();
    let runs: Vec<_> = report
        .runs
        .iter()
        .map(|run| (&*run.testcase, run.pass))
        .collect();
    assert_eq!(runs.len(), 3, "{runs:?}");
    let mut executions = 0;
    for run in &report.runs {
        let stored = fixture.scheduler.audit(run.sha256).unwrap();
        assert_eq!(stored.len() as u64, run.size_bytes);
        let audit = Audit::decode(&stored).unwrap();
        assert!(!audit.log.is_empty());
        executions += audit.calls.get("openat").unwrap().count;
    }
    let opened: Vec<_> = report
        .calls
        .iter()
        .filter(|call| call.syscall == "openat")
        .collect();
    assert_eq!(
        opened.iter().map(|call| call.times).sum::<u64>(),
        executions
    );
    let program = opened.iter().find(|call| {
        call.path
            .as_deref()
            .is_some_and(|path| path.ends_with(".py"))
    });
    assert_eq!(program.unwrap().decision, AuditDecision::Allow);
}

/// The verdict does not wait for an admin to make room, and what there was room for is kept.
#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn an_audit_that_there_is_no_room_for_is_lost_alone() {
    let mut fixture = Fixture::new().await;
    let _worker = fixture.worker(&[]).await;
    assert_eq!(audit_of(&mut fixture, SandboxMode::Unshare).await, None);
    fixture.scheduler.disturb(&[507]);
    let report = audit_of(&mut fixture, SandboxMode::Ptrace).await.unwrap();
    assert_eq!(report.runs.len(), 2);
    assert!(report.calls.iter().any(|call| call.syscall == "openat"));
}

/// While a new release is rolled out, the scheduler may still be the old one.
#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn a_scheduler_that_takes_no_audits_gets_verdicts() {
    let mut fixture = Fixture::new().await;
    let worker = fixture.worker(&[]).await;
    audit_of(&mut fixture, SandboxMode::Unshare).await;
    fixture.scheduler.disturb(&[404]);
    assert_eq!(audit_of(&mut fixture, SandboxMode::Ptrace).await, None);
    assert!(worker.log().contains("takes no audits"), "{}", worker.log());
}

/// The rule would kill at once, and is only watched.
#[tokio::test]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn what_a_flag_asks_for_is_done() {
    let mut fixture = Fixture::new().await;
    let _worker = fixture.worker(&[]).await;
    let mut task = fixture.task(RIGHT, Lane::Flagged);
    task.sandbox.mode = SandboxMode::Ptrace;
    let rule = "[[budget]]\nid = 'no-files'\nwhy = 'x'\nsyscalls = ['openat']\ncount = 0\naction = 'kill'\n";
    task.scrutiny = Scrutiny {
        audit: Some(AuditDetail::Full),
        observe: true,
        layers: vec![rule.to_owned()],
    };
    let report = audit_of_task(&mut fixture, task).await.unwrap();
    let watched = |call: &&assize_common::message::AuditedCall| {
        call.rule == "flag:no-files" && call.decision == AuditDecision::Observe
    };
    assert!(report.calls.iter().any(|call| watched(&call)), "{report:?}");
    let stored = fixture.scheduler.audit(report.runs[0].sha256).unwrap();
    let audit = Audit::decode(&stored).unwrap();
    assert_eq!((audit.level, audit.observed), (AuditLevel::Full, true));
}
