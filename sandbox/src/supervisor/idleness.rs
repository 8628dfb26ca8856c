//! Finding out that a run does nothing.

use super::timer::Timer;
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
    pub(super) timer: Timer,
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
    pub(super) fn new(limit: Duration) -> Self {
        let now = Instant::now();
        Self {
            limit,
            timer: Timer::default(),
            last: Look {
                at: now,
                used: Duration::ZERO,
            },
            since: now,
        }
    }

    /// Starts to count, with the CPU time used up to now.
    pub(super) fn begin(&mut self, used: Duration) {
        self.note(Look {
            at: Instant::now(),
            used,
        });
        self.since = self.last.at;
        self.timer.set(self.limit / LOOKS);
    }

    /// Whether the limit has passed, by the CPU time used up to now.
    pub(super) fn is_over(&mut self, used: Duration) -> bool {
        let now = Instant::now();
        self.note(Look { at: now, used });
        if now.duration_since(self.since) >= self.limit {
            self.timer.unset();
            return true;
        }
        self.timer.set(self.limit / LOOKS);
        false
    }

    fn note(&mut self, look: Look) {
        let elapsed = look.at.duration_since(self.last.at);
        if look.used.saturating_sub(self.last.used) >= elapsed / PARTS {
            self.since = look.at;
        }
        self.last = look;
    }
}
