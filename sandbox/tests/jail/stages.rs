//! What runs share: a stage that each leaves as it was, or that is thrown away.

use crate::harness::*;
use assize_sandbox::{Input, KillCause, LayerOf, Left, Mode, Mount, PolicyLayer, Scratch, Sink};
use bytesize::ByteSize;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

/// Milliseconds that only a broken jail takes.
const PATIENCE: u16 = 20_000;

const DESCRIBE: &str = "ls -A /tmp /box; for d in /tmp /box; do set -- $(stat -c '%X %Y %Z' $d); [ $1 = $3 ] && [ $2 = $3 ] && echo new; done; stat -c '%a %u %h %s' /tmp /box";

#[test]
fn nothing_left_is_proven() {
    let mut jail = start();
    for mode in [Mode::Unshare, Mode::Ptrace] {
        for way in ["nothing", "look"] {
            let mut spec = program("message", &[way, "/tmp"]);
            spec.mode = mode;
            let facts = jail.run(spec).unwrap();
            assert_eq!(facts.outcome, exited(0), "{way}");
            assert_eq!(facts.left, Left::Nothing, "{way} in {mode:?}");
        }
    }
}

#[test]
fn whatever_is_left_in_a_scratch_is_thrown_away() {
    let mut jail = start();
    let with_box = |mut spec: assize_sandbox::Spec| {
        spec.scratch.push(Scratch {
            target: "/box".into(),
            size: ByteSize::mib(1),
            counted: false,
        });
        spec
    };
    let describe = || with_box(command(&["/bin/sh", "-c", DESCRIBE]));
    let (_, untouched, _) = run_captured(&mut jail, describe());
    let ways = [
        "file",
        "removed",
        "nameless",
        "mode",
        "times",
        "link",
        "attribute",
        "flags",
    ];
    let mut possible = 0;
    for way in ways {
        for place in ["/tmp", "/box"] {
            // Once in a new stage, once in one that has been used.
            for _ in 0..2 {
                let facts = jail
                    .run(with_box(program("message", &[way, place])))
                    .unwrap();
                // Attributes and flags depend on the kernel.
                if facts.outcome == exited(0) {
                    possible += 1;
                    assert_ne!(facts.left, Left::Nothing, "{way} in {place}");
                }
                let (facts, now, _) = run_captured(&mut jail, describe());
                assert_eq!(now, untouched, "after {way} in {place}");
                assert_eq!(facts.left, Left::Nothing, "after {way} in {place}");
            }
        }
    }
    assert!(possible >= 24, "only {possible} were possible");
}

/// Nothing of ours was interrupted, except in ptrace mode.
#[test]
fn kill_spares_what_is_proven_to_be_as_before() {
    let mut jail = start();
    for (mode, way, left) in [
        (Mode::Unshare, "spin", Left::Nothing),
        (Mode::Ptrace, "spin", Left::Unknown),
    ] {
        let mut spec = program("time", &[way]);
        spec.mode = mode;
        spec.limits.cpu_time = Duration::from_millis(20);
        let facts = jail.run(spec).unwrap();
        assert_eq!(facts.outcome, killed(KillCause::CpuTime));
        assert_eq!(facts.left, left, "{mode:?}");
        assert_usable(&mut jail);
    }
    let mut spec = command(&["/bin/sh", "-c", "echo > /tmp/left; while :; do :; done"]);
    spec.limits.cpu_time = Duration::from_secs(1);
    let facts = jail.run(spec).unwrap();
    assert_eq!(facts.outcome, killed(KillCause::CpuTime));
    assert_eq!(facts.left, Left::Files);
    assert_usable(&mut jail);
}

/// Whatever it is, the next run has a scratch that has never been used.
#[test]
fn more_than_a_little_is_thrown_away_as_a_whole() {
    let mut jail = start();
    for (files, left) in [(3, Left::Files), (100, Left::TooMuch)] {
        let script = format!(
            "mkdir -p /tmp/d/e; chmod 0 /tmp/d/e; i=0; while [ $i -lt {files} ]; do ln -s / /tmp/d/$i; i=$((i+1)); done"
        );
        let (facts, _, _) = run_captured(&mut jail, command(&["/bin/sh", "-c", &script]));
        assert_eq!((facts.outcome, facts.left), (exited(0), left));
        assert_usable(&mut jail);
    }
}

/// A stage waits for others of its shape, and shows only what those were given.
#[test]
fn shapes_that_alternate_keep_their_stages() {
    let mut jail = start();
    let trees: Vec<_> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
    for (number, tree) in trees.iter().enumerate() {
        std::fs::set_permissions(tree, PermissionsExt::from_mode(0o755)).unwrap();
        std::fs::write(tree.path().join("number"), number.to_string()).unwrap();
    }
    let mounts = |spec: &mut assize_sandbox::Spec, number: usize| {
        spec.mounts.push(Mount {
            source: std::fs::File::open(trees[number].path()).unwrap().into(),
            target: "/box".into(),
        });
    };
    for round in 0..6 {
        for number in 0..trees.len() {
            for mode in [Mode::Unshare, Mode::Ptrace] {
                let mut spec = command(&["/bin/cat", "/box/number"]);
                spec.mode = mode;
                mounts(&mut spec, number);
                let (facts, stdout, _) = run_captured(&mut jail, spec);
                assert_eq!(stdout, number.to_string(), "in round {round}");
                assert_eq!(facts.left, Left::Nothing);
            }
        }
        assert_eq!(shell(&mut jail, "ls -d /box || echo gone"), "gone\n");
    }
}

#[test]
fn each_of_many_runs_sees_processes_of_its_own_only() {
    let mut jail = start();
    for mode in [Mode::Unshare, Mode::Ptrace] {
        for _ in 0..70 {
            let script = "echo $$ /proc/[0-9]*; readlink /proc/self/exe";
            let mut spec = command(&["/bin/sh", "-c", script]);
            spec.mode = mode;
            let (_, stdout, _) = run_captured(&mut jail, spec);
            // The child that readlink runs in is the next.
            assert_eq!(stdout, "2 /proc/2\n/usr/bin/readlink\n");
        }
    }
}

/// The program has closed two of its streams and waits at the third: the other
/// ends of the two must see it, because nobody else in the jail has them open.
#[test]
fn only_the_program_holds_its_streams() {
    for mode in [Mode::Unshare, Mode::Ptrace] {
        let (input, to_input) = std::io::pipe().unwrap();
        let (from_output, output) = std::io::pipe().unwrap();
        let (gate, key) = std::io::pipe().unwrap();
        let mut spec = command(&["/bin/sh", "-c", "exec 0<&- 1>&-; read line <&2; exit 7"]);
        spec.mode = mode;
        spec.stdin = Input::Fd(input.into());
        spec.stdout = Sink::Fd(output.into());
        spec.stderr = Sink::Fd(gate.into());
        let run = std::thread::spawn(move || start().run(spec).unwrap().outcome);
        for end in [to_input.as_fd(), from_output.as_fd()] {
            let mut seen = [PollFd::new(end, PollFlags::empty())];
            let events = poll(&mut seen, PollTimeout::from(PATIENCE)).unwrap();
            assert_eq!(events, 1, "an end is still held in {mode:?}");
        }
        drop(key);
        assert_eq!(run.join().unwrap(), exited(7));
    }
}

/// Streams must be closed as well when a run can't be started.
#[test]
fn failed_start_closes_the_streams() {
    let mut jail = start();
    for mode in [Mode::Unshare, Mode::Ptrace] {
        let (from_output, output) = std::io::pipe().unwrap();
        let mut spec = command(&["/missing/program"]);
        spec.mode = mode;
        spec.stdout = Sink::Fd(output.into());
        assert!(!jail.run(spec).unwrap_err().is_fatal());
        let mut seen = [PollFd::new(from_output.as_fd(), PollFlags::empty())];
        assert_eq!(poll(&mut seen, PollTimeout::from(PATIENCE)).unwrap(), 1);
        assert_usable(&mut jail);
    }
}

/// What is made in an ipc namespace shows in no scratch: whoever may make it has one of
/// its own for each run.
#[test]
fn objects_of_ipc_do_not_pass_to_the_next_run() {
    let layer = "[[rule]]
        id = 'objects'
        why = 'what this test is about'
        action = 'allow'
        syscalls = ['shmget', 'semget', 'msgget', 'mq_open']";
    let layers = vec![PolicyLayer::parse(LayerOf::Language, layer).unwrap()];
    let mut jail = start();
    for mode in [Mode::Unshare, Mode::Ptrace] {
        for way in ["make", "look", "look"] {
            let mut spec = program("shared", &[way]);
            (spec.mode, spec.layers) = (mode, layers.clone());
            let facts = jail.run(spec).unwrap();
            // Queues of POSIX are given no room (RLIMIT_MSGQUEUE).
            let expected = if way == "make" { 1 } else { 0 };
            assert_eq!(facts.outcome, exited(expected), "{way} in {mode:?}");
            assert_eq!(facts.left, Left::Unknown, "{way} in {mode:?}");
        }
    }
    assert_usable(&mut jail);
}
