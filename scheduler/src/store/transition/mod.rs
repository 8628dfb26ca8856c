//! How judgements move: the guarded writes that correctness rests on.
//!
//! Every write names the judgement and the attempt it is about, and moves the
//! judgement only if that attempt is the current one and still open. Whoever
//! comes late or twice moves nothing and is told so by `None`. There are no
//! claims and no other locks. The legal moves are
//! [`JudgementState::may_become`](assize_common::api::JudgementState::may_become)'s.

mod failure;
mod finish;
mod start;

use assize_common::id::{JudgementId, WorkerId};
use assize_common::message::HeldJudgement;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{StoreError, row};

pub use failure::{FailedAttempt, Failure, HandedBackAttempt, RetryPolicy, TakenAway};
pub(crate) use failure::{
    judgement_fail, judgement_hand_back, judgement_redispatch, judgement_take_away,
};
pub(crate) use finish::{FinishedAttempt, judgement_list_finish};
pub(crate) use start::{
    StartedAttempt, judgement_list_progress, judgement_list_start, lease_extend,
};

/// The attempts that a write moved, each with its submission.
pub(crate) type Moved = std::collections::HashMap<HeldJudgement, assize_common::id::SubmissionId>;

struct Key {
    id: Uuid,
    attempt: i32,
}

fn held(id: Uuid, attempt: i32) -> Result<HeldJudgement, StoreError> {
    Ok(HeldJudgement {
        judgement_id: id.into(),
        attempt: row::count("an attempt", attempt)?,
    })
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
