//! Finding out that a run does nothing.

use super::timer::Timer;
use crate::protocol::Failure;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// Looks in the time of one limit: more would find it sooner and wake the host
/// more often.
const LOOKS: u32 = 4;
/// Less than one part in so many of a core is nothing: timers of runtimes.
const PARTS: u32 = 100;

/// Since when a run has done nothing.
#[derive(Debug)]
pub(super) struct Idleness {
    limit: Duration,
    timer: Timer,
    last: Look,
    /// The last look up to which the run has done something.
    since: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Look {
    at: Instant,
    used: Duration,
}

impl Idleness {
    pub(super) fn new(limit: Duration) -> Result<Self, Failure> {
        let now = Instant::now();
        Ok(Self {
            limit,
            timer: Timer::new()?,
            last: Look {
                at: now,
                used: Duration::ZERO,
            },
            since: now,
        })
    }

    /// Starts to count, with the CPU time used up to now.
    pub(super) fn begin(&mut self, used: Duration) -> Result<(), Failure> {
        self.note(Look {
            at: Instant::now(),
            used,
        });
        self.since = self.last.at;
        self.timer.set(self.limit / LOOKS)
    }

    /// Whether the limit has passed, by the CPU time used up to now.
    pub(super) fn is_over(&mut self, used: Duration) -> Result<bool, Failure> {
        let now = Instant::now();
        self.note(Look { at: now, used });
        if now.duration_since(self.since) >= self.limit {
            self.timer.unset()?;
            return Ok(true);
        }
        self.timer.set(self.limit / LOOKS)?;
        Ok(false)
    }

    pub(super) fn end(&self) -> Result<(), Failure> {
        self.timer.unset()
    }

    fn note(&mut self, look: Look) {
        let elapsed = look.at.duration_since(self.last.at);
        if look.used.saturating_sub(self.last.used) >= elapsed / PARTS {
            self.since = look.at;
        }
        self.last = look;
    }
}

impl AsFd for Idleness {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.timer.as_fd()
    }
}
