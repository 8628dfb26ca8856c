//! Judgements under ptrace that look again at another.

use assize_common::id::JudgementId;
use assize_common::{Lane, SandboxChoice, Scrutiny};
use serde_json::json;
use sqlx::PgConnection;

use super::outbox::OUTBOX_CHANNEL;
use super::rejudging::exchange_lock;
use super::{StoreError, row, scrutiny};

/// Has a judgement that counts looked at again under ptrace, by a judgement beside it in
/// the flagged lane: one under unshare once, as an escalation. With scrutiny it is
/// looked at each time, whatever it was under, by a judgement that never counts. `None` if
/// there is nothing to do.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn judgement_look_again(
    connection: &mut PgConnection,
    id: JudgementId,
    choice: &SandboxChoice,
    scrutiny: &Scrutiny,
) -> Result<Option<JudgementId>, StoreError> {
    let made = sqlx::query!(
        r#"WITH made AS (
               INSERT INTO judgements (id, submission_id, package_id, is_current, lane, sandbox_mode, sandbox_reason,
                   testcases_total, scrutiny, escalates, scrutinizes)
               SELECT $2, submission_id, package_id, false, $3, $4, $5, testcases_total, $6::jsonb,
                   CASE WHEN $6::jsonb IS NULL THEN id END, CASE WHEN $6::jsonb IS NOT NULL THEN id END
               FROM judgements WHERE id = $1 AND is_current AND ($6::jsonb IS NOT NULL OR sandbox_mode = 'unshare')
               ON CONFLICT (escalates) WHERE escalates IS NOT NULL DO NOTHING
               RETURNING id, attempt, lane
           ), task AS (
               INSERT INTO outbox (judgement_id, attempt, lane) SELECT id, attempt, lane FROM made
           )
           SELECT id, pg_notify($7, lane)::text AS "rung" FROM made"#,
        id.as_uuid(),
        JudgementId::generate().as_uuid(),
        Lane::Flagged.name(),
        choice.mode.to_string(),
        row::text(&choice.reason),
        scrutiny::column(scrutiny)?,
        OUTBOX_CHANNEL
    )
    .fetch_optional(connection)
    .await
    .map_err(StoreError::on("look at a judgement again"))?;
    Ok(made.map(|made| made.id.into()))
}

/// Has the verdict of an escalation count instead of the one that it looks at
/// again, which stays beside it. Not where a rejudging has to do with that one:
/// then an admin decides. Whether anything was exchanged.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn judgement_replace_escalated(
    connection: &mut PgConnection,
    id: JudgementId,
) -> Result<bool, StoreError> {
    let attempt = "have an escalation count";
    let looks_again = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM judgements WHERE id = $1 AND escalates IS NOT NULL) AS "exists!""#,
        id.as_uuid()
    );
    let looks_again = looks_again.fetch_one(&mut *connection).await;
    if !looks_again.map_err(StoreError::on(attempt))? {
        return Ok(false);
    }
    exchange_lock(connection).await?;
    let replaced = sqlx::query!(
        "UPDATE judgements old SET is_current = false FROM judgements new
         WHERE new.id = $1 AND new.state = 'done' AND old.id = new.escalates AND old.is_current
           AND old.rejudging_id IS NULL
           AND NOT EXISTS (SELECT FROM rejudging_claims c WHERE c.submission_id = old.submission_id)
         RETURNING old.id, old.submission_id",
        id.as_uuid()
    )
    .fetch_optional(&mut *connection)
    .await
    .map_err(StoreError::on(attempt))?;
    let Some(replaced) = replaced else {
        return Ok(false);
    };
    let details = json!({ "from": replaced.id, "to": id });
    // Two statements: the index that allows one current judgement looks at each row.
    sqlx::query!(
        "WITH counting AS (
             UPDATE judgements SET is_current = true WHERE id = $1
         ), action AS (
             INSERT INTO admin_actions (action, subject, details) VALUES ('escalation.replace', $3::uuid::text, $4)
             RETURNING id
         )
         INSERT INTO result_changes (action_id, submission_id, from_judgement_id, to_judgement_id)
         SELECT id, $3, $2, $1 FROM action",
        id.as_uuid(),
        replaced.id,
        replaced.submission_id,
        details
    )
    .execute(connection)
    .await
    .map_err(StoreError::on(attempt))?;
    Ok(true)
}
