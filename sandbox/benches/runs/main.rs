//! What a jailed run costs above a bare one: the same static program, started
//! bare and in a jail in turn, everything on one core.
//!
//! `cargo bench -p assize-sandbox [-- ROUNDS [CORE]]`. Needs root.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement fails by panicking and prints its result"
)]

#[path = "../common/program.rs"]
mod program;
#[path = "../common/spec.rs"]
mod spec;

use assize_sandbox::{
    FileIn, Input, Jail, JailConfig, Limits, Mode, Mount, Sink, Spec, stay_on_core,
};
use bytesize::ByteSize;
use program::compile;
use spec::{run, spec};
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 500;
/// The first runs fill caches of all kinds.
const WARM_UP: usize = 30;

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|arg| arg.parse().ok());
    let rounds = numbers.next().unwrap_or(ROUNDS);
    let core = numbers.next().unwrap_or(0);
    stay_on_core(core).unwrap();

    let directory = tempfile::tempdir().unwrap();
    let program = compile("trivial.c", directory.path());
    let executable: OwnedFd = File::open(&program).unwrap().into();
    let mut config = JailConfig::new(0).unwrap();
    config.core = Some(core);
    let began = Instant::now();
    let mut jail = Jail::start(&config).unwrap();
    println!("jail start: {:.1} ms", micros(began.elapsed()) / 1000.0);

    let output = tempfile::tempfile().unwrap();
    let streams = || {
        let mut spec = trivial(&executable);
        spec.stdin = Input::Fd(File::open("/dev/null").unwrap().into());
        for sink in [&mut spec.stdout, &mut spec.stderr] {
            *sink = Sink::Capture {
                to: output.try_clone().unwrap().into(),
                keep: ByteSize::mib(1),
            };
        }
        spec
    };
    let traced = || Spec {
        mode: Mode::Ptrace,
        ..trivial(&executable)
    };
    let writing = || {
        let mut spec = trivial(&executable);
        spec.files.push(FileIn {
            path: "/tmp/file".into(),
            content: File::open("/dev/null").unwrap().into(),
            executable: false,
        });
        spec
    };
    let shown = || {
        let mut spec = trivial(&executable);
        spec.mounts.push(Mount {
            source: File::open(directory.path()).unwrap().into(),
            target: "/box".into(),
        });
        spec
    };
    println!(
        "{:<26}{:>9}{:>9}{:>9}{:>11}{:>8}",
        "us", "p10", "median", "p90", "over bare", "p90/med"
    );
    // Each in turn with the bare program: what one does to caches, the other
    // meets.
    compare(rounds, &program, &mut jail, "jail", || trivial(&executable));
    compare(
        rounds,
        &program,
        &mut jail,
        "jail, streams captured",
        streams,
    );
    compare(rounds, &program, &mut jail, "jail, ptrace mode", traced);
    compare(rounds, &program, &mut jail, "jail, leaves a file", writing);
    compare(
        rounds,
        &program,
        &mut jail,
        "jail, shows a directory",
        shown,
    );
    let began = Instant::now();
    for _ in 0..rounds {
        run(&mut jail, trivial(&executable));
    }
    let per_second = |began: Instant| rounds as f64 / began.elapsed().as_secs_f64();
    println!("jail: {:.0} runs/s", per_second(began));
    let began = Instant::now();
    for _ in 0..rounds {
        spawn(&program);
    }
    println!("bare: {:.0} runs/s", per_second(began));
}

fn compare(
    rounds: usize,
    program: &Path,
    jail: &mut Jail,
    name: &'static str,
    next: impl Fn() -> Spec,
) {
    let (mut bare, mut jailed) = (Row::new("bare vfork, exec, wait"), Row::new(name));
    for round in 0..WARM_UP + rounds {
        if round == WARM_UP {
            bare.times.clear();
            jailed.times.clear();
        }
        bare.time(|| spawn(program));
        let spec = next();
        jailed.time(|| drop(run(jail, spec)));
    }
    let base = bare.quantile(50);
    for mut row in [bare, jailed] {
        let [p10, median, p90] = [10, 50, 90].map(|percent| row.quantile(percent));
        println!(
            "{:<26}{p10:>9.0}{median:>9.0}{p90:>9.0}{:>11.0}{:>8.2}",
            row.name,
            median - base,
            p90 / median
        );
    }
}

struct Row {
    name: &'static str,
    times: Vec<f64>,
}

impl Row {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            times: Vec::new(),
        }
    }

    fn time(&mut self, work: impl FnOnce()) {
        let began = Instant::now();
        work();
        self.times.push(micros(began.elapsed()));
    }

    fn quantile(&mut self, percent: usize) -> f64 {
        self.times.sort_by(f64::total_cmp);
        let last = self.times.len() - 1;
        *self.times.get(last * percent / 100).unwrap()
    }
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

fn spawn(program: &Path) {
    let status = Command::new(program)
        .env_clear()
        .stdin(Stdio::inherit())
        .status()
        .unwrap();
    assert!(status.success());
}

/// The trivial program with the limits of a small submission.
fn trivial(executable: &OwnedFd) -> Spec {
    Spec {
        executable: Some(executable.as_fd().try_clone_to_owned().unwrap()),
        env: Vec::new(),
        limits: Limits {
            cpu_time: Duration::from_secs(1),
            wall_time: Duration::from_secs(5),
            idle_time: None,
            memory: ByteSize::mib(256),
            output: ByteSize::mib(64),
            stack: ByteSize::mib(256),
            processes: 1,
            open_files: 64,
            file_size: ByteSize::mib(64),
        },
        ..spec(vec!["trivial".to_owned()])
    }
}
