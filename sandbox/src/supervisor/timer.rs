//! A time at which to look at something, if nothing happens before.

use std::time::{Duration, Instant};

/// Due once its time has come, until it is set anew.
#[derive(Debug, Default)]
pub(super) struct Timer(Option<Instant>);

impl Timer {
    /// Due after this time; setting it again forgets what it was.
    pub(super) fn set(&mut self, after: Duration) {
        // Later than the clock can tell is never.
        self.0 = Instant::now().checked_add(after);
    }

    pub(super) fn unset(&mut self) {
        self.0 = None;
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.0.is_some_and(|due| due <= now)
    }

    /// When it is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.0
    }
}
