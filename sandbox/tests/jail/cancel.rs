//! Ending a run from another thread.

use crate::harness::*;
use assize_sandbox::{FileIn, JailError, KillCause, Sink};
use std::io::Read;
use std::time::Duration;

#[test]
fn cancel_before_the_run_ends_it_at_its_start() {
    let mut jail = start();
    jail.canceller().cancel();
    let facts = jail.run(program("time", &["sleep"])).unwrap();
    assert_eq!(facts.outcome, killed(KillCause::Cancelled));
    assert_usable(&mut jail);
}

#[test]
fn cancel_during_the_run_ends_it() {
    let mut jail = start();
    let canceller = jail.canceller();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut spec = command(&["/bin/sh", "-c", "echo; while :; do :; done"]);
    spec.stdout = Sink::Fd(writer.into());
    let cancelling = std::thread::spawn(move || {
        reader.read_exact(&mut [0]).unwrap();
        canceller.cancel();
    });
    let facts = jail.run(spec).unwrap();
    assert_eq!(facts.outcome, killed(KillCause::Cancelled));
    cancelling.join().unwrap();
    assert_usable(&mut jail);
}

#[test]
fn late_cancel_hits_nobody() {
    let mut jail = start();
    let canceller = jail.canceller();
    assert_usable(&mut jail);
    canceller.cancel();
    assert_usable(&mut jail);
}

#[test]
fn cancel_of_a_run_that_could_not_be_asked_for_hits_nobody() {
    let mut jail = start();
    jail.canceller().cancel();
    let mut spec = program("end", &["exit", "0"]);
    let null = std::fs::File::open("/dev/null").unwrap();
    spec.files.extend((0..300).map(|number| FileIn {
        path: format!("/tmp/{number}").into(),
        content: null.try_clone().unwrap().into(),
        executable: false,
    }));
    let error = jail.run(spec).unwrap_err();
    assert!(matches!(error, JailError::InvalidSpec { .. }), "{error:?}");
    assert_usable(&mut jail);
}

/// Init is killed while it mounts, starts the program, waits, takes files out:
/// that must not cost more than the run.
#[test]
fn cancel_at_any_moment_leaves_the_jail_usable() {
    let mut jail = start();
    for step in 0..400 {
        let canceller = jail.canceller();
        let delay = Duration::from_micros(step * 10);
        let cancelling = std::thread::spawn(move || {
            std::thread::sleep(delay);
            canceller.cancel();
        });
        let facts = jail.run(program("end", &["exit", "0"])).unwrap();
        assert!(
            [exited(0), killed(KillCause::Cancelled)].contains(&facts.outcome),
            "{:?}",
            facts.outcome
        );
        cancelling.join().unwrap();
    }
    assert_usable(&mut jail);
}
