//! What tracing costs: one decision beside the least that a traced call can
//! cost, a path looked at, every call recorded beside strace, start-up of runtimes.
//!
//! `cargo bench -p assize-sandbox --bench tracing`. Needs root; strace and
//! Python if they are to be compared.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement fails by panicking and prints its result"
)]

use assize_sandbox::{
    Audit, AuditLevel, Facts, Input, Jail, JailConfig, Limits, Mode, Outcome, PolicyLayer,
    PolicyName, Sink, Spec,
};
use bytesize::ByteSize;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Of each measurement the fastest counts: the machine may be busy.
const TIMES: u32 = 5;
const CALLS: u32 = 20_000;
/// For strace, which writes each to a file.
const MANY_CALLS: u32 = 200_000;

/// Beside it everything is refused, so that every path is decided about.
const PATHS: &str = "
    [[path]]
    id = 'libraries'
    why = 'a measurement'
    action = 'trace'
    access = ['read', 'stat', 'exec']
    paths = ['/usr/lib/**']
    [[path]]
    id = 'everything-else'
    why = 'a measurement'
    action = 'deny'
    errno = 'EACCES'
    access = ['read', 'write']
    paths = ['/**']";

fn main() {
    let this = Pid::from_raw(0);
    let all_cores = sched_getaffinity(this).unwrap();
    let mut one_core = CpuSet::new();
    one_core.set(0).unwrap();
    sched_setaffinity(this, &one_core).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let bare = compile("bare", directory.path());
    let calls = compile("calls", directory.path());
    let mut config = JailConfig::new(0).unwrap();
    config.core = Some(0);
    let mut bench = Bench {
        jail: Jail::start(&config).unwrap(),
        calls,
    };

    let floor = fastest(|| bare_call(&bare));
    row("RET_TRACE and GET_SYSCALL_INFO, bare", floor, None);
    let decision = bench.per_call("kill", AuditLevel::Summary, None, CALLS);
    row("a decision without a path", decision, Some(floor));
    let path = bench.per_call("open", AuditLevel::Decisions, Some(PATHS), CALLS);
    row("an open: path, decision, record, result", path, None);
    let recorded = bench.per_call("getppid", AuditLevel::Full, None, MANY_CALLS);
    row("any call at level full", recorded, None);
    if let Some(pinned) = strace(&bench.calls) {
        row("strace -f -o FILE on the same core", pinned, Some(recorded));
        sched_setaffinity(this, &all_cores).unwrap();
        let unpinned = strace(&bench.calls).unwrap();
        row(
            "strace -f -o FILE as people run it",
            unpinned,
            Some(recorded),
        );
        sched_setaffinity(this, &one_core).unwrap();
    }

    println!(
        "\n{:<42}{:>10}{:>10}{:>8}",
        "ms", "unshare", "ptrace", "stops"
    );
    let trivial = vec!["calls".to_owned()];
    bench.program("static C, every call traced", trivial, AuditLevel::Full);
    for (name, command) in [
        ("Python", "/usr/bin/python3 -c pass"),
        ("Java", "/usr/bin/java -XX:+UseSerialGC -version"),
    ] {
        let args: Vec<_> = command.split(' ').map(str::to_owned).collect();
        if args.first().is_some_and(|path| Path::new(path).exists()) {
            bench.program(name, args, AuditLevel::Decisions);
        }
    }
}

fn row(name: &str, each: Duration, beside: Option<Duration>) {
    let factor = beside.map_or_else(String::new, |beside| {
        format!("{:>7.2} times", each.as_secs_f64() / beside.as_secs_f64())
    });
    println!("{name:<42}{:>8.2} us{factor}", each.as_secs_f64() * 1e6);
}

fn fastest(measure: impl FnMut() -> Duration) -> Duration {
    std::iter::repeat_with(measure)
        .take(TIMES as usize)
        .min()
        .unwrap()
}

fn bare_call(bare: &Path) -> Duration {
    let output = Command::new(bare).arg(CALLS.to_string()).output().unwrap();
    let nanoseconds = String::from_utf8(output.stdout).unwrap();
    Duration::from_nanos(nanoseconds.trim().parse().unwrap())
}

/// Time of one call under strace; none where there is no strace.
fn strace(calls: &Path) -> Option<Duration> {
    let log = tempfile::NamedTempFile::new().unwrap();
    let time = |times: u32| {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-o"]).arg(log.path()).arg(calls);
        strace.args(["getppid", &times.to_string()]);
        let began = Instant::now();
        let ended = strace.status().is_ok_and(|status| status.success());
        ended.then(|| began.elapsed())
    };
    let (nothing, all) = (time(0)?, time(MANY_CALLS)?);
    Some(all.saturating_sub(nothing) / MANY_CALLS)
}

struct Bench {
    jail: Jail,
    calls: PathBuf,
}

impl Bench {
    fn per_call(
        &mut self,
        kind: &str,
        level: AuditLevel,
        layer: Option<&str>,
        calls: u32,
    ) -> Duration {
        let mut time = |times: u32| {
            let mut spec = spec(vec!["calls".into(), kind.into(), times.to_string()]);
            spec.executable = Some(File::open(&self.calls).unwrap().into());
            spec.mode = Mode::Ptrace;
            spec.audit = level;
            spec.layers = layer
                .map(|text| PolicyLayer::parse(text).unwrap())
                .into_iter()
                .collect();
            run(&mut self.jail, spec).wall_time
        };
        fastest(|| {
            let nothing = time(0);
            time(calls).saturating_sub(nothing) / calls
        })
    }

    /// A program from start to end in both modes, and how often it stops.
    fn program(&mut self, name: &str, args: Vec<String>, level: AuditLevel) {
        let mut run = |mode: Mode| {
            let mut spec = spec(args.clone());
            if args.first().is_some_and(|path| !path.starts_with('/')) {
                spec.executable = Some(File::open(&self.calls).unwrap().into());
            }
            spec.mode = mode;
            spec.audit = level;
            run(&mut self.jail, spec)
        };
        let unshare = fastest(|| run(Mode::Unshare).wall_time);
        let ptrace = fastest(|| run(Mode::Ptrace).wall_time);
        let stops = stops(&run(Mode::Ptrace).audit.unwrap());
        let [unshare, ptrace] = [unshare, ptrace].map(|time| time.as_secs_f64() * 1e3);
        println!(
            "{name:<42}{unshare:>10.2}{ptrace:>10.2}{stops:>8}{:>7.2} times",
            ptrace / unshare
        );
    }
}

fn stops(audit: &Audit) -> u64 {
    audit.calls.values().map(|call| call.count).sum()
}

fn compile(name: &str, directory: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/programs");
    let program = directory.join(name);
    let compiled = Command::new("gcc")
        .args(["-O2", "-static", "-o"])
        .arg(&program)
        .arg(source.join(name).with_extension("c"))
        .status()
        .unwrap();
    assert!(compiled.success());
    program
}

fn run(jail: &mut Jail, spec: Spec) -> Facts {
    let facts = jail.run(spec).unwrap();
    assert_eq!(facts.outcome, Outcome::Exited { code: 0 }, "{facts:?}");
    facts
}

fn spec(args: Vec<String>) -> Spec {
    Spec {
        args,
        executable: None,
        env: vec![("PATH".to_owned(), "/usr/bin".to_owned())],
        directory: "/tmp".into(),
        stdin: Input::Null,
        stdout: Sink::Null,
        stderr: Sink::Null,
        mounts: Vec::new(),
        scratch: Vec::new(),
        files: Vec::new(),
        collect: Vec::new(),
        limits: Limits {
            cpu_time: Duration::from_secs(60),
            wall_time: Duration::from_secs(120),
            idle_time: None,
            memory: ByteSize::gib(1),
            output: ByteSize::mib(64),
            stack: ByteSize::mib(64),
            processes: 64,
            open_files: 256,
            file_size: ByteSize::mib(64),
        },
        mode: Mode::Unshare,
        policy: PolicyName::Contestant,
        layers: Vec::new(),
        audit: AuditLevel::Summary,
        observe: false,
        fixed_layout: false,
    }
}
