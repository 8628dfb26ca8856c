//! A forbidden call is named and never made, whoever makes it and whatever
//! happens meanwhile.

use crate::harness::*;
use assize_sandbox::{
    Grade, Jail, JailConfig, JailError, KillCause, Mode, Outcome, Spec, preflight,
};
use libseccomp::{ScmpAction, ScmpFilterContext, ScmpSyscall};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::thread;
use std::time::Duration;

fn forbidden(what: &str, mode: Mode) -> Spec {
    let mut spec = program("traced", &[what]);
    spec.mode = mode;
    spec
}

fn policy(syscall: Option<&str>) -> Outcome {
    killed(KillCause::Policy {
        syscall: syscall.map(str::to_owned),
    })
}

/// Runs it; what it says is that a call was made after all.
fn outcome(jail: &mut Jail, spec: Spec) -> Outcome {
    let (facts, said, _) = run_captured(jail, spec);
    assert_eq!(said, "");
    facts.outcome
}

#[test]
fn whoever_makes_it_ends_the_run() {
    let mut jail = start();
    for mode in [Mode::Unshare, Mode::Ptrace] {
        for (what, syscall) in [
            ("forbidden", "socket"),
            ("forbidden_in_thread", "socket"),
            ("forbidden_in_child", "socket"),
            ("forbidden_untraced", "socket"),
            ("forbidden_by_many", "socket"),
            ("own_filter", "prctl"),
        ] {
            let outcome = outcome(&mut jail, forbidden(what, mode));
            assert_eq!(outcome, policy(Some(syscall)), "{what} in mode {mode:?}");
        }
    }
    assert_usable(&mut jail);
}

/// Who is quicker than the supervisor is not heard of, or without the call's name;
/// but the call is not made.
#[test]
fn who_dies_or_is_interrupted_meanwhile_has_made_no_call() {
    let mut jail = start();
    let heard_of = [policy(None), policy(Some("socket"))];
    for _ in 0..20 {
        let spec = forbidden("forbidden_and_interrupted", Mode::Unshare);
        let interrupted = outcome(&mut jail, spec);
        assert!(heard_of.contains(&interrupted), "{interrupted:?}");
        let spec = forbidden("forbidden_and_killed", Mode::Unshare);
        let outcome = outcome(&mut jail, spec);
        assert!(
            heard_of.contains(&outcome) || outcome == exited(0),
            "{outcome:?}"
        );
    }
}

#[test]
fn next_run_is_not_blamed() {
    let mut jail = start();
    for seed in 0..100 {
        let mut spec = forbidden("forbidden_at_the_end", Mode::Unshare);
        spec.args.push(seed.to_string());
        let outcome = outcome(&mut jail, spec);
        let expected = [exited(0), policy(None), policy(Some("socket"))];
        assert!(expected.contains(&outcome), "{outcome:?}");
        let facts = jail.run(program("forbidden", &[""])).unwrap();
        assert_eq!(facts.outcome, exited(9));
    }
}

/// The program waits at the call, for as long as nobody listens.
#[test]
fn supervisor_that_stands_still_is_waited_for() {
    const STILL: Duration = Duration::from_millis(500);
    let mut jail = start();
    let supervisor = only_child();
    let mut spec = forbidden("forbidden", Mode::Unshare);
    spec.limits.wall_time = STILL / 2;
    kill(supervisor, Signal::SIGSTOP).unwrap();
    let waking = thread::spawn(move || {
        thread::sleep(STILL);
        kill(supervisor, Signal::SIGCONT).unwrap();
    });
    assert_eq!(outcome(&mut jail, spec), policy(Some("socket")));
    waking.join().unwrap();
}

/// Or a slot would be lost for good, without a word.
#[test]
fn supervisor_that_never_goes_on_is_given_up() {
    let mut config = JailConfig::new(0).unwrap();
    // The start of a jail in an emulated machine takes some of it.
    config.patience = Duration::from_secs(15);
    let mut jail = Jail::start(&config).unwrap();
    let supervisor = only_child();
    let mut spec = program("forbidden", &[""]);
    spec.limits.wall_time = Duration::from_secs(1);
    kill(supervisor, Signal::SIGSTOP).unwrap();
    let error = jail.run(spec).unwrap_err();
    assert!(matches!(error, JailError::Silent { .. }), "{error:?}");
    assert!(error.is_fatal());
    drop(jail);
    assert_eq!(kill(supervisor, None), Err(Errno::ESRCH));
}

/// Of this thread: its jail.
fn only_child() -> Pid {
    let children = fs::read_to_string("/proc/thread-self/children").unwrap();
    Pid::from_raw(children.trim().parse().unwrap())
}

#[test]
fn signal_of_a_filter_can_not_be_faked() {
    let mut jail = start();
    let script = ["/bin/sh", "-c", "kill -SYS $$"];
    let facts = jail.run(command(&script)).unwrap();
    assert_eq!(facts.outcome, signalled(libc::SIGSYS));
}

fn listener_grade() -> Grade {
    let findings = preflight();
    let found = findings
        .into_iter()
        .find(|one| one.name == "seccomp.listener");
    found.unwrap().grade
}

/// There can be one listener, and some container managers have it.
#[test]
fn without_a_listener_the_filter_kills() {
    assert_eq!(listener_grade(), Grade::Good);
    let mut around = ScmpFilterContext::new(ScmpAction::Allow).unwrap();
    let never = ScmpSyscall::from_name("quotactl").unwrap();
    around.add_rule(ScmpAction::Notify, never).unwrap();
    // For this thread, and so for the jail.
    around.load().unwrap();
    assert_eq!(listener_grade(), Grade::Warning);
    let mut jail = start();
    for what in ["forbidden", "forbidden_in_thread", "own_filter"] {
        let untraced = outcome(&mut jail, forbidden(what, Mode::Unshare));
        assert_eq!(untraced, policy(None), "{what}");
    }
    let traced = outcome(&mut jail, forbidden("forbidden", Mode::Ptrace));
    assert_eq!(traced, policy(Some("socket")));
    assert_usable(&mut jail);
}
