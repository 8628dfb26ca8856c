//! A connection to the broker and the news of its loss.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use lapin::options::QueueDeclareOptions;
use lapin::runtime::default_runtime;
use lapin::tcp::OwnedTLSConfig;
use lapin::types::FieldTable;
use lapin::{Connect as _, ConnectionProperties, Event};
use tokio::sync::watch;
use uuid::Uuid;

use super::line::{Line, patience};
use super::{AmqpError, AmqpUrl, Consumer, Publisher, Puller, Topology};

/// How long any exchange with the broker may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// As whom to connect: what a connection does with the topology, and what its user
/// must be allowed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Declares the topology; publishes to any queue of it.
    Scheduler,
    /// Finds the topology, and publishes nothing but reports: whoever runs what
    /// strangers wrote is trusted with no more.
    Worker,
}

/// A connection to RabbitMQ with its topology in place.
#[derive(Debug)]
pub struct Connection {
    inner: lapin::Connection,
    topology: Topology,
    role: Role,
    lost: watch::Receiver<bool>,
    blocked: watch::Receiver<bool>,
    /// Set when we close the connection ourselves: its end is no news then.
    closing: Arc<AtomicBool>,
}

impl Connection {
    /// Connects, naming itself `name` in the broker's lists, and declares the topology,
    /// or as a worker looks whether it is there.
    ///
    /// # Errors
    /// When the broker can't be reached, refuses us, has a queue of the same
    /// name with other arguments, or has none and we are not to declare it.
    pub async fn open(
        url: &AmqpUrl,
        name: &str,
        topology: &Topology,
        role: Role,
    ) -> Result<Self, AmqpError> {
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let trust = OwnedTLSConfig {
            identity: None,
            cert_chain: url.authorities(),
        };
        let connecting = async {
            let runtime = default_runtime()?;
            url.uri()?
                .connect_with_config(properties, trust, runtime)
                .await
        };
        let inner = within("connect", connecting)
            .await?
            .map_err(|source| AmqpError::Connect {
                url: url.clone(),
                source,
            })?;
        let closing = Arc::new(AtomicBool::new(false));
        let (lost, blocked) = watch_for_loss(&inner, closing.clone());
        let connection = Self {
            inner,
            topology: topology.clone(),
            role,
            lost,
            blocked,
            closing,
        };
        let channel = connection.channel().await?;
        match role {
            Role::Scheduler => within("declare the topology", topology.declare(&channel)).await??,
            Role::Worker => within("find the topology", topology.find(&channel)).await??,
        }
        Ok(connection)
    }

    /// A publisher with a channel of its own.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn publisher(&self) -> Result<Publisher, AmqpError> {
        let exchange = match self.role {
            Role::Scheduler => self.topology.exchange().to_owned(),
            Role::Worker => self.topology.report_exchange(),
        };
        let control = self.topology.control();
        Publisher::new(self.line().await?, exchange, control).await
    }

    /// A puller with a channel of its own.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn puller(&self) -> Result<Puller, AmqpError> {
        Ok(Puller::new(self.line().await?))
    }

    /// Consumes `queue` on a channel of its own; at most `prefetch` messages are
    /// unacknowledged at a time.
    ///
    /// # Errors
    /// When the connection is lost or the queue is gone.
    pub async fn consume(&self, queue: &str, prefetch: u16) -> Result<Consumer, AmqpError> {
        let attempt = format!("consume queue {queue}");
        let line = self.line().await?;
        let channel = &line.channel;
        let consuming = async {
            channel.basic_qos(prefetch, Default::default()).await?;
            channel
                .basic_consume(
                    queue.into(),
                    "".into(),
                    Default::default(),
                    FieldTable::default(),
                )
                .await
        };
        let inner = line.ask(&attempt, consuming).await?;
        Ok(Consumer::new(line, inner))
    }

    /// Consumes what is broadcast, by a queue that ends with the connection.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn listen(&self) -> Result<Consumer, AmqpError> {
        let line = self.line().await?;
        let channel = &line.channel;
        let listening = async {
            let options = QueueDeclareOptions {
                exclusive: true,
                auto_delete: true,
                ..Default::default()
            };
            let queue = format!("{}.{}", self.topology.control(), Uuid::now_v7());
            channel
                .queue_declare(queue.as_str().into(), options, FieldTable::default())
                .await?;
            channel
                .queue_bind(
                    queue.as_str().into(),
                    self.topology.control().into(),
                    "".into(),
                    Default::default(),
                    FieldTable::default(),
                )
                .await?;
            let consumer = channel.basic_consume(
                queue.as_str().into(),
                "".into(),
                Default::default(),
                FieldTable::default(),
            );
            consumer.await
        };
        let inner = line.ask("listen to broadcasts", listening).await?;
        Ok(Consumer::new(line, inner))
    }

    /// How many messages of `queue` wait to be delivered; those that a consumer
    /// holds unacknowledged do not count.
    ///
    /// # Errors
    /// When the connection is lost or the queue is gone.
    pub async fn waiting_messages(&self, queue: &str) -> Result<u32, AmqpError> {
        let attempt = format!("look at queue {queue}");
        // A channel of its own: the broker closes it when the queue is gone.
        let line = self.line().await?;
        let options = QueueDeclareOptions {
            passive: true,
            ..Default::default()
        };
        let looking = line
            .channel
            .queue_declare(queue.into(), options, FieldTable::default());
        let found = line.ask(&attempt, looking).await?;
        Ok(found.message_count())
    }

    /// Returns when the connection is lost for whatever reason.
    pub async fn lost(&self) {
        let mut lost = self.lost.clone();
        // An error means that the watcher is gone, and with it the connection.
        while !*lost.borrow_and_update() && lost.changed().await.is_ok() {}
    }

    /// Returns once the broker takes messages, and so reads what else it is asked.
    pub async fn unblocked(&self) {
        // An error means that the connection is gone, which asking tells.
        self.blocked.clone().wait_for(|blocked| !blocked).await.ok();
    }

    /// Whether the broker takes no messages.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        *self.blocked.borrow()
    }

    /// Whether the connection is lost.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        *self.lost.borrow()
    }

    /// Says good-bye to the broker.
    ///
    /// # Errors
    /// When the connection was lost before.
    pub async fn close(&self) -> Result<(), AmqpError> {
        self.closing.store(true, Ordering::Relaxed);
        within("close the connection", self.inner.close(200, "done".into()))
            .await?
            .map_err(AmqpError::operation("close the connection"))
    }

    pub(super) async fn channel(&self) -> Result<lapin::Channel, AmqpError> {
        let attempt = "open a channel";
        patience(&self.blocked, attempt, self.inner.create_channel())
            .await?
            .map_err(AmqpError::operation(attempt))
    }

    async fn line(&self) -> Result<Line, AmqpError> {
        Ok(Line {
            channel: self.channel().await?,
            blocked: self.blocked.clone(),
        })
    }
}

/// Runs `operation` for at most [`TIMEOUT`].
pub(super) async fn within<T>(
    attempt: &str,
    operation: impl Future<Output = T>,
) -> Result<T, AmqpError> {
    tokio::time::timeout(TIMEOUT, operation)
        .await
        .map_err(|_| timed_out(attempt))
}

/// The broker did not answer in time.
pub(super) fn timed_out(attempt: &str) -> AmqpError {
    AmqpError::Timeout {
        attempt: attempt.to_owned(),
        seconds: TIMEOUT.as_secs(),
    }
}

fn watch_for_loss(
    connection: &lapin::Connection,
    closing: Arc<AtomicBool>,
) -> (watch::Receiver<bool>, watch::Receiver<bool>) {
    let (sender, lost) = watch::channel(false);
    let (block, blocked) = watch::channel(false);
    let mut events = Box::pin(connection.events_listener());
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            match event {
                Event::ConnectionBlocked(reason) => {
                    tracing::warn!(
                        reason,
                        "RabbitMQ takes no messages: it is short of memory or disk"
                    );
                    note_blocked(&block, true);
                }
                Event::ConnectionUnblocked => {
                    tracing::info!("RabbitMQ takes messages again");
                    note_blocked(&block, false);
                }
                Event::Error(_) if closing.load(Ordering::Relaxed) => break,
                Event::Error(error) => {
                    tracing::warn!(error = %crate::telemetry::error_chain(&error), "lost the connection to RabbitMQ");
                    break;
                }
                _ => {}
            }
        }
        // The next connection is told anew.
        note_blocked(&block, false);
        sender.send_replace(true);
    });
    (lost, blocked)
}

/// Of several connections of a process one is blocked at most: the one that publishes.
fn note_blocked(block: &watch::Sender<bool>, is: bool) {
    if block.send_replace(is) != is {
        metrics::gauge!("assize_amqp_blocked").set(if is { 1.0 } else { 0.0 });
    }
}
