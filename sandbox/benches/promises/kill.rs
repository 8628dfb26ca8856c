//! How soon is a program dead that has passed a limit of time?

use crate::program::compile;
use crate::sample::Sample;
use crate::{Bench, spec_of};
use assize_sandbox::{Facts, KillCause, Mode, Outcome};
use std::time::Duration;

const RUNS: usize = 500;
const LIMIT: Duration = Duration::from_millis(20);

pub(crate) fn table(bench: &Bench<'_>) {
    let program = compile("end.c", bench.directory);
    let mut jail = bench.jail();
    println!(
        "{:<40}{:>8}{:>8}{:>8}{:>8}",
        "us from overrun to end (bar: p99 1000)", "median", "p90", "p99", "most"
    );
    let cpu_time: fn(&Facts) -> Duration = |facts| facts.cpu_time;
    let wall_time: fn(&Facts) -> Duration = |facts| facts.wall_time;
    for (name, kind, cause, measured) in [
        ("CPU limit", "spin", KillCause::CpuTime, cpu_time),
        (
            "wall limit, sleeping",
            "sleep",
            KillCause::WallTime,
            wall_time,
        ),
        (
            "wall limit, spinning",
            "spin",
            KillCause::WallTime,
            wall_time,
        ),
    ] {
        for mode in [Mode::Unshare, Mode::Ptrace] {
            let mut over = Sample::default();
            for _ in 0..bench.rounds(RUNS) {
                let mut spec = spec_of(&program, &[kind]);
                spec.mode = mode;
                match cause {
                    KillCause::CpuTime => spec.limits.cpu_time = LIMIT,
                    _ => spec.limits.wall_time = LIMIT,
                }
                let facts = jail.run(spec).unwrap();
                let killed = Outcome::Killed {
                    cause: cause.clone(),
                };
                assert_eq!(facts.outcome, killed, "{facts:?}");
                over.add(measured(&facts).saturating_sub(LIMIT));
            }
            println!(
                "{:<40}{:>8.0}{:>8.0}{:>8.0}{:>8.0}",
                format!("{name}, {mode:?}"),
                over.median(),
                over.quantile(90),
                over.quantile(99),
                over.quantile(100),
            );
        }
    }
}
