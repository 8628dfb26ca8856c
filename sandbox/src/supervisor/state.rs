//! What a run has come to, and what is told of it.

use super::outcome::{Record, decide};
use super::own_time::tracing_time;
use super::run::Done;
use crate::cgroup::Group;
use crate::facts::{Activity, Facts, KillCause, Left};
use crate::limits::Limits;
use crate::protocol::Failure;
use bytesize::ByteSize;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What a run has come to.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) init: Option<OwnedFd>,
    pub(super) started: Option<Instant>,
    pub(super) setup_time: Duration,
    pub(super) ended: Option<Ended>,
    pub(super) failure: Option<Failure>,
    pub(super) killed: Option<KillCause>,
    /// Killed for no cause of the program's.
    pub(super) abandoned: bool,
    pub(super) worker_gone: bool,
    pub(super) finished: bool,
    /// The filter of this run could not but kill for a forbidden call.
    pub(super) filter_kills: bool,
    pub(super) left: Left,
    pub(super) cancelled: bool,
    pub(super) processes_refused: u64,
    /// Bytes captured.
    pub(super) output: u64,
    /// Bytes in files that count as output.
    pub(super) files: u64,
    pub(super) wall_time: Duration,
}

#[derive(Debug)]
pub(super) struct Ended {
    pub(super) status: i32,
    pub(super) oversized: bool,
    pub(super) collected: Vec<(PathBuf, u64)>,
    pub(super) unfit: Vec<PathBuf>,
    pub(super) contents: Vec<OwnedFd>,
    pub(super) forbidden: Option<String>,
    pub(super) activity: Activity,
}

impl State {
    /// The program has ended after so much time. If it was in time, what was not is
    /// what came after: proving that nothing is left, say.
    pub(super) fn note_wall_time(&mut self, wall_time: Duration, limits: &Limits) {
        self.wall_time = wall_time;
        if self.killed == Some(KillCause::WallTime) && wall_time <= limits.wall_time {
            self.killed = None;
        }
    }

    /// What is told to the worker.
    pub(super) fn conclude(
        self,
        group: &Group,
        limits: &Limits,
        audit: Option<&File>,
    ) -> Result<Done, Failure> {
        if self.worker_gone {
            return Ok(Done::WorkerGone);
        }
        let exec_out_of_memory = matches!(
            &self.failure,
            Some(Failure::Exec { errno, .. }) if *errno == libc::ENOMEM
        );
        if let Some(failure) = self.failure.filter(|_| !exec_out_of_memory) {
            // A cancelled run may fail on the way; it was still cancelled.
            if self.killed != Some(KillCause::Cancelled) {
                return Err(failure);
            }
        }
        let usage = group.usage()?;
        let tracing_time = tracing_time(&usage, audit)?;
        let cpu_time = usage.cpu.saturating_sub(tracing_time);
        let (mut status, mut oversized, mut forbidden) = (None, false, None);
        let (mut collected, mut contents, mut activity) = (Vec::new(), Vec::new(), None);
        let mut unfit = Vec::new();
        if let Some(ended) = self.ended {
            status = Some(ended.status);
            oversized = ended.oversized;
            forbidden = ended.forbidden;
            collected = ended.collected;
            contents = ended.contents;
            unfit = ended.unfit;
            activity = Some(ended.activity);
        }
        let mut memory_peak = usage.memory_peak;
        if !group.tells_memory_peak() {
            let resident = activity.map_or(0, |activity| activity.resident_peak.as_u64());
            memory_peak = memory_peak.max(resident).min(limits.memory.as_u64());
        }
        let outcome = decide(Record {
            killed: self.killed,
            status,
            memory_kills: usage.memory_kills,
            processes_refused: self.processes_refused.max(group.processes_refused()?),
            cpu_time,
            cpu_limit: limits.cpu_time,
            wall_time: self.wall_time,
            wall_limit: limits.wall_time,
            output_is_over: limits.output_is_over(self.output, self.files),
            oversized,
            exec_out_of_memory,
            forbidden,
            filter_kills: self.filter_kills,
        })
        .ok_or_else(|| Failure::Step {
            step: "learn how the program ended".to_owned(),
            errno: libc::EPROTO,
        })?;
        Ok(Done::Facts {
            facts: Box::new(Facts {
                outcome,
                cpu_time,
                user_time: usage.user,
                system_time: usage.system.saturating_sub(tracing_time),
                tracing_time,
                wall_time: self.wall_time,
                setup_time: self.setup_time,
                memory_peak: ByteSize::b(memory_peak),
                output: ByteSize::b(self.output),
                files: ByteSize::b(self.files),
                processes_peak: usage.processes_peak,
                activity,
                stalls: usage.stalls,
                left: self.left,
                collected: Vec::new(),
                unfit,
                audit: None,
            }),
            collected,
            contents,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_program_that_was_late_is_late() {
        let second = Duration::from_secs(1);
        let limits = Limits {
            wall_time: second,
            ..Limits::of_tests()
        };
        let killed = |cause, wall_time| {
            let mut state = State {
                killed: Some(cause),
                ..State::default()
            };
            state.note_wall_time(wall_time, &limits);
            state.killed
        };
        assert_eq!(killed(KillCause::WallTime, second), None);
        let late = second + Duration::from_micros(1);
        assert_eq!(killed(KillCause::WallTime, late), Some(KillCause::WallTime));
        assert_eq!(killed(KillCause::Idle, second), Some(KillCause::Idle));
    }
}
