//! The limit on processes and threads.

use crate::harness::*;
use assize_sandbox::KillCause;

#[test]
fn bombs_end_the_run() {
    let mut jail = start();
    for way in ["fork", "bomb", "thread"] {
        let facts = jail.run(program("processes", &[way])).unwrap();
        assert_eq!(facts.outcome, killed(KillCause::Processes), "{way}");
        assert_usable(&mut jail);
    }
}

/// The program itself counts as one.
#[test]
fn limit_is_exact() {
    let mut jail = start();
    for way in ["fork", "thread"] {
        for (more, outcome) in [("15", exited(0)), ("16", killed(KillCause::Processes))] {
            let facts = jail.run(program("processes", &[way, more])).unwrap();
            assert_eq!(facts.outcome, outcome, "{way} {more}");
            assert!(facts.processes_peak.is_none_or(|peak| peak == 16));
        }
    }
}

#[test]
fn one_process_is_enough_for_a_simple_program() {
    let mut jail = start();
    let mut spec = program("end", &["exit", "0"]);
    spec.limits.processes = 1;
    assert_eq!(jail.run(spec).unwrap().outcome, exited(0));
    let mut spec = program("processes", &["fork", "1"]);
    spec.limits.processes = 1;
    assert_eq!(
        jail.run(spec).unwrap().outcome,
        killed(KillCause::Processes)
    );
}
