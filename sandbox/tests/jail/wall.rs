//! What Landlock alone stops. A kernel without it lets these through, which
//! `assize doctor` tells.

use crate::harness::*;
use assize_sandbox::{Input, LayerOf, Mode, Outcome, PolicyLayer, Sink, Spec, preflight};
use std::fs::{File, OpenOptions, Permissions};
use std::os::unix::fs::PermissionsExt;

/// Of the kernel's interface; none where it is too old.
fn version() -> Option<u32> {
    let findings = preflight();
    let finding = findings.iter().find(|found| found.name == "landlock");
    let words: Vec<_> = finding.unwrap().detail.split([' ', ',']).collect();
    let version = words[1].parse().unwrap();
    (version >= 2).then_some(version)
}

fn errno(vary: impl Fn(&mut Spec), args: &[&str]) -> i32 {
    let mut errors = [Mode::Unshare, Mode::Ptrace].map(|mode| {
        let mut spec = program("wall", args);
        spec.mode = mode;
        vary(&mut spec);
        match start().run(spec).unwrap().outcome {
            Outcome::Exited { code } => code,
            other => panic!("{args:?}: {other:?}"),
        }
    });
    errors.sort_unstable();
    assert_eq!(errors[0], errors[1], "{args:?}");
    errors[0]
}

fn nothing(_: &mut Spec) {}

/// Files of /proc are the program's own, on a mount that can be written.
#[test]
fn files_of_proc_can_be_read_only() {
    for file in ["comm", "mem", "oom_score_adj"] {
        let path = format!("/proc/self/{file}");
        assert_eq!(errno(nothing, &["open", &path, "r"]), 0, "{file}");
        let expected = version().map_or(0, |_| libc::EACCES);
        assert_eq!(errno(nothing, &["open", &path, "w"]), expected, "{file}");
    }
}

/// A file of the host that everyone may write, given to be read: opened anew by
/// its name below /proc, it is still only to be read.
#[test]
fn a_descriptor_is_not_opened_for_more() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    File::create(&path).unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
    let refused = version().map_or(0, |_| libc::EACCES);
    let given = |spec: &mut Spec| {
        spec.stdin = Input::Fd(File::open(&path).unwrap().into());
    };
    let stdin = "/proc/self/fd/0";
    assert_eq!(errno(given, &["open", stdin, "r"]), 0);
    for flags in ["w", "b", "wt"] {
        assert_eq!(errno(given, &["open", stdin, flags]), refused, "{flags}");
    }
    let given = |spec: &mut Spec| {
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        spec.stdout = Sink::Fd(file.into());
    };
    let stdout = "/dev/stdout";
    assert_eq!(errno(given, &["open", stdout, "w"]), 0);
    assert_eq!(errno(given, &["open", stdout, "wt"]), 0);
    for flags in ["r", "b"] {
        assert_eq!(errno(given, &["open", stdout, flags]), refused, "{flags}");
    }
}

#[test]
fn devices_take_no_special_requests() {
    let expected = match version() {
        Some(version) if version >= 5 => libc::EACCES,
        _ => 0,
    };
    let allowed = |spec: &mut Spec| {
        let layer = "[[rule]]\nid = 'all-requests'\nwhy = 'what this test is about'\naction = 'allow'\nsyscalls = ['ioctl']";
        spec.layers = vec![PolicyLayer::parse(LayerOf::Language, layer).unwrap()];
    };
    assert_eq!(errno(allowed, &["entropy"]), expected);
    assert_eq!(errno(nothing, &["entropy"]), libc::ENOSYS);
}

#[test]
fn scratches_and_devices_are_as_before() {
    assert_eq!(errno(nothing, &["files"]), 0);
    for flags in ["r", "wt", "b"] {
        assert_eq!(errno(nothing, &["open", "/dev/null", flags]), 0, "{flags}");
    }
    assert_eq!(errno(nothing, &["open", "/proc/self/exe", "r"]), 0);
    let mut jail = start();
    let script =
        "cp /bin/true /tmp/own && /tmp/own && mkdir /tmp/d && mv /tmp/own /tmp/d/ && /tmp/d/own";
    assert_eq!(shell(&mut jail, script), "");
}
