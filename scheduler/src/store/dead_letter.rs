//! Dead letters: messages that nobody could read or finish.

use std::time::Duration;

use assize_common::api::{DeadLetter, DeadLetterInfo, DeadLetterState};
use assize_common::id::TokenId;
use chrono::{DateTime, Utc};

use super::{Store, StoreError, row};

/// A dead letter as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadMessage {
    /// The queue that it came from.
    pub queue: String,
    /// Why it is dead.
    pub reason: String,
    /// What it says.
    pub message: Vec<u8>,
}

/// What nobody has decided about, in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DeadLetterLoad {
    /// How many there are.
    pub(crate) letters: u64,
    /// How large they are together.
    pub(crate) bytes: u64,
}

struct DeadLetterRow {
    id: i64,
    queue: String,
    reason: String,
    size_bytes: i32,
    received_at: DateTime<Utc>,
    state: String,
}

impl TryFrom<DeadLetterRow> for DeadLetterInfo {
    type Error = StoreError;

    fn try_from(row: DeadLetterRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            queue: row.queue,
            reason: row.reason,
            size_bytes: row::count("a message's size", row.size_bytes)?,
            received_at: row.received_at,
            state: row::named("a dead letter's state", &row.state)?,
        })
    }
}

impl Store {
    /// Keeps a dead letter until somebody decides.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn dead_letter_keep(&self, dead: &DeadMessage) -> Result<(), StoreError> {
        sqlx::query!(
            "INSERT INTO dead_letters (queue, reason, message) VALUES ($1, $2, $3)",
            row::text(&dead.queue),
            row::text(&dead.reason),
            dead.message
        )
        .execute(&self.pool)
        .await
        .map(drop)
        .map_err(StoreError::on("keep a dead letter"))
    }

    /// How many nobody has decided about.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn dead_letter_count(&self) -> Result<u64, StoreError> {
        Ok(self.dead_letter_load().await?.letters)
    }

    /// How much nobody has decided about.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub(crate) async fn dead_letter_load(&self) -> Result<DeadLetterLoad, StoreError> {
        let attempt = "count the dead letters";
        let waiting = sqlx::query!(
            r#"SELECT count(*) AS "letters!", COALESCE(sum(octet_length(message)), 0)::bigint AS "bytes!"
               FROM dead_letters WHERE state = 'waiting'"#
        )
        .fetch_one(&self.pool)
        .await
        .map_err(StoreError::on(attempt))?;
        Ok(DeadLetterLoad {
            letters: row::count("a number of dead letters", waiting.letters)?,
            bytes: row::count("the size of dead letters", waiting.bytes)?,
        })
    }

    /// Removes those that were decided about longer ago than that.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub(crate) async fn dead_letter_remove_old(&self, age: Duration) -> Result<u64, StoreError> {
        sqlx::query!(
            "DELETE FROM dead_letters WHERE state IN ('retried', 'dropped')
               AND decided_at < clock_timestamp() - make_interval(secs => $1)",
            age.as_secs_f64()
        )
        .execute(&self.pool)
        .await
        .map(|done| done.rows_affected())
        .map_err(StoreError::on("remove old dead letters"))
    }

    /// Lists at most `limit`, the latest first; with `decided`, those too that
    /// somebody has decided about.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn dead_letter_list(
        &self,
        decided: bool,
        limit: u16,
    ) -> Result<Vec<DeadLetterInfo>, StoreError> {
        sqlx::query_as!(
            DeadLetterRow,
            r#"SELECT id, queue, reason, octet_length(message) AS "size_bytes!", received_at, state
               FROM dead_letters WHERE state IN ('waiting', 'retrying') OR $1 ORDER BY id DESC LIMIT $2"#,
            decided,
            i64::from(limit)
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on("list the dead letters"))?
        .into_iter()
        .map(DeadLetterInfo::try_from)
        .collect()
    }

    /// Reads one with what it says.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn dead_letter_read(&self, id: i64) -> Result<Option<DeadLetter>, StoreError> {
        let attempt = "read a dead letter";
        let row = sqlx::query_as!(
            DeadLetterRow,
            r#"SELECT id, queue, reason, octet_length(message) AS "size_bytes!", received_at, state
               FROM dead_letters WHERE id = $1"#,
            id
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::on(attempt))?;
        let Some(row) = row else { return Ok(None) };
        let message = sqlx::query_scalar!("SELECT message FROM dead_letters WHERE id = $1", id)
            .fetch_one(&self.pool)
            .await
            .map_err(StoreError::on(attempt))?;
        Ok(Some(DeadLetter {
            info: row.try_into()?,
            message: String::from_utf8_lossy(&message).into_owned(),
        }))
    }

    /// Decides about one that waits: into its queue again, or dropped, as one may be, too, whose
    /// queue does not take it. Returns what it is then, which is something else if it was decided about.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn dead_letter_decide(
        &self,
        id: i64,
        state: DeadLetterState,
        decided_by: TokenId,
    ) -> Result<Option<DeadLetterState>, StoreError> {
        sqlx::query!(
            "UPDATE dead_letters SET state = $2, decided_at = clock_timestamp(), decided_by = $3
             WHERE id = $1 AND (state = 'waiting' OR (state = 'retrying' AND $2 = 'dropped'))",
            id,
            state.name(),
            decided_by.as_uuid()
        )
        .execute(&self.pool)
        .await
        .map_err(StoreError::on("decide about a dead letter"))?;
        Ok(self.dead_letter_read(id).await?.map(|dead| dead.info.state))
    }

    /// The oldest one that is to go back into its queue, with its number, of those after `after`.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn dead_letter_next_retry(
        &self,
        after: i64,
    ) -> Result<Option<(i64, DeadMessage)>, StoreError> {
        let next = sqlx::query!(
            "SELECT id, queue, reason, message FROM dead_letters WHERE state = 'retrying' AND id > $1
             ORDER BY id LIMIT 1",
            after
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::on("look for dead letters to retry"))?;
        Ok(next.map(|next| {
            let dead = DeadMessage {
                queue: next.queue,
                reason: next.reason,
                message: next.message,
            };
            (next.id, dead)
        }))
    }

    /// Notes that one is in its queue again.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn dead_letter_retried(&self, id: i64) -> Result<(), StoreError> {
        sqlx::query!(
            "UPDATE dead_letters SET state = 'retried' WHERE id = $1 AND state = 'retrying'",
            id
        )
        .execute(&self.pool)
        .await
        .map(drop)
        .map_err(StoreError::on("note that a dead letter was retried"))
    }
}
