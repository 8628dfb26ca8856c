//! What do programs lose that compute, and those that make many system calls?

use crate::program::compile;
use crate::sample::Sample;
use crate::spec::run;
use crate::{Bench, bare, spec_of};
use assize_sandbox::Mode;

const ROUNDS: usize = 40;

pub(crate) fn table(bench: &Bench<'_>) {
    let mut jail = bench.jail();
    println!(
        "{:<42}{:>10}{:>10}{:>10}{:>10}{:>10}",
        "CPU time and time on the clock, ms", "CPU", "of bare", "clock", "of bare", "fastest"
    );
    for (name, source, args, filtered) in [
        ("computes (bar: 1.005)", "work.c", ["350000", "0"], None),
        (
            "1e6 cheap system calls (bar: 1.2)",
            "calls.c",
            ["getppid", "1000000"],
            Some(["filtered getppid", "1000000"]),
        ),
    ] {
        let program = compile(source, bench.directory);
        let mut rows = ["bare", "any filter", "unshare", "ptrace"].map(Row::new);
        // In turn, so that all meet the same machine.
        for _ in 0..bench.rounds(ROUNDS) {
            let [bare, any, unshare, ptrace] = &mut rows;
            for (row, args) in [(bare, Some(args)), (any, filtered)] {
                if let Some(args) = args {
                    row.clock.time(|| row.cpu.add(bare::run(&program, &args)));
                }
            }
            for (row, mode) in [(unshare, Mode::Unshare), (ptrace, Mode::Ptrace)] {
                let mut spec = spec_of(&program, &args);
                spec.mode = mode;
                row.clock
                    .time(|| row.cpu.add(run(&mut jail, spec).cpu_time));
            }
        }
        let [bare, ..] = &rows;
        for row in rows.iter().filter(|row| !row.cpu.is_empty()) {
            let [cpu, clock] = [&row.cpu, &row.clock].map(Sample::median);
            println!(
                "{:<42}{:>10.2}{:>10.4}{:>10.2}{:>10.4}{:>10.4}",
                format!("{name}, {}", row.name),
                cpu / 1e3,
                cpu / bare.cpu.median(),
                clock / 1e3,
                clock / bare.clock.median(),
                row.clock.quantile(0) / bare.clock.quantile(0),
            );
        }
    }
}

struct Row {
    name: &'static str,
    cpu: Sample,
    clock: Sample,
}

impl Row {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            cpu: Sample::default(),
            clock: Sample::default(),
        }
    }
}
