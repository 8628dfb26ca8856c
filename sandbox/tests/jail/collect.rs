//! Taking files out of a run.

use crate::harness::*;
use assize_sandbox::{FileOut, LayerOf, PolicyLayer};
use bytesize::ByteSize;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;

fn wanted(path: &str) -> FileOut {
    FileOut {
        path: path.into(),
        max_size: ByteSize::b(4095),
    }
}

fn text(content: OwnedFd) -> String {
    let mut text = String::new();
    File::from(content).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn traps_are_not_taken() {
    // Of policies that are shipped none lets a socket have a name.
    let layer = "[[rule]]
        id = 'sockets-with-names'
        why = 'what this test is about'
        action = 'allow'
        syscalls = ['mknod', 'mknodat']";
    let mut jail = start();
    let mut spec = command(&["/tmp/traps"]);
    spec.layers = vec![PolicyLayer::parse(LayerOf::Language, layer).unwrap()];
    spec.files.push(assize_sandbox::FileIn {
        path: "/tmp/traps".into(),
        content: compile("traps"),
        executable: true,
    });
    for name in [
        "link",
        "fifo",
        "socket",
        "directory",
        "hard",
        "large",
        "missing",
        "good",
        "empty",
    ] {
        spec.collect.push(wanted(&format!("/tmp/out/{name}")));
    }
    spec.collect.push(wanted("/tmp/through/good"));
    let facts = jail.run(spec).unwrap();
    assert_eq!(facts.outcome, exited(0));
    let names: Vec<_> = facts
        .collected
        .iter()
        .map(|file| file.path.to_str().unwrap())
        .collect();
    assert_eq!(names, ["/tmp/out/good", "/tmp/out/empty"]);
    // Whatever else is there is told from what is missing.
    let unfit: Vec<_> = facts
        .unfit
        .iter()
        .map(|path| path.to_str().unwrap())
        .collect();
    for name in [
        "out/link",
        "out/fifo",
        "out/socket",
        "out/directory",
        "out/large",
        "through/good",
    ] {
        let path = format!("/tmp/{name}");
        assert!(unfit.contains(&path.as_str()), "{name}: {unfit:?}");
    }
    assert!(!unfit.contains(&"/tmp/out/missing"), "{unfit:?}");
    let mut collected = facts.collected.into_iter();
    let good = collected.next().unwrap();
    assert_eq!(good.size.as_u64(), 5);
    assert_eq!(text(good.content), "good\n");
    assert_usable(&mut jail);
}

#[test]
fn files_outlive_the_jail_and_are_nobodys_to_write() {
    let mut jail = start();
    let mut spec = command(&["/bin/sh", "-c", "cp /bin/true /tmp/true"]);
    spec.collect.push(FileOut {
        path: "/tmp/true".into(),
        max_size: ByteSize::mib(1),
    });
    let mut facts = jail.run(spec).unwrap();
    let taken = File::from(facts.collected.remove(0).content);
    drop(jail);
    assert_eq!(taken.metadata().unwrap().mode() & 0o222, 0);
    assert_eq!(
        taken.metadata().unwrap().len(),
        std::fs::metadata("/bin/true").unwrap().len()
    );
    let mut jail = start();
    assert_eq!(jail.run(spec_of(taken)).unwrap().outcome, exited(0));
}

fn spec_of(program: File) -> assize_sandbox::Spec {
    spec(program.into())
}

/// A program that was taken out of one run and given to the next must not be
/// able to leave a message in its own executable.
#[test]
fn executable_taken_out_cannot_be_changed_by_its_run() {
    let mut jail = start();
    let mut spec = command(&["/bin/sh", "-c", "cp /bin/dash /tmp/dash"]);
    spec.collect.push(FileOut {
        path: "/tmp/dash".into(),
        max_size: ByteSize::mib(1),
    });
    let taken = jail.run(spec).unwrap().collected.remove(0).content;
    let mut spec = command(&[
        "sh",
        "-c",
        "if echo 2>/dev/null >> /proc/self/fd/0; then echo written; fi",
    ]);
    spec.stdin = assize_sandbox::Input::Fd(taken.try_clone().unwrap());
    spec.executable = Some(taken);
    let (facts, stdout, _) = run_captured(&mut jail, spec);
    assert_eq!((facts.outcome, stdout.as_str()), (exited(0), ""));
}

#[test]
fn nothing_is_taken_after_a_kill() {
    let mut jail = start();
    let mut spec = command(&["/bin/sh", "-c", "echo x > /tmp/x; while :; do :; done"]);
    spec.limits.cpu_time = std::time::Duration::from_millis(50);
    spec.collect.push(wanted("/tmp/x"));
    assert!(jail.run(spec).unwrap().collected.is_empty());
}
