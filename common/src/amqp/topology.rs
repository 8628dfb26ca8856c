//! Exchanges and queues, declared by schedulers and found by workers.
//!
//! Queue names carry a version because a queue's arguments can't change after
//! its birth: other arguments need another name.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, LongString};
use lapin::{Channel, ExchangeKind};

use super::AmqpError;
use crate::Lane;

/// RabbitMQ 4 ends a message's life after 20 returns; older brokers never do
/// unless told. A backstop: attempts are counted in Postgres.
const DELIVERY_LIMIT: i32 = 20;

/// The names of exchanges and queues, all below one prefix, so that several
/// installations can share a virtual host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    prefix: String,
}

impl Topology {
    /// The topology below `prefix`, by convention `assize`.
    #[must_use]
    pub fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
        }
    }

    /// The queue of a lane's tasks.
    #[must_use]
    pub fn lane(&self, lane: Lane) -> String {
        self.queue(lane.name())
    }

    /// The queue of workers' reports.
    #[must_use]
    pub fn reports(&self) -> String {
        self.queue("reports")
    }

    /// The queue of messages that nobody could read or finish.
    #[must_use]
    pub fn dead(&self) -> String {
        self.queue("dead")
    }

    pub(super) fn exchange(&self) -> &str {
        &self.prefix
    }

    /// The exchange that leads to the queue of reports and nowhere else.
    pub(super) fn report_exchange(&self) -> String {
        format!("{}.reports", self.prefix)
    }

    /// The exchange whose messages all workers get.
    pub(super) fn control(&self) -> String {
        format!("{}.control", self.prefix)
    }

    fn queue(&self, name: &str) -> String {
        format!("{}.v1.{name}", self.prefix)
    }

    fn dead_letter_exchange(&self) -> String {
        format!("{}.dead-letter", self.prefix)
    }

    /// Declares everything; a no-op where it exists already.
    pub(super) async fn declare(&self, channel: &Channel) -> Result<(), AmqpError> {
        let options = ExchangeDeclareOptions {
            durable: true,
            ..Default::default()
        };
        for (exchange, kind) in [
            (self.prefix.clone(), ExchangeKind::Direct),
            (self.report_exchange(), ExchangeKind::Direct),
            (self.dead_letter_exchange(), ExchangeKind::Direct),
            (self.control(), ExchangeKind::Fanout),
        ] {
            let attempt = format!("declare exchange {exchange}");
            channel
                .exchange_declare(exchange.into(), kind, options, FieldTable::default())
                .await
                .map_err(AmqpError::operation(attempt))?;
        }
        let dead_letter_exchange = self.dead_letter_exchange();
        self.declare_queue(
            channel,
            &self.dead(),
            &dead_letter_exchange,
            FieldTable::default(),
        )
        .await?;
        let lanes = Lane::ALL.map(|lane| self.lane(lane));
        for queue in lanes.into_iter().chain([self.reports()]) {
            let mut arguments = FieldTable::default();
            arguments.insert(
                "x-delivery-limit".into(),
                AMQPValue::LongInt(DELIVERY_LIMIT),
            );
            arguments.insert("x-dead-letter-exchange".into(), text(&dead_letter_exchange));
            arguments.insert("x-dead-letter-routing-key".into(), text(&self.dead()));
            arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
            arguments.insert("x-overflow".into(), text("reject-publish"));
            self.declare_queue(channel, &queue, &self.prefix, arguments)
                .await?;
        }
        // Schedulers reach it by the exchange of all queues, as do workers of the release before.
        bind(channel, &self.reports(), &self.report_exchange()).await
    }

    /// Looks whether what a worker uses is there.
    pub(super) async fn find(&self, channel: &Channel) -> Result<(), AmqpError> {
        let options = ExchangeDeclareOptions {
            passive: true,
            ..Default::default()
        };
        for (exchange, kind) in [
            (self.report_exchange(), ExchangeKind::Direct),
            (self.control(), ExchangeKind::Fanout),
        ] {
            let missing = AmqpError::missing(format!("exchange {exchange}"));
            channel
                .exchange_declare(exchange.into(), kind, options, FieldTable::default())
                .await
                .map_err(missing)?;
        }
        let options = QueueDeclareOptions {
            passive: true,
            ..Default::default()
        };
        for queue in Lane::ALL.map(|lane| self.lane(lane)) {
            let missing = AmqpError::missing(format!("queue {queue}"));
            channel
                .queue_declare(queue.into(), options, FieldTable::default())
                .await
                .map_err(missing)?;
        }
        Ok(())
    }

    async fn declare_queue(
        &self,
        channel: &Channel,
        queue: &str,
        exchange: &str,
        mut arguments: FieldTable,
    ) -> Result<(), AmqpError> {
        arguments.insert("x-queue-type".into(), text("quorum"));
        channel
            .queue_declare(queue.into(), QueueDeclareOptions::durable(), arguments)
            .await
            .map_err(AmqpError::operation(format!("declare queue {queue}")))?;
        bind(channel, queue, exchange).await
    }
}

/// Has `exchange` bring `queue` what is published under its name.
async fn bind(channel: &Channel, queue: &str, exchange: &str) -> Result<(), AmqpError> {
    channel
        .queue_bind(
            queue.into(),
            exchange.into(),
            queue.into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await
        .map_err(AmqpError::operation(format!(
            "bind queue {queue} to exchange {exchange}"
        )))
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let topology = Topology::new("assize");
        assert_eq!(topology.lane(Lane::Live), "assize.v1.live");
        assert_eq!(topology.reports(), "assize.v1.reports");
        assert_eq!(topology.dead(), "assize.v1.dead");
    }
}
