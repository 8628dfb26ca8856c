//! Ending a run from another thread.

use nix::sys::eventfd::{EfdFlags, EventFd};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// Ends one run of a jail; see `Jail::canceller`.
#[derive(Clone, Debug)]
pub struct Canceller {
    run: u64,
    shared: Arc<Shared>,
}

impl Canceller {
    /// Ends the run as `KillCause::Cancelled`; nothing happens when it has
    /// already ended. Does not wait.
    pub fn cancel(&self) {
        let mut state = self.shared.lock();
        if state.next == self.run {
            state.early = true;
        } else if state.running == Some(self.run) {
            self.shared.raise();
        }
    }
}

/// Which run a cancel is for is decided under one lock, so that it can't hit
/// the run after it.
#[derive(Debug)]
pub(crate) struct Shared {
    event: EventFd,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Number of the run to come.
    next: u64,
    running: Option<u64>,
    /// The run to come was cancelled already.
    early: bool,
}

impl Shared {
    pub(crate) fn new() -> io::Result<Arc<Self>> {
        let event = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        Ok(Arc::new(Self {
            event,
            state: Mutex::default(),
        }))
    }

    pub(crate) fn event(&self) -> &EventFd {
        &self.event
    }

    pub(crate) fn canceller(self: &Arc<Self>) -> Canceller {
        Canceller {
            run: self.lock().next,
            shared: Arc::clone(self),
        }
    }

    /// The next run begins.
    pub(crate) fn begin(&self) {
        let mut state = self.lock();
        state.running = Some(state.next);
        state.next += 1;
        if std::mem::take(&mut state.early) {
            self.raise();
        }
    }

    /// The run has ended; a cancel that came too late is forgotten.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.running = None;
        // Nothing to read is the common case.
        if let Err(error) = self.event.read() {
            tracing::trace!(%error, "no late cancel");
        }
    }

    fn raise(&self) {
        // Fails only when it is raised 2^64 times already.
        if let Err(error) = self.event.write(1) {
            tracing::warn!(%error, "cancel not delivered");
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
