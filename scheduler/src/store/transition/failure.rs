//! Attempts that come to nothing: their worker was lost, judging failed, or they
//! were handed back. Another one follows, or the judgement ends.

use std::time::Duration;

use assize_common::id::{SubmissionId, WorkerId};
use assize_common::message::{HandedBack, HeldJudgement};
use assize_common::sandbox_choice::{SandboxFactors, choose_sandbox};
use assize_common::{Lane, SandboxChoice};
use sqlx::PgConnection;
use uuid::Uuid;

use super::super::judging_failure::judging_failure_create;
use super::super::outbox::OUTBOX_CHANNEL;
use super::super::rejudging::rejudging_is_paused;
use super::super::{StoreError, row};
use super::{Key, key};

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
    /// Its worker has had it for longer than judging can take.
    Overdue,
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
pub(super) const QUARANTINE_LOSSES: i32 = 2;

/// With this many lost workers, some of them in quarantine, it is not judged any more: whoever
/// takes it up next would be lost as well, with all that its other slots are at.
pub(super) const MOST_LOSSES: i32 = 4;

/// A task that the broker got back so often goes into quarantine too, should
/// nobody have lived to say that it was started. Less often it proves nothing:
/// broken connections count, and what two queues gave an idle slot at once.
const QUARANTINE_DELIVERIES: u64 = 10;

/// How long a task waits that came to a worker that is not for it, at first and at
/// most: it may come to the same worker again, but not all the time.
const FIRST_DETOUR: Duration = Duration::from_millis(100);
const LONGEST_DETOUR: Duration = Duration::from_secs(5);

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
        "SELECT submission_id, rejudging_id, failures, losses, lane FROM judgements
         WHERE id = $1 AND attempt = $2 AND state IN ('queued', 'running') FOR UPDATE",
        id,
        attempt
    )
    .fetch_optional(&mut *connection)
    .await
    .map_err(StoreError::on("read a failed judgement"))?;
    let Some(open) = open else { return Ok(None) };

    let reason = row::text(reason);
    if failure == Failure::JudgingError {
        judging_failure_create(connection, id, &reason).await?;
    }
    let failures = row::count::<u32, _>("a number of failures", open.failures)?.saturating_add(1);
    let losses = open.losses + i32::from(failure == Failure::Lost);
    let (mut next_attempt, mut quarantined) = (None, false);
    let in_quarantine = open.lane == Lane::Quarantine.name();
    if failures < policy.max_failures && !(in_quarantine && losses >= MOST_LOSSES) {
        let quarantine =
            quarantine(&open.lane, &lost_with(losses)).filter(|_| losses >= QUARANTINE_LOSSES);
        quarantined = quarantine.is_some();
        let requeue = Requeue {
            rejudging: open.rejudging_id,
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
    let too_often = handed_back.earlier_deliveries >= QUARANTINE_DELIVERIES;
    let open = sqlx::query!(
        "SELECT submission_id, rejudging_id, losses, lane FROM judgements
         WHERE id = $1 AND attempt = $2 AND state IN ('queued', 'running')
           AND (worker_id IS NULL OR worker_id = $3 OR $4) FOR UPDATE",
        id,
        attempt,
        worker.as_uuid(),
        too_often
    )
    .fetch_optional(&mut *connection)
    .await
    .map_err(StoreError::on("read a judgement that is handed back"))?;
    let Some(open) = open else {
        return Ok(None);
    };
    let deliveries = handed_back.earlier_deliveries;
    let why = format!("{deliveries} times it came back to the broker");
    let quarantine = quarantine(&open.lane, &why).filter(|_| too_often);
    let quarantined = quarantine.is_some();
    let delay = if handed_back.unsuited {
        let detours = handed_back.judgement.attempt.saturating_sub(1);
        let longer = 2_u32.saturating_pow(detours);
        FIRST_DETOUR.saturating_mul(longer).min(LONGEST_DETOUR)
    } else {
        Duration::ZERO
    };
    let requeue = Requeue {
        rejudging: open.rejudging_id,
        failure: None,
        losses: open.losses,
        quarantine,
        delay,
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
    let open = sqlx::query!(
        "SELECT losses, rejudging_id FROM judgements WHERE id = $1 AND attempt = $2 AND state = 'queued' FOR UPDATE",
        id,
        attempt
    )
    .fetch_optional(&mut *connection)
    .await
    .map_err(StoreError::on("read a judgement whose task was lost"))?;
    let is_open = open.is_some();
    if let Some(open) = open {
        let requeue = Requeue {
            rejudging: open.rejudging_id,
            failure: None,
            losses: open.losses,
            quarantine: None,
            delay: Duration::ZERO,
        };
        judgement_requeue(connection, id, requeue).await?;
    }
    Ok(is_open)
}

/// What becomes of an attempt that another worker has taken up after several were lost with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakenAway {
    /// The next one is in quarantine.
    Quarantined,
    /// It was in quarantine already: there is no next one, the judgement ended in a judging error.
    GivenUp,
}

/// Several workers were lost with an attempt, and another one has taken it up: it
/// is taken from that one. `None` if it is not running any more.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn judgement_take_away(
    connection: &mut PgConnection,
    held: HeldJudgement,
) -> Result<Option<TakenAway>, StoreError> {
    let Key { id, attempt } = key(held)?;
    let lost = sqlx::query!(
        "SELECT losses, lane, rejudging_id FROM judgements
         WHERE id = $1 AND attempt = $2 AND state = 'running' FOR UPDATE",
        id,
        attempt
    )
    .fetch_optional(&mut *connection)
    .await
    .map_err(StoreError::on(
        "read a judgement that workers were lost with",
    ))?;
    let Some(lost) = lost else { return Ok(None) };
    let why = lost_with(lost.losses);
    let quarantine = quarantine(&lost.lane, &why);
    if quarantine.is_none() {
        sqlx::query!(
            "UPDATE judgements SET state = 'error', error = $2, finished_at = clock_timestamp(), lease_until = NULL
             WHERE id = $1",
            id,
            format!("{why}, the last ones in quarantine: it may be what they died of")
        )
        .execute(connection)
        .await
        .map_err(StoreError::on("give up a judgement that workers were lost with"))?;
        return Ok(Some(TakenAway::GivenUp));
    }
    let requeue = Requeue {
        rejudging: lost.rejudging_id,
        failure: None,
        losses: lost.losses,
        quarantine,
        delay: Duration::ZERO,
    };
    judgement_requeue(connection, id, requeue).await?;
    Ok(Some(TakenAway::Quarantined))
}

fn lost_with(losses: i32) -> String {
    format!("{losses} workers were lost with it")
}

/// The sandbox of a judgement that goes into quarantine now and why; none if it is
/// there already.
fn quarantine(lane: &str, why: &str) -> Option<SandboxChoice> {
    if lane == Lane::Quarantine.name() {
        return None;
    }
    let choice = choose_sandbox(SandboxFactors {
        lane: Some(Lane::Quarantine),
        ..SandboxFactors::default()
    });
    Some(SandboxChoice {
        reason: format!("{}: {why}", choice.reason),
        ..choice
    })
}

/// How a judgement gets its next attempt.
struct Requeue<'r> {
    /// The rejudging that asked for it.
    rejudging: Option<Uuid>,
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
    let held_back = match requeue.rejudging {
        Some(rejudging) => rejudging_is_paused(connection, rejudging).await?,
        None => false,
    };
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
                   left_behind = NULL,
                   lease_until = NULL,
                   testcases_done = 0
               WHERE id = $1
               RETURNING id, attempt, lane, created_at
           ), task AS (
               -- It has had its turn.
               INSERT INTO outbox (judgement_id, attempt, lane, not_before, contest_turn, turn)
               SELECT id, attempt, lane,
                   CASE WHEN $8 THEN 'infinity' ELSE clock_timestamp() + make_interval(secs => $6) END,
                   created_at, created_at FROM moved
           )
           SELECT attempt, pg_notify($7, lane)::text AS "rung" FROM moved"#,
        id,
        requeue.failure,
        requeue.losses,
        mode,
        reason,
        requeue.delay.as_secs_f64(),
        OUTBOX_CHANNEL,
        held_back
    )
    .fetch_one(connection)
    .await
    .map_err(StoreError::on("give a judgement a new attempt"))?
    .attempt;
    row::count("an attempt", attempt)
}
