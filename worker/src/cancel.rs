//! Cancelling a judgement from another thread.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use assize_sandbox::Canceller;
use tokio_util::sync::CancellationToken;

use crate::judging_error::JudgingError;

/// A switch shared by whoever judges and whoever may stop it. Clones are the
/// same switch; it can't be reset.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    cancelled: CancellationToken,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// The runs to end, by number.
    running: Vec<(u64, Canceller)>,
    next_number: u64,
}

impl Cancel {
    /// Ends what runs and keeps anything from being started. Does not wait.
    pub fn cancel(&self) {
        let mut state = self.lock();
        // Under the lock, or a run might come to be watched in between.
        self.cancelled.cancel();
        state
            .running
            .drain(..)
            .for_each(|(_, canceller)| canceller.cancel());
    }

    /// Whether somebody cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.is_cancelled()
    }

    /// Returns once somebody cancels.
    pub(crate) async fn cancelled(&self) {
        self.cancelled.cancelled().await;
    }

    /// Lets `canceller` be used until the guard is dropped.
    pub(crate) fn watch(&self, canceller: Canceller) -> Result<Watch<'_>, JudgingError> {
        let mut state = self.lock();
        if self.is_cancelled() {
            return Err(JudgingError::Cancelled);
        }
        let number = state.next_number;
        state.next_number += 1;
        state.running.push((number, canceller));
        Ok(Watch {
            cancel: self,
            number,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is complete before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A run that can be cancelled.
#[derive(Debug)]
pub(crate) struct Watch<'a> {
    cancel: &'a Cancel,
    number: u64,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.cancel
            .lock()
            .running
            .retain(|(number, _)| *number != self.number);
    }
}
