//! The feeder: makes the judgements of open rejudgings, as many at a time as the
//! relay of their lane can publish within moments. The rest are rows that cost
//! nothing, and can be paused or given up at once.

use std::time::Duration;

use assize_common::Lane;
use assize_common::telemetry::error_chain;
use tokio_util::sync::CancellationToken;

use crate::bell::Bells;
use crate::store::{Store, StoreError, rejudging_feed, round};

/// With so many tasks in the lane's outbox, the relay has enough to do until the
/// next look.
const ENOUGH: u32 = 1000;
/// Members whose judgements are made together.
const BATCH: u32 = 500;
const TICK: Duration = Duration::from_millis(250);

/// Feeds until stopped.
pub(crate) async fn run(store: Store, bells: Bells, stop: CancellationToken) {
    while stop
        .run_until_cancelled(tokio::time::sleep(TICK))
        .await
        .is_some()
    {
        if let Err(error) = round(feed(&store, &bells)).await {
            tracing::warn!(error = %error_chain(&error), "cannot ask for rejudging; trying again");
        }
    }
}

/// Feeds until there is enough in the lane, or nothing more to be asked for.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn feed(store: &Store, bells: &Bells) -> Result<(), StoreError> {
    loop {
        let fed = rejudging_feed(store, ENOUGH, BATCH).await?;
        if fed.judgements > 0 {
            tracing::debug!(judgements = fed.judgements, "asked for rejudging");
            bells.ring(Lane::Rejudge);
        }
        if !fed.more {
            return Ok(());
        }
    }
}
