//! Workers, as their reports tell.

use std::collections::HashMap;
use std::time::Duration;

use assize_common::api::WorkerInfo;
use assize_common::id::WorkerId;
use assize_common::message::{Control, HeldJudgement, LanguageVersion, Registered, WorkerMode};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Store, StoreError, row};

struct WorkerRow {
    id: Uuid,
    name: String,
    version: String,
    slots: i32,
    lanes: Vec<String>,
    languages: serde_json::Value,
    last_seen_at: DateTime<Utc>,
    stopped: bool,
    mode: String,
    mode_reason: Option<String>,
    suspect_since: Option<DateTime<Utc>>,
    suspect_until: Option<DateTime<Utc>>,
    busy: i64,
}

impl TryFrom<WorkerRow> for WorkerInfo {
    type Error = StoreError;

    fn try_from(row: WorkerRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.into(),
            name: row.name,
            version: row.version,
            slots: row::count("a number of slots", row.slots)?,
            lanes: row.lanes,
            languages: serde_json::from_value(row.languages)
                .map_err(|error| StoreError::unreadable("a worker's languages", error))?,
            last_seen_at: row.last_seen_at,
            stopped: row.stopped,
            mode: row::named("a worker's mode", &row.mode)?,
            mode_reason: row.mode_reason,
            suspect_since: row.suspect_since,
            suspect_until: row.suspect_until,
            canaries: Vec::new(),
            busy: row::count("a number of judgements", row.busy)?,
        })
    }
}

/// Stores a worker that says it is up, has it told how to work, and returns that; a
/// repeated report changes nothing but the sign of life. One that was cordoned is so
/// after a restart too, if it has a name that stays.
///
/// # Errors
/// When the database can't be reached or refuses a value.
pub(crate) async fn worker_register(
    connection: &mut PgConnection,
    id: WorkerId,
    registered: &Registered,
) -> Result<WorkerMode, StoreError> {
    let attempt = "store a worker";
    let languages: Vec<LanguageVersion> = registered
        .languages
        .iter()
        .map(|language| LanguageVersion {
            id: row::text(&language.id),
            version: row::text(&language.version),
        })
        .collect();
    let languages = serde_json::to_value(languages)
        .map_err(|error| StoreError::unreadable("a worker's languages", error))?;
    let lanes: Vec<String> = registered
        .lanes
        .iter()
        .map(|lane| row::text(lane))
        .collect();
    let mode = sqlx::query!(
        "WITH before AS (
             -- The one that was started last under that name, unless another of them is at work.
             SELECT mode, mode_reason FROM workers w WHERE name = $2 AND id <> $1 AND NOT EXISTS (
                 SELECT FROM workers other
                 WHERE other.name = $2 AND other.id <> $1 AND other.mode = 'run' AND other.stopped_at IS NULL
                   AND other.last_seen_at > clock_timestamp() - interval '1 minute'
             )
             ORDER BY registered_at DESC LIMIT 1
         )
         INSERT INTO workers AS w (id, name, version, slots, lanes, languages, mode, mode_reason)
         SELECT $1, $2, $3, $4, $5, $6, COALESCE(before.mode, 'run'), before.mode_reason
         FROM (SELECT) AS started LEFT JOIN before ON before.mode = 'cordon'
         ON CONFLICT (id) DO UPDATE SET last_seen_at = clock_timestamp()
         RETURNING mode",
        id.as_uuid(),
        row::text(&registered.name),
        row::text(&registered.version),
        row::column::<i32, _>("a number of slots", registered.slots)?,
        &lanes,
        languages
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(StoreError::on(attempt))?
    .mode;
    // It may have been away when it was told.
    let mode = row::named("a worker's mode", &mode)?;
    let news = mode_news(id, mode)?;
    sqlx::query!(
        r#"SELECT pg_notify($1, $2)::text AS "told""#,
        CONTROL_CHANNEL,
        news
    )
    .fetch_one(connection)
    .await
    .map_err(StoreError::on(attempt))?;
    Ok(mode)
}

/// Notes a sign of life of workers.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn worker_list_touch(
    connection: &mut PgConnection,
    ids: &[WorkerId],
) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.as_uuid()).collect();
    sqlx::query!(
        "UPDATE workers SET last_seen_at = clock_timestamp() WHERE id = ANY($1)",
        &ids
    )
    .execute(connection)
    .await
    .map(drop)
    .map_err(StoreError::on("note workers' signs of life"))
}

/// Notes that a worker stopped for good. What it holds against its word loses
/// its lease after `grace`, which leaves time for reports that the good-bye overtook.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn worker_stop(
    connection: &mut PgConnection,
    id: WorkerId,
    grace: Duration,
) -> Result<(), StoreError> {
    let attempt = "note that a worker stopped";
    sqlx::query!(
        "UPDATE workers SET last_seen_at = clock_timestamp(), stopped_at = COALESCE(stopped_at, clock_timestamp())
         WHERE id = $1",
        id.as_uuid()
    )
    .execute(&mut *connection)
    .await
    .map_err(StoreError::on(attempt))?;
    sqlx::query!(
        "UPDATE judgements SET lease_until = LEAST(lease_until, clock_timestamp() + make_interval(secs => $2))
         WHERE worker_id = $1 AND state = 'running'",
        id.as_uuid(),
        grace.as_secs_f64()
    )
    .execute(connection)
    .await
    .map(drop)
    .map_err(StoreError::on(attempt))
}

/// The channel on which news for workers are announced; the payload is a
/// [`Control`] as JSON.
pub const CONTROL_CHANNEL: &str = "assize_control";

/// What is said there of how a worker is to work.
pub(super) fn mode_news(worker_id: WorkerId, mode: WorkerMode) -> Result<String, StoreError> {
    serde_json::to_string(&Control::Mode { worker_id, mode })
        .map_err(|error| StoreError::unreadable("a worker's mode", error))
}

/// Has workers told that these attempts are over, should they be at them.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn worker_list_cancel(
    connection: &mut PgConnection,
    over: &[HeldJudgement],
) -> Result<(), StoreError> {
    let news = over
        .iter()
        .map(|held| serde_json::to_string(&Control::Cancel(*held)))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| StoreError::unreadable("an attempt", error))?;
    sqlx::query!(
        r#"SELECT pg_notify($1, news)::text AS "told" FROM UNNEST($2::text[]) AS news"#,
        CONTROL_CHANNEL,
        &news
    )
    .fetch_all(connection)
    .await
    .map(drop)
    .map_err(StoreError::on("tell workers what is over"))
}

impl Store {
    /// Says how a worker is to work; false if there is none of this id. One that was
    /// suspected is taken as it is now: its canaries start anew.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn worker_set_mode(
        &self,
        id: WorkerId,
        mode: WorkerMode,
    ) -> Result<bool, StoreError> {
        let news = mode_news(id, mode)?;
        sqlx::query!(
            r#"WITH set AS (
                   UPDATE workers SET mode = $2, mode_since = clock_timestamp(),
                       mode_reason = CASE WHEN $2 = 'run' THEN NULL ELSE mode_reason END,
                       suspect_until = CASE WHEN $2 = 'run' THEN COALESCE(suspect_until, clock_timestamp())
                           ELSE suspect_until END
                   WHERE id = $1 RETURNING id
               ), forgotten AS (
                   DELETE FROM canaries USING workers w
                   WHERE $2 = 'run' AND worker_id = w.id AND w.id = $1
                     AND w.suspect_since IS NOT NULL AND w.suspect_until IS NULL
               )
               SELECT pg_notify($3, $4)::text AS "told" FROM set"#,
            id.as_uuid(),
            mode.name(),
            CONTROL_CHANNEL,
            news
        )
        .fetch_optional(&self.pool)
        .await
        .map(|set| set.is_some())
        .map_err(StoreError::on("say how a worker is to work"))
    }

    /// How living workers are to work: those that are not to work as usual, and
    /// those for which that changed within `lately`.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub(crate) async fn worker_list_modes(
        &self,
        lately: Duration,
    ) -> Result<Vec<(WorkerId, WorkerMode)>, StoreError> {
        let rows = sqlx::query!(
            "SELECT id, mode FROM workers WHERE stopped_at IS NULL
               AND last_seen_at > clock_timestamp() - make_interval(mins => 10)
               AND (mode <> 'run'
                   OR (mode_since > registered_at AND mode_since > clock_timestamp() - make_interval(secs => $1)))",
            lately.as_secs_f64()
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on("look how workers are to work"))?;
        rows.into_iter()
            .map(|row| Ok((row.id.into(), row::named("a worker's mode", &row.mode)?)))
            .collect()
    }

    /// Lists the workers heard of within `age`, the latest heard first.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn worker_list(&self, age: Duration) -> Result<Vec<WorkerInfo>, StoreError> {
        let rows = sqlx::query_as!(
            WorkerRow,
            r#"SELECT id, name, version, slots, lanes, languages, last_seen_at, stopped_at IS NOT NULL AS "stopped!",
                   mode, mode_reason, suspect_since, suspect_until,
                   (SELECT count(*) FROM judgements j WHERE j.state = 'running' AND j.worker_id = workers.id) AS "busy!"
               FROM workers WHERE last_seen_at > now() - make_interval(secs => $1)
               ORDER BY last_seen_at DESC, id"#,
            age.as_secs_f64()
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on("list the workers"))?;
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let mut canaries: HashMap<WorkerId, Vec<_>> = HashMap::new();
        for (worker, canary) in self.canary_list(&ids).await? {
            canaries.entry(worker).or_default().push(canary);
        }
        rows.into_iter()
            .map(|row| {
                let worker = WorkerInfo::try_from(row)?;
                let canaries = canaries.remove(&worker.id).unwrap_or_default();
                Ok(WorkerInfo { canaries, ..worker })
            })
            .collect()
    }
}
