//! A database that says nothing any more, not even that it is gone: its host lost power, a
//! middlebox forgot the connection, or its processes are frozen.
//!
//! What limits statements on the server's side is no help then, and a connection that only
//! listens would never learn of it.

use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgListener, PgNotification, PgPoolOptions};
use tokio::time::timeout;

use super::StoreError;

/// How long a round of work may take: longer than anything that ends by itself.
const ROUND: Duration = Duration::from_secs(90);
/// How long the answer to a trivial statement may take.
pub(super) const ANSWER: Duration = Duration::from_secs(5);
/// For how long nobody needs to have anything to say.
const QUIET: Duration = Duration::from_secs(15);

/// Does a round of work with the database, which can be given up at any point and is tried
/// again later.
///
/// # Errors
/// Those of the work, or a transient one when the database does not answer.
pub(crate) async fn round<T, E: From<StoreError>>(
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    round_within(ROUND, work).await
}

pub(super) async fn round_within<T, E: From<StoreError>>(
    bound: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let done = timeout(bound, work).await;
    done.unwrap_or_else(|_| Err(StoreError::Silent { waited: bound }.into()))
}

/// Listens to notifications. They ring a bell, no more: those sent while nobody
/// listens are lost, so whoever listens looks by timer, too.
#[derive(Debug)]
pub struct Listener {
    listener: PgListener,
    /// For how long it believes without any that there is nothing to be said.
    quiet: Duration,
    /// When it last heard of the database.
    heard: Instant,
}

impl Listener {
    pub(super) async fn connect(
        options: PgConnectOptions,
        channel: &str,
    ) -> Result<Self, StoreError> {
        let listening = async {
            // A pool of its own: that of others would miss a connection which never answers.
            let pool = PgPoolOptions::new()
                .max_connections(1)
                .connect_with(options)
                .await?;
            let mut listener = PgListener::connect_with(&pool).await?;
            listener.listen(channel).await?;
            Ok(Self {
                listener,
                quiet: QUIET,
                heard: Instant::now(),
            })
        };
        round_within(2 * ANSWER, async {
            listening
                .await
                .map_err(StoreError::on("listen to notifications"))
        })
        .await
    }

    #[cfg(test)]
    pub(super) fn with_quiet(self, quiet: Duration) -> Self {
        Self { quiet, ..self }
    }

    /// The next notification; none when the connection is lost, with whatever was said
    /// meanwhile. Nothing is lost when this is given up.
    pub async fn next(&mut self) -> Option<PgNotification> {
        loop {
            // By the clock, since this is given up and called again more often than that.
            let quiet = self.quiet.saturating_sub(self.heard.elapsed());
            let notification = match timeout(quiet, self.listener.try_recv()).await {
                Ok(received) => Some(received.ok().flatten()?),
                Err(_) => {
                    let left = (self.quiet + ANSWER).checked_sub(self.heard.elapsed())?;
                    let asked = sqlx::query_scalar!(r#"SELECT 1 AS "one!""#);
                    timeout(left, asked.fetch_one(&mut self.listener))
                        .await
                        .ok()?
                        .ok()?;
                    None
                }
            };
            self.heard = Instant::now();
            if notification.is_some() {
                return notification;
            }
        }
    }
}
