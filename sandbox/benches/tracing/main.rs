//! What tracing costs: one decision beside the least that a traced call can
//! cost, a path looked at, every call recorded beside strace, whole programs.
//!
//! `cargo bench -p assize-sandbox --bench tracing`. Needs root, gcc and g++; strace,
//! Python and Java if they are to be compared.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement fails by panicking and prints its result"
)]

mod near_limit;
#[path = "../common/program.rs"]
mod program;
#[path = "../common/spec.rs"]
mod spec;

use assize_sandbox::{
    Audit, AuditLevel, Input, Jail, JailConfig, LayerOf, Mode, PolicyLayer, Spec, stay_on_core,
};
use nix::sched::{sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use program::compile;
use spec::{run, spec};
use std::fmt::Write as _;
use std::fs::File;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Of each measurement the fastest counts: the machine may be busy.
const TIMES: u32 = 5;
const CALLS: u32 = 20_000;
/// As many refused ones are recorded.
const FEW_CALLS: u32 = 5_000;
/// For records of every call, ours and strace's, which writes each to a file.
const MANY_CALLS: u32 = 1_000_000;

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
    stay_on_core(0).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let programs = directory.path();
    let bare = compile("bare.c", programs);
    let notify = compile("notify.c", programs);
    let numbers = compile("numbers.cpp", programs);
    let work = compile("work.c", programs);
    let calls = compile("calls.c", programs);
    let mut config = JailConfig::new(0).unwrap();
    config.core = Some(0);
    let mut bench = Bench {
        jail: Jail::start(&config).unwrap(),
        calls,
    };

    let floor = fastest(|| timed(&bare, &["kill"]));
    row("RET_TRACE and GET_SYSCALL_INFO, bare", floor, None);
    let opened = fastest(|| timed(&bare, &["open"]));
    row("the same, an open with two stops", opened, None);
    let notified = fastest(|| timed(&notify, &["continue"]));
    row("USER_NOTIF and CONTINUE, bare", notified, Some(floor));
    let handed = fastest(|| timed(&notify, &["open"]));
    row("USER_NOTIF, an open done by the tracer", handed, None);
    let decision = bench.per_call("kill", AuditLevel::Summary, None, CALLS);
    row("a decision without a path", decision, Some(floor));
    let path = bench.per_call("open", AuditLevel::Summary, Some(PATHS), CALLS);
    row("an open: path, decision", path, None);
    let refused = bench.per_call("refused", AuditLevel::Summary, Some(PATHS), FEW_CALLS);
    row("an open refused: path, decision, record", refused, None);
    let result = bench.per_call("open", AuditLevel::Decisions, Some(PATHS), CALLS);
    row(
        "an open: path, decision, record, result",
        result,
        Some(opened),
    );
    let recorded = bench.per_call("getppid", AuditLevel::Full, None, MANY_CALLS);
    row("any call at level full", recorded, None);
    let stored = bench.per_stored_call("getppid", MANY_CALLS);
    row("the same, read and compressed at the end", stored, None);
    if let Some(pinned) = strace(&bench.calls) {
        row("strace -f -o FILE on the same core", pinned, Some(stored));
        sched_setaffinity(this, &all_cores).unwrap();
        let unpinned = strace(&bench.calls).unwrap();
        row("strace -f -o FILE as people run it", unpinned, Some(stored));
        stay_on_core(0).unwrap();
    }

    println!(
        "\n{:<42}{:>10}{:>10}{:>8}",
        "ms", "unshare", "ptrace", "stops"
    );
    let decisions = AuditLevel::Decisions;
    let trivial = Program::new(&bench.calls, &[]);
    bench.program("static C, every call traced", &trivial, AuditLevel::Full);
    let computing = Program::new(&work, &["1000000", "0"]);
    bench.program("static C, computing only", &computing, decisions);
    let mut solution = Program::new(&numbers, &[]);
    solution.input = Some(write_numbers(programs));
    bench.program("static C++, sorts 1e6 numbers", &solution, decisions);
    for (name, command) in [
        ("Python", "/usr/bin/python3 -c pass"),
        ("Java", "/usr/bin/java -XX:+UseSerialGC -version"),
    ] {
        let program = Program::installed(command);
        if program
            .args
            .first()
            .is_some_and(|path| Path::new(path).exists())
        {
            bench.program(name, &program, decisions);
        }
    }
    near_limit::table(&mut bench.jail, &work);
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

/// What a program that measures itself says of one call.
fn timed(program: &Path, args: &[&str]) -> Duration {
    let mut command = Command::new(program);
    let output = command.args(args).arg(CALLS.to_string()).output().unwrap();
    assert!(output.status.success(), "{}", program.display());
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
            let spec = self.calls(kind, level, layer, times);
            run(&mut self.jail, spec).wall_time
        };
        fastest(|| {
            let nothing = time(0);
            time(calls).saturating_sub(nothing) / calls
        })
    }

    /// At level `full`, until the record is as it is stored, as strace's is when it ends.
    fn per_stored_call(&mut self, kind: &str, calls: u32) -> Duration {
        let mut time = |times: u32| {
            let spec = self.calls(kind, AuditLevel::Full, None, times);
            let began = Instant::now();
            let audit = run(&mut self.jail, spec).audit.unwrap();
            black_box(audit.encode().unwrap());
            began.elapsed()
        };
        fastest(|| {
            let nothing = time(0);
            time(calls).saturating_sub(nothing) / calls
        })
    }

    fn calls(&self, kind: &str, level: AuditLevel, layer: Option<&str>, times: u32) -> Spec {
        let mut spec = spec(vec!["calls".into(), kind.into(), times.to_string()]);
        spec.executable = Some(File::open(&self.calls).unwrap().into());
        spec.mode = Mode::Ptrace;
        spec.audit = level;
        spec.layers = layer
            .map(|text| PolicyLayer::parse(LayerOf::Language, text).unwrap())
            .into_iter()
            .collect();
        spec
    }

    /// A program from start to end in both modes, and how often it stops.
    fn program(&mut self, name: &str, program: &Program, level: AuditLevel) {
        let mut run = |mode: Mode| {
            let mut spec = program.spec();
            spec.mode = mode;
            spec.audit = level;
            run(&mut self.jail, spec)
        };
        // In turn, so that both see the same machine.
        let (mut unshare, mut ptrace) = (Duration::MAX, Duration::MAX);
        for _ in 0..TIMES {
            unshare = unshare.min(run(Mode::Unshare).wall_time);
            ptrace = ptrace.min(run(Mode::Ptrace).wall_time);
        }
        let stops = stops(&run(Mode::Ptrace).audit.unwrap());
        let [unshare, ptrace] = [unshare, ptrace].map(|time| time.as_secs_f64() * 1e3);
        println!(
            "{name:<42}{unshare:>10.2}{ptrace:>10.2}{stops:>8}{:>8.3} times",
            ptrace / unshare
        );
    }
}

/// One that is measured from start to end.
struct Program {
    executable: Option<PathBuf>,
    args: Vec<String>,
    input: Option<PathBuf>,
}

impl Program {
    fn new(executable: &Path, args: &[&str]) -> Self {
        let args = [&["program"], args].concat();
        Self {
            executable: Some(executable.to_owned()),
            args: args.into_iter().map(str::to_owned).collect(),
            input: None,
        }
    }

    fn installed(command: &str) -> Self {
        Self {
            executable: None,
            args: command.split(' ').map(str::to_owned).collect(),
            input: None,
        }
    }

    fn spec(&self) -> Spec {
        let mut spec = spec(self.args.clone());
        let open = |path: &PathBuf| File::open(path).unwrap().into();
        spec.executable = self.executable.as_ref().map(open);
        if let Some(input) = &self.input {
            spec.stdin = Input::Fd(open(input));
        }
        spec
    }
}

fn write_numbers(directory: &Path) -> PathBuf {
    let path = directory.join("numbers.txt");
    let mut value: u32 = 1;
    let mut text = "1000000".to_owned();
    for _ in 0..1_000_000 {
        value = value.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        write!(text, "\n{}", value >> 2).unwrap();
    }
    std::fs::write(&path, text).unwrap();
    path
}

fn stops(audit: &Audit) -> u64 {
    audit.calls.values().map(|call| call.count).sum()
}
