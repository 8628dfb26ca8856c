//! Waiting for whatever happens first.

use super::Watch;
use crate::protocol::Failure;
use crate::supervisor::timer::Timer;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use std::os::fd::AsFd;
use std::time::Instant;

/// What can happen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Events {
    pub(super) jail: bool,
    pub(super) worker: bool,
    pub(super) cancel: bool,
    pub(super) deadline: bool,
    pub(super) cpu: bool,
    pub(super) processes: bool,
    pub(super) forbidden: bool,
    pub(super) idle: bool,
    pub(super) rested: bool,
    pub(super) pumps: [bool; 2],
}

impl Watch<'_> {
    /// Waits until something has happened.
    pub(super) fn poll(&self) -> Result<Events, Failure> {
        let input = PollFlags::POLLIN;
        let mut set = vec![
            PollFd::new(self.stage.channel.as_fd(), input),
            PollFd::new(self.group.process_events(), PollFlags::POLLPRI),
        ];
        let mut watch = |fd, flags| {
            set.push(PollFd::new(fd, flags));
            set.len() - 1
        };
        // A level stays up once it is known; polling it again would spin, at a
        // priority that lets nobody end.
        let nothing = PollFlags::empty();
        let worker = (!self.state.worker_gone).then(|| watch(self.worker.as_fd(), nothing));
        let cancel = (!self.state.cancelled).then(|| watch(self.setup.cancel.as_fd(), input));
        let listener = self.stage.listener.as_ref();
        let listener = listener.filter(|_| self.state.killed.is_none());
        let forbidden = listener.map(|listener| watch(listener.as_fd(), input));
        let rests = self.pump_timer.due().is_some();
        let mut pumps = [None; 2];
        for (place, pump) in pumps.iter_mut().zip(&self.pumps) {
            let source = pump.source().filter(|_| !rests);
            *place = source.map(|source| watch(source, input));
        }
        let idle = self.idleness.as_ref().map(|idleness| &idleness.timer);
        let timers = [
            Some(&self.deadline),
            Some(&self.cpu_timer),
            Some(&self.pump_timer),
            idle,
        ];
        let due = timers.into_iter().flatten().filter_map(Timer::due).min();
        loop {
            let left = due.map(|due| due.saturating_duration_since(Instant::now()));
            match ppoll(&mut set, left.map(Into::into), None) {
                Err(Errno::EINTR) => {}
                other => {
                    other.map_err(Failure::step("poll"))?;
                    break;
                }
            }
        }
        let now = Instant::now();
        let raised = |index: usize| {
            set.get(index)
                .and_then(PollFd::revents)
                .is_some_and(|flags| !flags.is_empty())
        };
        Ok(Events {
            jail: raised(0),
            worker: worker.is_some_and(raised),
            deadline: self.deadline.is_due(now),
            cpu: self.cpu_timer.is_due(now),
            processes: raised(1) && !self.state.finished,
            cancel: cancel.is_some_and(raised),
            // Without a call it says that nobody is left who could make one.
            forbidden: forbidden.is_some_and(|index| {
                let flags = set.get(index).and_then(PollFd::revents);
                flags.is_some_and(|flags| flags.contains(input))
            }),
            idle: idle.is_some_and(|idle| idle.is_due(now)),
            rested: self.pump_timer.is_due(now),
            pumps: pumps.map(|pump| pump.is_some_and(raised)),
        })
    }
}
