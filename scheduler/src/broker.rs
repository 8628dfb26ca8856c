//! Connections to the broker that are rebuilt from nothing whenever they are
//! lost. A role (publishing tasks, consuming reports) has a connection of its
//! own, because RabbitMQ stops reading from connections that publish when it is
//! short of memory or disk, and acknowledgements must still get through.

use std::time::Duration;

use assize_common::amqp::{AmqpError, AmqpUrl, Connection, Role, Topology};
use assize_common::telemetry::error_chain;
use backon::{BackoffBuilder as _, ExponentialBuilder};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

const FIRST_DELAY: Duration = Duration::from_millis(200);
const LARGEST_DELAY: Duration = Duration::from_secs(5);
/// A session that lasted this long was a good one: the next failure is a new one.
const GOOD_SESSION: Duration = Duration::from_secs(10);

/// How long work may take to end once its connection is lost: longer than any statement.
const FAREWELL: Duration = Duration::from_secs(40);

/// Where the broker is.
#[derive(Debug, Clone)]
pub(crate) struct Broker {
    pub(crate) url: AmqpUrl,
    pub(crate) topology: Topology,
}

/// Keeps `role` connected until stopped: each time a connection is there,
/// `session` works with it until it returns, the connection is lost, or the
/// token that it is given is cancelled.
pub(crate) async fn keep_connected<S>(
    broker: Broker,
    role: &'static str,
    connected: watch::Sender<bool>,
    stop: CancellationToken,
    session: S,
) where
    S: AsyncFn(&Connection, CancellationToken) -> Result<(), AmqpError>,
{
    let name = format!("assize-scheduler/{role}/{}", std::process::id());
    let mut delays = delays();
    let note = |is: bool| {
        connected.send_replace(is);
        metrics::gauge!("assize_amqp_connected", "role" => role).set(if is { 1.0 } else { 0.0 });
    };
    note(false);
    while !stop.is_cancelled() {
        let opening = Connection::open(&broker.url, &name, &broker.topology, Role::Scheduler);
        match stop.run_until_cancelled(opening).await {
            None => return,
            Some(Ok(connection)) => {
                tracing::info!(broker.url = %broker.url, role, "connected to RabbitMQ");
                note(true);
                let begin = tokio::time::Instant::now();
                hold(connection, role, &stop, &session).await;
                note(false);
                if begin.elapsed() > GOOD_SESSION {
                    delays = self::delays();
                }
            }
            Some(Err(error)) => {
                tracing::warn!(
                    role,
                    error = %error_chain(&error),
                    "no connection to RabbitMQ: submissions are taken and wait; trying again"
                );
            }
        }
        let delay = delays.next().unwrap_or(LARGEST_DELAY);
        stop.run_until_cancelled(tokio::time::sleep(delay)).await;
    }
}

async fn hold<S>(connection: Connection, role: &str, stop: &CancellationToken, session: &S)
where
    S: AsyncFn(&Connection, CancellationToken) -> Result<(), AmqpError>,
{
    let session_stop = stop.child_token();
    let result = {
        let mut work = std::pin::pin!(session(&connection, session_stop.clone()));
        tokio::select! {
            result = &mut work => result,
            () = connection.lost() => {
                // Lets the work end by itself: it may be in the middle of a transaction.
                session_stop.cancel();
                match tokio::time::timeout(FAREWELL, work).await {
                    Ok(result) => result,
                    Err(_) => {
                        tracing::warn!(role, "the work with a lost connection does not end: leaving it");
                        Ok(())
                    }
                }
            }
        }
    };
    if let Err(error) = result {
        tracing::warn!(role, error = %error_chain(&error), "the work with RabbitMQ broke off");
    }
    if let Err(error) = connection.close().await {
        tracing::debug!(role, error = %error_chain(&error), "the connection was gone before it was closed");
    }
}

fn delays() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(FIRST_DELAY)
        .with_max_delay(LARGEST_DELAY)
        .with_jitter()
        .without_max_times()
        .build()
}
