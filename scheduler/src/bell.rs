//! The bell that wakes relays: rung by whoever adds to the outbox in this
//! process, by other processes through Postgres' notifications, and when workers
//! have taken tasks up and made room for more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use assize_common::Lane;
use assize_common::telemetry::error_chain;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::store::{Listener, OUTBOX_CHANNEL, Store};

const RETRY: Duration = Duration::from_secs(1);

/// One bell for each lane.
#[derive(Debug, Clone, Default)]
pub struct Bells(Arc<[Bell; Lane::ALL.len()]>);

/// How soon a relay looks again whose lane was full, when there is more to publish and nobody said that there is
/// room: each submission would make it look in vain.
const AGAIN: Duration = Duration::from_millis(50);

#[derive(Debug, Default)]
struct Bell {
    /// There is more to publish.
    rung: Notify,
    /// There may be room for more.
    room: Notify,
    /// Whether the lane's relay waits for room.
    full: AtomicBool,
}

impl Bells {
    /// Returns when the lane's bell has rung since the last time, and it is worth a look.
    pub(crate) async fn rung(&self, lane: Lane) {
        let bell = self.of(lane);
        let more = async {
            if bell.full.load(Ordering::Relaxed) {
                tokio::time::sleep(AGAIN).await;
            }
            bell.rung.notified().await;
        };
        tokio::select! {
            () = more => {}
            () = bell.room.notified() => {}
        }
    }

    /// There is something new to publish.
    pub(crate) fn ring(&self, lane: Lane) {
        self.of(lane).rung.notify_one();
    }

    /// The lane's relay waits for room, or does not any more.
    pub(crate) fn note_full(&self, lane: Lane, full: bool) {
        self.of(lane).full.store(full, Ordering::Relaxed);
    }

    /// Some lane may have room again.
    pub(crate) fn ring_where_full(&self) {
        for lane in Lane::ALL {
            if self.of(lane).full.load(Ordering::Relaxed) {
                self.of(lane).room.notify_one();
            }
        }
    }

    fn of(&self, lane: Lane) -> &Bell {
        &self.0[lane as usize]
    }

    fn ring_all(&self) {
        Lane::ALL.into_iter().for_each(|lane| self.ring(lane));
    }
}

/// Listens to Postgres and rings, until stopped. While it can't listen, relays
/// go by their timers.
pub(crate) async fn listen(store: Store, bells: Bells, stop: CancellationToken) {
    let listening = async {
        loop {
            match store.listen(OUTBOX_CHANNEL).await {
                Ok(listener) => {
                    bells.ring_all();
                    forward(listener, &bells).await;
                }
                Err(error) => {
                    tracing::debug!(error = %error_chain(&error), "cannot listen to Postgres");
                }
            }
            tokio::time::sleep(RETRY).await;
        }
    };
    stop.run_until_cancelled(listening).await;
}

async fn forward(mut listener: Listener, bells: &Bells) {
    while let Some(notification) = listener.next().await {
        match notification.payload().parse() {
            Ok(lane) => bells.ring(lane),
            Err(_) => bells.ring_all(),
        }
    }
}
