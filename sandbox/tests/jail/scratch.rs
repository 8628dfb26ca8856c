//! Writable directories and the files copied into them.

use crate::harness::*;
use assize_sandbox::{FileIn, Scratch};
use bytesize::ByteSize;
use std::fs::File;
use std::io::{Seek, Write};

fn scratch(target: &str, size: ByteSize) -> Scratch {
    Scratch {
        target: target.into(),
        size,
        counted: false,
    }
}

fn file(path: &str, content: &[u8], executable: bool) -> FileIn {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    file.rewind().unwrap();
    FileIn {
        path: path.into(),
        content: file.into(),
        executable,
    }
}

#[test]
fn size_is_a_limit() {
    let mut jail = start();
    for target in ["/box", "/tmp"] {
        let script = format!(
            "head -c 65536 /dev/zero > {target}/a && ! head -c 65536 /dev/zero 2>/dev/null > {target}/b"
        );
        let mut spec = command(&["/bin/sh", "-c", &script]);
        spec.scratch.push(scratch(target, ByteSize::kib(64)));
        let (facts, _, stderr) = run_captured(&mut jail, spec);
        assert_eq!(facts.outcome, exited(0), "{target}: {stderr}");
    }
    assert_usable(&mut jail);
}

#[test]
fn programs_can_work_in_it() {
    let mut jail = start();
    let mut spec = command(&[
        "/bin/sh",
        "-c",
        "pwd; touch x; mkdir y; mv x y; rm -r y; ls -A",
    ]);
    spec.scratch.push(scratch("/box/inner", ByteSize::mib(1)));
    spec.directory = "/box/inner".into();
    let (facts, stdout, _) = run_captured(&mut jail, spec);
    assert_eq!(
        (facts.outcome, stdout.as_str()),
        (exited(0), "/box/inner\n")
    );
}

#[test]
fn files_are_copied_in() {
    let mut jail = start();
    let script = "cat /box/a/b/data; stat -c '%a %U' /box/a/b/data /box/a /box/run; /box/run; echo more >> /box/a/b/data";
    let mut spec = command(&["/bin/sh", "-c", script]);
    spec.scratch.push(scratch("/box", ByteSize::mib(1)));
    spec.files.push(file("/box/a/b/data", b"data\n", false));
    spec.files
        .push(file("/box/run", b"#!/bin/sh\necho ran\n", true));
    let (facts, stdout, stderr) = run_captured(&mut jail, spec);
    assert_eq!(facts.outcome, exited(0), "{stderr}");
    assert_eq!(stdout, "data\n644 program\n755 program\n755 program\nran\n");
}

#[test]
fn file_is_copied_from_its_start_whatever_the_position() {
    let mut jail = start();
    let mut source = file("/tmp/data", b"whole\n", false);
    let mut at_end = File::from(source.content);
    at_end.seek(std::io::SeekFrom::End(0)).unwrap();
    source.content = at_end.into();
    let mut spec = command(&["/bin/cat", "/tmp/data"]);
    spec.files.push(source);
    assert_eq!(run_captured(&mut jail, spec).1, "whole\n");
}

#[test]
fn file_too_large_for_its_scratch_is_refused() {
    let mut jail = start();
    let mut spec = command(&["/bin/true"]);
    spec.scratch.push(scratch("/box", ByteSize::kib(4)));
    spec.files.push(file("/box/data", &[0; 10_000], false));
    let error = jail.run(spec).unwrap_err();
    assert!(!error.is_fatal(), "{error}");
    assert!(error.to_string().contains("/box/data"), "{error}");
    assert_usable(&mut jail);
}

/// The scratch goes with it, and the jail goes on.
#[test]
fn directory_above_a_scratch_may_be_renamed() {
    let mut jail = start();
    for script in [
        "mv /tmp/a /tmp/c",
        "mv /tmp/a /tmp/c; echo x > /tmp/c/b/x",
        "mv /tmp/a /tmp/c; mkdir -p /tmp/a/b; echo x > /tmp/a/b/x; echo x > /tmp/c/b/x",
    ] {
        for script in [script, "ls -A /tmp /tmp/a/b"] {
            let mut spec = command(&["/bin/sh", "-c", script]);
            spec.scratch.push(scratch("/tmp/a/b", ByteSize::mib(1)));
            let (facts, stdout, stderr) = run_captured(&mut jail, spec);
            assert_eq!(facts.outcome, exited(0), "{script}: {stderr}");
            let nothing = ["", "/tmp:\na\n\n/tmp/a/b:\n"];
            assert!(nothing.contains(&stdout.as_str()), "{script}: {stdout}");
        }
    }
}
