//! Which verdicts another worker had better confirm: those that a host a little slower or
//! faster might have made another.

use assize_common::message::{KillCause, RunLimits, RunReport};

/// Why the verdict on these runs was a close call, if it was one: a run's CPU time was within so many
/// percent of the limit, or a run that computed for half of it was ended by the clock, on which others than
/// the program have an influence. Who mostly slept would sleep elsewhere, too.
///
/// A run that was ended for its CPU time is none: it was let go on for longer than
/// that, to see.
pub(crate) fn close_call(runs: &[RunReport], limits: &RunLimits, percent: u32) -> Option<String> {
    if percent == 0 {
        return None;
    }
    let limit = limits.cpu_time_ms;
    runs.iter().find_map(|run| match run.kill_cause {
        Some(KillCause::WallTime) if run.cpu_time_ms >= limit / 2 => Some(format!(
            "{} took {} ms on the clock and {} ms of CPU time",
            run.testcase, run.wall_time_ms, run.cpu_time_ms
        )),
        None if run.cpu_time_ms.abs_diff(limit).saturating_mul(100)
            <= limit.saturating_mul(u64::from(percent)) =>
        {
            Some(format!(
                "{} took {} ms of {limit}",
                run.testcase, run.cpu_time_ms
            ))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use assize_common::Verdict;

    use super::*;
    use crate::fixture;

    const LIMITS: RunLimits = RunLimits {
        cpu_time_ms: 1000,
        memory_bytes: 1 << 28,
        output_bytes: 1 << 20,
        processes: 1,
    };

    fn run() -> RunReport {
        fixture::run("1", Verdict::Ac)
    }

    fn of(cpu_time_ms: u64, kill_cause: Option<KillCause>) -> Option<String> {
        let quick = run();
        let run = RunReport {
            cpu_time_ms,
            wall_time_ms: 2 * cpu_time_ms,
            kill_cause,
            testcase: "2".into(),
            ..run()
        };
        close_call(&[quick, run], &LIMITS, 5)
    }

    #[test]
    fn times_on_both_sides_of_the_limit_are_close() {
        for time in [950, 999, 1000, 1001, 1050] {
            let reason = of(time, None).unwrap();
            assert_eq!(reason, format!("2 took {time} ms of 1000"));
        }
        for time in [0, 500, 949, 1051, 20_000] {
            assert_eq!(of(time, None), None, "{time}");
        }
    }

    #[test]
    fn what_was_ended_for_its_cpu_time_had_its_chance() {
        assert_eq!(of(1050, Some(KillCause::CpuTime)), None);
        assert_eq!(of(990, Some(KillCause::Memory)), None);
    }

    #[test]
    fn the_clock_is_not_the_programs_alone() {
        let reason = of(700, Some(KillCause::WallTime)).unwrap();
        assert_eq!(reason, "2 took 1400 ms on the clock and 700 ms of CPU time");
        assert_eq!(of(499, Some(KillCause::WallTime)), None);
        assert_eq!(of(700, Some(KillCause::Idle)), None);
    }

    #[test]
    fn nothing_is_close_to_those_who_do_not_ask() {
        let near = RunReport {
            cpu_time_ms: 1000,
            ..run()
        };
        assert_eq!(close_call(&[near], &LIMITS, 0), None);
    }
}
