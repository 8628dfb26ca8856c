//! Exchanging the judgements that count: applying a rejudging and undoing it.
//!
//! One transaction, two UPDATEs of whole sets: readers, who never wait for
//! writers, see the old results until it commits and the new ones afterwards. What
//! is exchanged is written first, into the log of changes, and read from there.

use assize_common::api::{ApplyRejudging, RejudgingState, TakenSubmissions};
use assize_common::id::{RejudgingId, TokenId};
use serde_json::json;
use sqlx::{PgConnection, QueryBuilder};
use uuid::Uuid;

use super::super::admin_action::admin_action_create;
use super::super::selection::{CURRENT, push_filter, result_of};
use super::super::{Store, StoreError, row};
use super::MANY;
use super::cancel::open_judgements_end;
use crate::filter::Filter;

const APPLY: &str = "apply a rejudging";
const UNDO: &str = "undo a rejudging";

/// Whoever exchanges results has this advisory lock: one after the other, so that
/// the numbers of changes grow in the order in which they become visible.
const EXCHANGE_LOCK: i64 = 0x6173_7369_7a65;

/// How often to try. Reports about judgements that are exchanged lock them in
/// another order: the database ends one of the two, and that may be us.
const ATTEMPTS: u32 = 5;

/// What was exchanged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Switched {
    /// Submissions for which another judgement counts now.
    pub switched: u64,
    /// Those of them whose result or score is another one.
    pub changed: u64,
}

/// Why nothing was exchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SwitchRefusal {
    /// There is no such rejudging.
    NotFound,
    /// It is in this state, in which that can't be done.
    Closed(RejudgingState),
    /// So many of the submissions that are meant have no verdict.
    Unfinished(u64),
    /// None of its open submissions is meant and judged.
    Nothing,
    /// Other rejudgings made the judgements that count by now, or are about to.
    Superseded(Vec<TakenSubmissions>),
}

/// A rejudging whose row is locked.
pub(super) struct Locked {
    pub(super) state: RejudgingState,
    pub(super) applied: i32,
    pub(super) paused: bool,
}

/// Locks a rejudging's row: whoever changes it does that first.
///
/// # Errors
/// When the database can't be reached.
pub(super) async fn rejudging_lock(
    connection: &mut PgConnection,
    id: RejudgingId,
) -> Result<Option<Locked>, StoreError> {
    let locked = sqlx::query!(
        r#"SELECT state, applied, paused_at IS NOT NULL AS "paused!" FROM rejudgings WHERE id = $1 FOR UPDATE"#,
        id.as_uuid()
    )
    .fetch_optional(connection)
    .await
    .map_err(StoreError::on("read a rejudging"))?;
    locked
        .map(|locked| {
            Ok(Locked {
                state: row::named("a rejudging's state", &locked.state)?,
                applied: locked.applied,
                paused: locked.paused,
            })
        })
        .transpose()
}

/// Closes a rejudging and gives its open submissions free.
///
/// # Errors
/// When the database can't be reached.
pub(super) async fn rejudging_close(
    connection: &mut PgConnection,
    id: Uuid,
    state: RejudgingState,
) -> Result<(), StoreError> {
    let attempt = "close a rejudging";
    sqlx::query!("DELETE FROM rejudging_claims WHERE rejudging_id = $1", id)
        .execute(&mut *connection)
        .await
        .map_err(StoreError::on(attempt))?;
    sqlx::query!(
        "UPDATE rejudgings SET state = $2, closed_at = clock_timestamp(), paused_at = NULL WHERE id = $1",
        id,
        state.name()
    )
    .execute(connection)
    .await
    .map(drop)
    .map_err(StoreError::on(attempt))
}

impl Store {
    /// Makes a rejudging's judgements count: those of all its open members, or of
    /// those that `filter` means, which is what `asked` says. Refused while some have
    /// no verdict, unless only finished ones are asked for; the others stay open.
    /// Nothing happens the second time.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub(crate) async fn rejudging_apply(
        &self,
        id: RejudgingId,
        asked: &ApplyRejudging,
        filter: &Filter,
        by: TokenId,
    ) -> Result<Result<Switched, SwitchRefusal>, StoreError> {
        let mut repetitions = 1..ATTEMPTS;
        loop {
            match self.apply_once(id, asked, filter, by).await {
                Err(error) if error.is_deadlock() && repetitions.next().is_some() => {}
                result => return result,
            }
        }
    }

    /// Makes the judgements count again that a rejudging replaced, and gives up what
    /// is open of it. Refused when something else was made of its results since.
    /// Nothing happens the second time.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn rejudging_undo(
        &self,
        id: RejudgingId,
        by: TokenId,
    ) -> Result<Result<Switched, SwitchRefusal>, StoreError> {
        let mut repetitions = 1..ATTEMPTS;
        loop {
            match self.undo_once(id, by).await {
                Err(error) if error.is_deadlock() && repetitions.next().is_some() => {}
                result => return result,
            }
        }
    }

    async fn apply_once(
        &self,
        id: RejudgingId,
        asked: &ApplyRejudging,
        filter: &Filter,
        by: TokenId,
    ) -> Result<Result<Switched, SwitchRefusal>, StoreError> {
        let mut transaction = self.begin().await?;
        exchange_lock(&mut transaction).await?;
        let Some(locked) = rejudging_lock(&mut transaction, id).await? else {
            return Ok(Err(SwitchRefusal::NotFound));
        };
        match locked.state {
            RejudgingState::Open => {}
            RejudgingState::Applied => return Ok(Ok(Switched::default())),
            state => return Ok(Err(SwitchRefusal::Closed(state))),
        }
        let details = json!({ "finished_only": asked.finished_only, "filter": asked.filter });
        let subject = id.to_string();
        let action =
            admin_action_create(&mut transaction, by, "rejudging.apply", &subject, details).await?;
        let finished_only = asked.finished_only;
        let noted = changes_create(
            &mut transaction,
            id.as_uuid(),
            action,
            filter,
            finished_only,
        )
        .await?;
        let switched = match noted {
            Ok(switched) => switched,
            Err(unfinished) => return Ok(Err(SwitchRefusal::Unfinished(unfinished))),
        };
        if switched.switched == 0 {
            return Ok(Err(SwitchRefusal::Nothing));
        }
        exchange(&mut transaction, id.as_uuid(), action, switched.switched).await?;
        sqlx::query!(
            "DELETE FROM rejudging_claims c USING result_changes r
             WHERE r.rejudging_id = $1 AND r.action_id = $2 AND c.submission_id = r.submission_id",
            id.as_uuid(),
            action
        )
        .execute(&mut *transaction)
        .await
        .map_err(StoreError::on(APPLY))?;
        let left = sqlx::query_scalar!(
            r#"UPDATE rejudgings SET applied = applied + $2 WHERE id = $1
               RETURNING EXISTS (SELECT FROM rejudging_claims WHERE rejudging_id = $1) AS "left!""#,
            id.as_uuid(),
            row::column::<i32, _>("a number of submissions", switched.switched)?
        )
        .fetch_one(&mut *transaction)
        .await
        .map_err(StoreError::on(APPLY))?;
        if !left {
            // Repetitions may be open, whose results nobody will look at.
            open_judgements_end(&mut transaction, id.as_uuid(), "applied").await?;
            rejudging_close(&mut transaction, id.as_uuid(), RejudgingState::Applied).await?;
        }
        Self::commit(transaction).await?;
        Ok(Ok(switched))
    }

    async fn undo_once(
        &self,
        id: RejudgingId,
        by: TokenId,
    ) -> Result<Result<Switched, SwitchRefusal>, StoreError> {
        let mut transaction = self.begin().await?;
        exchange_lock(&mut transaction).await?;
        let Some(locked) = rejudging_lock(&mut transaction, id).await? else {
            return Ok(Err(SwitchRefusal::NotFound));
        };
        match locked.state {
            RejudgingState::Undone => return Ok(Ok(Switched::default())),
            RejudgingState::Open | RejudgingState::Applied if locked.applied > 0 => {}
            state => return Ok(Err(SwitchRefusal::Closed(state))),
        }
        let others = superseding(&mut transaction, id.as_uuid()).await?;
        if !others.is_empty() {
            return Ok(Err(SwitchRefusal::Superseded(others)));
        }
        let details = json!({ "submissions": locked.applied });
        let subject = id.to_string();
        let action =
            admin_action_create(&mut transaction, by, "rejudging.undo", &subject, details).await?;
        let counted = sqlx::query!(
            r#"WITH chosen AS (
                   SELECT r.submission_id, r.to_judgement_id, r.from_judgement_id,
                       (j.state, j.verdict, j.score) IS DISTINCT FROM (b.state, b.verdict, b.score) AS changed
                   FROM result_changes r
                   JOIN judgements j ON j.id = r.to_judgement_id
                   JOIN judgements b ON b.id = r.from_judgement_id
                   WHERE r.rejudging_id = $1
               ), noted AS (
                   INSERT INTO result_changes (action_id, rejudging_id, submission_id, from_judgement_id, to_judgement_id)
                   SELECT $2, $1, submission_id, to_judgement_id, from_judgement_id FROM chosen
               )
               SELECT count(*) AS "switched!", count(*) FILTER (WHERE changed) AS "changed!" FROM chosen"#,
            id.as_uuid(),
            action
        )
        .fetch_one(&mut *transaction)
        .await
        .map_err(StoreError::on(UNDO))?;
        let switched = Switched {
            switched: row::count("a number of submissions", counted.switched)?,
            changed: row::count("a number of submissions", counted.changed)?,
        };
        exchange(&mut transaction, id.as_uuid(), action, switched.switched).await?;
        open_judgements_end(&mut transaction, id.as_uuid(), "undone").await?;
        rejudging_close(&mut transaction, id.as_uuid(), RejudgingState::Undone).await?;
        Self::commit(transaction).await?;
        Ok(Ok(switched))
    }
}

/// Takes [`EXCHANGE_LOCK`] until the transaction ends.
///
/// # Errors
/// When the database can't be reached.
pub(in crate::store) async fn exchange_lock(
    connection: &mut PgConnection,
) -> Result<(), StoreError> {
    sqlx::query!(
        r#"SELECT pg_advisory_xact_lock($1)::text AS "locked""#,
        EXCHANGE_LOCK
    )
    .fetch_one(connection)
    .await
    .map(drop)
    .map_err(StoreError::on("wait for another exchange of results"))
}

/// Keeps others from exchanging results until the transaction ends, so that what
/// it reads as the results from now on stays so. Its first statement.
///
/// # Errors
/// When the database can't be reached.
pub(super) async fn exchange_prevent(connection: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query!(
        r#"SELECT pg_advisory_xact_lock_shared($1)::text AS "locked""#,
        EXCHANGE_LOCK
    )
    .fetch_one(connection)
    .await
    .map(drop)
    .map_err(StoreError::on("wait for an exchange of results"))
}

/// Open members with their new judgement `n`, if it was made. That is looked up for
/// each: right after many were made, Postgres still believes that a rejudging has
/// a few judgements at most, and would compare all members with all of them.
const OPEN_MEMBERS: &str = "
    JOIN rejudging_claims c ON c.submission_id = s.id
    JOIN rejudging_members m ON m.rejudging_id = c.rejudging_id AND m.submission_id = s.id AND m.old_judgement_id = j.id
    LEFT JOIN LATERAL (
        SELECT * FROM judgements
        WHERE rejudging_id = c.rejudging_id AND submission_id = c.submission_id AND repetition = 1
        LIMIT 1
    ) n ON true
    WHERE j.is_current AND c.rejudging_id = ";

/// Notes what is going to be exchanged: open members that are meant and judged. Nothing,
/// but how many have a judgement without a verdict, if there are such and
/// `finished_only` does not leave them out.
async fn changes_create(
    connection: &mut PgConnection,
    id: Uuid,
    action: i64,
    filter: &Filter,
    finished_only: bool,
) -> Result<Result<Switched, u64>, StoreError> {
    let mut query = QueryBuilder::new(
        "WITH meant AS (SELECT s.id AS submission_id, j.id AS old, n.id AS new, (",
    );
    query
        .push(result_of!("j"))
        .push(") <> (")
        .push(result_of!("n"))
        .push(
            ") OR j.score IS DISTINCT FROM n.score AS changed,
             n.state IS NOT DISTINCT FROM 'done' AS judged,
             n.state IS DISTINCT FROM 'done' OR (
                 (SELECT repetitions > 1 FROM rejudgings WHERE id = ",
        )
        .push_bind(id)
        .push(
            ") AND EXISTS (
                     SELECT FROM judgements o
                     WHERE o.rejudging_id = n.rejudging_id AND o.submission_id = n.submission_id AND o.state <> 'done'
                 )
             ) AS unfinished
             FROM ",
        )
        .push(CURRENT)
        .push(OPEN_MEMBERS)
        .push_bind(id)
        .push(" AND ");
    push_filter(&mut query, filter);
    query
        .push("), noted AS (
                INSERT INTO result_changes (action_id, rejudging_id, submission_id, from_judgement_id, to_judgement_id)
                SELECT ")
        .push_bind(action)
        .push(", ")
        .push_bind(id)
        .push(", submission_id, old, new FROM meant WHERE judged AND (")
        .push_bind(finished_only)
        .push(" OR NOT EXISTS (SELECT FROM meant WHERE unfinished))
            )
            SELECT count(*) FILTER (WHERE judged), count(*) FILTER (WHERE judged AND changed),
                count(*) FILTER (WHERE unfinished) FROM meant");
    let (switched, changed, unfinished): (i64, i64, i64) = query
        .build_query_as()
        .fetch_one(connection)
        .await
        .map_err(StoreError::on(APPLY))?;
    let count = |number| row::count("a number of submissions", number);
    if unfinished > 0 && !finished_only {
        return Ok(Err(count(unfinished)?));
    }
    Ok(Ok(Switched {
        switched: count(switched)?,
        changed: count(changed)?,
    }))
}

/// Makes the judgements count that an action's changes lead to, instead of those
/// that they start from.
async fn exchange(
    connection: &mut PgConnection,
    id: Uuid,
    action: i64,
    expected: u64,
) -> Result<(), StoreError> {
    let attempt = "exchange the judgements that count";
    if i64::try_from(expected).is_ok_and(|expected| expected > MANY) {
        sqlx::query!("ANALYZE result_changes")
            .execute(&mut *connection)
            .await
            .map_err(StoreError::on(attempt))?;
    }
    // Two statements: the index that allows one current judgement looks at each row.
    let old = sqlx::query!(
        "UPDATE judgements j SET is_current = false FROM result_changes r
         WHERE r.rejudging_id = $1 AND r.action_id = $2 AND j.id = r.from_judgement_id AND j.is_current",
        id,
        action
    )
    .execute(&mut *connection)
    .await
    .map_err(StoreError::on(attempt))?;
    let new = sqlx::query!(
        "UPDATE judgements j SET is_current = true FROM result_changes r
         WHERE r.rejudging_id = $1 AND r.action_id = $2 AND j.id = r.to_judgement_id AND NOT j.is_current",
        id,
        action
    )
    .execute(connection)
    .await
    .map_err(StoreError::on(attempt))?;
    if (old.rows_affected(), new.rows_affected()) != (expected, expected) {
        return Err(StoreError::unreadable(
            "results",
            format!(
                "{expected} judgements should be exchanged, {} and {} could be",
                old.rows_affected(),
                new.rows_affected()
            ),
        ));
    }
    Ok(())
}

/// The other rejudgings that have to do with the results that this one made.
async fn superseding(
    connection: &mut PgConnection,
    id: Uuid,
) -> Result<Vec<TakenSubmissions>, StoreError> {
    let rows = sqlx::query!(
        r#"WITH applied AS (SELECT submission_id, to_judgement_id FROM result_changes WHERE rejudging_id = $1),
           others AS (
               SELECT j.rejudging_id AS id, a.submission_id
               FROM applied a JOIN judgements j ON j.submission_id = a.submission_id AND j.is_current
               WHERE j.id <> a.to_judgement_id
               UNION
               SELECT c.rejudging_id, a.submission_id
               FROM applied a JOIN rejudging_claims c ON c.submission_id = a.submission_id
               WHERE c.rejudging_id <> $1
           )
           SELECT r.id, r.reason, count(*) AS "submissions!"
           FROM others o JOIN rejudgings r ON r.id = o.id GROUP BY r.id, r.reason ORDER BY 3 DESC, 1"#,
        id
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::on(UNDO))?;
    rows.into_iter()
        .map(|row| {
            Ok(TakenSubmissions {
                rejudging_id: row.id.into(),
                reason: row.reason,
                submissions: row::count("a number of submissions", row.submissions)?,
            })
        })
        .collect()
}
