//! The reconciler: judgements whose worker is not heard of within its lease get
//! a new attempt, or end in a judging error when that happens too often.
//!
//! Woken by a timer, it takes no input and is idempotent; several schedulers
//! share the work by skipping what another one has locked.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use assize_common::telemetry::error_chain;
use tokio_util::sync::CancellationToken;

use crate::reports::Effect;
use crate::settings::Settings;
use crate::store::{Failure, Store, StoreError, judgement_fail, judgement_list_expired};

const BATCH: u16 = 100;

/// Since when reports are heard without interruption. A worker can't be blamed
/// for silence while nobody listens.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hearing(Arc<Mutex<Option<Instant>>>);

impl Hearing {
    /// Reports are heard from now on, or still are.
    pub(crate) fn goes_on(&self) {
        self.lock().get_or_insert_with(Instant::now);
    }

    /// Reports are not heard any more.
    pub(crate) fn is_interrupted(&self) {
        *self.lock() = None;
    }

    fn lasts(&self, time: Duration) -> bool {
        self.lock().is_some_and(|since| since.elapsed() >= time)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Looks for expired leases until stopped.
pub(crate) async fn run(
    store: Store,
    settings: Settings,
    hearing: Hearing,
    stop: CancellationToken,
) {
    let tick = settings.tick();
    while stop
        .run_until_cancelled(tokio::time::sleep(tick))
        .await
        .is_some()
    {
        // Every worker that lives sends a heartbeat within a third of the lease.
        if !hearing.lasts(settings.lease / 2) {
            continue;
        }
        if let Err(error) = expire_leases(&store, settings).await {
            tracing::warn!(error = %error_chain(&error), "cannot look for expired leases; trying again");
        }
    }
}

/// Gives judgements past their lease a new attempt or ends them.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn expire_leases(store: &Store, settings: Settings) -> Result<(), StoreError> {
    loop {
        let mut transaction = store.begin().await?;
        let expired = judgement_list_expired(&mut transaction, BATCH).await?;
        let mut effects = Vec::new();
        for expired in &expired {
            let reason = format!(
                "worker {} was not heard of for the whole lease",
                expired.worker
            );
            let failed = judgement_fail(
                &mut transaction,
                expired.held,
                Failure::Lost,
                &reason,
                settings.retry,
            )
            .await?;
            effects.extend(failed.map(|failed| Effect::Failed {
                held: expired.held,
                failed,
                reason,
                failure: Failure::Lost,
            }));
        }
        Store::commit(transaction).await?;
        metrics::counter!("assize_lease_expired_total").increment(effects.len() as u64);
        effects.iter().for_each(Effect::record);
        if expired.len() < usize::from(BATCH) {
            return Ok(());
        }
    }
}
