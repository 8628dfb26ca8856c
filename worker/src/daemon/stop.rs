//! How a worker comes to its end: first it takes no more tasks and finishes what
//! runs, then it hands back what still runs.

use tokio_util::sync::CancellationToken;

/// Two switches that can't be reset. Clones are the same switches.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    drain: CancellationToken,
    hand_back: CancellationToken,
}

impl Stop {
    /// Takes no more tasks from now on.
    pub fn drain(&self) {
        self.drain.cancel();
    }

    /// Hands back what runs, and takes no more tasks either.
    pub fn hand_back(&self) {
        self.drain.cancel();
        self.hand_back.cancel();
    }

    /// Drains at the first call, hands back at the second.
    pub fn escalate(&self) {
        if self.drain.is_cancelled() {
            self.hand_back();
        } else {
            self.drain();
        }
    }

    pub(super) fn is_draining(&self) -> bool {
        self.drain.is_cancelled()
    }

    pub(super) async fn draining(&self) {
        self.drain.cancelled().await;
    }

    pub(super) async fn handing_back(&self) {
        self.hand_back.cancelled().await;
    }
}
