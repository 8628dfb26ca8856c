//! Programs that attack the judge, one file each, in both modes of the
//! sandbox. Each says in its first lines what it tries and how that ends; then
//! the host must be as before and the jail as good as new.

mod attack;
mod channels;
mod host;
mod killed;

use assize_sandbox::{
    AuditLevel, Facts, FileIn, Input, Jail, JailConfig, JailError, Limits, Mode, Outcome,
    PolicyName, Scratch, Sink, Spec, Tree,
};
use attack::{Attack, Program};
use bytesize::ByteSize;
use host::{Host, STAGES_MAX};
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

const EXITED: Outcome = Outcome::Exited { code: 0 };

/// As many as there were when somebody last looked; fewer are found by mistake.
const ATTACKS_MIN: usize = 130;

/// How many times the usual CPU time an ordinary run may take after an attack.
const SLOWER_MAX: u32 = 4;

/// KiB by which supervisor and zygote may grow over all attacks: caches of
/// their allocators.
const GROWTH_MAX: u64 = 1024;

/// Names how many times longer attacks may take, and other runs after them, where
/// everything is slower and less steady: in the emulated machine of `tests/vm`.
const PATIENCE: &str = "ASSIZE_HOSTILE_PATIENCE";

/// Bytes of output that are looked at.
const KEEP: ByteSize = ByteSize::mib(1);

#[test]
fn attacks_are_contained_in_unshare_mode() {
    contain(Mode::Unshare);
}

#[test]
fn attacks_are_contained_in_ptrace_mode() {
    contain(Mode::Ptrace);
}

#[test]
fn what_an_attack_could_leave_is_seen() {
    let jail = host::start_alone();
    // In mounts of its own, or other tests would see the mount.
    let mut elsewhere = Planted::start();
    let host = Host::with_mounts_of(jail.supervisor, elsewhere.pid());
    assert_eq!(host.traces(), Vec::<String>::new());
    let file = tempfile::NamedTempFile::new_in("/tmp").unwrap();
    std::os::unix::fs::chown(file.path(), Some(host.program()), None).unwrap();
    let mut process = Command::new("/bin/sleep")
        .arg("1000")
        .uid(host.program())
        .spawn()
        .unwrap();
    let mut memory = Command::new("/usr/bin/ipcmk");
    let made = memory.args(["-M", "4096"]).uid(host.program());
    let made = String::from_utf8(made.output().unwrap().stdout).unwrap();
    let segment = made.trim().rsplit(' ').next().unwrap();
    elsewhere.mount();
    let traces = host.traces();
    process.kill().unwrap();
    process.wait().unwrap();
    let removed = Command::new("/usr/bin/ipcrm")
        .args(["-m", segment])
        .status();
    assert!(removed.unwrap().success(), "{made}");
    let [mount, left, shared, running] = traces.as_slice() else {
        panic!("{traces:?}");
    };
    assert!(
        mount.starts_with("the mount ") && mount.contains(" /mnt "),
        "{mount}"
    );
    assert_eq!(*left, format!("the file {}", file.path().display()));
    let id = shared.split_whitespace().nth(2);
    assert!(
        shared.starts_with("shm ") && id == Some(segment),
        "{shared}"
    );
    assert_eq!(*running, format!("process /proc/{}", process.id()));
}

/// A process with mounts of its own, one more of which it makes when told to.
struct Planted(Child);

impl Planted {
    fn start() -> Self {
        let script = "echo; read go; mount -t tmpfs none /mnt; echo; read end";
        let child = Command::new("/usr/bin/unshare")
            .args(["--mount", "/bin/sh", "-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut planted = Self(child.unwrap());
        planted.wait();
        planted
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    fn mount(&mut self) {
        self.0.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
        self.wait();
    }

    /// Until it has done its next step.
    fn wait(&mut self) {
        let mut said = [0];
        let stdout = self.0.stdout.as_mut().unwrap();
        stdout.read_exact(&mut said).unwrap();
    }
}

impl Drop for Planted {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Every attack in one jail, so that each is also the next run of another.
fn contain(mode: Mode) {
    let mut attacks = attack::all();
    attacks.retain(Attack::is_for_this_machine);
    assert!(attacks.len() >= ATTACKS_MIN, "{} attacks", attacks.len());
    for attack in &attacks {
        let missing = attack.missing();
        assert_eq!(missing, None, "{} needs it: make setup", attack.name);
    }
    let mut jail = host::start_alone();
    let host = Host::of(jail.supervisor);
    let mut findings = Vec::new();
    let usual = usual_time(&mut jail.jail, mode);
    let (open_before, memory_before) = host.holdings();
    for attack in &attacks {
        let (facts, output) = run(&mut jail.jail, spec(attack, mode));
        if !attack
            .expected(mode)
            .iter()
            .any(|one| one.is(&facts.outcome))
        {
            findings.push(format!(
                "{}: {:?}, said {output:?}",
                attack.name, facts.outcome
            ));
        }
        for secret in attack.never.iter().filter(|text| output.contains(*text)) {
            findings.push(format!("{}: shows {secret:?}: {output}", attack.name));
        }
        for trace in host.traces() {
            findings.push(format!("{}: left {trace}", attack.name));
        }
        findings.extend(stranger(&mut jail.jail, mode, usual, &attack.name));
    }
    let (open, memory) = host.holdings();
    // A stage that waits is a socket, a listener and a scratch here.
    if open > open_before + 3 * STAGES_MAX {
        findings.push(format!(
            "{open_before} descriptors in supervisor and zygote, {open} in the end"
        ));
    }
    if memory > memory_before + GROWTH_MAX {
        findings.push(format!(
            "{memory_before} KiB in supervisor and zygote, {memory} in the end"
        ));
    }
    assert!(
        findings.is_empty(),
        "{mode:?}:\n  {}",
        findings.join("\n  ")
    );
}

/// An ordinary run after an attack, which must notice nothing. Other things
/// that the host does may slow it down, but not three times in a row.
fn stranger(jail: &mut Jail, mode: Mode, usual: Duration, after: &str) -> Option<String> {
    let mut times = Vec::new();
    for _ in 0..3 {
        let (facts, output) = ordinary_run(jail, mode);
        if facts.outcome != EXITED || output != "ok\n/proc/self/fd:\n0\n1\n2\n3\n\n/tmp:\n" {
            return Some(format!("after {after}: {:?}, {output:?}", facts.outcome));
        }
        if facts.cpu_time < usual * SLOWER_MAX * patience() {
            return None;
        }
        times.push(facts.cpu_time);
    }
    Some(format!(
        "after {after}: ordinary runs take {times:?} instead of {usual:?}"
    ))
}

/// The CPU time of an ordinary run, by the median.
fn usual_time(jail: &mut Jail, mode: Mode) -> Duration {
    let mut times: Vec<_> = (0..9)
        .map(|_| ordinary_run(jail, mode).0.cpu_time)
        .collect();
    times.sort();
    times[times.len() / 2]
}

fn ordinary_run(jail: &mut Jail, mode: Mode) -> (Facts, String) {
    let script = "echo ok; ls -A /tmp /proc/self/fd";
    run(jail, base(&["/bin/sh", "-c", script], mode))
}

fn run(jail: &mut Jail, spec: Spec) -> (Facts, String) {
    let name = spec.args.join(" ");
    run_captured(jail, spec).unwrap_or_else(|error| panic!("{name}: {error:?}"))
}

fn run_captured(jail: &mut Jail, mut spec: Spec) -> Result<(Facts, String), JailError> {
    let mut captured = tempfile::tempfile().unwrap();
    let sink = || Sink::Capture {
        to: captured.try_clone().unwrap().into(),
        keep: KEEP,
    };
    (spec.stdout, spec.stderr) = (sink(), sink());
    let facts = jail.run(spec)?;
    let mut bytes = Vec::new();
    captured.rewind().unwrap();
    captured.read_to_end(&mut bytes).unwrap();
    Ok((facts, String::from_utf8_lossy(&bytes).into_owned()))
}

fn spec(attack: &Attack, mode: Mode) -> Spec {
    let mut spec = match &attack.program {
        Program::Compiled => {
            let mut spec = base(&["attack"], mode);
            spec.executable = Some(attack.compile().into());
            spec
        }
        Program::Command(command) => {
            let mut spec = base(&["/bin/sh", "-c", command], mode);
            spec.files.push(FileIn {
                path: Path::new("/tmp").join(&attack.name),
                content: File::open(&attack.path).unwrap().into(),
                executable: true,
            });
            spec
        }
    };
    if attack.compiler {
        spec.policy = PolicyName::Compiler;
    }
    let limits = &mut spec.limits;
    limits.memory = attack.memory.unwrap_or(limits.memory);
    limits.cpu_time = attack.cpu.unwrap_or(limits.cpu_time);
    limits.wall_time = attack.wall.unwrap_or(limits.wall_time);
    limits.processes = attack.processes.unwrap_or(limits.processes);
    limits.stack = limits.memory;
    limits.cpu_time *= patience();
    limits.wall_time *= patience();
    if attack.compiler {
        spec.scratch.push(Scratch {
            target: "/tmp".into(),
            size: spec.limits.memory,
            counted: false,
        });
    }
    spec
}

fn patience() -> u32 {
    let times = std::env::var(PATIENCE).unwrap_or_else(|_| "1".to_owned());
    times
        .parse()
        .unwrap_or_else(|error| panic!("{PATIENCE}={times}: {error}"))
}

fn base(args: &[&str], mode: Mode) -> Spec {
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
        limits: Limits {
            cpu_time: Duration::from_secs(10),
            wall_time: Duration::from_secs(20),
            idle_time: None,
            memory: ByteSize::mib(64),
            output: KEEP,
            stack: ByteSize::mib(64),
            processes: 32,
            open_files: 64,
            file_size: ByteSize::mib(256),
        },
        mode,
        policy: PolicyName::Contestant,
        layers: Vec::new(),
        audit: AuditLevel::Summary,
        observe: false,
        fixed_layout: false,
    }
}

fn config() -> JailConfig {
    let rust = rust_toolchain().map(|source| Tree {
        source,
        target: "/rust".into(),
    });
    JailConfig {
        trees: rust.into_iter().collect(),
        ..JailConfig::new(0).unwrap()
    }
}

/// Where Rust is on this host; jails show it at /rust.
fn rust_toolchain() -> Option<PathBuf> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let ask = || {
        let mut rustc = Command::new("rustc");
        let asked = rustc.args(["--print", "sysroot"]).output().ok()?;
        let path = PathBuf::from(String::from_utf8(asked.stdout).ok()?.trim());
        path.join("bin/rustc").is_file().then_some(path)
    };
    FOUND.get_or_init(ask).clone()
}
