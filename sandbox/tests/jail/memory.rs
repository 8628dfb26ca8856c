//! The memory limit: exact, whatever the memory is used for.

use crate::harness::*;
use assize_sandbox::{Facts, FileIn, Input, Jail, JailConfig, KillCause, Spec};
use bytesize::ByteSize;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;

const MIB: u64 = 1 << 20;
const PAGE: u64 = 4096;

/// Every way to use memory for good that the program knows.
const WAYS: [&str; 8] = [
    "touch", "heap", "array", "shared", "memfd", "file", "mapped", "stack",
];

fn memory(way: &'static str, size: u64, limit: u64) -> Spec {
    let name = if way == "array" { way } else { "memory" };
    let mut spec = program(name, &[way, &size.to_string()]);
    spec.limits.memory = ByteSize::b(limit);
    spec.limits.stack = ByteSize::b(limit);
    spec.limits.file_size = ByteSize::gib(4);
    spec.limits.output = ByteSize::gib(4);
    spec
}

fn use_memory(way: &'static str, size: u64, limit: u64) -> Facts {
    let mut jail = start();
    let facts = jail.run(memory(way, size, limit)).unwrap();
    assert_usable(&mut jail);
    facts
}

#[test]
fn every_way_to_use_memory_counts() {
    for way in WAYS.into_iter().chain(["children", "grow"]) {
        let facts = use_memory(way, 96 * MIB, 64 * MIB);
        assert_eq!(facts.outcome, killed(KillCause::Memory), "{way}");
        assert!(facts.memory_peak.as_u64() <= 64 * MIB, "{way}: {facts:?}");
        assert!(facts.memory_peak.as_u64() > 60 * MIB, "{way}: {facts:?}");
    }
}

#[test]
fn memory_below_the_limit_is_given() {
    for way in WAYS {
        let facts = use_memory(way, 48 * MIB, 64 * MIB);
        assert_eq!(facts.outcome, exited(0), "{way}");
        assert!(facts.memory_peak.as_u64() >= 48 * MIB, "{way}: {facts:?}");
        assert!(facts.memory_peak.as_u64() < 50 * MIB, "{way}: {facts:?}");
    }
}

/// Pages that a static program costs by itself: image, stack, and what the kernel
/// needs for it.
const OWN_MAX: u64 = 128;
/// Pages by which the limit may seem to move.
const KERNELS: u64 = 64;

/// In a new group, the most that a program can use is the limit without what it
/// costs by itself, and always the same to a few pages: what the kernel keeps for the
/// program, some of it shared with other groups, varies.
#[test]
fn limit_is_exact() {
    // Or else pages set aside for another core are missing for a moment.
    let mut config = JailConfig::new(0).unwrap();
    config.core = Some(0);
    for way in WAYS {
        let fits = |pages: u64| {
            let mut spec = memory(way, pages * PAGE, 4096 * PAGE);
            spec.fixed_layout = true;
            let facts = Jail::start(&config).unwrap().run(spec).unwrap();
            let outcome = facts.outcome.clone();
            assert!(
                [exited(0), killed(KillCause::Memory)].contains(&outcome),
                "{way} of {pages} pages: {facts:?}"
            );
            outcome == exited(0)
        };
        let (mut most, mut too_many) = (4096 - OWN_MAX, 4096);
        assert!(fits(most) && !fits(too_many), "{way}");
        while too_many - most > 1 {
            let middle = u64::midpoint(most, too_many);
            if fits(middle) {
                most = middle;
            } else {
                too_many = middle;
            }
        }
        for _ in 0..3 {
            assert!(
                fits(most - KERNELS),
                "{way}: {most} pages, and then {KERNELS} less do not"
            );
            assert!(
                !fits(most + KERNELS),
                "{way}: {most} pages, and then {KERNELS} more do"
            );
        }
    }
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
    let mut by_name = command(&["/tmp/program"]);
    by_name.files.push(FileIn {
        path: "/tmp/program".into(),
        content: with_array(1 << 46),
        executable: true,
    });
    let facts = jail.run(by_name).unwrap();
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
    let run = |jail: &mut Jail, way: &str, size: u64| {
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

/// What is read of a file becomes the run's page cache, which makes way when
/// memory is needed, but shows in the peak up to then.
#[test]
fn input_larger_than_memory_can_be_read() {
    let mut jail = start();
    // Of a disk on every machine; forgotten, so that the run has to read it.
    let input = File::open(std::env::current_exe().unwrap()).unwrap();
    let limit = 8 * MIB;
    assert!(input.metadata().unwrap().len() > 2 * limit);
    let advice = nix::fcntl::PosixFadviseAdvice::POSIX_FADV_DONTNEED;
    nix::fcntl::posix_fadvise(&input, 0, 0, advice).unwrap();
    let mut spec = command(&["/bin/cat"]);
    spec.stdin = Input::Fd(input.into());
    spec.limits.memory = ByteSize::b(limit);
    let facts = jail.run(spec).unwrap();
    assert_eq!(facts.outcome, exited(0));
    assert!(facts.memory_peak.as_u64() <= limit + MIB, "{facts:?}");
}
