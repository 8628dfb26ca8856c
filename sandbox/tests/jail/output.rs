//! The limit on output, and what is kept of it.

use crate::harness::*;
use assize_sandbox::{FileIn, KillCause, Mode, Scratch, Sink, Spec};
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

/// So many files, of so many bytes each, in a run whose output limit is [`ROOM`].
fn write_files(mode: Mode, way: &str, place: &str, count: u64, size: u64) -> Spec {
    let mut spec = program(
        "files",
        &[way, place, &count.to_string(), &size.to_string()],
    );
    spec.mode = mode;
    spec.limits.output = ByteSize::b(ROOM);
    spec
}

/// Whole pages, of whatever size.
const ROOM: u64 = 1 << 20;

#[test]
fn files_count_as_output_together() {
    let mut jail = start();
    for mode in [Mode::Unshare, Mode::Ptrace] {
        for (count, size, outcome) in [
            (1, ROOM, exited(0)),
            (4, ROOM / 4, exited(0)),
            (5, ROOM / 4, killed(KillCause::Output)),
            (1, ROOM + 1, killed(KillCause::Output)),
            // Small ones take a page each.
            (200, 1, exited(0)),
            (2000, 1, killed(KillCause::Output)),
        ] {
            let spec = write_files(mode, "many", "/tmp", count, size);
            let facts = jail.run(spec).unwrap();
            let what = format!("{count} of {size} in {mode:?}");
            assert_eq!(facts.outcome, outcome, "{what}");
            let written = facts.files.as_u64();
            assert!(written >= (count * size).min(ROOM), "{what}: {written}");
            assert!(written <= ROOM + 65_536, "{what}: {written}");
        }
        assert_usable(&mut jail);
    }
}

#[test]
fn files_count_together_with_streams() {
    let mut jail = start();
    let script = |bytes: u64| format!("head -c {bytes} /dev/zero > /tmp/file; cat /tmp/file >&2");
    for mode in [Mode::Unshare, Mode::Ptrace] {
        for (bytes, outcome) in [
            (ROOM / 2, exited(0)),
            (ROOM / 8 * 5, killed(KillCause::Output)),
        ] {
            let mut spec = command(&["/bin/sh", "-c", &script(bytes)]);
            spec.mode = mode;
            spec.limits.output = ByteSize::b(ROOM);
            let (facts, _, _) = run_captured(&mut jail, spec);
            assert_eq!(facts.outcome, outcome, "{bytes} in {mode:?}");
            assert_eq!(facts.files.as_u64(), bytes, "in {mode:?}");
        }
    }
}

/// Found full while the program goes on, long before anything else would end it.
#[test]
fn files_are_looked_at_while_the_program_runs() {
    let mut jail = start();
    for mode in [Mode::Unshare, Mode::Ptrace] {
        let spec = write_files(mode, "spin", "/tmp", 64, ROOM);
        let limit = spec.limits.cpu_time;
        let facts = jail.run(spec).unwrap();
        assert_eq!(facts.outcome, killed(KillCause::Output), "{mode:?}");
        assert!(facts.cpu_time < limit / 2, "{mode:?}: {facts:?}");
        assert!(facts.files.as_u64() > ROOM, "{mode:?}: {facts:?}");
        assert_usable(&mut jail);
    }
}

#[test]
fn what_takes_no_room_does_not_count() {
    let mut jail = start();
    for mode in [Mode::Unshare, Mode::Ptrace] {
        let facts = jail
            .run(write_files(mode, "sparse", "/tmp", 10, ROOM))
            .unwrap();
        assert_eq!(facts.outcome, exited(0), "{mode:?}");
        assert!(facts.files.as_u64() < ROOM, "{mode:?}: {facts:?}");
        // Their pages do.
        let spec = write_files(mode, "sparse", "/tmp", 1000, ROOM);
        assert_eq!(
            jail.run(spec).unwrap().outcome,
            killed(KillCause::Output),
            "{mode:?}"
        );
        let facts = jail
            .run(write_files(mode, "remove", "/tmp", 20, ROOM / 2))
            .unwrap();
        assert_eq!(
            (facts.outcome, facts.files.as_u64()),
            (exited(0), 0),
            "{mode:?}"
        );
    }
}

/// Every run of a stage: also one after another that had files copied in, or left some.
#[test]
fn only_files_of_its_own_count() {
    let mut jail = start();
    for mode in [Mode::Unshare, Mode::Ptrace] {
        for (copied, count, outcome) in [
            (true, 4_u32, exited(0)),
            (false, 4, exited(0)),
            (false, 5, killed(KillCause::Output)),
            (true, 4, exited(0)),
            (true, 5, killed(KillCause::Output)),
        ] {
            let mut spec = write_files(mode, "many", "/tmp", count.into(), ROOM / 4);
            spec.scratch.push(Scratch {
                target: "/tmp".into(),
                size: ByteSize::mib(4),
                counted: true,
            });
            if copied {
                let content = tempfile::tempfile().unwrap();
                content.set_len(ROOM * 2).unwrap();
                spec.files.push(FileIn {
                    path: "/tmp/given".into(),
                    content: content.into(),
                    executable: false,
                });
            }
            let facts = jail.run(spec).unwrap();
            assert_eq!(facts.outcome, outcome, "{count}, {copied} in {mode:?}");
            assert_eq!(facts.files.as_u64(), u64::from(count) * ROOM / 4);
        }
    }
}

#[test]
fn scratches_that_are_not_counted_are_no_output() {
    let mut jail = start();
    for mode in [Mode::Unshare, Mode::Ptrace] {
        let mut spec = write_files(mode, "many", "/box", 3, ROOM);
        spec.scratch.push(Scratch {
            target: "/box".into(),
            size: ByteSize::mib(4),
            counted: false,
        });
        let facts = jail.run(spec).unwrap();
        assert_eq!(
            (facts.outcome, facts.files.as_u64()),
            (exited(0), 0),
            "{mode:?}"
        );
    }
}

/// The limit of files holds for what they seem to be, not for the room they take.
#[test]
fn a_file_grows_in_no_other_way() {
    let mut jail = start();
    for way in ["truncate", "allocate", "seek", "mapped"] {
        for (bytes, outcome) in [
            (LIMIT, exited(0)),
            (LIMIT + 1, killed(KillCause::Output)),
            (1 << 40, killed(KillCause::Output)),
        ] {
            let mut spec = program("output", &["/tmp/file", &bytes.to_string(), way]);
            spec.limits.file_size = ByteSize::b(LIMIT);
            assert_eq!(jail.run(spec).unwrap().outcome, outcome, "{way} {bytes}");
        }
    }
}

/// All files together have the room of their scratch; beyond that, as on a full
/// disk, nothing can be written.
#[test]
fn many_files_have_the_room_of_one() {
    let mut jail = start();
    let script =
        "i=0; while [ $i -lt 40 ]; do echo x > /box/$i || exit 3; i=$((i+1)); done 2>/dev/null";
    for (pages, outcome) in [(40, exited(0)), (39, exited(3))] {
        let mut spec = command(&["/bin/sh", "-c", script]);
        spec.scratch.push(Scratch {
            target: "/box".into(),
            size: ByteSize::b(pages * 4096),
            counted: false,
        });
        assert_eq!(jail.run(spec).unwrap().outcome, outcome, "{pages} pages");
    }
}
