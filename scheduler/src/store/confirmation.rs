//! Judgements beside others whose verdict was a close call, by another worker.

use std::time::Duration;

use assize_common::id::JudgementId;
use assize_common::language::NO_LANGUAGE;
use assize_common::{Lane, Verdict};
use sqlx::PgConnection;
use uuid::Uuid;

use super::outbox::OUTBOX_CHANNEL;
use super::{StoreError, row};

/// A verdict that another worker did not come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dispute {
    /// The judgement that was to be confirmed.
    pub(crate) judgement: JudgementId,
    /// Its verdict.
    pub(crate) verdict: Verdict,
    /// The judgement that was to confirm it.
    pub(crate) confirmation: JudgementId,
    /// Its verdict.
    pub(crate) other_verdict: Verdict,
}

/// Has a judgement of the live lane that counts judged once more, in the same sandbox and beside it, by another
/// worker, if there is one that was heard of within `lease`. Once, and not what is flagged, in
/// quarantine or rejudged: what workers died of must not come to others. `None` if there is nothing to do.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn judgement_confirm(
    connection: &mut PgConnection,
    id: JudgementId,
    reason: &str,
    lease: Duration,
) -> Result<Option<JudgementId>, StoreError> {
    let made = sqlx::query!(
        r#"WITH made AS (
               INSERT INTO judgements (id, submission_id, package_id, is_current, lane, sandbox_mode, sandbox_reason,
                   testcases_total, confirms)
               SELECT $2, j.submission_id, j.package_id, false, $3, j.sandbox_mode, $4, j.testcases_total, j.id
               FROM judgements j
               JOIN submissions s ON s.id = j.submission_id
               JOIN workers judged ON judged.id = j.worker_id
               WHERE j.id = $1 AND j.is_current AND j.lane = 'live' AND j.scrutiny IS NULL AND EXISTS (
                   SELECT FROM workers w
                   WHERE w.name <> judged.name AND $3 = ANY (w.lanes) AND w.stopped_at IS NULL AND w.mode = 'run'
                     AND w.last_seen_at > clock_timestamp() - make_interval(secs => $5)
                     AND (s.language_id = $6 OR EXISTS (
                         SELECT FROM jsonb_array_elements(w.languages) AS entry WHERE entry ->> 'id' = s.language_id)))
               ON CONFLICT (confirms) WHERE confirms IS NOT NULL DO NOTHING
               RETURNING id, attempt, lane
           ), task AS (
               INSERT INTO outbox (judgement_id, attempt, lane) SELECT id, attempt, lane FROM made
           )
           SELECT id, pg_notify($7, lane)::text AS "rung" FROM made"#,
        id.as_uuid(),
        JudgementId::generate().as_uuid(),
        Lane::Batch.name(),
        row::text(reason),
        lease.as_secs_f64(),
        NO_LANGUAGE,
        OUTBOX_CHANNEL
    )
    .fetch_optional(connection)
    .await
    .map_err(StoreError::on("have a judgement confirmed"))?;
    Ok(made.map(|made| made.id.into()))
}

/// Those of these judgements that were to confirm others and came to another verdict.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn judgement_list_disputes(
    connection: &mut PgConnection,
    judgements: impl Iterator<Item = JudgementId>,
) -> Result<Vec<Dispute>, StoreError> {
    let judgements: Vec<Uuid> = judgements.map(|id| id.as_uuid()).collect();
    let rows = sqlx::query!(
        r#"SELECT confirmed.id, confirmed.verdict AS "verdict!", other.id AS other_id, other.verdict AS "other_verdict!"
           FROM judgements other JOIN judgements confirmed ON confirmed.id = other.confirms
           WHERE other.id = ANY($1) AND other.verdict <> confirmed.verdict"#,
        &judgements
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::on("compare confirmations"))?;
    rows.into_iter()
        .map(|row| {
            Ok(Dispute {
                judgement: row.id.into(),
                verdict: row::named("a verdict", &row.verdict)?,
                confirmation: row.other_id.into(),
                other_verdict: row::named("a verdict", &row.other_verdict)?,
            })
        })
        .collect()
}
