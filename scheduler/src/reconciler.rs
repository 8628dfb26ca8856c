//! The reconciler: judgements whose worker is not heard of within its lease, or is
//! heard of for longer than judging can take, get a new attempt, or end in a judging
//! error when that happens too often.
//!
//! Woken by a timer, it takes no input and is idempotent; several schedulers
//! share the work by skipping what another one has locked.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use assize_common::amqp::{AmqpError, Connection, Topology};
use assize_common::message::{self, WorkerReport};
use assize_common::telemetry::error_chain;
use tokio_util::sync::CancellationToken;

use crate::reports::Effect;
use crate::settings::Settings;
use crate::store::{
    ExpiredJudgement, Failure, Store, StoreError, judgement_fail, judgement_list_expired, round,
};

const BATCH: u16 = 100;

/// Since when reports get through without interruption. Schedulers know by echoes
/// that they send the way that workers' reports go: connected or not, nothing gets
/// through while RabbitMQ is short of memory and takes no messages, or Postgres
/// stands still. A worker can't be blamed for its silence then.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hearing(Arc<Mutex<Option<Echoes>>>);

/// Echoes without too long a pause between them.
#[derive(Debug, Clone, Copy)]
struct Echoes {
    first: Instant,
    latest: Instant,
}

impl Hearing {
    /// An echo was stored. Whose does not matter: schedulers share the queue.
    pub(crate) fn echo(&self, lease: Duration) {
        self.echo_at(Instant::now(), lease);
    }

    fn echo_at(&self, now: Instant, lease: Duration) {
        let mut echoes = self.lock();
        let first = match *echoes {
            Some(echoes) if now - echoes.latest <= pause(lease) => echoes.first,
            _ => now,
        };
        let latest = now;
        *echoes = Some(Echoes { first, latest });
    }

    /// Reports are not heard any more.
    pub(crate) fn is_interrupted(&self) {
        *self.lock() = None;
    }

    /// Whether a worker that lives and sends a heartbeat every third of a lease has
    /// been heard.
    fn is_good(&self, now: Instant, lease: Duration) -> bool {
        self.lock().is_some_and(|Echoes { first, latest }| {
            now - latest <= pause(lease) && now - first >= lease / 2
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Echoes>> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// How long no echo may come. Each scheduler sends three in that time, and of those
/// of all one comes back to it as a rule. A lease outlives a heartbeat that is late by that.
fn pause(lease: Duration) -> Duration {
    lease / 2
}

/// Sends echoes until stopped.
///
/// # Errors
/// When the connection to the broker is not fit for use any more.
pub(crate) async fn send_echoes(
    connection: &Connection,
    topology: &Topology,
    lease: Duration,
    stop: CancellationToken,
) -> Result<(), AmqpError> {
    // It is always writable.
    let Ok(echo) = message::encode(&WorkerReport::echo()) else {
        return Ok(());
    };
    let publisher = connection.publisher().await?;
    while !stop.is_cancelled() {
        match publisher.publish(&topology.reports(), &echo).await {
            // The connection is sound; there is no echo, as there should be none.
            Err(error @ (AmqpError::NotTaken { .. } | AmqpError::Timeout { .. })) => {
                tracing::warn!(error = %error_chain(&error), "reports do not get through: no worker is blamed for its silence");
            }
            published => published?,
        }
        stop.run_until_cancelled(tokio::time::sleep(lease / 6))
            .await;
    }
    Ok(())
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
        if !hearing.is_good(Instant::now(), settings.lease) {
            continue;
        }
        if let Err(error) = round(expire_leases(&store, settings)).await {
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
        for &ExpiredJudgement {
            held,
            worker,
            overdue,
        } in &expired
        {
            let (failure, reason) = match overdue {
                None => (
                    Failure::Lost,
                    format!("worker {worker} was not heard of for the whole lease"),
                ),
                Some(bound) => (
                    Failure::Overdue,
                    format!(
                        "worker {worker} did not finish within {} min, in which its test cases fit several times",
                        bound.as_secs() / 60
                    ),
                ),
            };
            let failed =
                judgement_fail(&mut transaction, held, failure, &reason, settings.retry).await?;
            effects.extend(failed.map(|failed| Effect::Failed {
                held,
                failed,
                reason,
                failure,
            }));
        }
        Store::commit(transaction).await?;
        let lost = expired.iter().filter(|expired| expired.overdue.is_none());
        metrics::counter!("assize_lease_expired_total").increment(lost.count() as u64);
        effects.iter().for_each(Effect::record);
        if expired.len() < usize::from(BATCH) {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(30);

    /// Whether workers may be blamed at this second, with echoes at those.
    fn good(echoes: &[u64], at: u64) -> bool {
        let (hearing, begin) = (Hearing::default(), Instant::now());
        for second in echoes {
            hearing.echo_at(begin + Duration::from_secs(*second), LEASE);
        }
        hearing.is_good(begin + Duration::from_secs(at), LEASE)
    }

    #[test]
    fn nobody_is_blamed_unless_echoes_came_for_half_a_lease() {
        assert!(!good(&[], 100), "nothing was ever heard");
        assert!(!good(&[0, 5, 10], 12));
        assert!(good(&[0, 5, 10], 15));
        assert!(good(&[0, 15], 30), "most echoes went to another scheduler");
    }

    #[test]
    fn nobody_is_blamed_while_no_echo_comes_and_shortly_after() {
        assert!(!good(&[0, 5, 10], 26), "the broker takes nothing");
        assert!(
            !good(&[0, 5, 10, 60], 60),
            "the first one that gets through"
        );
        assert!(!good(&[0, 5, 10, 60, 65, 70], 74));
        assert!(good(&[0, 5, 10, 60, 65, 70], 75));
    }

    #[test]
    fn whoever_is_interrupted_listens_anew() {
        let (hearing, begin) = (Hearing::default(), Instant::now());
        hearing.echo_at(begin, LEASE);
        hearing.is_interrupted();
        hearing.echo_at(begin + LEASE / 3, LEASE);
        assert!(!hearing.is_good(begin + LEASE / 2, LEASE));
    }
}
