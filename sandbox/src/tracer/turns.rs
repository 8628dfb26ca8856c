//! Who goes on next, and that everybody gets somewhere.

use super::freeze::state;
use super::{Tracer, nothing_left};
use crate::protocol::Failure;
use crate::sys::process::{self, Waited};
use nix::unistd::Pid;
use std::time::{Duration, Instant};

/// Between two looks at who has stopped.
const LOOK_EVERY: Duration = Duration::from_micros(50);

/// The time that others stand still for, and get back.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// Since when all but one stand still.
    frozen: Option<Instant>,
    /// When they may have to again.
    again: Option<Instant>,
}

impl Turns {
    pub(super) fn freeze(&mut self) {
        self.frozen = Some(Instant::now());
    }

    /// They go on, if they stood still: for as long at least.
    pub(super) fn thaw(&mut self) {
        if let Some(frozen) = self.frozen.take() {
            let now = Instant::now();
            self.again = Some(now + now.duration_since(frozen));
        }
    }
}

impl Tracer<'_> {
    /// What has happened next. Everybody who has stopped gets a turn before
    /// anybody gets a second one: the kernel would tell of the newest thread
    /// first, and one that stops again at once could keep the others waiting
    /// for ever.
    pub(super) fn next_in_turn(&mut self) -> Result<Waited, Failure> {
        loop {
            while let Some(waited) = self.waiting.pop_front() {
                // Killed or replaced by an exec since: that is heard of instead.
                let since = process::has_news(waited.pid);
                if !since.map_err(Failure::step("look at a thread"))? {
                    return Ok(waited);
                }
            }
            let first = process::wait(None)
                .map_err(Failure::step("wait for the program"))?
                .ok_or_else(nothing_left)?;
            if self.tasks.is_one() {
                self.note_birth(&first)?;
                return Ok(first);
            }
            self.put_off(first)?;
            while let Some(other) =
                process::wait_now(None).map_err(Failure::step("wait for the program"))?
            {
                self.put_off(other)?;
            }
        }
    }

    /// Returns when others than this thread, which stands at a call, had as much time as
    /// they have lost by the last one that they had to stand still for, or sleep by
    /// themselves. Or those who make such calls in a loop would stop all others before these
    /// have done anything, where looking takes longer than getting to the next call.
    pub(super) fn let_others_run(&mut self, thread: Pid) -> Result<(), Failure> {
        let Some(again) = self.turns.again else {
            return Ok(());
        };
        // Who has been let go on a moment ago gets to where it sleeps.
        std::thread::yield_now();
        while Instant::now() < again {
            let waited =
                process::wait_now(None).map_err(Failure::step("wait for who is let run"))?;
            match waited {
                Some(waited) => self.put_off(waited)?,
                None if !self.others_run(thread)? => break,
                // It is on our core.
                None => std::thread::sleep(LOOK_EVERY),
            }
        }
        Ok(())
    }

    /// Whether time is of use to somebody: not to who sleeps.
    fn others_run(&self, thread: Pid) -> Result<bool, Failure> {
        for other in self.tasks.running_besides(thread) {
            if state(other)? == Some(b'R') {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
