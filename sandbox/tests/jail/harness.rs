//! What the tests share: a jail, programs compiled from `tests/programs/`,
//! and a specification to vary.

use assize_sandbox::{
    AuditLevel, Facts, Input, Jail, JailConfig, KillCause, Limits, Mode, Outcome, PolicyName, Sink,
    Spec,
};
use bytesize::ByteSize;
use nix::sys::memfd::{MFdFlags, memfd_create};
use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

pub(crate) fn start() -> Jail {
    Jail::start(&JailConfig::new(0).unwrap()).unwrap()
}

/// `tests/programs/NAME.c`, compiled statically, unless it was since this test
/// was built: the virtual machine of `tests/vm` can't write and need not.
pub(crate) fn compile(name: &'static str) -> OwnedFd {
    static COMPILING: Mutex<()> = Mutex::new(());
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let one_at_a_time = COMPILING.lock().unwrap();
    let built = modified(&std::env::current_exe().unwrap());
    if modified(&program) < built {
        let source = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/programs")
            .join(name)
            .with_extension("c");
        let status = Command::new("gcc")
            .args(["-O1", "-static", "-pthread", "-w", "-o"])
            .arg(&program)
            .arg(&source)
            .status()
            .unwrap();
        assert!(status.success(), "{name} does not compile");
    }
    drop(one_at_a_time);
    in_memory(&program)
}

/// In no run's memory, and where the host drops no pages: whoever reads those of a file
/// first is charged for them, and who has no more room reads them again and again.
fn in_memory(program: &Path) -> OwnedFd {
    let name = program.file_name().unwrap();
    let copy = memfd_create(name, MFdFlags::MFD_CLOEXEC).unwrap();
    std::fs::copy(program, format!("/proc/self/fd/{}", copy.as_raw_fd())).unwrap();
    // Who has it open to write to it, as we do, keeps it from being executed.
    File::open(format!("/proc/self/fd/{}", copy.as_raw_fd()))
        .unwrap()
        .into()
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().ok()?.modified().ok()
}

/// A run of a compiled program with these arguments.
pub(crate) fn program(name: &'static str, args: &[&str]) -> Spec {
    let mut spec = spec(compile(name));
    spec.args.extend(args.iter().map(|arg| (*arg).to_owned()));
    spec
}

/// Times are ample: the virtual machine of `tests/vm` is slow.
pub(crate) fn limits() -> Limits {
    Limits {
        cpu_time: Duration::from_secs(30),
        wall_time: Duration::from_secs(60),
        idle_time: None,
        memory: ByteSize::mib(64),
        output: ByteSize::mib(1),
        stack: ByteSize::mib(64),
        processes: 16,
        open_files: 64,
        file_size: ByteSize::mib(16),
    }
}

/// A run of a compiled program with no streams.
pub(crate) fn spec(program: OwnedFd) -> Spec {
    Spec {
        executable: Some(program),
        ..command(&["program"])
    }
}

/// A run of a program of the system.
pub(crate) fn command(args: &[&str]) -> Spec {
    Spec {
        args: args.iter().map(|arg| (*arg).to_owned()).collect(),
        executable: None,
        env: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
        directory: "/tmp".into(),
        stdin: Input::Null,
        stdout: Sink::Null,
        stderr: Sink::Null,
        mounts: Vec::new(),
        scratch: Vec::new(),
        files: Vec::new(),
        collect: Vec::new(),
        limits: limits(),
        mode: Mode::Unshare,
        policy: PolicyName::Contestant,
        layers: Vec::new(),
        audit: AuditLevel::Summary,
        observe: false,
        fixed_layout: false,
    }
}

/// Captured output.
pub(crate) struct Captured(File);

impl Captured {
    pub(crate) fn new() -> (Self, Sink) {
        let file = tempfile::tempfile().unwrap();
        let sink = Sink::Capture {
            to: file.try_clone().unwrap().into(),
            keep: ByteSize::mib(4),
        };
        (Self(file), sink)
    }

    pub(crate) fn text(mut self) -> String {
        let mut bytes = Vec::new();
        self.0.rewind().unwrap();
        self.0.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Runs with both streams captured.
pub(crate) fn run_captured(jail: &mut Jail, mut spec: Spec) -> (Facts, String, String) {
    let (stdout, sink) = Captured::new();
    spec.stdout = sink;
    let (stderr, sink) = Captured::new();
    spec.stderr = sink;
    let facts = jail.run(spec).unwrap();
    (facts, stdout.text(), stderr.text())
}

/// Runs a shell command that must end well; returns what it printed.
pub(crate) fn shell(jail: &mut Jail, script: &str) -> String {
    let (facts, stdout, stderr) = run_captured(jail, command(&["/bin/sh", "-c", script]));
    assert_eq!(facts.outcome, exited(0), "{script}: {stderr}");
    stdout
}

pub(crate) fn signalled(signal: i32) -> Outcome {
    Outcome::Signalled { signal }
}

pub(crate) fn exited(code: i32) -> Outcome {
    Outcome::Exited { code }
}

pub(crate) fn killed(cause: KillCause) -> Outcome {
    Outcome::Killed { cause }
}

/// The jail still does an ordinary run, with nothing left of the last one.
pub(crate) fn assert_usable(jail: &mut Jail) {
    let (facts, stdout, _) = run_captured(jail, command(&["/bin/sh", "-c", "echo ok; ls /tmp"]));
    assert_eq!(facts.outcome, exited(0));
    assert_eq!(stdout, "ok\n");
}
