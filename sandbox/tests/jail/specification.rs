//! Requests that can't be done: refused, and the jail goes on.

use crate::harness::*;
use assize_sandbox::{FileOut, JailError, Mount, Scratch, Spec};
use bytesize::ByteSize;
use std::fs::File;
use std::time::Duration;

fn refused(vary: impl FnOnce(&mut Spec)) -> String {
    let mut jail = start();
    let mut spec = command(&["/bin/true"]);
    vary(&mut spec);
    let error = jail.run(spec).unwrap_err();
    assert!(matches!(error, JailError::InvalidSpec { .. }), "{error:?}");
    assert!(!error.is_fatal());
    assert_usable(&mut jail);
    error.to_string()
}

fn mount_at(target: &str) -> Mount {
    Mount {
        source: File::open("/usr").unwrap().into(),
        target: target.into(),
    }
}

#[test]
fn impossible_requests_name_what_is_wrong() {
    assert!(refused(|spec| spec.args.clear()).contains("no arguments"));
    assert!(refused(|spec| spec.args = vec!["true".to_owned()]).contains("true"));
    assert!(refused(|spec| spec.directory = "tmp".into()).contains("tmp"));
    assert!(refused(|spec| spec.directory = "/tmp/../etc".into()).contains("/tmp/../etc"));
    assert!(refused(|spec| spec.directory = "/missing".into()).contains("/missing"));
    assert!(refused(|spec| spec.mounts.push(mount_at("/"))).contains('/'));
    assert!(refused(|spec| spec.mounts.push(mount_at("/proc/x"))).contains("/proc/x"));
    assert!(refused(|spec| spec.mounts.push(mount_at("/usr/new"))).contains("/usr/new"));
    assert!(refused(|spec| spec.mounts.push(mount_at("/etc/passwd"))).contains("/etc/passwd"));
    assert!(refused(|spec| spec.args.push("a\0b".to_owned())).contains("argument"));
    assert!(refused(|spec| spec.limits.processes = 0).contains("process"));
    let idle = |spec: &mut Spec| spec.limits.idle_time = Some(Duration::from_millis(99));
    assert!(refused(idle).contains("idle limit of 99ms"));
    assert!(refused(|spec| spec.limits.memory = ByteSize::b(0)).contains("memory"));
}

#[test]
fn scratches_and_files_are_checked() {
    let scratch = |target: &str, size| Scratch {
        target: target.into(),
        size: ByteSize::b(size),
        counted: false,
    };
    assert!(refused(|spec| spec.scratch.push(scratch("/box", 0))).contains("/box"));
    assert!(refused(|spec| spec.scratch.push(scratch("/usr/box", 4096))).contains("/usr/box"));
    let out = FileOut {
        path: "/etc/passwd".into(),
        max_size: ByteSize::kib(1),
    };
    assert!(refused(|spec| spec.collect.push(out)).contains("/etc/passwd"));
    assert!(
        refused(|spec| {
            let sources = 0..241;
            spec.mounts = sources
                .map(|index| mount_at(&format!("/m/{index}")))
                .collect();
        })
        .contains("240")
    );
}

#[test]
fn programs_that_cannot_be_executed_are_told() {
    let mut jail = start();
    for (path, errno) in [
        ("/bin/missing", libc::ENOENT),
        ("/etc/passwd", libc::EACCES),
        ("/usr", libc::EACCES),
    ] {
        match jail.run(command(&[path])) {
            Err(JailError::Exec { program, source }) => {
                assert_eq!(program, path);
                assert_eq!(source.raw_os_error(), Some(errno), "{path}");
            }
            other => panic!("{path}: {other:?}"),
        }
    }
    let not_a_program = File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
    let error = jail.run(spec(not_a_program.into())).unwrap_err();
    assert!(!error.is_fatal(), "{error}");
    assert_usable(&mut jail);
}
