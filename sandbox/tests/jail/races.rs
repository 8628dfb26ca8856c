//! Path rules hold however fast a program changes its mind, and whoever dies meanwhile.

use crate::executing::EXEC;
use crate::harness::*;
use crate::paths::{SECRET, Secret};
use assize_sandbox::AuditLevel;
use std::time::Duration;

fn race(kind: &str, expected: &str) {
    let seconds = std::env::var("ASSIZE_RACE_SECONDS").unwrap_or_else(|_| "4".to_owned());
    let mut secret = Secret::new();
    let mut spec = secret.spec(&[kind, &seconds], SECRET);
    spec.audit = AuditLevel::Summary;
    spec.limits.cpu_time = Duration::from_secs(70);
    spec.limits.wall_time = Duration::from_secs(90);
    let (outcome, said, _) = secret.run(spec);
    assert_eq!((outcome, said.as_str()), (exited(0), expected));
}

#[test]
fn memory_changed_by_a_thread_wins_no_race() {
    race("thread", "opened and refused\n");
}

#[test]
fn memory_changed_by_a_process_wins_no_race() {
    race("process", "opened and refused\n");
}

#[test]
fn link_changed_by_a_process_wins_no_race() {
    race("link", "opened and refused\n");
}

#[test]
fn memory_changed_by_the_end_of_a_thread_wins_no_race() {
    race("ends", "refused and never read\n");
}

#[test]
fn memory_changed_by_a_birth_wins_no_race() {
    race("births", "refused and never read\n");
}

/// Between a stop and our look at it somebody may be killed.
#[test]
fn who_is_killed_at_any_moment_does_not_break_the_tracer() {
    let mut secret = Secret::new();
    let exec = [SECRET, EXEC].concat();
    for (level, layer) in [
        (AuditLevel::Summary, SECRET),
        (AuditLevel::Full, SECRET),
        (AuditLevel::Summary, &exec),
    ] {
        let mut spec = secret.spec(&["kill", "50"], layer);
        spec.audit = level;
        let (outcome, said, _) = secret.run(spec);
        assert_eq!((outcome, said.as_str()), (exited(0), "killed\n"));
    }
}

#[test]
fn who_is_left_at_a_call_dies_with_the_program() {
    let mut secret = Secret::new();
    for left in (1..5).cycle().take(20) {
        let (outcome, said, _) = secret.run(secret.spec(&["leave", &left.to_string()], SECRET));
        assert_eq!((outcome, said.as_str()), (exited(0), "left\n"));
    }
}
