//! Reports of workers: consumed in batches, each batch one transaction, and
//! acknowledged only after its commit. A crash in between delivers them again,
//! and the guarded writes make nothing of the second time.

mod apply;
mod effect;

use std::time::Duration;

use assize_common::amqp::{AmqpError, Connection, Consumer, Delivery, Topology};
use assize_common::message::{self, TicketedReport, WorkerReport};
use assize_common::telemetry::error_chain;
use backon::{BackoffBuilder as _, ExponentialBuilder};
use futures_util::FutureExt as _;
use tokio_util::sync::CancellationToken;

pub(crate) use apply::apply_batch;
pub(crate) use effect::Effect;

use crate::bell::Bells;
use crate::reconciler::Hearing;
use crate::settings::Settings;
use crate::store::{Store, round};
use crate::ticket::TicketKey;

/// The largest batch.
const BATCH: u16 = 128;
/// Reports held at once: the next batch arrives while one is stored. RabbitMQ knows no limit in
/// bytes: a gigabyte should all of them be as large as messages may be.
const PREFETCH: u16 = 2 * BATCH;
/// How much a batch may hold before the last report that joins it: decoded and on its
/// way to Postgres it takes several times as much.
const BATCH_BYTES: usize = 16 << 20;
/// After a batch of less than so many reports the next one waits a moment for others: a transaction costs Postgres
/// much more than a report in it, and a verdict is not read within milliseconds.
const FEW: usize = 16;
const COMPANY: Duration = Duration::from_millis(5);
const FIRST_DELAY: Duration = Duration::from_millis(100);
const LARGEST_DELAY: Duration = Duration::from_secs(5);

/// What consuming works with.
#[derive(Debug)]
pub(crate) struct Reports {
    pub(crate) store: Store,
    pub(crate) settings: Settings,
    pub(crate) tickets: TicketKey,
    pub(crate) topology: Topology,
    pub(crate) hearing: Hearing,
    pub(crate) bells: Bells,
}

/// A report with the message it came in.
struct Received {
    delivery: Delivery,
    report: WorkerReport,
}

impl Reports {
    /// Consumes until stopped or until the broker ends it.
    ///
    /// # Errors
    /// When the connection to the broker is not fit for use any more.
    pub(crate) async fn consume(
        &self,
        connection: &Connection,
        stop: CancellationToken,
    ) -> Result<(), AmqpError> {
        let mut consumer = connection
            .consume(&self.topology.reports(), PREFETCH)
            .await?;
        // Nothing is heard from that moment on, whatever is still being stored.
        let deaf = async {
            connection.lost().await;
            self.hearing.is_interrupted();
            std::future::pending().await
        };
        let result = tokio::select! {
            result = self.consume_from(&mut consumer, &stop) => result,
            () = deaf => Ok(()),
        };
        self.hearing.is_interrupted();
        result?;
        if connection.is_lost() || !stop.is_cancelled() {
            return Ok(());
        }
        consumer.stop().await
    }

    async fn consume_from(
        &self,
        consumer: &mut Consumer,
        stop: &CancellationToken,
    ) -> Result<(), AmqpError> {
        let mut came_alone = true;
        while let Some(Some(first)) = stop.run_until_cancelled(consumer.next()).await {
            if came_alone {
                tokio::time::sleep(COMPANY).await;
            }
            // Whatever has arrived by now joins.
            let arrived = || consumer.next().now_or_never().flatten();
            let deliveries = batch(first, arrived, |delivery| delivery.body().len());
            came_alone = deliveries.len() < FEW;
            let received = self.read(deliveries).await?;
            self.ingest(received, stop).await?;
        }
        Ok(())
    }

    /// Decodes messages; those that can't be are dead letters. What shows no ticket is
    /// left out: a stranger's report must not even fill a table.
    async fn read(&self, deliveries: Vec<Delivery>) -> Result<Vec<Received>, AmqpError> {
        let mut received = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            match message::decode(delivery.body()) {
                Ok(report) => match self.proven(report) {
                    Some(report) => received.push(Received { delivery, report }),
                    None => delivery.ack().await?,
                },
                Err(error) => {
                    tracing::error!(error = %error_chain(&error), "a report can't be read: to the dead letters with it");
                    count_dead_letter("unreadable");
                    delivery.dead_letter().await?;
                }
            }
        }
        Ok(received)
    }

    /// What is left of a report without judgements whose tickets it does not show.
    fn proven(&self, received: TicketedReport) -> Option<WorkerReport> {
        if self.settings.ticketless_reports && received.tickets.is_empty() {
            return Some(received.report);
        }
        let worker = received.report.worker_id;
        let (report, unproven) = self.tickets.check(received);
        if unproven > 0 {
            tracing::warn!(
                worker.id = %worker,
                judgements = unproven,
                "a report shows no ticket of what it is about: it is of a worker of before 0.2, for which \
                 ASSIZE_TICKETLESS_REPORTS is there, or forged"
            );
            metrics::counter!("assize_attempts_total", "outcome" => "unproven")
                .increment(unproven as u64);
        }
        report
    }

    async fn ingest(
        &self,
        received: Vec<Received>,
        stop: &CancellationToken,
    ) -> Result<(), AmqpError> {
        if self.store_together(&received, stop).await {
            // Batches are answered one after the other: all before the last one are of this batch.
            if let Some(last) = received.into_iter().next_back() {
                last.delivery.ack_all_so_far().await?;
            }
            return Ok(());
        }
        // One of them is not acceptable; the others must not suffer for it.
        for received in received {
            let received = [received];
            let stored = self.store_together(&received, stop).await;
            if stop.is_cancelled() && !stored {
                return Ok(());
            }
            let [Received { delivery, report }] = received;
            if stored {
                delivery.ack().await?;
            } else {
                tracing::error!(worker.id = %report.worker_id, "a report can't be stored: to the dead letters with it");
                count_dead_letter("refused");
                delivery.dead_letter().await?;
            }
        }
        Ok(())
    }

    /// Applies a batch; while the database is away, waits for it. False when the
    /// database will never take the batch as it is, or when stopped.
    async fn store_together(&self, received: &[Received], stop: &CancellationToken) -> bool {
        let reports: Vec<&WorkerReport> =
            received.iter().map(|received| &received.report).collect();
        let mut delays = ExponentialBuilder::default()
            .with_min_delay(FIRST_DELAY)
            .with_max_delay(LARGEST_DELAY)
            .with_jitter()
            .without_max_times()
            .build();
        loop {
            match round(apply_batch(&self.store, &reports, self.settings)).await {
                Ok(effects) => {
                    if reports.iter().any(|report| report.is_echo()) {
                        self.hearing.echo(self.settings.lease);
                    }
                    self.bells.ring_where_full();
                    effects.iter().for_each(Effect::record);
                    return true;
                }
                Err(error) if error.is_transient() => {
                    self.hearing.is_interrupted();
                    tracing::warn!(
                        reports = reports.len(),
                        error = %error_chain(&error),
                        "cannot store reports: they are kept; trying again"
                    );
                }
                Err(error) => {
                    tracing::error!(reports = reports.len(), error = %error_chain(&error), "the database refuses reports");
                    return false;
                }
            }
            let delay = tokio::time::sleep(delays.next().unwrap_or(LARGEST_DELAY));
            if stop.run_until_cancelled(delay).await.is_none() {
                return false;
            }
        }
    }
}

/// The first one and the next ones that are there, as long as a batch has room for them.
fn batch<T>(first: T, mut next: impl FnMut() -> Option<T>, bytes: impl Fn(&T) -> usize) -> Vec<T> {
    let mut held = bytes(&first);
    let mut batch = vec![first];
    while batch.len() < usize::from(BATCH)
        && held < BATCH_BYTES
        && let Some(one) = next()
    {
        held += bytes(&one);
        batch.push(one);
    }
    batch
}

fn count_dead_letter(reason: &'static str) {
    metrics::counter!("assize_dead_letters_total", "reason" => reason).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sizes of the batches in which reports of these sizes are stored.
    fn batches(reports: &[usize]) -> Vec<usize> {
        let mut waiting = reports.iter().copied();
        let mut sizes = Vec::new();
        while let Some(first) = waiting.next() {
            sizes.push(batch(first, || waiting.next(), |bytes| *bytes).len());
        }
        sizes
    }

    #[test]
    fn a_batch_is_bounded_by_number_and_by_bytes() {
        let (most, largest) = (usize::from(BATCH), message::LARGEST_BYTES);
        assert_eq!(batches(&vec![500; most + 3]), [most, 3]);
        let together = BATCH_BYTES / largest;
        assert!(together > 1);
        assert_eq!(
            batches(&vec![largest; together * 2 + 1]),
            [together, together, 1]
        );
        // One that joins at the last moment may go beyond by itself.
        assert_eq!(batches(&[BATCH_BYTES - 1, largest, 1]), [2, 1]);
        assert_eq!(batches(&[16 * BATCH_BYTES, 1, 1]), [1, 2]);
    }
}
