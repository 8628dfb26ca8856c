//! Programs near their CPU limit, in both modes: what tracing is charged to a
//! program must not decide about it.

use super::fastest;
use crate::spec::spec;
use assize_sandbox::{AuditLevel, Facts, Jail, KillCause, Mode, Outcome};
use std::fs::File;
use std::path::Path;
use std::time::Duration;

/// Rounds of computing: some 200 ms.
const ROUNDS: u32 = 200_000;
/// Traced calls. Many take as long as the computing.
const CALLS: [u32; 2] = [10, 50_000];
/// Of its limit, in percent, what the program uses without a tracer.
const SHARES: [u32; 8] = [60, 80, 90, 95, 98, 102, 105, 120];
/// Runs for each of them.
const RUNS: usize = 5;

/// Prints how often a program stays within its limit.
pub(crate) fn table(jail: &mut Jail, work: &Path) {
    println!(
        "\n{:<12}{:>8}{:>12}{:>12}{:>14}{:>14}",
        "calls", "share", "unshare", "ptrace", "used, %", "uncorrected"
    );
    for calls in CALLS {
        let mut run = |mode: Mode, limit: Duration| {
            let args = ["work", &ROUNDS.to_string(), &calls.to_string()];
            let mut spec = spec(args.map(str::to_owned).to_vec());
            spec.executable = Some(File::open(work).unwrap().into());
            spec.limits.cpu_time = limit;
            spec.mode = mode;
            spec.audit = AuditLevel::Summary;
            jail.run(spec).unwrap()
        };
        let ample = Duration::from_secs(60);
        for share in SHARES {
            // Anew each time: a virtual machine's processor is faster in one minute than in the next.
            let own = fastest(|| run(Mode::Unshare, ample).cpu_time);
            let limit = own * 100 / share;
            let (mut untraced, mut traced) = (Vec::new(), Vec::new());
            for _ in 0..RUNS {
                untraced.push(run(Mode::Unshare, limit));
                traced.push(run(Mode::Ptrace, limit));
            }
            let least = traced.iter().map(|facts| facts.cpu_time).min().unwrap();
            let charged = traced.iter().map(|facts| facts.tracing_time).max().unwrap();
            println!(
                "{calls:<12}{share:>6} %{:>12}{:>12}{:>14.1}{:>14.1}",
                within(&untraced),
                within(&traced),
                percent(least, limit),
                percent(least + charged, limit),
            );
        }
    }
}

fn within(runs: &[Facts]) -> String {
    let over = Outcome::Killed {
        cause: KillCause::CpuTime,
    };
    let within = runs.iter().filter(|facts| facts.outcome != over).count();
    format!("{within} of {}", runs.len())
}

fn percent(time: Duration, limit: Duration) -> f64 {
    100.0 * time.as_secs_f64() / limit.as_secs_f64()
}
