//! The memory limit: exact, whatever the memory is used for.

use crate::harness::*;
use assize_sandbox::{Facts, KillCause};
use bytesize::ByteSize;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;

const MIB: u64 = 1 << 20;

fn use_memory(way: &str, size: u64, limit: u64) -> Facts {
    let mut jail = start();
    let mut spec = program("memory", &[way, &size.to_string()]);
    spec.limits.memory = ByteSize::b(limit);
    spec.limits.stack = ByteSize::b(limit);
    spec.limits.file_size = ByteSize::gib(4);
    spec.limits.output = ByteSize::gib(4);
    let facts = jail.run(spec).unwrap();
    assert_usable(&mut jail);
    facts
}

#[test]
fn every_way_to_use_memory_counts() {
    for way in ["touch", "shared", "memfd", "file", "children", "grow"] {
        let facts = use_memory(way, 96 * MIB, 64 * MIB);
        assert_eq!(facts.outcome, killed(KillCause::Memory), "{way}");
        assert!(facts.memory_peak.as_u64() <= 64 * MIB, "{way}: {facts:?}");
        assert!(facts.memory_peak.as_u64() > 60 * MIB, "{way}: {facts:?}");
    }
}

#[test]
fn memory_below_the_limit_is_given() {
    for way in ["touch", "shared", "memfd", "file", "stack"] {
        let facts = use_memory(way, 48 * MIB, 64 * MIB);
        assert_eq!(facts.outcome, exited(0), "{way}");
        assert!(facts.memory_peak.as_u64() >= 48 * MIB, "{way}: {facts:?}");
        assert!(facts.memory_peak.as_u64() < 50 * MIB, "{way}: {facts:?}");
    }
}

/// What a program needs, measured, is enough as a limit; a little less is not.
/// The kernel counts in batches of 64 pages for each core.
#[test]
fn limit_is_exact_to_a_batch_of_pages() {
    let batch = 64 * 4096;
    let needed = use_memory("touch", 32 * MIB, 64 * MIB).memory_peak.as_u64();
    let facts = use_memory("touch", 32 * MIB, needed + batch);
    assert_eq!(facts.outcome, exited(0));
    let facts = use_memory("touch", 32 * MIB, 32 * MIB);
    assert_eq!(facts.outcome, killed(KillCause::Memory));
}

#[test]
fn address_space_is_free() {
    let facts = use_memory("reserve", 1 << 30, 64 * MIB);
    assert_eq!(facts.outcome, exited(0));
}

#[test]
fn array_larger_than_memory_is_memory() {
    let mut jail = start();
    let facts = jail.run(spec(with_array(1 << 46))).unwrap();
    assert_eq!(facts.outcome, killed(KillCause::Memory));
    assert_usable(&mut jail);
}

/// A program whose last segment is made this large, as a static array would:
/// compilers refuse arrays that no machine could hold.
fn with_array(size: u64) -> OwnedFd {
    let mut elf = Vec::new();
    File::from(compile("end")).read_to_end(&mut elf).unwrap();
    let number = |at: usize| u16::from_le_bytes([elf[at], elf[at + 1]]);
    let (entries, entry_size) = (usize::from(number(56)), usize::from(number(54)));
    let last = (0..entries)
        .map(|index| 64 + index * entry_size)
        .rfind(|at| number(*at) == 1)
        .unwrap();
    elf[last + 40..last + 48].copy_from_slice(&size.to_le_bytes());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, &elf).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    File::open(&file).unwrap().into()
}

#[test]
fn limit_too_small_to_start_is_memory() {
    let facts = use_memory("touch", 0, 4096);
    assert_eq!(facts.outcome, killed(KillCause::Memory));
}

#[test]
fn stack_has_its_own_limit() {
    let mut jail = start();
    let mut spec = program("memory", &["stack", &(12 * MIB).to_string()]);
    spec.limits.stack = ByteSize::mib(8);
    assert_eq!(jail.run(spec).unwrap().outcome, signalled(libc::SIGSEGV));
    let mut spec = program("memory", &["stack", &(12 * MIB).to_string()]);
    spec.limits.stack = ByteSize::mib(16);
    assert_eq!(jail.run(spec).unwrap().outcome, exited(0));
}

#[test]
fn memory_of_one_run_is_not_counted_in_the_next() {
    let mut jail = start();
    let run = |jail: &mut assize_sandbox::Jail, way: &str, size: u64| {
        let spec = program("memory", &[way, &size.to_string()]);
        jail.run(spec).unwrap()
    };
    run(&mut jail, "file", 15 * MIB);
    run(&mut jail, "grow", 0);
    let facts = run(&mut jail, "touch", 0);
    assert_eq!(facts.outcome, exited(0));
    assert!(facts.memory_peak.as_u64() < 2 * MIB, "{facts:?}");
}

/// A group that is used again has the limits of its new run, in every order.
#[test]
fn limits_of_one_run_are_not_those_of_the_next() {
    let mut jail = start();
    let mut run = |limit: u64, size: u64| {
        let mut spec = program("memory", &["touch", &size.to_string()]);
        spec.limits.memory = ByteSize::b(limit);
        spec.limits.stack = ByteSize::b(limit);
        jail.run(spec).unwrap().outcome
    };
    let too_much = killed(KillCause::Memory);
    for _ in 0..3 {
        assert_eq!(run(64 * MIB, 48 * MIB), exited(0));
        assert_eq!(run(4096, 0), too_much);
        assert_eq!(run(16 * MIB, 24 * MIB), too_much);
        assert_eq!(run(128 * MIB, 96 * MIB), exited(0));
        assert_eq!(run(64 * MIB, 96 * MIB), too_much);
    }
}

/// The same for processes, of which a group that had several is not used again.
#[test]
fn processes_of_one_run_are_not_those_of_the_next() {
    let mut jail = start();
    for (limit, outcome) in [
        (1, killed(KillCause::Processes)),
        (16, exited(0)),
        (1, killed(KillCause::Processes)),
    ] {
        assert_eq!(
            jail.run(program("end", &["exit", "0"])).unwrap().outcome,
            exited(0)
        );
        let mut spec = command(&["/bin/sh", "-c", "/bin/true; exit 0"]);
        spec.limits.processes = limit;
        assert_eq!(jail.run(spec).unwrap().outcome, outcome, "of {limit}");
    }
}
