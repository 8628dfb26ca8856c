//! Where programs lie in memory.

use crate::harness::*;
use assize_sandbox::Mode;
use std::collections::BTreeSet;

/// What the program said in each of several runs, line by line.
fn places(fixed: bool, mode: Mode) -> Vec<BTreeSet<String>> {
    let mut jail = start();
    let mut places = vec![BTreeSet::new(); 5];
    for _ in 0..4 {
        let mut spec = program("layout", &[]);
        spec.fixed_layout = fixed;
        spec.mode = mode;
        let (facts, stdout, _) = run_captured(&mut jail, spec);
        assert_eq!(facts.outcome, exited(0));
        for (seen, place) in places.iter_mut().zip(stdout.lines()) {
            seen.insert(place.to_owned());
        }
    }
    places
}

#[test]
fn addresses_repeat_when_asked_to() {
    for mode in [Mode::Unshare, Mode::Ptrace] {
        for seen in places(true, mode) {
            assert_eq!(seen.len(), 1, "{seen:?}");
        }
    }
}

/// On a host whose kernel randomises at all. The image of a static program does
/// not move.
#[test]
fn addresses_differ_otherwise() {
    let setting = std::fs::read_to_string("/proc/sys/kernel/randomize_va_space").unwrap();
    if setting.trim() == "0" {
        return;
    }
    for seen in places(false, Mode::Unshare).into_iter().skip(1) {
        assert!(seen.len() > 1, "{seen:?}");
    }
}

/// Dynamically linked and position independent, with libraries.
#[test]
fn libraries_lie_at_the_same_addresses_too() {
    let mut jail = start();
    let mut maps = || {
        let mut spec = command(&["/bin/cat", "/proc/self/maps"]);
        spec.fixed_layout = true;
        let (facts, stdout, _) = run_captured(&mut jail, spec);
        assert_eq!(facts.outcome, exited(0));
        stdout
    };
    let first = maps();
    assert!(first.contains("libc.so"), "{first}");
    assert_eq!(first, maps());
}
