//! Dead letters: taken out of the broker into the database, where admins look at
//! them and decide, and put back into their queues when they say so.
//!
//! None of them holds anything up: an attempt whose task or report is dead runs
//! into its lease or is found by the search for lost tasks.

use std::time::Duration;

use assize_common::amqp::{AmqpError, Connection, Death, Delivery, Publisher, Topology};
use assize_common::message::{self, Task, WorkerReport};
use assize_common::telemetry::error_chain;
use tokio_util::sync::CancellationToken;

use crate::store::{DeadLetterLoad, DeadMessage, Store, StoreError, round};

const PREFETCH: u16 = 16;
/// How often to look for letters that are to be retried.
const TIMER: Duration = Duration::from_secs(1);
/// With so many waiting, or so much, further ones are lost: nobody looks anyway, and
/// what stays in the broker would fill its disk in the end, which stops everything.
const MOST: DeadLetterLoad = DeadLetterLoad {
    letters: 10_000,
    bytes: 256 << 20,
};
/// How much is kept of one. More nobody would read if it came again.
const LARGEST_KEPT: usize = message::LARGEST_BYTES;
/// How long they are kept once somebody has decided, and how often it is looked at.
const KEPT: Duration = Duration::from_secs(30 * 86_400);
const SWEEP: Duration = Duration::from_secs(3600);

/// Keeps dead letters.
#[derive(Debug)]
pub(crate) struct DeadLetters {
    pub(crate) store: Store,
    pub(crate) topology: Topology,
}

impl DeadLetters {
    /// Keeps and retries until stopped.
    ///
    /// # Errors
    /// When the connection to the broker is not fit for use any more.
    pub(crate) async fn run(
        self,
        connection: &Connection,
        stop: CancellationToken,
    ) -> Result<(), AmqpError> {
        let publisher = connection.publisher().await?;
        let keeping = async {
            stop.run_until_cancelled(self.keep_all(connection))
                .await
                .unwrap_or(Ok(()))
        };
        let retrying = async {
            stop.run_until_cancelled(self.retry_all(&publisher))
                .await
                .unwrap_or(Ok(()))
        };
        let sweeping = async {
            stop.run_until_cancelled(self.sweep()).await;
            Ok(())
        };
        tokio::try_join!(keeping, retrying, sweeping).map(drop)
    }

    async fn sweep(&self) {
        loop {
            match round(self.store.dead_letter_remove_old(KEPT)).await {
                Ok(0) => {}
                Ok(removed) => {
                    tracing::info!(removed, "removed dead letters that were decided about")
                }
                Err(error) => {
                    tracing::debug!(error = %error_chain(&error), "cannot remove old dead letters");
                }
            }
            tokio::time::sleep(SWEEP).await;
        }
    }

    async fn keep_all(&self, connection: &Connection) -> Result<(), AmqpError> {
        let mut consumer = connection.consume(&self.topology.dead(), PREFETCH).await?;
        while let Some(delivery) = consumer.next().await {
            let dead = self.read(&delivery);
            while let Err(error) = round(self.keep(&dead)).await {
                tracing::warn!(error = %error_chain(&error), "cannot keep a dead letter; trying again");
                tokio::time::sleep(TIMER).await;
            }
            delivery.ack().await?;
        }
        // An error, or nobody would keep dead letters while others are still retried.
        Err(AmqpError::ConsumerEnded {
            queue: self.topology.dead(),
        })
    }

    async fn keep(&self, dead: &DeadMessage) -> Result<(), StoreError> {
        let load = self.store.dead_letter_load().await?;
        if load.letters >= MOST.letters || load.bytes >= MOST.bytes {
            tracing::error!(
                waiting = load.letters,
                bytes = load.bytes,
                reason = dead.reason,
                "a dead letter is lost: too many wait; `assize dead` lists and drops them"
            );
            metrics::counter!("assize_dead_letters_total", "reason" => "overflow").increment(1);
            return Ok(());
        }
        self.store.dead_letter_keep(dead).await?;
        tracing::error!(
            queue = dead.queue,
            reason = dead.reason,
            "a dead letter: `assize dead list` shows it"
        );
        Ok(())
    }

    fn read(&self, delivery: &Delivery) -> DeadMessage {
        // Whoever publishes to the queue itself tells no cause.
        let Death { queue, cause } = delivery.death().unwrap_or_else(|| Death {
            queue: self.topology.dead(),
            cause: "published as a dead letter".to_owned(),
        });
        DeadMessage {
            reason: reason(queue == self.topology.reports(), &cause, delivery.body()),
            queue,
            message: delivery.body().iter().copied().take(LARGEST_KEPT).collect(),
        }
    }

    async fn retry_all(&self, publisher: &Publisher) -> Result<(), AmqpError> {
        let mut after = 0;
        loop {
            match self.retry(publisher, after).await? {
                Ok(Some(tried)) => {
                    after = tried;
                    continue;
                }
                Ok(None) => after = 0,
                Err(error) => {
                    tracing::debug!(error = %error_chain(&error), "cannot look for dead letters to retry");
                }
            }
            tokio::time::sleep(TIMER).await;
        }
    }

    /// Puts one after `after` back, if one is to go, and returns which was tried. One that is put
    /// back twice after a crash harms nothing: every message may come twice.
    async fn retry(
        &self,
        publisher: &Publisher,
        after: i64,
    ) -> Result<Result<Option<i64>, StoreError>, AmqpError> {
        let (id, dead) = match round(self.store.dead_letter_next_retry(after)).await {
            Ok(Some(next)) => next,
            Ok(None) => return Ok(Ok(None)),
            Err(error) => return Ok(Err(error)),
        };
        match publisher.publish(&dead.queue, &dead.message).await {
            // The queue may be that of another installation or time, or RabbitMQ takes
            // nothing at the moment; looked at again later, and the others have their turn.
            Err(error @ (AmqpError::NotTaken { .. } | AmqpError::Timeout { .. })) => {
                tracing::warn!(dead_letter.id = id, error = %error_chain(&error), "RabbitMQ does not take a dead letter back; trying again");
                return Ok(Ok(Some(id)));
            }
            published => published?,
        }
        tracing::info!(
            dead_letter.id = id,
            queue = dead.queue,
            "retried a dead letter"
        );
        Ok(round(self.store.dead_letter_retried(id))
            .await
            .map(|()| Some(id)))
    }
}

/// Why a message is dead: what is wrong with it if anything is, else what the broker says.
fn reason(is_report: bool, cause: &str, message: &[u8]) -> String {
    let decoded = if is_report {
        message::decode::<WorkerReport>(message).map(drop)
    } else {
        message::decode::<Task>(message).map(drop)
    };
    match (decoded, cause) {
        (Err(error), _) => error_chain(&error).to_string(),
        (Ok(()), "delivery_limit") => "it came back to its queue too often".to_owned(),
        (Ok(()), "rejected") if is_report => "the database refused it".to_owned(),
        (Ok(()), cause) => format!("it is readable, but {cause}"),
    }
}

#[cfg(test)]
mod tests {
    use sqlx::PgPool;

    use super::*;
    use crate::fixture::Fixture;

    #[sqlx::test(migrations = "../migrations")]
    async fn they_neither_fill_the_database_nor_stay_for_ever(pool: PgPool) {
        let fixture = Fixture::new(pool).await;
        let letters = DeadLetters {
            store: fixture.store.clone(),
            topology: Topology::new("test"),
        };
        let dead = DeadMessage {
            queue: "q".into(),
            reason: "r".into(),
            message: b"message".to_vec(),
        };
        letters.keep(&dead).await.unwrap();
        let load = || fixture.store.dead_letter_load();
        let one = DeadLetterLoad {
            letters: 1,
            bytes: 7,
        };
        assert_eq!(load().await.unwrap(), one);
        let many = "INSERT INTO dead_letters (queue, reason, message) SELECT 'q', 'r', '' FROM generate_series(2, 10000)";
        fixture.execute(many).await.unwrap();
        letters.keep(&dead).await.unwrap();
        assert_eq!(load().await.unwrap().letters, 10_000);
        fixture
            .execute("DELETE FROM dead_letters WHERE message = ''")
            .await
            .unwrap();
        let large = "INSERT INTO dead_letters (queue, reason, message)
            SELECT 'q', 'r', convert_to(repeat('x', 64 << 20), 'UTF8') FROM generate_series(1, 4)";
        fixture.execute(large).await.unwrap();
        letters.keep(&dead).await.unwrap();
        assert_eq!(load().await.unwrap().letters, 5);

        fixture
            .execute(
                "UPDATE dead_letters SET state = 'dropped', decided_at = now()
                     - CASE WHEN message = 'message' THEN interval '29 days' ELSE interval '31 days' END",
            )
            .await
            .unwrap();
        assert_eq!(fixture.store.dead_letter_remove_old(KEPT).await.unwrap(), 4);
        assert_eq!(fixture.count("SELECT count(*) FROM dead_letters").await, 1);
    }

    #[test]
    fn what_is_wrong_with_a_message_is_its_reason() {
        let unreadable = reason(false, "rejected", b"\xff");
        assert!(unreadable.contains("not JSON"), "{unreadable}");
        let newer = reason(true, "rejected", b"{\"v\":99}");
        assert!(newer.contains("version 99"), "{newer}");
        let stopped = br#"{"v":1,"worker_id":"00000000-0000-0000-0000-000000000001","report":{"kind":"stopped"}}"#;
        assert_eq!(
            reason(true, "delivery_limit", stopped),
            "it came back to its queue too often"
        );
        assert_eq!(reason(true, "rejected", stopped), "the database refused it");
    }
}
