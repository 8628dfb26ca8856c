//! What the jail promises about time and memory, one file for each question.
//! Nothing here fails for a number: a reader compares it with the bar beside it.
//!
//! `cargo bench -p assize-sandbox --bench promises [-- QUESTION…] [--quick]`,
//! where `--quick` makes a tenth of the runs. Needs root, gcc and two cores.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement fails by panicking and prints its result"
)]

#[path = "../common/program.rs"]
mod program;
#[path = "../common/sample.rs"]
mod sample;
#[path = "../common/spec.rs"]
mod spec;

mod bare;
mod cpu_time;
mod idle;
mod kill;
mod layers;
mod overhead;
mod peers;
mod settings;
mod slots;
mod transfer;

use assize_sandbox::{Jail, JailConfig, Spec, stay_on_core};
use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;
use std::fs::File;
use std::path::Path;

type Question = fn(&Bench);

const QUESTIONS: [(&str, Question); 9] = [
    ("peers", peers::table),
    ("slots", slots::table),
    ("overhead", overhead::table),
    ("cpu_time", cpu_time::table),
    ("kill", kill::table),
    ("idle", idle::table),
    ("transfer", transfer::table),
    ("settings", settings::table),
    ("layers", layers::table),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Cargo adds `--bench` by itself.
    let (options, names): (Vec<_>, Vec<_>) = arguments.iter().partition(|it| it.starts_with('-'));
    for name in &names {
        let known = QUESTIONS.iter().any(|(known, _)| known == name);
        assert!(
            known,
            "no question {name}; there are {:?}",
            QUESTIONS.map(|(name, _)| name)
        );
    }
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench {
        directory: directory.path(),
        cores: cores(),
        quick: options.iter().any(|option| *option == "--quick"),
    };
    // Measured and measuring processes alike, unless a question says otherwise.
    pin(bench.cores[0]);
    for (name, table) in QUESTIONS {
        if names.is_empty() || names.iter().any(|wanted| *wanted == name) {
            table(&bench);
            println!();
        }
    }
}

/// What all questions share.
struct Bench<'a> {
    /// For compiled programs.
    directory: &'a Path,
    cores: [usize; 2],
    quick: bool,
}

impl Bench<'_> {
    fn rounds(&self, all: usize) -> usize {
        if self.quick {
            all.div_ceil(10).max(2)
        } else {
            all
        }
    }

    fn jail(&self) -> Jail {
        jail(self.cores[0])
    }
}

fn jail(core: usize) -> Jail {
    let mut config = JailConfig::new(0).unwrap();
    config.core = Some(core);
    Jail::start(&config).unwrap()
}

/// The first two that this process may use.
fn cores() -> [usize; 2] {
    let allowed = sched_getaffinity(Pid::from_raw(0)).unwrap();
    let cores: Vec<_> = (0..CpuSet::count())
        .filter(|core| allowed.is_set(*core).unwrap())
        .collect();
    match cores[..] {
        [one, other, ..] => [one, other],
        _ => panic!("two slots need two cores, here is {cores:?}"),
    }
}

/// Binds the calling thread, and what it starts from now on, to a core.
fn pin(core: usize) {
    stay_on_core(core).unwrap();
}

/// A run of a compiled program.
fn spec_of(program: &Path, args: &[&str]) -> Spec {
    let args = [&["program"], args].concat();
    let mut spec = spec::spec(args.into_iter().map(str::to_owned).collect());
    spec.executable = Some(File::open(program).unwrap().into());
    spec
}
