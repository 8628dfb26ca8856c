//! The outbox relay: publishes tasks and forgets them once the broker has
//! confirmed. Any number of relays share the outbox. A crash between confirm
//! and commit publishes a task twice, which harms nothing; relays that look at
//! the same time may together exceed a lane's window by a batch each, neither.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use assize_common::Lane;
use assize_common::amqp::{AmqpError, Publisher, Topology};
use assize_common::message::{self, HeldJudgement, Task};
use assize_common::telemetry::error_chain;
use futures_util::future::join_all;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::bell::Bells;
use crate::store::{
    ClaimedTask, Store, StoreError, lane_languages, lane_load, outbox_claim, outbox_remove, round,
};
use crate::ticket::TicketKey;
use crate::window;

/// Tasks published together: enough to hide the latency of confirms, few enough
/// to hold their rows only for a moment.
const BATCH: u16 = 128;
/// How often to look without a bell: for rows whose time comes, and for bells
/// that nobody heard.
const TIMER: Duration = Duration::from_secs(1);
/// How long to wait after an error: a connection that broke is soon replaced.
const RETRY: Duration = Duration::from_millis(200);

/// A relay of one lane. A full or slow lane does not hold up the others, and a second relay
/// goes on while the first one waits for confirms.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) store: Store,
    pub(crate) bells: Bells,
    pub(crate) topology: Topology,
    pub(crate) publisher: Publisher,
    pub(crate) lane: Lane,
    pub(crate) tickets: TicketKey,
    /// How long a worker counts that is not heard of.
    pub(crate) lease: Duration,
    /// Shared with the lane's other relays of this scheduler.
    pub(crate) turn: Arc<Turn>,
}

/// Relays of a lane look for tasks one after the other, or together they would find more room than there is.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    looking: Mutex<()>,
    /// Tasks that are being published.
    under_way: AtomicU32,
}

/// Tasks that count as being published while this lives.
struct UnderWay<'r>(&'r Turn, u32);

impl<'r> UnderWay<'r> {
    fn new(turn: &'r Turn, tasks: usize) -> Self {
        let tasks = u32::try_from(tasks).unwrap_or(u32::MAX);
        turn.under_way.fetch_add(tasks, Ordering::Relaxed);
        Self(turn, tasks)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(self.1, Ordering::Relaxed);
    }
}

/// What became of a batch.
enum Batch {
    /// Everything due is published.
    Drained,
    /// There may be more.
    Full,
    /// The broker did not take everything; it will later.
    Refused,
}

impl Relay {
    /// Publishes until stopped.
    ///
    /// # Errors
    /// When the connection to the broker is not fit for use any more.
    pub(crate) async fn run(self, stop: CancellationToken) -> Result<(), AmqpError> {
        while !stop.is_cancelled() {
            let (bell, timer) = match self.publish_batch().await? {
                Ok(Batch::Full) => continue,
                Ok(Batch::Drained) => (true, TIMER),
                Ok(Batch::Refused) => (false, TIMER),
                Err(error) => {
                    tracing::warn!(lane = %self.lane, error = %error_chain(&error), "cannot relay tasks; trying again");
                    (false, RETRY)
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.bells.rung(self.lane), if bell => {}
                () = tokio::time::sleep(timer) => {}
            }
        }
        Ok(())
    }

    async fn publish_batch(&self) -> Result<Result<Batch, StoreError>, AmqpError> {
        let claiming = async {
            let _turn = self.turn.looking.lock().await;
            let mut transaction = self.store.begin_relay().await?;
            // Counted twice rather than not at all when they are published meanwhile.
            let under_way = self.turn.under_way.load(Ordering::Relaxed);
            // Before the look: what makes room after it rings.
            self.bells.note_full(self.lane, true);
            let live = match self.lane {
                Lane::Rejudge | Lane::Batch => {
                    lane_languages(&mut transaction, Lane::Live, self.lease).await?
                }
                Lane::Live | Lane::Flagged | Lane::Quarantine => None,
            };
            let load = lane_load(&mut transaction, self.lane, self.lease, live.as_deref()).await?;
            let room = window::room(self.lane, &load);
            let room = room.saturating_sub(under_way);
            let limit = u16::try_from(room).unwrap_or(BATCH).min(BATCH);
            let claimed = if limit == 0 {
                Vec::new()
            } else {
                let languages = load.languages.as_deref();
                outbox_claim(&mut transaction, self.lane, limit, languages, self.lease).await?
            };
            let full = claimed.len() == usize::from(limit);
            self.bells.note_full(self.lane, full);
            let under_way = UnderWay::new(&self.turn, claimed.len());
            Ok((transaction, claimed, under_way))
        };
        let (mut transaction, claimed, under_way) = match round(claiming).await {
            Ok(claimed) => claimed,
            Err(error) => return Ok(Err(error)),
        };
        if claimed.is_empty() {
            return Ok(Ok(Batch::Drained));
        }

        let results = join_all(claimed.iter().map(|claimed| self.publish(claimed))).await;
        let (mut done, mut failure) = (Vec::new(), None);
        for (claimed, result) in claimed.iter().zip(results) {
            match result {
                Ok(()) => done.push(claimed.id),
                Err(error) => failure = Some(error),
            }
        }
        let removed = async {
            outbox_remove(&mut transaction, &done).await?;
            Store::commit(transaction).await
        };
        if let Err(error) = round(removed).await {
            return Ok(Err(error));
        }
        drop(under_way);
        match failure {
            None if claimed.len() == usize::from(BATCH) => Ok(Ok(Batch::Full)),
            None => Ok(Ok(Batch::Drained)),
            // The connection is sound, the broker just does not want to.
            Some(error @ (AmqpError::NotTaken { .. } | AmqpError::Timeout { .. })) => {
                tracing::warn!(lane = %self.lane, error = %error_chain(&error), "RabbitMQ does not take tasks; trying again");
                Ok(Ok(Batch::Refused))
            }
            Some(error) => Err(error),
        }
    }

    async fn publish(&self, claimed: &ClaimedTask) -> Result<(), AmqpError> {
        let Some(task) = &claimed.task else {
            return Ok(());
        };
        let task = Task {
            ticket: Some(self.tickets.ticket(HeldJudgement {
                judgement_id: task.judgement_id,
                attempt: task.attempt,
            })),
            ..task.clone()
        };
        let Some(message) = encode(&task) else {
            return Ok(());
        };
        let published = self
            .publisher
            .publish(&self.topology.lane(self.lane), &message)
            .await;
        let result = match &published {
            Ok(()) => "confirmed",
            Err(AmqpError::NotTaken { .. }) => "refused",
            Err(AmqpError::Timeout { .. }) => "timeout",
            Err(_) => "lost",
        };
        metrics::counter!("assize_publish_confirms_total", "result" => result).increment(1);
        if published.is_ok() {
            tracing::debug!(
                judgement.id = %task.judgement_id,
                submission.id = %task.submission_id,
                attempt = task.attempt,
                lane = %self.lane,
                "published a task"
            );
        }
        published
    }
}

/// A task that can't be written would stop its lane for good. None can be made
/// today; if that changes, the reconciler asks for its judgement again and again.
fn encode(task: &Task) -> Option<Vec<u8>> {
    message::encode(task)
        .inspect_err(|error| {
            tracing::error!(judgement.id = %task.judgement_id, %error, "a task can't be written as JSON");
        })
        .ok()
}
