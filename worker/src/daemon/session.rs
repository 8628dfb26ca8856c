//! The connection to the broker, rebuilt from nothing whenever it is lost.
//! Judgements that run meanwhile go on: they report over the next one.

use std::sync::Arc;
use std::time::Duration;

use assize_common::amqp::{
    AmqpError, AmqpUrl, Connection, Consumer, Publisher, Puller, Role, Topology,
};
use assize_common::telemetry::error_chain;
use backon::{BackoffBuilder as _, ExponentialBuilder};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::control::Controls;
use super::error::DaemonError;

const FIRST_DELAY: Duration = Duration::from_millis(200);
const LARGEST_DELAY: Duration = Duration::from_secs(5);
/// A session that lasted this long was a good one: the next failure is a new one.
const GOOD_SESSION: Duration = Duration::from_secs(10);

/// Where the broker is and what we are called there.
#[derive(Debug)]
pub(super) struct Broker {
    pub(super) url: AmqpUrl,
    pub(super) topology: Topology,
    pub(super) connection_name: String,
}

/// One connection with what is made from it; clones share it.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) connection: Arc<Connection>,
    pub(super) publisher: Publisher,
    pub(super) puller: Puller,
    unfit: CancellationToken,
}

impl Session {
    /// Replaces this session: something about it failed.
    pub(super) fn give_up(&self) {
        self.unfit.cancel();
    }

    pub(super) fn is_over(&self) -> bool {
        self.unfit.is_cancelled() || self.connection.is_lost()
    }

    /// Returns when the session is over.
    pub(super) async fn over(&self) {
        tokio::select! {
            () = self.connection.lost() => {}
            () = self.unfit.cancelled() => {}
        }
    }
}

/// The latest session, if there is one.
pub(super) type Sessions = watch::Receiver<Option<Session>>;

/// Keeps a session up until `end`. `greeting` is published first of all in each.
///
/// # Errors
/// When the broker refuses us before there ever was a session. Later it is
/// tried again: a broker that starts anew may not know its users yet.
pub(super) async fn keep_connected(
    broker: Broker,
    greeting: Vec<u8>,
    sessions: watch::Sender<Option<Session>>,
    controls: Arc<Controls>,
    end: CancellationToken,
) -> Result<(), DaemonError> {
    let mut delays = delays();
    let mut ever_connected = false;
    note(false);
    while !end.is_cancelled() {
        let Some(opened) = end.run_until_cancelled(open(&broker, &greeting)).await else {
            break;
        };
        match opened {
            Ok((session, told)) => {
                tracing::info!(broker.url = %broker.url, "connected to RabbitMQ: taking tasks");
                ever_connected = true;
                note(true);
                let begin = tokio::time::Instant::now();
                tokio::spawn(Arc::clone(&controls).obey_all(told, session.clone()));
                sessions.send_replace(Some(session.clone()));
                end.run_until_cancelled(session.over()).await;
                sessions.send_replace(None);
                note(false);
                if let Err(error) = session.connection.close().await {
                    tracing::debug!(error = %error_chain(&error), "the connection was gone before it was closed");
                }
                if begin.elapsed() > GOOD_SESSION {
                    delays = self::delays();
                }
            }
            Err(source) if source.is_refusal() && !ever_connected => {
                return Err(DaemonError::BrokerRefused(Box::new(source)));
            }
            Err(error) => {
                tracing::warn!(error = %error_chain(&error), "no connection to RabbitMQ; trying again");
            }
        }
        let delay = delays.next().unwrap_or(LARGEST_DELAY);
        end.run_until_cancelled(tokio::time::sleep(delay)).await;
    }
    Ok(())
}

async fn open(broker: &Broker, greeting: &[u8]) -> Result<(Session, Consumer), AmqpError> {
    let connection = Connection::open(
        &broker.url,
        &broker.connection_name,
        &broker.topology,
        Role::Worker,
    )
    .await?;
    let publisher = connection.publisher().await?;
    let puller = connection.puller().await?;
    // Before the greeting: what is said in answer to it must be heard.
    let told = connection.listen().await?;
    while let Err(error) = publisher
        .publish(&broker.topology.reports(), greeting)
        .await
    {
        // The next connection would not be heard any sooner.
        if !matches!(error, AmqpError::Timeout { .. }) || !connection.is_blocked() {
            return Err(error);
        }
    }
    let session = Session {
        connection: Arc::new(connection),
        publisher,
        puller,
        unfit: CancellationToken::new(),
    };
    Ok((session, told))
}

fn note(connected: bool) {
    metrics::gauge!("assize_amqp_connected", "role" => "worker").set(if connected {
        1.0
    } else {
        0.0
    });
}

fn delays() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(FIRST_DELAY)
        .with_max_delay(LARGEST_DELAY)
        .with_jitter()
        .without_max_times()
        .build()
}
