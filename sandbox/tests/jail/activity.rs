//! What the kernel counts of a run.

use crate::harness::*;
use assize_sandbox::{Activity, Jail, JailConfig, KillCause, Mode};
use std::time::Duration;

const TIMES: u64 = 1000;

fn count(what: &str, who: &str, mode: Mode) -> Activity {
    let mut spec = program("activity", &[what, &TIMES.to_string(), who]);
    spec.mode = mode;
    let facts = start().run(spec).unwrap();
    assert_eq!(facts.outcome, exited(0), "{what} {who}");
    facts.activity.unwrap()
}

/// Children that were waited for and those that were killed at the end, too.
#[test]
fn faults_and_switches_of_all_processes_count() {
    for mode in [Mode::Unshare, Mode::Ptrace] {
        for who in ["self", "child", "orphan"] {
            let touched = count("touch", who, mode);
            assert!(touched.minor_faults >= TIMES, "{who}: {touched:?}");
            assert!(touched.minor_faults < 2 * TIMES, "{who}: {touched:?}");
            let slept = count("sleep", who, mode);
            // A slow machine may be past the moment before it is slept to.
            let least = TIMES * 9 / 10;
            assert!(slept.voluntary_switches >= least, "{who}: {slept:?}");
            assert!(slept.minor_faults < TIMES, "{who}: {slept:?}");
        }
    }
}

/// As is documented: the kernel adds them up for nobody.
#[test]
fn children_left_to_the_kernel_do_not_count() {
    let left = count("touch", "disowned", Mode::Unshare);
    assert!(left.minor_faults < TIMES, "{left:?}");
}

#[test]
fn a_program_that_is_taken_off_its_core_is_counted() {
    let mut config = JailConfig::new(0).unwrap();
    config.core = Some(0);
    let spec = program("activity", &["burn", "100", "both"]);
    let facts = Jail::start(&config).unwrap().run(spec).unwrap();
    assert_eq!(facts.outcome, exited(0));
    let activity = facts.activity.unwrap();
    assert!(activity.involuntary_switches > 5, "{facts:?}");
    assert_eq!(activity.disk_written.as_u64(), 0, "{facts:?}");
}

#[test]
fn nothing_is_counted_of_what_the_sandbox_killed() {
    let mut spec = program("time", &["spin"]);
    spec.limits.cpu_time = Duration::from_millis(50);
    let facts = start().run(spec).unwrap();
    assert_eq!(facts.outcome, killed(KillCause::CpuTime));
    assert_eq!(facts.activity, None);
}

/// Where the kernel tells, more threads than cores wait for cores.
#[test]
fn waiting_for_a_core_is_a_stall() {
    let mut spec = program("time", &["threads"]);
    spec.limits.cpu_time = Duration::from_millis(500);
    let facts = start().run(spec).unwrap();
    assert_eq!(facts.outcome, killed(KillCause::CpuTime));
    if let Some(stalls) = facts.stalls {
        assert!(stalls.cpu > Duration::from_millis(50), "{stalls:?}");
        assert!(stalls.cpu <= facts.wall_time * 2, "{stalls:?}");
    }
}
