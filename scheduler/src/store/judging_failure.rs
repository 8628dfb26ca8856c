//! Attempts that ended in judging errors, and whether the same was judged since.

use std::collections::HashMap;
use std::time::Duration;

use assize_common::Lane;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Store, StoreError, row};
use crate::culprit::{JudgingFailure, Subject};

/// For so long a failure says something about what it was of.
const MEMORY: Duration = Duration::from_secs(60 * 60);
/// More of them say no more.
pub(super) const ENOUGH: i64 = 2000;
/// Among so many that began last is the one that ended last: of one that takes longer than
/// all of these nothing follows.
pub(super) const LATEST: i64 = 100;
/// An attempt that began so long before a failure may still have ended after it.
pub(super) const LONG_ATTEMPT: Duration = Duration::from_secs(10 * 60);

/// Notes that the current attempt of a judgement ended in a judging error.
///
/// # Errors
/// When the database can't be reached.
pub(super) async fn judging_failure_create(
    connection: &mut PgConnection,
    judgement: Uuid,
    reason: &str,
) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO judging_failures (judgement_id, language_id, worker_id, reason)
         SELECT j.id, COALESCE(r.overrides ->> 'language', s.language_id), j.worker_id, $2
         FROM judgements j
         JOIN submissions s ON s.id = j.submission_id
         LEFT JOIN rejudgings r ON r.id = j.rejudging_id
         WHERE j.id = $1",
        judgement,
        row::text(reason)
    )
    .execute(connection)
    .await
    .map(drop)
    .map_err(StoreError::on("note a judging error"))
}

impl Store {
    /// Lists the latest judging errors of judgements that count or may come to count, but those
    /// that a pause has been made for, open or ended since. Forgets old ones.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub(crate) async fn judging_failure_list(&self) -> Result<Vec<JudgingFailure>, StoreError> {
        let attempt = "look for judging errors";
        sqlx::query!(
            "DELETE FROM judging_failures WHERE at < clock_timestamp() - make_interval(secs => $1)",
            MEMORY.as_secs_f64()
        )
        .execute(&self.pool)
        .await
        .map_err(StoreError::on(attempt))?;
        let rows = sqlx::query!(
            r#"SELECT s.problem_id, j.package_id, f.language_id, j.submission_id,
                   COALESCE(s.contest, '') AS "contest!", s.team, f.at, f.reason,
                   w.name AS "worker?", j.state = 'error' AS "is_last!"
               FROM judging_failures f
               JOIN judgements j ON j.id = f.judgement_id
               JOIN submissions s ON s.id = j.submission_id
               LEFT JOIN workers w ON w.id = f.worker_id
               LEFT JOIN rejudgings r ON r.id = j.rejudging_id AND r.state = 'open'
               WHERE (j.is_current OR r.id IS NOT NULL) AND NOT EXISTS (
                   SELECT FROM pauses p
                   WHERE COALESCE(p.ended_at, 'infinity') > f.at
                     AND (p.package_id IS NULL OR p.package_id = j.package_id)
                     AND (p.language_id IS NULL OR p.language_id = f.language_id)
               )
               ORDER BY f.id DESC LIMIT $1"#,
            ENOUGH
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on(attempt))?;
        let failures = rows.into_iter().map(|row| JudgingFailure {
            problem: row.problem_id,
            package: row.package_id,
            language: row.language_id,
            submission: row.submission_id,
            team: row.team.map(|team| (row.contest, team)),
            worker: row.worker,
            is_last: row.is_last,
            at: row.at,
            reason: row.reason,
        });
        Ok(failures.collect())
    }

    /// When something of these was last judged, after `since` or shortly before. A compile
    /// error does not count: nothing was run for it.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub(crate) async fn subject_list_judged(
        &self,
        subjects: impl Iterator<Item = Subject>,
        since: DateTime<Utc>,
    ) -> Result<HashMap<Subject, DateTime<Utc>>, StoreError> {
        let lanes = Lane::ALL.map(|lane| lane.name().to_owned());
        let mut judged = HashMap::new();
        for subject in subjects {
            // The latest by lane, as the index has them: where there are many, one is soon found.
            let at = sqlx::query_scalar!(
                r#"SELECT max(latest.finished_at) AS at
                   FROM unnest($1::text[]) AS of (lane)
                   CROSS JOIN LATERAL (
                       SELECT j.finished_at FROM judgements j
                       JOIN submissions s ON s.id = j.submission_id
                       LEFT JOIN rejudgings r ON r.id = j.rejudging_id
                       WHERE j.lane = of.lane AND j.started_at > $2::timestamptz - make_interval(secs => $3)
                         AND j.state = 'done' AND j.verdict <> 'CE'
                         AND ($4::uuid IS NULL OR j.package_id = $4)
                         AND ($5::text IS NULL OR COALESCE(r.overrides ->> 'language', s.language_id) = $5)
                       ORDER BY j.started_at DESC LIMIT $6
                   ) latest"#,
                &lanes,
                since,
                LONG_ATTEMPT.as_secs_f64(),
                subject.package,
                subject.language.as_deref(),
                LATEST
            )
            .fetch_one(&self.pool)
            .await
            .map_err(StoreError::on("look what was judged"))?;
            judged.extend(at.map(|at| (subject, at)));
        }
        Ok(judged)
    }

    /// How many workers, by their names, take tasks and were heard of within `lease`.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub(crate) async fn worker_count_taking(&self, lease: Duration) -> Result<usize, StoreError> {
        sqlx::query_scalar!(
            r#"SELECT count(DISTINCT name) AS "count!" FROM workers
               WHERE mode = 'run' AND stopped_at IS NULL
                 AND last_seen_at > clock_timestamp() - make_interval(secs => $1)"#,
            lease.as_secs_f64()
        )
        .fetch_one(&self.pool)
        .await
        .map(|count| usize::try_from(count).unwrap_or(0))
        .map_err(StoreError::on("count the workers"))
    }
}
