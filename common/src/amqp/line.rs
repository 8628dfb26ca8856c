//! A channel of a connection, and patience with a broker that does not read.

use std::future::{Future, pending};
use std::time::Duration;

use lapin::Channel;
use tokio::sync::watch;

use super::AmqpError;
use super::connection::{TIMEOUT, timed_out};

/// A channel; cheap to clone, and clones share it.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) channel: Channel,
    pub(super) blocked: watch::Receiver<bool>,
}

impl Line {
    /// Asks the broker for something, with [`patience`].
    ///
    /// # Errors
    /// When it refuses or does not answer in time, or the connection is lost.
    pub(super) async fn ask<T>(
        &self,
        attempt: &str,
        asking: impl Future<Output = lapin::Result<T>>,
    ) -> Result<T, AmqpError> {
        patience(&self.blocked, attempt, asking)
            .await?
            .map_err(AmqpError::operation(attempt))
    }
}

/// Runs `operation` for at most [`TIMEOUT`], not counting the time in which the broker
/// takes no messages: short of memory or disk, it reads nothing else from a
/// connection that publishes either, and all that was asked is answered afterwards.
pub(super) async fn patience<T>(
    blocked: &watch::Receiver<bool>,
    attempt: &str,
    operation: impl Future<Output = T>,
) -> Result<T, AmqpError> {
    tokio::select! {
        biased;
        result = operation => Ok(result),
        () = heard_for(blocked.clone(), TIMEOUT) => Err(timed_out(attempt)),
    }
}

/// Returns once the broker has taken messages for so long without a pause.
async fn heard_for(mut blocked: watch::Receiver<bool>, time: Duration) {
    loop {
        // Errors mean that the connection is gone: nobody blocks it any more.
        if blocked.wait_for(|blocked| !blocked).await.is_err() {
            return tokio::time::sleep(time).await;
        }
        let blocking = async {
            if blocked.wait_for(|blocked| *blocked).await.is_err() {
                pending().await
            }
        };
        if tokio::time::timeout(time, blocking).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep};

    use super::*;

    const TIME: Duration = Duration::from_millis(100);

    #[tokio::test]
    async fn time_does_not_count_while_the_broker_reads_nothing() {
        let (block, blocked) = watch::channel(true);
        let begin = Instant::now();
        let heard = tokio::spawn(heard_for(blocked.clone(), TIME));
        sleep(TIME * 4).await;
        assert!(!heard.is_finished());
        block.send_replace(false);
        heard.await.unwrap();
        assert!(begin.elapsed() >= TIME * 5);
        // With the connection goes whoever could unblock it.
        block.send_replace(true);
        drop(block);
        heard_for(blocked.clone(), TIME).await;
        assert_eq!(patience(&blocked, "wait", async { 1 }).await.unwrap(), 1);
    }
}
