//! Asking for a rejudging's judgements, bit by bit.

use super::super::{Store, StoreError, row};
use super::MANY;

const ATTEMPT: &str = "ask for rejudging";

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fed {
    /// New judgements, each with a row in the outbox.
    pub(crate) judgements: u64,
    /// Whether other members may wait for theirs.
    pub(crate) more: bool,
}

/// Makes judgements for the next members of the open rejudging whose turn it is,
/// unless `enough` tasks wait in the lane already. Schedulers that do so at the
/// same time take different rejudgings.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn rejudging_feed(
    store: &Store,
    enough: u32,
    members: u32,
) -> Result<Fed, StoreError> {
    const NOTHING: Fed = Fed {
        judgements: 0,
        more: false,
    };
    let mut transaction = store.begin().await?;
    // Each by itself: one whose tasks nobody can judge at the moment keeps none of the
    // others waiting.
    let next = sqlx::query!(
        "SELECT id, fed_through, sandbox_mode, repetitions, submissions FROM rejudgings
         WHERE state = 'open' AND paused_at IS NULL AND NOT fed AND $1 > (
             SELECT count(*) FROM (
                 SELECT FROM outbox o JOIN judgements j ON j.id = o.judgement_id
                 WHERE j.rejudging_id = rejudgings.id LIMIT $1
             ) waiting
         )
         ORDER BY last_fed_at NULLS FIRST, id LIMIT 1 FOR UPDATE SKIP LOCKED",
        i64::from(enough)
    )
    .fetch_optional(&mut *transaction)
    .await
    .map_err(StoreError::on(ATTEMPT))?;
    let Some(next) = next else {
        return Ok(NOTHING);
    };
    let fed = sqlx::query!(
        r#"WITH batch AS (
               SELECT submission_id, old_judgement_id, package_id FROM rejudging_members
               WHERE rejudging_id = $1 AND ($2::uuid IS NULL OR submission_id > $2)
               ORDER BY submission_id LIMIT $3
           ), made AS (
               INSERT INTO judgements (id, submission_id, package_id, is_current, lane, sandbox_mode, sandbox_reason,
                   testcases_total, rejudging_id, repetition, scrutiny)
               SELECT uuid_v7(), b.submission_id, b.package_id, false,
                   -- What workers died of is for those that may die.
                   CASE old.lane WHEN 'quarantine' THEN 'quarantine' ELSE 'rejudge' END,
                   chosen.mode,
                   CASE
                       WHEN $4 IS NOT NULL THEN 'rejudging asks for it'
                       WHEN v.has_rules AND old.sandbox_mode = 'unshare' THEN 'its problem has rules'
                       WHEN old.sandbox_reason LIKE 'as before: %' THEN old.sandbox_reason
                       ELSE 'as before: ' || old.sandbox_reason
                   END,
                   v.testcases, $1, number, look.scrutiny
               FROM batch b
               JOIN rejudging_claims c ON c.submission_id = b.submission_id AND c.rejudging_id = $1
               JOIN judgements old ON old.id = b.old_judgement_id
               JOIN packages v ON v.id = b.package_id
               JOIN submissions s ON s.id = b.submission_id
               JOIN problems p ON p.id = s.problem_id
               CROSS JOIN LATERAL (
                   SELECT COALESCE($4, CASE WHEN v.has_rules THEN 'ptrace' END, old.sandbox_mode) AS mode
               ) chosen
               -- As the flags are now, which may be others than once; `Scrutiny::join` in SQL.
               LEFT JOIN flags of_team ON of_team.scope = 'team' AND of_team.subject = s.team
               LEFT JOIN flags of_problem ON of_problem.scope = 'problem' AND of_problem.subject = p.short_name
               LEFT JOIN LATERAL (
                   SELECT jsonb_strip_nulls(jsonb_build_object(
                       'audit', (ARRAY['summary', 'decisions', 'full'])[GREATEST(
                           array_position(ARRAY['summary', 'decisions', 'full'], of_team.scrutiny->>'audit'),
                           array_position(ARRAY['summary', 'decisions', 'full'], of_problem.scrutiny->>'audit'))],
                       'layers', COALESCE(of_team.scrutiny->'layers', '[]') || COALESCE(of_problem.scrutiny->'layers', '[]')
                   )) AS scrutiny
               ) look ON chosen.mode = 'ptrace' AND COALESCE(of_team.scrutiny, of_problem.scrutiny) IS NOT NULL
               CROSS JOIN generate_series(1, $5) AS number
               RETURNING id, attempt, lane
           ), asked AS (
               INSERT INTO outbox (judgement_id, attempt, lane) SELECT id, attempt, lane FROM made
           )
           UPDATE rejudgings SET
               fed_through = COALESCE((SELECT submission_id FROM batch ORDER BY submission_id DESC LIMIT 1), fed_through),
               fed = (SELECT count(*) FROM batch) < $3,
               last_fed_at = clock_timestamp()
           WHERE id = $1
           RETURNING (SELECT count(*) FROM made) AS "made!", fed"#,
        next.id,
        next.fed_through,
        i64::from(members),
        next.sandbox_mode,
        next.repetitions
    )
    .fetch_one(&mut *transaction)
    .await
    .map_err(StoreError::on(ATTEMPT))?;
    if fed.fed && i64::from(next.submissions) * i64::from(next.repetitions) > MANY {
        sqlx::query!("ANALYZE judgements (rejudging_id, submission_id, repetition, is_current)")
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::on(ATTEMPT))?;
    }
    Store::commit(transaction).await?;
    Ok(Fed {
        judgements: row::count("a number of judgements", fed.made)?,
        more: true,
    })
}
