//! How fast do large inputs get into a run, and large outputs out of it?

use crate::program::compile;
use crate::sample::Sample;
use crate::spec::run;
use crate::{Bench, spec_of};
use assize_sandbox::{FileIn, FileOut, Input, Jail, Sink, Spec};
use bytesize::ByteSize;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};

const ROUNDS: usize = 20;
const MIB: u64 = 64;

pub(crate) fn table(bench: &Bench<'_>) {
    let program = compile("bytes.c", bench.directory);
    let mut jail = bench.jail();
    let on_disk = bench.directory.join("input");
    fill(&mut File::create(&on_disk).unwrap());
    let open = || File::open(&on_disk).unwrap();
    let sealed = sealed();
    println!(
        "{:<42}{:>10}{:>8}",
        format!("{MIB} MiB (bar: 1 GB/s)"),
        "ms",
        "GB/s"
    );
    let row = |name: &str, mut work: Box<dyn FnMut() + '_>| {
        let mut sample = Sample::default();
        for _ in 0..bench.rounds(ROUNDS) {
            sample.time(&mut work);
        }
        let micros = sample.median();
        let gb_per_second = (MIB << 20) as f64 / micros / 1e3;
        println!("{name:<42}{:>10.1}{gb_per_second:>8.2}", micros / 1e3);
    };
    row(
        "bare: reads a file",
        Box::new(|| bare(&program, &["read"], open().into(), Stdio::null())),
    );
    row(
        "bare: writes to a new memfd",
        Box::new(|| {
            bare(&program, &["write", "64"], Stdio::null(), memfd().into());
        }),
    );
    let mut jailed = |name: &str, args: &[&str], change: &dyn Fn(&mut Spec)| {
        row(name, Box::new(|| one(&mut jail, &program, args, change)));
    };
    jailed("standard input: a file", &["read"], &|spec| {
        spec.stdin = Input::Fd(open().into());
    });
    jailed("standard input: a sealed memfd", &["read"], &|spec| {
        spec.stdin = Input::Fd(again(&sealed));
    });
    jailed("a file copied into a scratch", &["write", "0"], &|spec| {
        spec.files.push(FileIn {
            path: "/tmp/input".into(),
            content: open().into(),
            executable: false,
        });
    });
    jailed(
        "standard output: captured in a memfd",
        &["write", "64"],
        &|spec| {
            spec.stdout = Sink::Capture {
                to: memfd().into(),
                keep: ByteSize::mib(MIB),
            };
        },
    );
    jailed(
        "standard output: captured, not kept",
        &["write", "64"],
        &|spec| {
            spec.stdout = Sink::Capture {
                to: memfd().into(),
                keep: ByteSize::b(0),
            };
        },
    );
    jailed(
        "standard output: a descriptor (a memfd)",
        &["write", "64"],
        &|spec| {
            spec.stdout = Sink::Fd(memfd().into());
        },
    );
    jailed("a file taken out of a scratch", &["file", "64"], &|spec| {
        spec.collect.push(FileOut {
            path: "/tmp/file".into(),
            max_size: ByteSize::mib(MIB),
        });
    });
}

fn one(jail: &mut Jail, program: &Path, args: &[&str], change: &dyn Fn(&mut Spec)) {
    let mut spec = spec_of(program, args);
    change(&mut spec);
    let asked = spec.collect.len();
    let facts = run(jail, spec);
    assert_eq!(facts.collected.len(), asked);
}

fn bare(program: &Path, args: &[&str], stdin: Stdio, stdout: Stdio) {
    let mut command = Command::new(program);
    let status = command
        .args(args)
        .stdin(stdin)
        .stdout(stdout)
        .status()
        .unwrap();
    assert!(status.success());
}

fn memfd() -> File {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    memfd_create(c"bench", flags).unwrap().into()
}

/// As test data come that nobody may change any more.
fn sealed() -> File {
    let mut file = memfd();
    fill(&mut file);
    let seals = SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW;
    fcntl(&file, FcntlArg::F_ADD_SEALS(seals)).unwrap();
    file
}

/// Opened anew, at its start.
fn again(file: &File) -> OwnedFd {
    use std::os::fd::AsRawFd;
    File::open(format!("/proc/self/fd/{}", file.as_raw_fd()))
        .unwrap()
        .into()
}

fn fill(file: &mut File) {
    let block = vec![b'x'; 1 << 20];
    for _ in 0..MIB {
        file.write_all(&block).unwrap();
    }
}
