//! Passes on to workers what the database has news of: attempts that are over,
//! and how admins want workers to work.
//!
//! Every scheduler does so; being told twice harms nobody.

use std::time::Duration;

use assize_common::amqp::{AmqpError, Connection, Publisher};
use assize_common::message::{self, Control};
use assize_common::telemetry::error_chain;
use tokio_util::sync::CancellationToken;

use crate::store::{CONTROL_CHANNEL, Listener, Store, StoreError, round};

/// How often modes are told again, and how soon after an error the next try comes.
const EVERY: Duration = Duration::from_secs(2);
/// For how long a worker is told again that it may go on: longer than it may be out of
/// earshot without connecting anew, which has it told as well.
const AGAIN: Duration = Duration::from_secs(3600);

/// Tells workers until stopped.
///
/// # Errors
/// When the connection to the broker is not fit for use any more.
pub(crate) async fn run(
    store: &Store,
    connection: &Connection,
    stop: CancellationToken,
) -> Result<(), AmqpError> {
    let publisher = connection.publisher().await?;
    let telling = async {
        loop {
            match listen(store, &publisher).await? {
                Ok(()) => {}
                Err(error) => {
                    tracing::debug!(error = %error_chain(&error), "no news for workers");
                }
            }
            tokio::time::sleep(EVERY).await;
        }
    };
    stop.run_until_cancelled(telling).await.unwrap_or(Ok(()))
}

async fn listen(store: &Store, publisher: &Publisher) -> Result<Result<(), StoreError>, AmqpError> {
    let mut listener = match store.listen(CONTROL_CHANNEL).await {
        Ok(listener) => listener,
        Err(error) => return Ok(Err(error)),
    };
    let mut again = tokio::time::interval(EVERY);
    // After an alarm of RabbitMQ, what was missed is said once.
    again.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            news = next(&mut listener) => {
                let Some(news) = news else { return Ok(Ok(())) };
                tell(publisher, &news).await?;
            }
            _ = again.tick() => {
                let modes = match round(store.worker_list_modes(AGAIN)).await {
                    Ok(modes) => modes,
                    Err(error) => return Ok(Err(error)),
                };
                for (worker_id, mode) in modes {
                    tell(publisher, &Control::Mode { worker_id, mode }).await?;
                }
            }
        }
    }
}

/// The next news; none when the listener lost its connection.
async fn next(listener: &mut Listener) -> Option<Control> {
    loop {
        let notification = listener.next().await?;
        match serde_json::from_str(notification.payload()) {
            Ok(control) => return Some(control),
            Err(error) => tracing::warn!(%error, "news for workers can't be read"),
        }
    }
}

async fn tell(publisher: &Publisher, control: &Control) -> Result<(), AmqpError> {
    // No control of ours is unwritable; one that is would be told by nobody.
    let Ok(message) = message::encode(control) else {
        return Ok(());
    };
    match publisher.broadcast(&message).await {
        // RabbitMQ takes nothing at the moment. Whoever should have heard it is told
        // again: of its mode by us, of what is over in answer to its next heartbeat.
        Err(error @ AmqpError::Timeout { .. }) => {
            tracing::debug!(error = %error_chain(&error), "workers were not told");
            Ok(())
        }
        told => told,
    }
}
