//! The outbox: tasks to be published. A row goes once the broker has confirmed
//! its task.
//!
//! Rows are published in the order of their turns. A row's turn is the time it
//! came, or [`TEAM_STEP`] after the latest turn that waits of the same team, or
//! [`CONTEST_STEP`] after that of the same contest, whichever is latest: a
//! virtual time that passes more slowly for those who have much waiting. Since
//! turns are times, nothing that comes later than a row's turn gets before it,
//! and nothing starves.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use assize_common::api::Overrides;
use assize_common::language::NO_LANGUAGE;
use assize_common::message::{SourceFile, Task};
use assize_common::{Lane, SandboxChoice, Stop};
use sqlx::PgConnection;
use uuid::Uuid;

use super::elsewhere::avoiding_workers;
use super::{Store, StoreError, row, scrutiny, stop_rule};

/// How far apart the turns of one team's waiting tasks are, in seconds.
pub(super) const TEAM_STEP: f64 = 15.0;
/// How far apart the turns of one contest's waiting tasks are, in seconds.
pub(super) const CONTEST_STEP: f64 = 0.25;

/// The channel on which a new row is announced; the payload is its lane.
pub const OUTBOX_CHANNEL: &str = "assize_outbox";

/// A row of the outbox, locked until its transaction ends.
#[derive(Debug, Clone)]
pub struct ClaimedTask {
    /// The row.
    pub id: i64,
    /// The task to publish, or `None` when its attempt is over or under way
    /// already: nobody needs it any more.
    pub task: Option<Task>,
}

/// What decides how much of a lane may be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneLoad {
    /// Whether an admin paused it.
    pub paused: bool,
    /// Tasks that are published and not taken up.
    pub published: u32,
    /// Slots of the workers that consume it.
    pub slots: u32,
    /// Whether live tasks wait to be published that some worker can judge; of lanes that
    /// make way for them.
    pub live_waits: bool,
    /// The languages that its workers have; any, as far as one knows, if there are none at
    /// the moment, or one does not say what it has.
    pub languages: Option<Vec<String>>,
}

/// Reads how loaded a lane is. Workers count that were heard of within `lease`; in
/// `live_languages`, if given, are those that workers of the live lane have.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn lane_load(
    connection: &mut PgConnection,
    lane: Lane,
    lease: Duration,
    live_languages: Option<&[String]>,
) -> Result<LaneLoad, StoreError> {
    let load = sqlx::query!(
        r#"WITH fleet AS (
               SELECT slots, languages FROM workers
               WHERE $1 = ANY (lanes) AND stopped_at IS NULL AND mode = 'run'
                 AND last_seen_at > clock_timestamp() - make_interval(secs => $2)
           )
           SELECT
               CASE WHEN EXISTS (SELECT FROM fleet) AND NOT EXISTS (SELECT FROM fleet WHERE languages = '[]')
               THEN ARRAY(SELECT DISTINCT entry ->> 'id' FROM fleet, jsonb_array_elements(languages) AS entry)
               END AS "languages: Vec<String>",
               EXISTS (SELECT FROM paused_lanes WHERE lane = $1) AS "paused!",
               (SELECT count(*) FROM judgements
                WHERE lane = $1 AND state = 'queued' AND dispatched_at IS NOT NULL) AS "published!",
               (SELECT COALESCE(sum(slots), 0) FROM fleet) AS "slots!",
               $1 IN ('rejudge', 'batch') AND EXISTS (
                       SELECT FROM outbox o
                       JOIN judgements j ON j.id = o.judgement_id
                       JOIN submissions s ON s.id = j.submission_id
                       WHERE o.lane = 'live' AND o.not_before <= clock_timestamp()
                         AND ($3::text[] IS NULL OR s.language_id = $4 OR s.language_id = ANY ($3))
                         AND NOT EXISTS (
                             SELECT FROM pauses x WHERE x.ended_at IS NULL
                               AND (x.package_id IS NULL OR x.package_id = j.package_id)
                               AND (x.language_id IS NULL OR x.language_id = s.language_id))) AS "live_waits!""#,
        lane.name(),
        lease.as_secs_f64(),
        live_languages,
        NO_LANGUAGE
    )
    .fetch_one(connection)
    .await
    .map_err(StoreError::on("read how loaded a lane is"))?;
    Ok(LaneLoad {
        paused: load.paused,
        published: row::count("a number of tasks", load.published)?,
        // Too many to count is enough.
        slots: u32::try_from(load.slots).unwrap_or(u32::MAX),
        live_waits: load.live_waits,
        languages: load.languages,
    })
}

/// The languages that workers of a lane have, of those that were heard of within
/// `lease`. Any, as far as one knows, if there are none at the moment, or one does
/// not say what it has.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn lane_languages(
    connection: &mut PgConnection,
    lane: Lane,
    lease: Duration,
) -> Result<Option<Vec<String>>, StoreError> {
    sqlx::query_scalar!(
        r#"WITH fleet AS (
               SELECT languages FROM workers
               WHERE $1 = ANY (lanes) AND stopped_at IS NULL AND mode = 'run'
                 AND last_seen_at > clock_timestamp() - make_interval(secs => $2)
           )
           SELECT CASE WHEN EXISTS (SELECT FROM fleet) AND NOT EXISTS (SELECT FROM fleet WHERE languages = '[]')
               THEN ARRAY(SELECT DISTINCT entry ->> 'id' FROM fleet, jsonb_array_elements(languages) AS entry)
               END AS "languages: Vec<String>""#,
        lane.name(),
        lease.as_secs_f64()
    )
    .fetch_one(connection)
    .await
    .map_err(StoreError::on("read which languages workers have"))
}

/// Locks at most `limit` due rows of a lane, the earliest turn first. Rows that another
/// relay holds are skipped, so that any number of relays share the work. With
/// `languages`, so are those that no worker could judge, and in any case those of what is paused since
/// judging of it failed, unless nobody wants them any more. Workers count that were heard of within `lease`.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn outbox_claim(
    connection: &mut PgConnection,
    lane: Lane,
    limit: u16,
    languages: Option<&[String]>,
    lease: Duration,
) -> Result<Vec<ClaimedTask>, StoreError> {
    let attempt = "read the outbox";
    let rows = sqlx::query!(
        r#"SELECT o.id, o.judgement_id, o.attempt, j.state = 'queued' AND j.attempt = o.attempt AS "wanted!",
               j.submission_id, s.language_id, s.entry_point, j.sandbox_mode, j.sandbox_reason, j.scrutiny,
               j.losses, v.archive_sha256, r.overrides AS "overrides?", m.old_judgement_id AS "old_judgement_id?",
               j.failures > 0 OR j.confirms IS NOT NULL OR r.overrides -> 'worker' IS NOT NULL AS "elsewhere!",
               COALESCE(of_contest.stop, of_problem.stop) AS stop
           FROM outbox o
           JOIN judgements j ON j.id = o.judgement_id
           JOIN submissions s ON s.id = j.submission_id
           JOIN packages v ON v.id = j.package_id
           JOIN problems p ON p.id = s.problem_id
           LEFT JOIN rejudgings r ON r.id = j.rejudging_id
           LEFT JOIN rejudging_members m ON m.rejudging_id = j.rejudging_id AND m.submission_id = j.submission_id
           LEFT JOIN stop_rules of_contest ON of_contest.scope = 'contest' AND of_contest.subject = s.contest
           LEFT JOIN stop_rules of_problem ON of_problem.scope = 'problem' AND of_problem.subject = p.short_name
           WHERE o.lane = $1 AND o.not_before <= clock_timestamp()
             AND (j.state <> 'queued' OR j.attempt <> o.attempt
                  OR ($3::text[] IS NULL OR s.language_id = $4
                      OR COALESCE(r.overrides ->> 'language', s.language_id) = ANY ($3))
                  AND NOT EXISTS (
                      SELECT FROM pauses x WHERE x.ended_at IS NULL
                        AND (x.package_id IS NULL OR x.package_id = j.package_id)
                        AND (x.language_id IS NULL
                             OR x.language_id = COALESCE(r.overrides ->> 'language', s.language_id))))
           ORDER BY o.turn, o.id LIMIT $2
           FOR UPDATE OF o SKIP LOCKED"#,
        lane.name(),
        i64::from(limit),
        languages,
        NO_LANGUAGE
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(StoreError::on(attempt))?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }

    let submissions: Vec<Uuid> = rows.iter().map(|row| row.submission_id).collect();
    let files = source_files(connection, &submissions).await?;
    let elsewhere = rows.iter().filter(|row| row.wanted && row.elsewhere);
    let elsewhere: Vec<Uuid> = elsewhere.map(|row| row.judgement_id).collect();
    let avoiding = avoiding_workers(connection, &elsewhere, lease).await?;
    rows.into_iter()
        .map(|row| {
            let overrides: Overrides =
                row::json("a rejudging's settings", row.overrides)?.unwrap_or_default();
            let task = Task {
                judgement_id: row.judgement_id.into(),
                attempt: row::count("an attempt", row.attempt)?,
                submission_id: row.submission_id.into(),
                lane,
                package: row::hash("an archive's hash", row.archive_sha256)?,
                language: judged_as(overrides.language, row.language_id),
                // Several rows may be about one submission.
                files: files.get(&row.submission_id).cloned().unwrap_or_default(),
                entry_point: row.entry_point,
                sandbox: SandboxChoice {
                    mode: row::named("a sandbox", &row.sandbox_mode)?,
                    reason: row.sandbox_reason,
                },
                ticket: None,
                // Repetitions are to find what changes from run to run.
                earlier: row
                    .old_judgement_id
                    .filter(|_| !overrides.from_scratch && overrides.repeat == 1)
                    .map(Into::into),
                limits: overrides.limits,
                stop: match row.stop {
                    _ if overrides.judge_all => Some(Stop::End),
                    rule => rule.as_deref().map(stop_rule::read).transpose()?,
                },
                scrutiny: scrutiny::read(row.scrutiny)?,
                avoid: avoiding.get(&row.judgement_id).cloned().unwrap_or_default(),
                losses: row::count("a number of losses", row.losses)?,
            };
            Ok(ClaimedTask {
                id: row.id,
                task: row.wanted.then_some(task),
            })
        })
        .collect()
}

impl Store {
    /// The languages in which tasks wait that no worker of their lane has, each with
    /// the number of tasks.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn language_list_missing(
        &self,
        lease: Duration,
    ) -> Result<BTreeMap<String, u64>, StoreError> {
        let attempt = "look for languages that no worker has";
        let mut connection = self.pool.acquire().await.map_err(StoreError::on(attempt))?;
        let mut missing = BTreeMap::new();
        for lane in Lane::ALL {
            let Some(languages) = lane_languages(&mut connection, lane, lease).await? else {
                continue;
            };
            let rows = sqlx::query!(
                r#"SELECT COALESCE(r.overrides ->> 'language', s.language_id) AS "language!", count(*) AS "tasks!"
                   FROM outbox o
                   JOIN judgements j ON j.id = o.judgement_id
                   JOIN submissions s ON s.id = j.submission_id
                   LEFT JOIN rejudgings r ON r.id = j.rejudging_id
                   WHERE o.lane = $1 AND o.not_before <= clock_timestamp() AND s.language_id <> $3
                     AND j.state = 'queued' AND j.attempt = o.attempt
                     AND COALESCE(r.overrides ->> 'language', s.language_id) <> ALL ($2)
                   GROUP BY 1"#,
                lane.name(),
                &languages,
                NO_LANGUAGE
            )
            .fetch_all(&mut *connection)
            .await
            .map_err(StoreError::on(attempt))?;
            for row in rows {
                let tasks: u64 = row::count("a number of tasks", row.tasks)?;
                *missing.entry(row.language).or_default() += tasks;
            }
        }
        Ok(missing)
    }
}

/// The language to judge a submission in. Outputs are in none, whatever is asked for.
pub(super) fn judged_as(asked: Option<String>, submitted: String) -> String {
    asked
        .filter(|_| submitted != NO_LANGUAGE)
        .unwrap_or(submitted)
}

/// The source files of submissions, in their order.
///
/// # Errors
/// When the database can't be reached.
pub(super) async fn source_files(
    connection: &mut PgConnection,
    submissions: &[Uuid],
) -> Result<HashMap<Uuid, Vec<SourceFile>>, StoreError> {
    let rows = sqlx::query!(
        "SELECT submission_id, name, sha256, size_bytes FROM submission_files
         WHERE submission_id = ANY($1) ORDER BY submission_id, ordinal",
        submissions
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::on("read the names of source files"))?;
    let mut files: HashMap<Uuid, Vec<SourceFile>> = HashMap::new();
    for row in rows {
        files
            .entry(row.submission_id)
            .or_default()
            .push(SourceFile {
                name: row.name,
                sha256: row::hash("a source file's hash", row.sha256)?,
                size_bytes: row::count("a source file's size", row.size_bytes)?,
            });
    }
    Ok(files)
}

/// Removes rows whose tasks are confirmed or not needed any more, and notes on
/// the judgements when that was.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn outbox_remove(
    connection: &mut PgConnection,
    ids: &[i64],
) -> Result<(), StoreError> {
    // A judgement that is locked is being moved on by a report right now, so that
    // its dispatch is of no interest. Waiting for it could deadlock.
    sqlx::query!(
        "WITH removed AS (
             DELETE FROM outbox WHERE id = ANY($1) RETURNING judgement_id, attempt
         ), free AS (
             SELECT j.id FROM judgements j JOIN removed r ON r.judgement_id = j.id AND r.attempt = j.attempt
             FOR UPDATE OF j SKIP LOCKED
         )
         UPDATE judgements SET dispatched_at = clock_timestamp() WHERE id IN (SELECT id FROM free)",
        ids
    )
    .execute(connection)
    .await
    .map(drop)
    .map_err(StoreError::on("remove sent tasks from the outbox"))
}
