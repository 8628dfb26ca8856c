//! The limit on output, and what is kept of it.

use crate::harness::*;
use assize_sandbox::{KillCause, Sink};
use bytesize::ByteSize;
use std::io::{Read, Seek};

const LIMIT: u64 = 300_000;

#[test]
fn output_over_the_limit_ends_the_run() {
    let mut jail = start();
    for descriptor in ["1", "2"] {
        for (bytes, outcome) in [
            (LIMIT, exited(0)),
            (LIMIT + 1, killed(KillCause::Output)),
            (u64::from(u32::MAX) * 1000, killed(KillCause::Output)),
        ] {
            let mut spec = program("output", &[descriptor, &bytes.to_string()]);
            spec.limits.output = ByteSize::b(LIMIT);
            let (facts, stdout, stderr) = run_captured(&mut jail, spec);
            assert_eq!(facts.outcome, outcome, "{bytes} to {descriptor}");
            assert!(facts.output.as_u64() >= bytes.min(LIMIT));
            assert!((stdout + &stderr).len() as u64 >= bytes.min(LIMIT));
        }
    }
    assert_usable(&mut jail);
}

#[test]
fn both_streams_count_together() {
    let mut jail = start();
    let script = "head -c 60000 /dev/zero; head -c 60000 /dev/zero >&2";
    let mut spec = command(&["/bin/sh", "-c", script]);
    spec.limits.output = ByteSize::b(100_000);
    let (facts, _, _) = run_captured(&mut jail, spec);
    assert_eq!(facts.outcome, killed(KillCause::Output));
}

#[test]
fn only_what_is_wanted_is_kept() {
    let mut jail = start();
    let mut file = tempfile::tempfile().unwrap();
    let mut spec = program("output", &["1", "5000"]);
    spec.stdout = Sink::Capture {
        to: file.try_clone().unwrap().into(),
        keep: ByteSize::b(1000),
    };
    let facts = jail.run(spec).unwrap();
    assert_eq!(facts.outcome, exited(0));
    assert_eq!(facts.output.as_u64(), 5000);
    let mut kept = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut kept).unwrap();
    assert_eq!(kept, vec![b'x'; 1000]);
}

#[test]
fn program_that_ignores_the_signal_gets_no_larger_file() {
    let mut jail = start();
    let mut spec = program("output", &["/tmp/file", "2000000", "stubborn"]);
    spec.limits.file_size = ByteSize::b(1_000_000);
    assert_eq!(jail.run(spec).unwrap().outcome, exited(7));
}

#[test]
fn streams_given_as_they_are_are_not_counted() {
    let mut jail = start();
    let file = tempfile::tempfile().unwrap();
    let mut spec = program("output", &["1", "500000"]);
    spec.stdout = Sink::Fd(file.try_clone().unwrap().into());
    spec.limits.output = ByteSize::b(1);
    let facts = jail.run(spec).unwrap();
    assert_eq!((facts.outcome, facts.output.as_u64()), (exited(0), 0));
    assert_eq!(file.metadata().unwrap().len(), 500_000);
}
