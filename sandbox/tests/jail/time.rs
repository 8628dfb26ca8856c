//! CPU time and time on the clock.

use crate::harness::*;
use assize_sandbox::{Facts, Jail, JailConfig, KillCause, Mode};
use std::time::Duration;

const LIMIT: Duration = Duration::from_millis(200);

fn spend(way: &[&str]) -> Facts {
    let mut jail = start();
    let mut spec = program("time", way);
    spec.limits.cpu_time = LIMIT;
    spec.limits.wall_time = Duration::from_secs(20);
    let facts = jail.run(spec).unwrap();
    assert_usable(&mut jail);
    facts
}

/// Each ignores every signal that can be ignored.
#[test]
fn every_way_to_use_the_processor_counts() {
    for way in ["spin", "system", "threads", "children"] {
        let facts = spend(&[way]);
        assert_eq!(facts.outcome, killed(KillCause::CpuTime), "{way}");
        assert!(facts.cpu_time >= LIMIT, "{way}: {facts:?}");
        // Late on a busy machine, but not by much more than it is busy.
        assert!(facts.cpu_time < 5 * LIMIT, "{way}: {facts:?}");
    }
}

#[test]
fn sleeping_is_wall_time() {
    for way in ["sleep", "stop"] {
        let mut jail = start();
        let mut spec = program("time", &[way]);
        spec.limits.wall_time = LIMIT;
        let facts = jail.run(spec).unwrap();
        assert_eq!(facts.outcome, killed(KillCause::WallTime), "{way}");
        assert!(facts.wall_time >= LIMIT, "{way}: {facts:?}");
        assert!(facts.cpu_time < LIMIT, "{way}: {facts:?}");
        assert_usable(&mut jail);
    }
}

#[test]
fn doing_nothing_is_idle_time() {
    for mode in [Mode::Unshare, Mode::Ptrace] {
        for (way, used) in [("sleep", 0), ("stop", 0), ("tire", 300)] {
            let mut jail = start();
            let mut spec = program("time", &[way]);
            spec.limits.idle_time = Some(LIMIT);
            spec.mode = mode;
            let facts = jail.run(spec).unwrap();
            assert_eq!(facts.outcome, killed(KillCause::Idle), "{way}");
            let used = Duration::from_millis(used);
            assert!(facts.wall_time >= LIMIT + used, "{way}: {facts:?}");
            assert!(facts.cpu_time >= used, "{way}: {facts:?}");
            assert_usable(&mut jail);
        }
    }
}

/// What comes first decides, and a program that rests now and then is not idle.
#[test]
fn doing_something_is_not_idle_time() {
    let mut jail = start();
    let mut spec = program("time", &["blink"]);
    spec.limits.idle_time = Some(2 * LIMIT);
    spec.limits.cpu_time = Duration::from_millis(500);
    let facts = jail.run(spec).unwrap();
    assert_eq!(facts.outcome, killed(KillCause::CpuTime), "{facts:?}");
    assert!(facts.wall_time > 4 * LIMIT, "{facts:?}");
    let mut spec = program("time", &["sleep"]);
    spec.limits.idle_time = Some(Duration::from_secs(20));
    spec.limits.wall_time = LIMIT;
    let facts = jail.run(spec).unwrap();
    assert_eq!(facts.outcome, killed(KillCause::WallTime), "{facts:?}");
}

#[test]
fn time_used_is_told() {
    let facts = start().run(program("time", &["burn", "100"])).unwrap();
    assert_eq!(facts.outcome, exited(0));
    assert!(facts.cpu_time >= Duration::from_millis(99), "{facts:?}");
    assert!(facts.cpu_time <= facts.wall_time, "{facts:?}");
    assert!(facts.wall_time >= Duration::from_millis(99), "{facts:?}");
}

/// However late init is woken after it has started the program.
#[test]
fn one_thread_uses_no_more_processor_than_the_clock_allows() {
    for _ in 0..20 {
        let facts = spend(&["burn", "1"]);
        assert_eq!(facts.outcome, exited(0));
        assert!(facts.cpu_time <= facts.wall_time, "{facts:?}");
    }
}

/// By the pinning alone; that a program can't undo it is the policy's.
#[test]
fn threads_share_the_core_of_their_jail() {
    let mut config = JailConfig::new(0).unwrap();
    config.core = Some(0);
    let mut spec = program("time", &["threads"]);
    spec.limits.cpu_time = LIMIT;
    let facts = Jail::start(&config).unwrap().run(spec).unwrap();
    assert_eq!(facts.outcome, killed(KillCause::CpuTime));
    assert!(facts.cpu_time < facts.wall_time * 5 / 4, "{facts:?}");
}

/// The kernel has a limit of its own that kills with a signal like any other, by a clock
/// that is not the group's: who is killed by it would seem to have crashed.
#[test]
fn nobody_but_the_supervisor_ends_a_run_for_its_time() {
    let mut jail = start();
    for mode in [Mode::Unshare, Mode::Ptrace] {
        let mut spec = command(&["/bin/sh", "-c", "ulimit -S -t; ulimit -H -t"]);
        spec.mode = mode;
        let (_, said, _) = run_captured(&mut jail, spec);
        assert_eq!(said, "unlimited\nunlimited\n", "{mode:?}");
    }
}
