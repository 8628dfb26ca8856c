//! How programs end.

use crate::harness::*;
use assize_sandbox::{FileIn, KillCause, Mode, Scratch};
use bytesize::ByteSize;
use std::time::Duration;

#[test]
fn exit_code_and_output() {
    let mut jail = start();
    let (facts, stdout, stderr) = run_captured(
        &mut jail,
        command(&["/bin/sh", "-c", "echo out; echo err >&2; exit 3"]),
    );
    assert_eq!(facts.outcome, exited(3));
    assert_eq!((stdout.as_str(), stderr.as_str()), ("out\n", "err\n"));
    assert_eq!(facts.output.as_u64(), 8);
    assert_usable(&mut jail);
}

#[test]
fn every_exit_code_is_its_own() {
    let mut jail = start();
    for code in [0, 1, 126, 127, 128, 137, 255] {
        let facts = jail
            .run(program("end", &["exit", &code.to_string()]))
            .unwrap();
        assert_eq!(facts.outcome, exited(code));
    }
}

#[test]
fn signals_are_told_as_they_are() {
    let mut jail = start();
    let ends: [(&[&str], i32); 9] = [
        (&["abort"], libc::SIGABRT),
        (&["null"], libc::SIGSEGV),
        (&["divide"], libc::SIGFPE),
        (&["pipe"], libc::SIGPIPE),
        (&["raise", "9"], libc::SIGKILL),
        (&["raise", "15"], libc::SIGTERM),
        (&["raise", "2"], libc::SIGINT),
        (&["raise", "24"], libc::SIGXCPU),
        (&["raise", "64"], 64),
    ];
    for (args, signal) in ends {
        let facts = jail.run(program("end", args)).unwrap();
        assert_eq!(facts.outcome, signalled(signal), "{args:?}");
    }
}

#[test]
fn file_over_the_limit_is_output() {
    let mut jail = start();
    let mut spec = program("output", &["/tmp/file", "2000000"]);
    spec.limits.file_size = bytesize::ByteSize::b(1_000_000);
    let facts = jail.run(spec).unwrap();
    assert_eq!(facts.outcome, killed(KillCause::Output));
}

#[test]
fn killing_everything_reaches_nobody_else() {
    let mut jail = start();
    let facts = jail.run(program("end", &["all"])).unwrap();
    assert_eq!(facts.outcome, exited(3));
    assert_usable(&mut jail);
}

#[test]
fn end_of_a_child_is_not_the_programs() {
    let mut jail = start();
    let facts = jail.run(program("end", &["child"])).unwrap();
    assert_eq!(facts.outcome, exited(4));
}

/// What is said of a crash is looked up in the program's file, which it may have
/// replaced by what nobody else ever opens.
#[test]
fn crash_with_a_trap_in_the_programs_place_is_a_crash() {
    let mut jail = start();
    for mode in [Mode::Unshare, Mode::Ptrace] {
        for how in ["fifo", "link", "directory", "terminal", "missing"] {
            let mut spec = command(&["/box/bin/program", how]);
            spec.mode = mode;
            spec.limits.wall_time = Duration::from_secs(5);
            spec.scratch.push(Scratch {
                target: "/box".into(),
                size: ByteSize::mib(4),
                counted: false,
            });
            spec.files.push(FileIn {
                path: "/box/bin/program".into(),
                content: compile("replaced"),
                executable: true,
            });
            let facts = jail.run(spec).unwrap();
            assert_eq!(facts.outcome, signalled(libc::SIGSEGV), "{how}");
        }
    }
    assert_usable(&mut jail);
}
