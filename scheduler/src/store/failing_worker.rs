//! Workers that fail on what others judge.

use std::collections::HashMap;
use std::time::Duration;

use assize_common::Lane;
use assize_common::id::WorkerId;
use assize_common::message::WorkerMode;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::judging_failure::{ENOUGH, LATEST, LONG_ATTEMPT};
use super::worker::mode_news;
use super::{CONTROL_CHANNEL, Store, StoreError, row};
use crate::culprit::worker::{FailingWorker, JudgedElsewhere};

impl Store {
    /// Lists the latest judging errors of workers that take tasks, since an admin last said
    /// that they may, of what other workers judged.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub(crate) async fn failure_list_elsewhere(&self) -> Result<Vec<JudgedElsewhere>, StoreError> {
        let rows = sqlx::query!(
            "SELECT w.id AS worker_id, s.problem_id, s.id AS submission_id, f.at, f.reason
             FROM judging_failures f
             JOIN workers w ON w.id = f.worker_id AND w.mode = 'run' AND w.stopped_at IS NULL AND w.mode_since < f.at
             JOIN judgements j ON j.id = f.judgement_id AND j.state = 'done' AND j.worker_id <> w.id
             JOIN submissions s ON s.id = j.submission_id
             ORDER BY f.id DESC LIMIT $1",
            ENOUGH
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on("look what workers fail on"))?;
        let failures = rows.into_iter().map(|row| JudgedElsewhere {
            worker: row.worker_id.into(),
            problem: row.problem_id,
            submission: row.submission_id,
            at: row.at,
            reason: row.reason,
        });
        Ok(failures.collect())
    }

    /// When each of these workers last gave a verdict, after `since` or shortly before. A
    /// compile error does not count: its compiler may be what fails.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub(crate) async fn worker_list_judged(
        &self,
        workers: impl Iterator<Item = WorkerId>,
        since: DateTime<Utc>,
    ) -> Result<HashMap<WorkerId, DateTime<Utc>>, StoreError> {
        let workers: Vec<Uuid> = workers.map(WorkerId::as_uuid).collect();
        let lanes = Lane::ALL.map(|lane| lane.name().to_owned());
        let rows = sqlx::query!(
            r#"SELECT worker.id AS "id!", max(latest.finished_at) AS "at!"
               FROM unnest($1::uuid[]) AS worker (id)
               CROSS JOIN unnest($2::text[]) AS of (lane)
               CROSS JOIN LATERAL (
                   SELECT j.finished_at FROM judgements j
                   WHERE j.lane = of.lane AND j.started_at > $3::timestamptz - make_interval(secs => $4)
                     AND j.worker_id = worker.id AND j.state = 'done' AND j.verdict <> 'CE'
                   ORDER BY j.started_at DESC LIMIT $5
               ) latest
               GROUP BY worker.id"#,
            &workers,
            &lanes,
            since,
            LONG_ATTEMPT.as_secs_f64(),
            LATEST
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on("look what workers judged"))?;
        Ok(rows
            .into_iter()
            .map(|row| (row.id.into(), row.at))
            .collect())
    }

    /// Lets a worker that fails take no more tasks. False if an admin has said otherwise
    /// already, it is gone, or no other that was heard of within `lease` takes all that it takes.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub(crate) async fn worker_cordon(
        &self,
        failing: &FailingWorker,
        lease: Duration,
    ) -> Result<bool, StoreError> {
        let news = mode_news(failing.worker, WorkerMode::Cordon)?;
        sqlx::query!(
            r#"WITH set AS (
                   UPDATE workers w SET mode = 'cordon', mode_since = clock_timestamp(), mode_reason = $2
                   WHERE id = $1 AND mode = 'run' AND stopped_at IS NULL AND worker_is_replaceable(w, $5) RETURNING id
               )
               SELECT pg_notify($3, $4)::text AS "told" FROM set"#,
            failing.worker.as_uuid(),
            row::text(&failing.reason),
            CONTROL_CHANNEL,
            news,
            lease.as_secs_f64()
        )
        .fetch_optional(&self.pool)
        .await
        .map(|set| set.is_some())
        .map_err(StoreError::on("cordon a worker that fails"))
    }
}
