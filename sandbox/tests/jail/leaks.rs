//! What a program finds out about the host: as little as can be.

use crate::harness::*;
use assize_sandbox::{Input, Jail, Mode, Spec, nameless};
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A directory of the host whose name would tell something.
fn telling() -> tempfile::TempDir {
    tempfile::Builder::new()
        .prefix("telling-")
        .tempdir()
        .unwrap()
}

/// What the program prints of itself.
fn places(jail: &mut Jail, vary: impl FnOnce(&mut Spec), mode: Mode) -> String {
    let mut spec = program("leaks", &[]);
    vary(&mut spec);
    spec.mode = mode;
    let (facts, stdout, _) = run_captured(jail, spec);
    assert_eq!(facts.outcome, exited(0));
    stdout
}

#[test]
fn files_without_names_tell_none() {
    let directory = telling();
    let executable = directory.path().join("program");
    let mut program = File::from(compile("leaks"));
    let mut copy = File::create(&executable).unwrap();
    std::io::copy(&mut program, &mut copy).unwrap();
    copy.set_permissions(PermissionsExt::from_mode(0o755))
        .unwrap();
    drop(copy);
    let input = directory.path().join("secret.in");
    File::create(&input).unwrap().write_all(b"text").unwrap();
    let mut jail = start();
    for mode in [Mode::Unshare, Mode::Ptrace] {
        let given = |file: &Path| nameless(&File::open(file).unwrap()).unwrap();
        let vary = |spec: &mut Spec| {
            spec.executable = Some(given(&executable).into());
            spec.stdin = Input::Fd(given(&input).into());
        };
        let told = places(&mut jail, vary, mode);
        assert!(!told.contains("telling-"), "{told}");
        assert!(told.contains("exe /\n"), "{told}");
        assert!(told.contains("input / text\n"), "{told}");
        // With its name, it is found where it was looked for.
        let vary = |spec: &mut Spec| {
            spec.executable = Some(File::open(&executable).unwrap().into());
        };
        let told = places(&mut jail, vary, mode);
        assert!(told.contains("telling-"), "{told}");
    }
}

#[test]
fn the_environment_is_what_was_asked_for() {
    let mut jail = start();
    let told = places(&mut jail, |spec| spec.env.clear(), Mode::Unshare);
    assert!(told.contains("environment 0\n"), "{told}");
    // The name by which it was executed is a descriptor, not a path.
    assert!(told.contains("executed as /dev/fd/"), "{told}");
    assert_eq!(
        shell(&mut jail, "env -u PWD -u _ -u SHLVL"),
        "PATH=/usr/bin:/bin\n"
    );
}

#[test]
fn time_zone_and_locale_are_not_the_hosts() {
    let mut jail = start();
    assert_eq!(shell(&mut jail, "date +%Z"), "UTC\n");
    let settings =
        "localtime timezone locale.conf default hostname hosts resolv.conf machine-id os-release";
    for name in settings.split(' ') {
        let script = format!("test -e /etc/{name} || echo none");
        assert_eq!(shell(&mut jail, &script), "none\n", "{name}");
    }
}

/// The kernel tells, of each mount, what of its file system is shown. Without
/// mounts of the run's own these are the system's places, the same on every host.
#[test]
fn mounts_name_places_of_the_system_only() {
    let mounts = shell(&mut start(), "cut -d' ' -f4,5 /proc/self/mountinfo");
    for line in mounts.lines() {
        let (root, place) = line.split_once(' ').unwrap();
        let known = root == "/" || root == place || place == format!("/dev{root}");
        assert!(known || place.starts_with("/etc/"), "{line}");
    }
}
