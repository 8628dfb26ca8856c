//! A one-shot timer to be polled.

use crate::protocol::Failure;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Timer(TimerFd);

impl Timer {
    pub(super) fn new() -> Result<Self, Failure> {
        let flags = TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK;
        TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)
            .map(Self)
            .map_err(Failure::step("make a timer"))
    }

    /// Fires once after this time; setting it again forgets what it was.
    pub(super) fn set(&self, after: Duration) -> Result<(), Failure> {
        // Zero would disarm it.
        let after = after.max(Duration::from_micros(1));
        self.0
            .set(
                Expiration::OneShot(after.into()),
                TimerSetTimeFlags::empty(),
            )
            .map_err(Failure::step("set a timer"))
    }

    pub(super) fn unset(&self) -> Result<(), Failure> {
        self.0.unset().map_err(Failure::step("unset a timer"))
    }
}

impl AsFd for Timer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
