//! How a run ended, from what was recorded while it ran.

use crate::facts::{KillCause, Outcome};
use std::time::Duration;

/// What is known of a finished run.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    /// The supervisor killed the run for this.
    pub(super) killed: Option<KillCause>,
    /// The main program's status as `waitpid` tells it, if it ended by itself.
    pub(super) status: Option<i32>,
    /// Processes that the kernel killed for the memory limit.
    pub(super) memory_kills: u64,
    /// Times that the kernel refused a process for the limit.
    pub(super) processes_refused: u64,
    /// CPU time used, and the limit.
    pub(super) cpu_time: Duration,
    pub(super) cpu_limit: Duration,
    /// From before its start to its end, and the limit.
    pub(super) wall_time: Duration,
    pub(super) wall_limit: Duration,
    /// More was written than allowed, to streams and files.
    pub(super) output_is_over: bool,
    /// The image alone is larger than the memory limit.
    pub(super) oversized: bool,
    /// `execve` failed for want of memory.
    pub(super) exec_out_of_memory: bool,
    /// The tracer killed the run for this system call.
    pub(super) forbidden: Option<String>,
    /// The filter kills for a system call, and tells nobody.
    pub(super) filter_kills: bool,
}

/// One outcome, by this precedence: somebody's wish to cancel; what the kernel
/// or the tracer killed for; what the supervisor killed for; limits found
/// passed at the end; the program's own end. None when nothing is known.
pub(super) fn decide(record: Record) -> Option<Outcome> {
    if record.killed == Some(KillCause::Cancelled) {
        return killed(KillCause::Cancelled);
    }
    // What comes after a process was killed for memory (waiting for ever,
    // say) follows from that.
    if record.memory_kills > 0 || record.exec_out_of_memory {
        return killed(KillCause::Memory);
    }
    if record.forbidden.is_some() {
        return killed(KillCause::Policy {
            syscall: record.forbidden,
        });
    }
    if let Some(cause) = record.killed {
        return killed(cause);
    }
    if record.processes_refused > 0 {
        return killed(KillCause::Processes);
    }
    // Between two looks at the clock.
    if record.cpu_time > record.cpu_limit {
        return killed(KillCause::CpuTime);
    }
    if record.output_is_over {
        return killed(KillCause::Output);
    }
    let status = record.status?;
    // The timer is set when the start is heard of, a moment later.
    if record.wall_time > record.wall_limit {
        return killed(KillCause::WallTime);
    }
    if !libc::WIFSIGNALED(status) {
        return Some(Outcome::Exited {
            code: libc::WEXITSTATUS(status),
        });
    }
    match libc::WTERMSIG(status) {
        libc::SIGSYS if record.filter_kills => killed(KillCause::Policy { syscall: None }),
        libc::SIGXFSZ => killed(KillCause::Output),
        libc::SIGSEGV | libc::SIGKILL if record.oversized => killed(KillCause::Memory),
        signal => Some(Outcome::Signalled { signal }),
    }
}

fn killed(cause: KillCause) -> Option<Outcome> {
    Some(Outcome::Killed { cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exited(code: i32) -> Record {
        Record {
            status: Some(code << 8),
            ..Record::default()
        }
    }

    fn signalled(signal: i32) -> Record {
        Record {
            status: Some(signal),
            ..Record::default()
        }
    }

    fn cause(record: Record) -> KillCause {
        match decide(record) {
            Some(Outcome::Killed { cause }) => cause,
            other => panic!("not killed: {other:?}"),
        }
    }

    #[test]
    fn own_end_is_reported_as_it_is() {
        assert_eq!(decide(exited(3)), Some(Outcome::Exited { code: 3 }));
        assert_eq!(
            decide(signalled(libc::SIGABRT)),
            Some(Outcome::Signalled {
                signal: libc::SIGABRT
            })
        );
    }

    #[test]
    fn nothing_known_is_no_outcome() {
        assert_eq!(decide(Record::default()), None);
    }

    #[test]
    fn memory_kill_explains_what_came_after() {
        let record = Record {
            killed: Some(KillCause::WallTime),
            memory_kills: 1,
            ..Record::default()
        };
        assert_eq!(cause(record), KillCause::Memory);
    }

    #[test]
    fn bare_kill_signal_is_not_guessed_at() {
        assert_eq!(
            decide(signalled(libc::SIGKILL)),
            Some(Outcome::Signalled {
                signal: libc::SIGKILL
            })
        );
    }

    #[test]
    fn output_over_the_limit_counts_even_after_a_good_exit() {
        let record = Record {
            output_is_over: true,
            ..exited(0)
        };
        assert_eq!(cause(record), KillCause::Output);
    }

    #[test]
    fn cpu_time_over_the_limit_counts_even_after_a_good_exit() {
        let limit = Duration::from_secs(1);
        let record = |cpu_time| Record {
            cpu_time,
            cpu_limit: limit,
            ..exited(0)
        };
        assert_eq!(
            cause(record(limit + Duration::from_micros(1))),
            KillCause::CpuTime
        );
        assert_eq!(decide(record(limit)), Some(Outcome::Exited { code: 0 }));
    }

    #[test]
    fn wall_time_over_the_limit_counts_even_after_a_good_exit() {
        let limit = Duration::from_secs(1);
        let record = |wall_time| Record {
            wall_time,
            wall_limit: limit,
            ..exited(0)
        };
        let late = limit + Duration::from_micros(1);
        assert_eq!(cause(record(late)), KillCause::WallTime);
        assert_eq!(decide(record(limit)), Some(Outcome::Exited { code: 0 }));
    }

    /// The supervisor would have heard of a call; the program has sent it to itself.
    #[test]
    fn signal_of_a_filter_that_does_not_kill_is_the_programs_own() {
        assert_eq!(
            decide(signalled(libc::SIGSYS)),
            Some(Outcome::Signalled {
                signal: libc::SIGSYS
            })
        );
    }

    #[test]
    fn signals_of_the_sandbox_have_their_cause() {
        assert_eq!(cause(signalled(libc::SIGXFSZ)), KillCause::Output);
        let record = Record {
            filter_kills: true,
            ..signalled(libc::SIGSYS)
        };
        assert_eq!(cause(record), KillCause::Policy { syscall: None });
        let record = Record {
            oversized: true,
            ..signalled(libc::SIGSEGV)
        };
        assert_eq!(cause(record), KillCause::Memory);
    }
}
