//! Attempts under way.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use assize_common::id::{JudgementId, WorkerId};
use assize_common::message::HeldJudgement;
use sqlx::PgConnection;
use uuid::Uuid;

use super::super::StoreError;
use super::failure::{MOST_LOSSES, QUARANTINE_LOSSES};
use super::{Key, Moved, held, key};

/// A worker took up an attempt, or holds it still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct StartedAttempt {
    /// The judgement and its attempt.
    pub(crate) held: HeldJudgement,
    /// Who took it up.
    pub(crate) worker: WorkerId,
}

/// Workers took up attempts; each is named once. Also right when another worker
/// had one before: the broker gave the task to the next one when that one
/// vanished, which counts as a loss. Returns also those of them that too many
/// workers were lost with to go on like that.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn judgement_list_start(
    connection: &mut PgConnection,
    started: &[StartedAttempt],
    lease: Duration,
) -> Result<(Moved, Vec<HeldJudgement>), StoreError> {
    let keys = started
        .iter()
        .map(|started| key(started.held))
        .collect::<Result<Vec<_>, _>>()?;
    let (ids, attempts) = columns(&keys);
    let workers: Vec<Uuid> = started
        .iter()
        .map(|started| started.worker.as_uuid())
        .collect();
    let rows = sqlx::query!(
        r#"UPDATE judgements j SET
             state = 'running',
             started_at = CASE WHEN worker_id = started.worker THEN started_at ELSE clock_timestamp() END,
             losses = losses + CASE WHEN worker_id <> started.worker THEN 1 ELSE 0 END,
             left_behind = CASE WHEN worker_id = started.worker THEN left_behind ELSE worker_id END,
             worker_id = started.worker,
             lease_until = clock_timestamp() + make_interval(secs => $4)
         FROM UNNEST($1::uuid[], $2::integer[], $3::uuid[]) AS started (id, attempt, worker)
         WHERE j.id = started.id AND j.attempt = started.attempt AND j.state IN ('queued', 'running')
         RETURNING j.id, j.attempt, j.submission_id,
             j.losses >= CASE j.lane WHEN 'quarantine' THEN $6::integer ELSE $5::integer END AS "suspected!""#,
        &ids,
        &attempts,
        &workers,
        lease.as_secs_f64(),
        QUARANTINE_LOSSES,
        MOST_LOSSES
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::on("start judgements"))?;
    let (mut moved, mut suspected) = (Moved::new(), Vec::new());
    for row in rows {
        let held = held(row.id, row.attempt)?;
        moved.insert(held, row.submission_id.into());
        if row.suspected {
            suspected.push(held);
        }
    }
    Ok((moved, suspected))
}

/// Notes how far attempts are; progress only ever grows.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn judgement_list_progress(
    connection: &mut PgConnection,
    progress: &BTreeMap<(JudgementId, u32), u32>,
) -> Result<(), StoreError> {
    let keys = progress
        .keys()
        .map(|(judgement_id, attempt)| {
            key(HeldJudgement {
                judgement_id: *judgement_id,
                attempt: *attempt,
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let (ids, attempts) = columns(&keys);
    let done: Vec<i32> = progress
        .values()
        .map(|done| i32::try_from(*done).unwrap_or(i32::MAX))
        .collect();
    sqlx::query!(
        "UPDATE judgements j SET testcases_done = LEAST(testcases_total, progress.done)
         FROM UNNEST($1::uuid[], $2::integer[], $3::integer[]) AS progress (id, attempt, done)
         WHERE j.id = progress.id AND j.attempt = progress.attempt AND j.state = 'running'
           AND j.testcases_done < progress.done",
        &ids,
        &attempts,
        &done
    )
    .execute(connection)
    .await
    .map(drop)
    .map_err(StoreError::on("note the progress of judgements"))
}

/// Extends the leases of the attempts that workers say they hold. One that seems
/// to wait still is running, and the report of its start was lost. Whoever seemed to
/// be lost with one has lost its connection to the broker only. Those that are over
/// are not among the returned ones.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn lease_extend(
    connection: &mut PgConnection,
    held: &[StartedAttempt],
    lease: Duration,
) -> Result<HashSet<HeldJudgement>, StoreError> {
    let keys = held
        .iter()
        .map(|held| key(held.held))
        .collect::<Result<Vec<_>, _>>()?;
    let (ids, attempts) = columns(&keys);
    let workers: Vec<Uuid> = held.iter().map(|held| held.worker.as_uuid()).collect();
    let rows = sqlx::query!(
        "UPDATE judgements j SET
             state = 'running',
             started_at = COALESCE(j.started_at, clock_timestamp()),
             worker_id = COALESCE(j.worker_id, held.worker),
             losses = j.losses - CASE WHEN back.id IS NULL THEN 0 ELSE 1 END,
             left_behind = CASE WHEN back.id IS NULL THEN j.left_behind END,
             lease_until = clock_timestamp() + make_interval(secs => $4)
         FROM UNNEST($1::uuid[], $2::integer[], $3::uuid[]) AS held (id, attempt, worker)
         JOIN judgements this ON this.id = held.id
         LEFT JOIN UNNEST($1::uuid[], $3::uuid[]) AS back (id, worker)
             ON back.id = held.id AND back.worker = this.left_behind
         WHERE j.id = held.id AND j.attempt = held.attempt AND j.state IN ('queued', 'running')
         RETURNING j.id, j.attempt",
        &ids,
        &attempts,
        &workers,
        lease.as_secs_f64()
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::on("extend leases"))?;
    rows.into_iter()
        .map(|row| self::held(row.id, row.attempt))
        .collect()
}

fn columns(keys: &[Key]) -> (Vec<Uuid>, Vec<i32>) {
    keys.iter().map(|key| (key.id, key.attempt)).unzip()
}
