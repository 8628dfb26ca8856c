//! What is paused since judging of it fails.

use assize_common::Lane;
use assize_common::api::Pause;
use assize_common::id::TokenId;
use serde_json::json;

use super::admin_action::admin_action_create;
use super::outbox::OUTBOX_CHANNEL;
use super::{Store, StoreError, row};
use crate::culprit::Culprit;

impl Store {
    /// Pauses what judging fails on. None if it is paused already.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub(crate) async fn pause_create(
        &self,
        culprit: &Culprit,
    ) -> Result<Option<Pause>, StoreError> {
        let created = sqlx::query!(
            r#"WITH made AS (
                   INSERT INTO pauses (package_id, language_id, reason) VALUES ($1, $2, $3)
                   ON CONFLICT DO NOTHING RETURNING package_id, language_id, reason, since
               )
               SELECT p.short_name AS "problem?", v.version AS "version?", language_id AS language, reason, since
               FROM made
               LEFT JOIN packages v ON v.id = made.package_id
               LEFT JOIN problems p ON p.id = v.problem_id"#,
            culprit.subject.package,
            culprit.subject.language,
            row::text(&culprit.reason)
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::on("pause what judging fails on"))?;
        created
            .map(|row| {
                Ok(Pause {
                    problem: row.problem,
                    version: row.version.map(version).transpose()?,
                    language: row.language,
                    reason: row.reason,
                    since: row.since,
                    waiting: 0,
                })
            })
            .transpose()
    }

    /// Lists what is paused, the earliest first.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn pause_list(&self) -> Result<Vec<Pause>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT p.short_name AS "problem?", v.version AS "version?", x.language_id AS language, x.reason, x.since,
                   (SELECT count(*) FROM outbox o
                    JOIN judgements j ON j.id = o.judgement_id AND j.attempt = o.attempt AND j.state = 'queued'
                    JOIN submissions s ON s.id = j.submission_id
                    LEFT JOIN rejudgings r ON r.id = j.rejudging_id
                    WHERE (x.package_id IS NULL OR x.package_id = j.package_id)
                      AND (x.language_id IS NULL
                           OR x.language_id = COALESCE(r.overrides ->> 'language', s.language_id))) AS "waiting!"
               FROM pauses x
               LEFT JOIN packages v ON v.id = x.package_id
               LEFT JOIN problems p ON p.id = v.problem_id
               WHERE x.ended_at IS NULL ORDER BY x.since, x.id"#
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on("list what is paused"))?;
        rows.into_iter()
            .map(|row| {
                Ok(Pause {
                    problem: row.problem,
                    version: row.version.map(version).transpose()?,
                    language: row.language,
                    reason: row.reason,
                    since: row.since,
                    waiting: row::count("a number of tasks", row.waiting)?,
                })
            })
            .collect()
    }

    /// Counts what is paused.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn pause_count(&self) -> Result<u32, StoreError> {
        let open =
            sqlx::query_scalar!(r#"SELECT count(*) AS "open!" FROM pauses WHERE ended_at IS NULL"#)
                .fetch_one(&self.pool)
                .await
                .map_err(StoreError::on("count what is paused"))?;
        row::count("a number of pauses", open)
    }

    /// Ends the pauses of exactly this, in all versions of a problem, and notes who said so.
    /// What waited is published. False if it is not paused.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn pause_end(
        &self,
        problem: Option<&str>,
        language: Option<&str>,
        ended_by: TokenId,
    ) -> Result<bool, StoreError> {
        let attempt = "end a pause";
        let mut transaction = self.begin().await?;
        let ended = sqlx::query!(
            "UPDATE pauses SET ended_at = clock_timestamp(), ended_by = $3
             WHERE ended_at IS NULL AND language_id IS NOT DISTINCT FROM $2
               AND CASE WHEN $1::text IS NULL THEN package_id IS NULL ELSE package_id IN (
                   SELECT v.id FROM packages v JOIN problems p ON p.id = v.problem_id WHERE p.short_name = $1) END
             RETURNING reason, since",
            problem.map(row::text),
            language.map(row::text),
            ended_by.as_uuid()
        )
        .fetch_all(&mut *transaction)
        .await
        .map_err(StoreError::on(attempt))?;
        for pause in &ended {
            let subject = problem.or(language).unwrap_or_default();
            let details = json!({ "problem": problem, "language": language, "reason": pause.reason, "since": pause.since });
            admin_action_create(&mut transaction, ended_by, "pause.end", subject, details).await?;
        }
        let lanes = Lane::ALL.map(|lane| lane.name().to_owned());
        sqlx::query!(
            r#"SELECT pg_notify($1, lane)::text AS "rung" FROM unnest($2::text[]) AS of (lane)"#,
            OUTBOX_CHANNEL,
            &lanes
        )
        .fetch_all(&mut *transaction)
        .await
        .map_err(StoreError::on(attempt))?;
        Self::commit(transaction).await?;
        Ok(!ended.is_empty())
    }
}

fn version(number: i32) -> Result<u32, StoreError> {
    row::count("a package's version", number)
}
