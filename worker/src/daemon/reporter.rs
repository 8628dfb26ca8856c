//! Sends reports over whatever connection there is.

use std::time::Duration;

use assize_common::amqp::AmqpError;
use assize_common::id::WorkerId;
use assize_common::message::{Report, Ticket, TicketedReport, WorkerReport};
use assize_common::telemetry::error_chain;

use super::report_size;
use super::session::Sessions;

/// How long to wait before a report that failed is published again.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// Publishes reports of one worker; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Reporter {
    worker_id: WorkerId,
    queue: String,
    sessions: Sessions,
}

/// A report could not be sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReportError {
    #[error("there is no connection to RabbitMQ at the moment")]
    Disconnected,
    #[error(transparent)]
    Publish(#[from] AmqpError),
    #[error("cannot encode the report")]
    Encode(#[source] serde_json::Error),
}

impl Reporter {
    /// A reporter that publishes to `queue` over the latest session.
    pub(super) const fn new(worker_id: WorkerId, queue: String, sessions: Sessions) -> Self {
        Self {
            worker_id,
            queue,
            sessions,
        }
    }

    pub(super) const fn worker_id(&self) -> WorkerId {
        self.worker_id
    }

    /// Sends a report with the tickets of what it is about. It may get lost: a later
    /// one makes up for it.
    pub(super) async fn send(&self, report: Report, tickets: Vec<Ticket>) {
        if let Err(error) = self.try_send(&report, &tickets).await {
            tracing::debug!(error = %error_chain(&error), "a report was not sent");
        }
    }

    /// Sends a report that must not get lost, with the tickets of what it is about:
    /// returns once the broker confirmed it, however long that takes.
    pub(super) async fn deliver(&self, mut report: Report, tickets: Vec<Ticket>) {
        while let Err(error) = self.try_send(&report, &tickets).await {
            match error {
                // It would be refused for ever, and the connection of all slots go with it.
                ReportError::Publish(error) if error.is_refusal_of_message() => {
                    tracing::error!(error = %error_chain(&error), "RabbitMQ refuses a report");
                    let size = self
                        .encode(report.clone(), tickets.clone())
                        .map_or(0, |encoded| encoded.len());
                    report_size::give_up(&mut report, size);
                }
                // A connection that fails is replaced; wait for the next one.
                ReportError::Disconnected => {}
                error => {
                    tracing::warn!(error = %error_chain(&error), "a report was not confirmed; sending it again")
                }
            }
            tokio::time::sleep(RETRY_DELAY).await;
        }
    }

    /// A report as a message.
    pub(super) fn encode(
        &self,
        report: Report,
        tickets: Vec<Ticket>,
    ) -> Result<Vec<u8>, serde_json::Error> {
        report_size::encode(TicketedReport {
            report: WorkerReport {
                worker_id: self.worker_id,
                report,
            },
            tickets,
        })
    }

    async fn try_send(&self, report: &Report, tickets: &[Ticket]) -> Result<(), ReportError> {
        let session = self
            .sessions
            .borrow()
            .clone()
            .ok_or(ReportError::Disconnected)?;
        let message = self
            .encode(report.clone(), tickets.to_vec())
            .map_err(ReportError::Encode)?;
        let published = session.publisher.publish(&self.queue, &message).await;
        if let Err(AmqpError::Operation { .. }) = published {
            // The channel is of no use any more, though the connection may be.
            session.give_up();
        }
        Ok(published?)
    }
}
