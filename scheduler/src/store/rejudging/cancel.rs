//! Pausing, resuming and giving up.

use assize_common::api::RejudgingState;
use assize_common::id::{RejudgingId, TokenId};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::super::admin_action::admin_action_create;
use super::super::outbox::OUTBOX_CHANNEL;
use super::super::{Store, StoreError};
use super::switch::{Locked, SwitchRefusal, rejudging_close, rejudging_lock};

const ATTEMPT: &str = "end what a rejudging asked for";

impl Store {
    /// Gives up what is not applied: no more of it is judged, and nothing of it
    /// will ever count. What was applied stays. Nothing happens the second time.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn rejudging_cancel(
        &self,
        id: RejudgingId,
        by: TokenId,
    ) -> Result<Result<(), SwitchRefusal>, StoreError> {
        let mut transaction = self.begin().await?;
        let Some(locked) = rejudging_lock(&mut transaction, id).await? else {
            return Ok(Err(SwitchRefusal::NotFound));
        };
        match locked.state {
            RejudgingState::Open => {}
            RejudgingState::Cancelled => return Ok(Ok(())),
            state => return Ok(Err(SwitchRefusal::Closed(state))),
        }
        let ended = open_judgements_end(&mut transaction, id.as_uuid(), "cancelled").await?;
        let state = if locked.applied > 0 {
            RejudgingState::Applied
        } else {
            RejudgingState::Cancelled
        };
        rejudging_close(&mut transaction, id.as_uuid(), state).await?;
        let details = json!({ "judgements_ended": ended });
        let subject = id.to_string();
        admin_action_create(&mut transaction, by, "rejudging.cancel", &subject, details).await?;
        Self::commit(transaction).await?;
        Ok(Ok(()))
    }

    /// Holds back what workers have not taken up yet, or lets it go on. Nothing
    /// happens the second time.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn rejudging_pause(
        &self,
        id: RejudgingId,
        pause: bool,
        by: TokenId,
    ) -> Result<Result<(), SwitchRefusal>, StoreError> {
        let attempt = "pause or resume a rejudging";
        let mut transaction = self.begin().await?;
        let locked = match rejudging_lock(&mut transaction, id).await? {
            None => return Ok(Err(SwitchRefusal::NotFound)),
            Some(Locked { state, .. }) if state != RejudgingState::Open => {
                return Ok(Err(SwitchRefusal::Closed(state)));
            }
            Some(locked) => locked,
        };
        if locked.paused == pause {
            return Ok(Ok(()));
        }
        sqlx::query!(
            r#"SELECT pg_advisory_xact_lock(hashtextextended($1::uuid::text, 0))::text AS "locked""#,
            id.as_uuid()
        )
        .fetch_one(&mut *transaction)
        .await
        .map_err(StoreError::on(attempt))?;
        sqlx::query!(
            "UPDATE rejudgings SET paused_at = CASE WHEN $2 THEN clock_timestamp() END WHERE id = $1",
            id.as_uuid(),
            pause
        )
        .execute(&mut *transaction)
        .await
        .map_err(StoreError::on(attempt))?;
        sqlx::query!(
            "UPDATE outbox o SET not_before = CASE WHEN $2 THEN 'infinity' ELSE clock_timestamp() END
             FROM judgements j WHERE j.id = o.judgement_id AND j.rejudging_id = $1",
            id.as_uuid(),
            pause
        )
        .execute(&mut *transaction)
        .await
        .map_err(StoreError::on(attempt))?;
        sqlx::query!(
            r#"SELECT pg_notify($1, 'rejudge')::text AS "rung""#,
            OUTBOX_CHANNEL
        )
        .fetch_one(&mut *transaction)
        .await
        .map_err(StoreError::on(attempt))?;
        let action = if pause {
            "rejudging.pause"
        } else {
            "rejudging.resume"
        };
        let subject = id.to_string();
        admin_action_create(&mut transaction, by, action, &subject, json!({})).await?;
        Self::commit(transaction).await?;
        Ok(Ok(()))
    }
}

/// Whether a rejudging is paused, which nobody changes until the transaction ends.
/// Not by its row's lock: whoever asks has judgements locked already, which others
/// lock after the row.
///
/// # Errors
/// When the database can't be reached.
pub(in super::super) async fn rejudging_is_paused(
    connection: &mut PgConnection,
    id: Uuid,
) -> Result<bool, StoreError> {
    let attempt = "read whether a rejudging is paused";
    sqlx::query!(
        r#"SELECT pg_advisory_xact_lock_shared(hashtextextended($1::uuid::text, 0))::text AS "locked""#,
        id
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(StoreError::on(attempt))?;
    sqlx::query_scalar!(
        r#"SELECT paused_at IS NOT NULL AS "paused!" FROM rejudgings WHERE id = $1"#,
        id
    )
    .fetch_one(connection)
    .await
    .map_err(StoreError::on(attempt))
}

/// Ends a rejudging's judgements that are open: what workers report of them from
/// now on moves nothing. Returns how many there were.
///
/// # Errors
/// When the database can't be reached.
pub(super) async fn open_judgements_end(
    connection: &mut PgConnection,
    id: Uuid,
    what: &str,
) -> Result<u64, StoreError> {
    let ended = sqlx::query!(
        "WITH open AS (
             SELECT id FROM judgements
             WHERE rejudging_id = $1 AND state IN ('queued', 'running') AND NOT is_current
             ORDER BY id FOR UPDATE
         )
         UPDATE judgements j SET state = 'error', error = 'its rejudging was ' || $2::text,
             finished_at = clock_timestamp(), lease_until = NULL
         FROM open WHERE j.id = open.id",
        id,
        what
    )
    .execute(&mut *connection)
    .await
    .map_err(StoreError::on(ATTEMPT))?
    .rows_affected();
    sqlx::query!(
        "DELETE FROM outbox o USING judgements j WHERE j.id = o.judgement_id AND j.rejudging_id = $1",
        id
    )
    .execute(connection)
    .await
    .map_err(StoreError::on(ATTEMPT))?;
    Ok(ended)
}
