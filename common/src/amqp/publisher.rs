//! Publishing with confirms: a message counts as sent when the broker says that
//! it is stored in a queue.

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Confirmation};
use tokio::sync::watch;

use super::AmqpError;
use super::connection::within;
use super::line::Line;

const PERSISTENT: u8 = 2;

/// Publishes messages; cheap to clone, and clones share a channel.
#[derive(Debug, Clone)]
pub struct Publisher {
    line: Line,
    exchange: String,
    control: String,
}

impl Publisher {
    pub(super) async fn new(
        line: Line,
        exchange: String,
        control: String,
    ) -> Result<Self, AmqpError> {
        let selecting = line.channel.confirm_select(ConfirmSelectOptions::default());
        line.ask("ask for publisher confirms", selecting).await?;
        Ok(Self {
            line,
            exchange,
            control,
        })
    }

    /// Tells all who listen at the moment, if anybody does.
    ///
    /// # Errors
    /// When the connection is lost or the broker does not confirm in time.
    pub async fn broadcast(&self, message: &[u8]) -> Result<(), AmqpError> {
        let attempt = format!("publish to exchange {}", self.control);
        let publishing = async {
            unblocked(self.line.blocked.clone()).await;
            let properties =
                BasicProperties::default().with_content_type("application/json".into());
            self.line
                .channel
                .basic_publish(
                    self.control.as_str().into(),
                    "".into(),
                    BasicPublishOptions::default(),
                    message,
                    properties,
                )
                .await?
                .await
        };
        within(&attempt, publishing)
            .await?
            .map(drop)
            .map_err(AmqpError::operation(attempt))
    }

    /// Publishes `message` to `queue` and waits for the broker's confirm, with
    /// patience once it is on its way. After an error the message may or may not be
    /// in the queue: publish it again later, duplicates are harmless.
    ///
    /// # Errors
    /// When the connection is lost, the broker does not confirm in time, refuses
    /// the message, or has no such queue.
    pub async fn publish(&self, queue: &str, message: &[u8]) -> Result<(), AmqpError> {
        let attempt = format!("publish to {queue}");
        let publishing = async {
            unblocked(self.line.blocked.clone()).await;
            // `mandatory`: without it the broker confirms and drops what has no queue.
            let options = BasicPublishOptions {
                mandatory: true,
                ..Default::default()
            };
            let properties = BasicProperties::default()
                .with_delivery_mode(PERSISTENT)
                .with_content_type("application/json".into());
            self.line
                .channel
                .basic_publish(
                    self.exchange.as_str().into(),
                    queue.into(),
                    options,
                    message,
                    properties,
                )
                .await
        };
        let confirm = within(&attempt, publishing)
            .await?
            .map_err(AmqpError::operation(&attempt))?;
        let confirmation = self.line.ask(&attempt, confirm).await?;
        let not_taken = |problem| {
            Err(AmqpError::NotTaken {
                queue: queue.to_owned(),
                problem,
            })
        };
        match confirmation {
            Confirmation::Ack(None) => Ok(()),
            Confirmation::Ack(Some(_)) => not_taken("no such queue is bound to the exchange"),
            Confirmation::Nack(_) => not_taken("it refused"),
            Confirmation::NotRequested => not_taken("confirms are not enabled on the channel"),
        }
    }
}

/// Waits while the broker takes nothing. The client library would keep what it is
/// given meanwhile, and everybody who loses patience gives it the same once more.
async fn unblocked(mut blocked: watch::Receiver<bool>) {
    // An error means that the connection is gone, which publishing tells.
    blocked.wait_for(|blocked| !blocked).await.ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_publishes_waits_while_the_broker_takes_nothing() {
        let (block, blocked) = watch::channel(false);
        unblocked(blocked.clone()).await;
        block.send_replace(true);
        let waiting = tokio::spawn(unblocked(blocked.clone()));
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        block.send_replace(false);
        waiting.await.unwrap();
        block.send_replace(true);
        drop(block);
        unblocked(blocked).await;
    }
}
