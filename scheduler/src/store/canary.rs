//! What canaries take on workers, and workers that have become slower.

use std::time::Duration;

use assize_common::api::CanaryInfo;
use assize_common::id::WorkerId;
use assize_common::message::{CanaryReading, WorkerMode};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::worker::mode_news;
use super::{CONTROL_CHANNEL, Store, StoreError, row};
use crate::drift::{FIRST, LATEST, usual_ms};

/// What is known of a canary on a slot.
#[derive(Debug)]
pub(crate) struct KnownCanary {
    /// What it took first.
    pub(crate) first_ms: Vec<u64>,
    /// What it took lately, the latest last.
    pub(crate) latest_ms: Vec<u64>,
    /// When it last was as usual.
    pub(crate) good_at: DateTime<Utc>,
}

fn times(times: Vec<i64>) -> Result<Vec<u64>, StoreError> {
    let time = |time| row::count("a canary's time", time);
    times.into_iter().map(time).collect()
}

/// Adds a reading; nothing if it is known already, or of no worker that is known.
///
/// # Errors
/// When the database can't be reached or refuses a value.
pub(crate) async fn canary_add(
    connection: &mut PgConnection,
    worker: WorkerId,
    slot: u32,
    at: DateTime<Utc>,
    reading: &CanaryReading,
) -> Result<Option<KnownCanary>, StoreError> {
    let found = sqlx::query!(
        "INSERT INTO canaries AS c (worker_id, slot, program, first_ms, latest_ms, ran_at, good_at)
         -- Later readings are those that count: none is so late that it is the last one for long.
         SELECT id, $2, $3, ARRAY[$4::bigint], ARRAY[$4::bigint],
             LEAST($5::timestamptz, clock_timestamp() + interval '1 day'), LEAST($5::timestamptz, clock_timestamp())
         FROM workers WHERE id = $1
         ON CONFLICT (worker_id, slot, program) DO UPDATE SET
             first_ms = CASE WHEN cardinality(c.first_ms) < $6 THEN c.first_ms || $4::bigint ELSE c.first_ms END,
             latest_ms = CASE WHEN cardinality(c.latest_ms) < $7 THEN c.latest_ms ELSE c.latest_ms[2:] END || $4::bigint,
             ran_at = EXCLUDED.ran_at
         WHERE c.ran_at < EXCLUDED.ran_at
         RETURNING first_ms, latest_ms, good_at",
        worker.as_uuid(),
        row::column::<i32, _>("a slot's number", slot)?,
        row::text(&reading.program),
        row::column::<i64, _>("a canary's time", reading.cpu_time_ms)?,
        at,
        row::column::<i32, _>("a number of readings", FIRST)?,
        row::column::<i32, _>("a number of readings", LATEST)?,
    )
    .fetch_optional(connection)
    .await
    .map_err(StoreError::on("store what a canary took"))?;
    let Some(found) = found else {
        return Ok(None);
    };
    Ok(Some(KnownCanary {
        first_ms: times(found.first_ms)?,
        latest_ms: times(found.latest_ms)?,
        good_at: found.good_at,
    }))
}

/// Notes that the latest reading was as usual.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn canary_note_good(
    connection: &mut PgConnection,
    worker: WorkerId,
    slot: u32,
    program: &str,
) -> Result<(), StoreError> {
    sqlx::query!(
        "UPDATE canaries SET good_at = LEAST(ran_at, clock_timestamp())
         WHERE worker_id = $1 AND slot = $2 AND program = $3",
        worker.as_uuid(),
        row::column::<i32, _>("a slot's number", slot)?,
        row::text(program),
    )
    .execute(connection)
    .await
    .map(drop)
    .map_err(StoreError::on("note that a canary took as long as usual"))
}

/// Has what a worker judged since then suspected, and lets it take no more tasks if another one
/// that was heard of within `lease` takes all that it takes; returns whether that is so. Of one
/// that was suspected before, all since that time, or that would be forgotten.
/// `None` if that is so already, an admin has said otherwise, or it is gone.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn worker_suspect(
    connection: &mut PgConnection,
    worker: WorkerId,
    since: DateTime<Utc>,
    reason: &str,
    lease: Duration,
) -> Result<Option<bool>, StoreError> {
    let news = mode_news(worker, WorkerMode::Cordon)?;
    let suspected = sqlx::query!(
        r#"WITH known AS MATERIALIZED (
               SELECT id, worker_is_replaceable(w, $6) AS replaceable,
                   suspect_since IS NULL OR suspect_until IS NOT NULL AS newly
               FROM workers w WHERE id = $1 AND mode = 'run' AND stopped_at IS NULL
           ), set AS (
               UPDATE workers w SET
                   mode = CASE WHEN replaceable THEN 'cordon' ELSE mode END,
                   mode_since = CASE WHEN replaceable THEN clock_timestamp() ELSE mode_since END,
                   mode_reason = CASE WHEN replaceable THEN $2 ELSE mode_reason END,
                   suspect_since = LEAST(suspect_since, $3), suspect_until = NULL
               FROM known WHERE w.id = known.id
               RETURNING replaceable, newly
           )
           SELECT replaceable AS "replaceable!", newly AS "newly!",
               CASE WHEN replaceable THEN pg_notify($4, $5)::text END AS "told" FROM set"#,
        worker.as_uuid(),
        row::text(reason),
        since,
        CONTROL_CHANNEL,
        news,
        lease.as_secs_f64()
    )
    .fetch_optional(connection)
    .await
    .map_err(StoreError::on("suspect a worker"))?;
    Ok(suspected
        .filter(|suspected| suspected.newly || suspected.replaceable)
        .map(|suspected| suspected.replaceable))
}

impl Store {
    /// What canaries take on these workers, with theirs.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub(super) async fn canary_list(
        &self,
        workers: &[uuid::Uuid],
    ) -> Result<Vec<(WorkerId, CanaryInfo)>, StoreError> {
        let rows = sqlx::query!(
            "SELECT worker_id, slot, program, first_ms, latest_ms, ran_at FROM canaries
             WHERE worker_id = ANY($1) ORDER BY worker_id, slot, program",
            workers
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on("list what canaries take"))?;
        rows.into_iter()
            .map(|found| {
                let latest_ms = times(found.latest_ms)?.last().copied().unwrap_or_default();
                let info = CanaryInfo {
                    slot: row::count("a slot's number", found.slot)?,
                    program: found.program,
                    usual_ms: usual_ms(&times(found.first_ms)?),
                    latest_ms,
                    ran_at: found.ran_at,
                };
                Ok((found.worker_id.into(), info))
            })
            .collect()
    }
}
