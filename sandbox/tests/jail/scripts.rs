//! A script is not loaded, only its interpreter is: what is decided about it holds all
//! the same, however fast a program changes what it executes.

use crate::harness::*;
use assize_sandbox::{LayerOf, Mode, PolicyLayer};
use std::time::Duration;

const ONE_SCRIPT: &str = "
    [[path]]
    id = 'forbidden-script'
    why = 'what this test is about'
    action = 'deny'
    errno = 'EACCES'
    access = ['exec']
    paths = ['/tmp/other!!']";

fn race(kind: &str, expected: &str) {
    let seconds = std::env::var("ASSIZE_RACE_SECONDS").unwrap_or_else(|_| "4".to_owned());
    let mut spec = program("scripts", &[kind, &seconds]);
    spec.mode = Mode::Ptrace;
    spec.layers = vec![PolicyLayer::parse(LayerOf::Language, ONE_SCRIPT).unwrap()];
    spec.limits.cpu_time = Duration::from_secs(70);
    spec.limits.wall_time = Duration::from_secs(90);
    let mut jail = start();
    let (facts, said, _) = run_captured(&mut jail, spec);
    assert_eq!((facts.outcome, said.as_str()), (exited(0), expected));
    assert_usable(&mut jail);
}

#[test]
fn script_behind_a_link_wins_no_race() {
    race("link", "executed and refused\n");
}

#[test]
fn script_whose_name_changes_wins_no_race() {
    race("name", "executed and refused\n");
}

#[test]
fn script_whose_name_ends_with_a_process_wins_no_race() {
    race("ends", "refused and never executed\n");
}
