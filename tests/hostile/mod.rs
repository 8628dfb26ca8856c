//! Programs that attack the judge, one file each, in both modes of the
//! sandbox. Each says in its first lines what it tries and how that ends; then
//! the host must be as before and the jail as good as new.

mod attack;
mod host;

use assize_sandbox::{
    AuditLevel, FileIn, Input, Jail, JailConfig, Limits, Mode, PolicyName, Sink, Spec,
};
use attack::{Attack, Program};
use bytesize::ByteSize;
use host::Host;
use std::fs::File;
use std::io::{Read, Seek};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::time::Duration;

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
    let host = Host::of(jail.supervisor);
    assert_eq!(host.traces(), Vec::<String>::new());
    let file = tempfile::NamedTempFile::new_in("/tmp").unwrap();
    std::os::unix::fs::chown(file.path(), Some(host.program()), None).unwrap();
    let mut process = std::process::Command::new("/bin/sleep")
        .arg("1000")
        .uid(host.program())
        .spawn()
        .unwrap();
    let traces = host.traces();
    process.kill().unwrap();
    process.wait().unwrap();
    let file = format!("the file {}", file.path().display());
    let process = format!("process /proc/{}", process.id());
    assert_eq!(traces, [file, process]);
}

/// Every attack in one jail, so that each is also the next run of another.
fn contain(mode: Mode) {
    let attacks = attack::all();
    assert!(attacks.len() > 40, "{} attacks", attacks.len());
    let mut jail = host::start_alone();
    let host = Host::of(jail.supervisor);
    let mut findings = Vec::new();
    for attack in &attacks {
        if !attack.can_run() {
            continue;
        }
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
        if let Some(secret) = attack.never.as_ref().filter(|text| output.contains(*text)) {
            findings.push(format!("{}: shows {secret:?}: {output}", attack.name));
        }
        for trace in host.traces() {
            findings.push(format!("{}: left {trace}", attack.name));
        }
        findings.extend(stranger(&mut jail.jail, mode, &attack.name));
    }
    assert!(
        findings.is_empty(),
        "{mode:?}:\n  {}",
        findings.join("\n  ")
    );
}

/// An ordinary run after an attack, which must notice nothing.
fn stranger(jail: &mut Jail, mode: Mode, after: &str) -> Option<String> {
    let script = "echo ok; ls -A /tmp /proc/self/fd";
    let (facts, output) = run(jail, base(&["/bin/sh", "-c", script], mode));
    let wanted = assize_sandbox::Outcome::Exited { code: 0 };
    let usual = "ok\n/proc/self/fd:\n0\n1\n2\n3\n\n/tmp:\n";
    (facts.outcome != wanted || output != usual)
        .then(|| format!("after {after}: {:?}, {output:?}", facts.outcome))
}

fn run(jail: &mut Jail, mut spec: Spec) -> (assize_sandbox::Facts, String) {
    let mut captured = tempfile::tempfile().unwrap();
    let sink = || Sink::Capture {
        to: captured.try_clone().unwrap().into(),
        keep: KEEP,
    };
    (spec.stdout, spec.stderr) = (sink(), sink());
    let name = spec.args.join(" ");
    let facts = jail
        .run(spec)
        .unwrap_or_else(|error| panic!("{name}: {error:?}"));
    let mut bytes = Vec::new();
    captured.rewind().unwrap();
    captured.read_to_end(&mut bytes).unwrap();
    (facts, String::from_utf8_lossy(&bytes).into_owned())
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
    spec
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
    }
}

fn config() -> JailConfig {
    JailConfig::new(0).unwrap()
}
