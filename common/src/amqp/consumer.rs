//! Consuming with explicit acknowledgement.

use futures_util::StreamExt as _;
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicNackOptions};
use lapin::types::AMQPValue;

use super::AmqpError;
use super::line::{Line, patience};

/// Messages of one queue.
#[derive(Debug)]
pub struct Consumer {
    line: Line,
    inner: lapin::Consumer,
}

impl Consumer {
    pub(super) const fn new(line: Line, inner: lapin::Consumer) -> Self {
        Self { line, inner }
    }

    /// The next message. `None` when the consumer is gone: the connection is
    /// lost, or the broker cancelled it, as when its queue is deleted. Open a new
    /// connection then; it declares the topology anew.
    pub async fn next(&mut self) -> Option<Delivery> {
        match self.inner.next().await? {
            Ok(inner) => Some(Delivery::new(inner, self.line.clone())),
            Err(error) => {
                tracing::warn!(error = %crate::telemetry::error_chain(&error), "a consumer ended");
                None
            }
        }
    }

    /// Takes no more messages, and gives those back that came in but were not
    /// taken yet.
    ///
    /// # Errors
    /// When the connection is lost: the broker takes them back by itself then.
    pub async fn stop(mut self) -> Result<(), AmqpError> {
        let attempt = "stop consuming";
        let cancelling = self
            .line
            .channel
            .basic_cancel(self.inner.tag(), BasicCancelOptions::default());
        self.line.ask(attempt, cancelling).await?;
        let blocked = self.line.blocked.clone();
        while let Some(delivery) = patience(&blocked, attempt, self.next()).await? {
            delivery.hand_back().await?;
        }
        Ok(())
    }
}

/// Where a dead letter died first, and of what, as the broker says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Death {
    /// The queue.
    pub queue: String,
    /// The broker's word for it: `rejected` when a consumer refused the message,
    /// `delivery_limit` when it came back too often.
    pub cause: String,
}

/// A message that wants an answer. One that is dropped unanswered is delivered
/// again when its channel closes.
#[derive(Debug)]
pub struct Delivery {
    inner: lapin::message::Delivery,
    /// Keeps the channel open: with it would go the right to answer.
    line: Line,
}

impl Delivery {
    pub(super) const fn new(inner: lapin::message::Delivery, line: Line) -> Self {
        Self { inner, line }
    }

    /// The message.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.inner.data
    }

    /// How often the message was delivered before without being acknowledged.
    #[must_use]
    pub fn earlier_deliveries(&self) -> u64 {
        let headers = self.inner.properties.headers().as_ref();
        let count = headers.and_then(|headers| headers.inner().get("x-delivery-count"));
        match count {
            Some(AMQPValue::LongLongInt(count)) => u64::try_from(*count).unwrap_or(0),
            Some(AMQPValue::LongInt(count)) => u64::try_from(*count).unwrap_or(0),
            _ => 0,
        }
    }

    /// Where the message died; none if it is no dead letter.
    #[must_use]
    pub fn death(&self) -> Option<Death> {
        let headers = self.inner.properties.headers().as_ref()?.inner();
        let text = |name: &str| match headers.get(name) {
            Some(AMQPValue::LongString(text)) => {
                Some(String::from_utf8_lossy(text.as_bytes()).into_owned())
            }
            Some(AMQPValue::ShortString(text)) => Some(text.to_string()),
            _ => None,
        };
        Some(Death {
            queue: text("x-first-death-queue")?,
            cause: text("x-first-death-reason")?,
        })
    }

    /// Done with the message.
    ///
    /// # Errors
    /// When the channel is gone: the message will come again.
    pub async fn ack(self) -> Result<(), AmqpError> {
        self.answered(self.inner.ack(BasicAckOptions::default()))
            .await
    }

    /// Done with the message and all before it that this consumer's channel delivered and nobody answered.
    ///
    /// # Errors
    /// When the channel is gone: the messages will come again.
    pub async fn ack_all_so_far(self) -> Result<(), AmqpError> {
        let options = BasicAckOptions { multiple: true };
        self.answered(self.inner.ack(options)).await
    }

    /// Nobody can do anything with the message: to the dead-letter queue with it.
    ///
    /// # Errors
    /// When the channel is gone: the message will come again.
    pub async fn dead_letter(self) -> Result<(), AmqpError> {
        let options = BasicNackOptions {
            requeue: false,
            ..Default::default()
        };
        self.answered(self.inner.nack(options)).await
    }

    /// Gives the message back to its queue untouched, for another consumer.
    ///
    /// # Errors
    /// When the channel is gone: the message will come again.
    pub async fn hand_back(self) -> Result<(), AmqpError> {
        let options = BasicNackOptions {
            requeue: true,
            ..Default::default()
        };
        self.answered(self.inner.nack(options)).await
    }

    /// The client library answers `false` when the channel is not the one of the
    /// delivery any more; nothing was acknowledged then. It may never answer at all
    /// when the connection breaks at that moment.
    async fn answered(
        &self,
        answering: impl Future<Output = lapin::Result<bool>>,
    ) -> Result<(), AmqpError> {
        let is_done = self.line.ask("answer a message", answering).await?;
        if is_done {
            Ok(())
        } else {
            Err(AmqpError::Stale)
        }
    }
}
