//! How judgements move: the guarded writes that correctness rests on.
//!
//! Every write names the judgement and the attempt it is about, and moves the
//! judgement only if that attempt is the current one and still open. Whoever
//! comes late or twice moves nothing and is told so by `None`. There are no
//! claims and no other locks. The legal moves are
//! [`JudgementState::may_become`](assize_common::api::JudgementState::may_become)'s.

use std::time::Duration;

use assize_common::id::{JudgementId, SubmissionId, WorkerId};
use assize_common::message::{CompileReport, HandedBack, HeldJudgement, RunReport};
use assize_common::sandbox_choice::{SandboxFactors, choose_sandbox};
use assize_common::{Lane, SandboxChoice, Verdict};
use sqlx::PgConnection;
use uuid::Uuid;

use super::outbox::OUTBOX_CHANNEL;
use super::run::run_list_create;
use super::{StoreError, row};

/// What becomes of attempts that fail through no fault of the contestant.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// With this many failures a judgement ends in a judging error.
    pub max_failures: u32,
    /// How long to wait after the first failure; twice as long after each further one.
    pub first_delay: Duration,
}

/// How an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Its worker was not heard of any more.
    Lost,
    /// Its worker could not judge.
    JudgingError,
}

/// What became of a judgement whose attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailedAttempt {
    /// The submission.
    pub submission_id: SubmissionId,
    /// The new attempt, or `None` when the judgement ended in a judging error.
    pub next_attempt: Option<u32>,
    /// Whether the new attempt is in quarantine and the old one was not.
    pub quarantined: bool,
}

/// What became of a judgement that was handed back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandedBackAttempt {
    /// The submission.
    pub submission_id: SubmissionId,
    /// Whether the new attempt is in quarantine and the old one was not.
    pub quarantined: bool,
}

/// With this many lost workers a task may be what they died of. No further one
/// gets it as usual: it goes into quarantine.
const QUARANTINE_LOSSES: i32 = 2;

struct Key {
    id: Uuid,
    attempt: i32,
}

fn key(held: HeldJudgement) -> Result<Key, StoreError> {
    Ok(Key {
        id: held.judgement_id.as_uuid(),
        attempt: row::column("an attempt", held.attempt)?,
    })
}

/// Locks, always in the same order, what the caller is about to move, so that
/// two batches that have something in common can't deadlock.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn batch_lock(
    connection: &mut PgConnection,
    judgements: &[JudgementId],
    workers: &[WorkerId],
) -> Result<(), StoreError> {
    let attempt = "lock what reports are about";
    let judgements: Vec<Uuid> = judgements.iter().map(|id| id.as_uuid()).collect();
    let workers: Vec<Uuid> = workers.iter().map(|id| id.as_uuid()).collect();
    sqlx::query!(
        "SELECT id FROM judgements WHERE id = ANY($1) ORDER BY id FOR UPDATE",
        &judgements
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(StoreError::on(attempt))?;
    sqlx::query!(
        "SELECT id FROM workers WHERE id = ANY($1) ORDER BY id FOR UPDATE",
        &workers
    )
    .fetch_all(connection)
    .await
    .map(drop)
    .map_err(StoreError::on(attempt))
}

/// A worker took up the attempt. Also right when another worker had it before:
/// the broker gave the task to the next one when that one vanished, which counts
/// as a loss.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn judgement_start(
    connection: &mut PgConnection,
    held: HeldJudgement,
    worker: WorkerId,
    lease: Duration,
) -> Result<Option<SubmissionId>, StoreError> {
    let Key { id, attempt } = key(held)?;
    sqlx::query_scalar!(
        "UPDATE judgements SET
             state = 'running',
             started_at = CASE WHEN worker_id = $3 THEN started_at ELSE clock_timestamp() END,
             losses = losses + CASE WHEN worker_id <> $3 THEN 1 ELSE 0 END,
             worker_id = $3,
             lease_until = clock_timestamp() + make_interval(secs => $4)
         WHERE id = $1 AND attempt = $2 AND state IN ('queued', 'running')
         RETURNING submission_id",
        id,
        attempt,
        worker.as_uuid(),
        lease.as_secs_f64()
    )
    .fetch_optional(connection)
    .await
    .map(|moved| moved.map(Into::into))
    .map_err(StoreError::on("start a judgement"))
}

/// Notes how far the attempt is; progress only ever grows.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn judgement_progress(
    connection: &mut PgConnection,
    held: HeldJudgement,
    testcases_done: u32,
) -> Result<Option<SubmissionId>, StoreError> {
    let Key { id, attempt } = key(held)?;
    sqlx::query_scalar!(
        "UPDATE judgements SET testcases_done = LEAST(testcases_total, $3)
         WHERE id = $1 AND attempt = $2 AND state = 'running' AND testcases_done < $3
         RETURNING submission_id",
        id,
        attempt,
        i32::try_from(testcases_done).unwrap_or(i32::MAX)
    )
    .fetch_optional(connection)
    .await
    .map(|moved| moved.map(Into::into))
    .map_err(StoreError::on("note a judgement's progress"))
}

/// Extends the leases of the attempts that a worker says it holds. Those that
/// are not current or not running any more are left alone.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn lease_extend(
    connection: &mut PgConnection,
    held: &[HeldJudgement],
    lease: Duration,
) -> Result<(), StoreError> {
    let keys = held
        .iter()
        .map(|held| key(*held))
        .collect::<Result<Vec<_>, _>>()?;
    let ids: Vec<Uuid> = keys.iter().map(|key| key.id).collect();
    let attempts: Vec<i32> = keys.iter().map(|key| key.attempt).collect();
    sqlx::query!(
        "UPDATE judgements j SET lease_until = clock_timestamp() + make_interval(secs => $3)
         FROM UNNEST($1::uuid[], $2::integer[]) AS held (id, attempt)
         WHERE j.id = held.id AND j.attempt = held.attempt AND j.state = 'running'",
        &ids,
        &attempts,
        lease.as_secs_f64()
    )
    .execute(connection)
    .await
    .map(drop)
    .map_err(StoreError::on("extend leases"))
}

/// The attempt is complete: the verdict and all its runs, or nothing.
///
/// # Errors
/// When the database can't be reached or refuses a value.
pub(crate) async fn judgement_finish(
    connection: &mut PgConnection,
    held: HeldJudgement,
    worker: WorkerId,
    verdict: Verdict,
    compile: &CompileReport,
    runs: &[RunReport],
) -> Result<Option<SubmissionId>, StoreError> {
    let Key { id, attempt } = key(held)?;
    let compile = CompileReport {
        output: row::text(&compile.output),
        ..compile.clone()
    };
    let compile = serde_json::to_value(compile)
        .map_err(|error| StoreError::unreadable("a compile report", error))?;
    let largest = |measure: fn(&RunReport) -> u64| {
        runs.iter()
            .map(measure)
            .max()
            .map(|value| row::column::<i64, _>("a run's time or memory", value))
            .transpose()
    };
    let moved = sqlx::query_scalar!(
        "UPDATE judgements j SET
             state = 'done',
             verdict = $4,
             compile = $5,
             max_cpu_time_ms = $6,
             max_memory_bytes = $7,
             testcases_done = LEAST(testcases_total, $8),
             started_at = COALESCE(started_at, clock_timestamp()),
             finished_at = clock_timestamp(),
             lease_until = NULL,
             worker_id = $3,
             worker_version = (SELECT w.version FROM workers w WHERE w.id = $3),
             compiler_version = (
                 SELECT entry ->> 'version'
                 FROM workers w, jsonb_array_elements(w.languages) AS entry, submissions s
                 WHERE w.id = $3 AND s.id = j.submission_id AND entry ->> 'id' = s.language_id
                 LIMIT 1
             )
         WHERE id = $1 AND attempt = $2 AND state IN ('queued', 'running')
         RETURNING submission_id",
        id,
        attempt,
        worker.as_uuid(),
        verdict.id(),
        compile,
        largest(|run| run.cpu_time_ms)?,
        largest(|run| run.memory_bytes)?,
        i32::try_from(runs.len()).unwrap_or(i32::MAX)
    )
    .fetch_optional(&mut *connection)
    .await
    .map_err(StoreError::on("finish a judgement"))?;
    let Some(submission_id) = moved else {
        return Ok(None);
    };
    run_list_create(connection, held, runs).await?;
    Ok(Some(submission_id.into()))
}

/// The attempt failed through no fault of the contestant: its worker was lost,
/// or judging itself failed. Another attempt follows, or the judgement ends in
/// a judging error. What a second worker was lost with goes into quarantine.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn judgement_fail(
    connection: &mut PgConnection,
    held: HeldJudgement,
    failure: Failure,
    reason: &str,
    policy: RetryPolicy,
) -> Result<Option<FailedAttempt>, StoreError> {
    let Key { id, attempt } = key(held)?;
    let open = sqlx::query!(
        "SELECT submission_id, failures, losses, lane FROM judgements
         WHERE id = $1 AND attempt = $2 AND state IN ('queued', 'running') FOR UPDATE",
        id,
        attempt
    )
    .fetch_optional(&mut *connection)
    .await
    .map_err(StoreError::on("read a failed judgement"))?;
    let Some(open) = open else { return Ok(None) };

    let reason = row::text(reason);
    let failures = row::count::<u32, _>("a number of failures", open.failures)?.saturating_add(1);
    let losses = open.losses + i32::from(failure == Failure::Lost);
    let (mut next_attempt, mut quarantined) = (None, false);
    if failures < policy.max_failures {
        let quarantine = quarantine(&open.lane, losses);
        quarantined = quarantine.is_some();
        let requeue = Requeue {
            failure: Some(&reason),
            losses,
            quarantine,
            delay: policy.first_delay * 2_u32.saturating_pow(failures - 1),
        };
        next_attempt = Some(judgement_requeue(connection, id, requeue).await?);
    } else {
        let error = format!("{failures} attempts failed, the last one because: {reason}");
        sqlx::query!(
            "UPDATE judgements SET state = 'error', error = $2, failures = failures + 1, losses = $4, last_failure = $3,
                 finished_at = clock_timestamp(), lease_until = NULL
             WHERE id = $1",
            id,
            error,
            reason,
            losses
        )
        .execute(connection)
        .await
        .map_err(StoreError::on("end a judgement in a judging error"))?;
    }
    Ok(Some(FailedAttempt {
        submission_id: open.submission_id.into(),
        next_attempt,
        quarantined,
    }))
}

/// A worker gives the attempt back unjudged. Another one follows at once, and
/// it does not count as a failure. If the broker has given the task to another
/// worker meanwhile, that one goes on undisturbed. A task that came back to the
/// broker too often goes into quarantine.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn judgement_hand_back(
    connection: &mut PgConnection,
    handed_back: &HandedBack,
    worker: WorkerId,
) -> Result<Option<HandedBackAttempt>, StoreError> {
    let Key { id, attempt } = key(handed_back.judgement)?;
    let deliveries = i32::try_from(handed_back.earlier_deliveries).unwrap_or(i32::MAX);
    let open = sqlx::query!(
        "SELECT submission_id, losses, lane FROM judgements
         WHERE id = $1 AND attempt = $2 AND state IN ('queued', 'running')
           AND (worker_id IS NULL OR worker_id = $3 OR $4) FOR UPDATE",
        id,
        attempt,
        worker.as_uuid(),
        deliveries >= QUARANTINE_LOSSES
    )
    .fetch_optional(&mut *connection)
    .await
    .map_err(StoreError::on("read a judgement that is handed back"))?;
    let Some(open) = open else {
        return Ok(None);
    };
    // The broker also counts a connection that broke, and a worker that a start
    // of another one followed may have been counted already.
    let losses = open.losses.max(deliveries);
    let quarantine = quarantine(&open.lane, losses);
    let quarantined = quarantine.is_some();
    let requeue = Requeue {
        failure: None,
        losses,
        quarantine,
        delay: Duration::ZERO,
    };
    judgement_requeue(connection, id, requeue).await?;
    Ok(Some(HandedBackAttempt {
        submission_id: open.submission_id.into(),
        quarantined,
    }))
}

/// The broker lost the attempt's task before a worker took it up. Another one
/// follows at once, and it does not count as a failure.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn judgement_redispatch(
    connection: &mut PgConnection,
    held: HeldJudgement,
) -> Result<bool, StoreError> {
    let Key { id, attempt } = key(held)?;
    let open = sqlx::query_scalar!(
        "SELECT losses FROM judgements WHERE id = $1 AND attempt = $2 AND state = 'queued' FOR UPDATE",
        id,
        attempt
    )
    .fetch_optional(&mut *connection)
    .await
    .map_err(StoreError::on("read a judgement whose task was lost"))?;
    if let Some(losses) = open {
        let requeue = Requeue {
            failure: None,
            losses,
            quarantine: None,
            delay: Duration::ZERO,
        };
        judgement_requeue(connection, id, requeue).await?;
    }
    Ok(open.is_some())
}

/// The sandbox of a judgement that goes into quarantine now, with the reason.
fn quarantine(lane: &str, losses: i32) -> Option<SandboxChoice> {
    if losses < QUARANTINE_LOSSES || lane == Lane::Quarantine.name() {
        return None;
    }
    let choice = choose_sandbox(SandboxFactors {
        lane: Some(Lane::Quarantine),
        ..SandboxFactors::default()
    });
    Some(SandboxChoice {
        reason: format!("{}: {losses} workers were lost with it", choice.reason),
        ..choice
    })
}

/// How a judgement gets its next attempt.
struct Requeue<'r> {
    /// Why the old attempt failed, if it counts as failed.
    failure: Option<&'r str>,
    /// The workers lost with it so far.
    losses: i32,
    /// The sandbox in quarantine, if it goes there now.
    quarantine: Option<SandboxChoice>,
    /// How long to wait before asking for it.
    delay: Duration,
}

/// Gives an open judgement, locked by the caller, a new attempt and asks for it.
async fn judgement_requeue(
    connection: &mut PgConnection,
    id: Uuid,
    requeue: Requeue<'_>,
) -> Result<u32, StoreError> {
    let (mode, reason) = requeue
        .quarantine
        .map(|choice| (choice.mode.to_string(), choice.reason))
        .unzip();
    let attempt = sqlx::query!(
        r#"WITH moved AS (
               UPDATE judgements SET
                   state = 'queued',
                   attempt = attempt + 1,
                   failures = failures + CASE WHEN $2::text IS NULL THEN 0 ELSE 1 END,
                   last_failure = COALESCE($2, last_failure),
                   losses = $3,
                   lane = CASE WHEN $4::text IS NULL THEN lane ELSE 'quarantine' END,
                   sandbox_mode = COALESCE($4, sandbox_mode),
                   sandbox_reason = COALESCE($5, sandbox_reason),
                   queued_at = clock_timestamp(),
                   dispatched_at = NULL,
                   started_at = NULL,
                   worker_id = NULL,
                   lease_until = NULL,
                   testcases_done = 0
               WHERE id = $1
               RETURNING id, attempt, lane
           ), task AS (
               INSERT INTO outbox (judgement_id, attempt, lane, not_before)
               SELECT id, attempt, lane, clock_timestamp() + make_interval(secs => $6) FROM moved
           )
           SELECT attempt, pg_notify($7, lane)::text AS "rung" FROM moved"#,
        id,
        requeue.failure,
        requeue.losses,
        mode,
        reason,
        requeue.delay.as_secs_f64(),
        OUTBOX_CHANNEL
    )
    .fetch_one(connection)
    .await
    .map_err(StoreError::on("give a judgement a new attempt"))?
    .attempt;
    row::count("an attempt", attempt)
}
