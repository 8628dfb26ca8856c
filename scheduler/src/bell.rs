//! The bell that wakes relays: rung by whoever adds to the outbox, in this
//! process or another, through Postgres' notifications.

use std::sync::Arc;
use std::time::Duration;

use assize_common::Lane;
use assize_common::telemetry::error_chain;
use sqlx::postgres::PgListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::store::{OUTBOX_CHANNEL, Store};

const RETRY: Duration = Duration::from_secs(1);

/// One bell for each lane.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bells(Arc<[Notify; Lane::ALL.len()]>);

impl Bells {
    /// Returns when the lane's bell has rung since the last time.
    pub(crate) async fn rung(&self, lane: Lane) {
        self.of(lane).notified().await;
    }

    fn of(&self, lane: Lane) -> &Notify {
        &self.0[lane as usize]
    }

    fn ring(&self, lane: Lane) {
        self.of(lane).notify_one();
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

async fn forward(mut listener: PgListener, bells: &Bells) {
    // `None` is a lost connection, with whatever was said meanwhile.
    while let Ok(Some(notification)) = listener.try_recv().await {
        match notification.payload().parse() {
            Ok(lane) => bells.ring(lane),
            Err(_) => bells.ring_all(),
        }
    }
}
