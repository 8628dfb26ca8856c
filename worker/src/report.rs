//! From facts to the reports that leave the process.

use std::time::Duration;

use assize_common::Verdict;
use assize_common::message::{Exit, KillCause as ReportedCause, RunReport};
use assize_sandbox::{Facts, KillCause, Outcome};

/// Whole milliseconds, rounded up: a program that ran at all took some time, and
/// one over its limit never looks as if it were within it.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// The report of a run.
pub(crate) fn run_report(
    testcase: &str,
    verdict: Verdict,
    facts: &Facts,
    message: Option<String>,
) -> RunReport {
    let (exit, kill_cause) = match &facts.outcome {
        Outcome::Exited { code } => (Exit::Exited { code: *code }, None),
        Outcome::Signalled { signal } => (Exit::Signalled { signal: *signal }, None),
        Outcome::Killed { cause } => (Exit::Killed, Some(reported(cause))),
    };
    RunReport {
        testcase: testcase.to_owned(),
        verdict,
        cpu_time_ms: milliseconds(facts.cpu_time),
        wall_time_ms: milliseconds(facts.wall_time),
        memory_bytes: facts.memory_peak.as_u64(),
        exit,
        kill_cause,
        message,
        team_message: None,
        award: None,
        failure: None,
        difference: None,
        transcripts: Vec::new(),
        key: None,
        reused_from: None,
        key_parts: None,
        validated_again: None,
    }
}

const fn reported(cause: &KillCause) -> ReportedCause {
    match cause {
        KillCause::CpuTime => ReportedCause::CpuTime,
        KillCause::WallTime => ReportedCause::WallTime,
        KillCause::Idle => ReportedCause::Idle,
        KillCause::Memory => ReportedCause::Memory,
        KillCause::Output => ReportedCause::Output,
        KillCause::Processes => ReportedCause::Processes,
        KillCause::Policy { .. } => ReportedCause::Policy,
        KillCause::Cancelled => ReportedCause::Cancelled,
    }
}

/// What the facts say in words, for runs that no validator speaks about.
pub(crate) fn explanation(facts: &Facts, cpu_limit: Duration) -> String {
    match &facts.outcome {
        Outcome::Killed {
            cause: KillCause::WallTime,
        } => {
            format!(
                "still running after {:.1?}, with {:.3?} of CPU time used",
                facts.wall_time, facts.cpu_time
            )
        }
        Outcome::Killed {
            cause: KillCause::Idle,
        } => format!(
            "did nothing any more; ended after {:.1?}, with {:.3?} of CPU time used",
            facts.wall_time, facts.cpu_time
        ),
        Outcome::Killed {
            cause: KillCause::CpuTime,
        } => format!("used more than {cpu_limit:?} of CPU time"),
        _ if facts.cpu_time > cpu_limit => {
            format!(
                "ended by itself after {:.3?} of CPU time, {cpu_limit:?} are allowed",
                facts.cpu_time
            )
        }
        Outcome::Killed {
            cause: KillCause::Memory,
        } => "used more memory than allowed".to_owned(),
        Outcome::Killed {
            cause: KillCause::Output,
        } => "wrote more than allowed".to_owned(),
        Outcome::Killed {
            cause: KillCause::Processes,
        } => "started more processes than allowed".to_owned(),
        Outcome::Killed {
            cause: KillCause::Policy { syscall },
        } => {
            format!(
                "forbidden system call: {}",
                syscall.as_deref().unwrap_or("unknown")
            )
        }
        Outcome::Killed {
            cause: KillCause::Cancelled,
        } => "cancelled".to_owned(),
        Outcome::Exited { code } => format!("exit code {code}"),
        Outcome::Signalled { signal } => {
            format!("ended by signal {signal}{}", signal_name(*signal))
        }
    }
}

const fn signal_name(signal: i32) -> &'static str {
    match signal {
        4 => " (SIGILL)",
        6 => " (SIGABRT)",
        7 => " (SIGBUS)",
        8 => " (SIGFPE)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV)",
        13 => " (SIGPIPE)",
        _ => "",
    }
}

/// The last words of a longer text, for messages.
pub(crate) fn tail(text: &str, max_bytes: usize) -> &str {
    let text = text.trim_end();
    let mut start = text.len().saturating_sub(max_bytes);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_rounded_up() {
        assert_eq!(milliseconds(Duration::ZERO), 0);
        assert_eq!(milliseconds(Duration::from_micros(1)), 1);
        assert_eq!(milliseconds(Duration::from_millis(1000)), 1000);
        assert_eq!(milliseconds(Duration::from_nanos(1_000_000_001)), 1001);
    }

    #[test]
    fn tails_end_at_characters() {
        assert_eq!(tail("abc\n", 2), "bc");
        assert_eq!(tail("aéé", 3), "é");
        assert_eq!(tail("short", 100), "short");
    }
}
