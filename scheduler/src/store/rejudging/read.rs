//! Rejudgings and changed results as admins see them.

use assize_common::api::{
    Overrides, Rejudging, RejudgingProgress, RejudgingState, ResultChange, Selection,
};
use assize_common::id::RejudgingId;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::super::{Store, StoreError, row};

/// Over how long to look back for an estimate, in seconds.
const RECENT: f64 = 120.0;

struct RejudgingRow {
    id: Uuid,
    reason: String,
    state: String,
    paused: bool,
    created_at: DateTime<Utc>,
    created_by: Uuid,
    created_by_name: String,
    closed_at: Option<DateTime<Utc>>,
    selection: serde_json::Value,
    overrides: serde_json::Value,
    submissions: i32,
    repetitions: i32,
    applied: i32,
    running: i64,
    done: i64,
    failed: i64,
    recent: i64,
    recent_seconds: f64,
}

impl TryFrom<RejudgingRow> for Rejudging {
    type Error = StoreError;

    fn try_from(row: RejudgingRow) -> Result<Self, StoreError> {
        let unreadable = |error| StoreError::unreadable("a rejudging's settings", error);
        let selection: Selection = serde_json::from_value(row.selection).map_err(unreadable)?;
        let overrides: Overrides = serde_json::from_value(row.overrides).map_err(unreadable)?;
        let count = |value: i64| row::count::<u64, _>("a number of judgements", value);
        let state: RejudgingState = row::named("a rejudging's state", &row.state)?;
        let judgements = count(i64::from(row.submissions) * i64::from(row.repetitions))?;
        let (running, done, failed) = (count(row.running)?, count(row.done)?, count(row.failed)?);
        let waiting = if state == RejudgingState::Open {
            judgements.saturating_sub(running + done + failed)
        } else {
            0
        };
        let finishes_in_seconds = (!row.paused && waiting + running > 0)
            .then(|| estimate(waiting + running, row.recent, row.recent_seconds))
            .flatten();
        Ok(Self {
            id: row.id.into(),
            reason: row.reason,
            state,
            paused: row.paused,
            created_at: row.created_at,
            created_by: row.created_by.into(),
            created_by_name: row.created_by_name,
            closed_at: row.closed_at,
            filter: selection.filter,
            overrides,
            progress: RejudgingProgress {
                submissions: count(row.submissions.into())?,
                judgements,
                waiting,
                running,
                done,
                failed,
                applied: count(row.applied.into())?,
                finishes_in_seconds,
            },
        })
    }
}

/// How long `left` take if `recent` took `seconds`.
fn estimate(left: u64, recent: i64, seconds: f64) -> Option<u64> {
    let milliseconds = std::time::Duration::try_from_secs_f64(seconds)
        .ok()?
        .as_millis();
    let recent = u128::try_from(recent).ok()?;
    let estimate = u128::from(left) * milliseconds / recent.checked_mul(1000)?.max(1);
    (recent > 0).then(|| u64::try_from(estimate).ok()).flatten()
}

impl Store {
    /// Reads one rejudging with its progress.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn rejudging_read(&self, id: RejudgingId) -> Result<Option<Rejudging>, StoreError> {
        let found = self.rejudging_rows(Some(id.as_uuid()), None, 1).await?;
        Ok(found.into_iter().next())
    }

    /// Lists rejudgings with their progress, the newest first.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn rejudging_list(
        &self,
        state: Option<RejudgingState>,
        limit: u32,
    ) -> Result<Vec<Rejudging>, StoreError> {
        self.rejudging_rows(None, state, limit).await
    }

    async fn rejudging_rows(
        &self,
        id: Option<Uuid>,
        state: Option<RejudgingState>,
        limit: u32,
    ) -> Result<Vec<Rejudging>, StoreError> {
        sqlx::query_as!(
            RejudgingRow,
            r#"SELECT r.id, r.reason, r.state, r.paused_at IS NOT NULL AS "paused!", r.created_at, r.created_by,
                   t.name AS created_by_name, r.closed_at, r.selection, r.overrides, r.submissions, r.repetitions,
                   r.applied, j.running AS "running!", j.done AS "done!", j.failed AS "failed!",
                   j.recent AS "recent!",
                   LEAST($4, extract(epoch FROM clock_timestamp() - r.created_at))::float8 AS "recent_seconds!"
               -- The newest first of all: judgements are counted of those only.
               FROM (
                   SELECT * FROM rejudgings WHERE ($1::uuid IS NULL OR id = $1) AND ($2::text IS NULL OR state = $2)
                   ORDER BY created_at DESC, id DESC LIMIT $3
               ) r
               JOIN tokens t ON t.id = r.created_by
               CROSS JOIN LATERAL (
                   SELECT count(*) FILTER (WHERE state = 'running') AS running,
                       count(*) FILTER (WHERE state = 'done') AS done,
                       count(*) FILTER (WHERE state = 'error') AS failed,
                       count(*) FILTER (WHERE finished_at > clock_timestamp() - make_interval(secs => $4)) AS recent
                   FROM judgements WHERE rejudging_id = r.id
               ) j
               ORDER BY r.created_at DESC, r.id DESC"#,
            id,
            state.map(RejudgingState::name),
            i64::from(limit),
            RECENT
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on("read rejudgings"))?
        .into_iter()
        .map(Rejudging::try_from)
        .collect()
    }

    /// Lists changes of results, from the one after `after` on.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn result_change_list(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<ResultChange>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT r.id, a.at, r.action_id, r.rejudging_id, r.submission_id, s.contest, s.team,
                   p.short_name AS problem,
                   CASE o.state WHEN 'done' THEN o.verdict WHEN 'error' THEN 'JE' ELSE 'open' END AS "old_result!",
                   CASE n.state WHEN 'done' THEN n.verdict WHEN 'error' THEN 'JE' ELSE 'open' END AS "new_result!"
               FROM result_changes r
               JOIN admin_actions a ON a.id = r.action_id
               JOIN submissions s ON s.id = r.submission_id
               JOIN problems p ON p.id = s.problem_id
               JOIN judgements o ON o.id = r.from_judgement_id
               JOIN judgements n ON n.id = r.to_judgement_id
               WHERE r.id > $1 ORDER BY r.id LIMIT $2"#,
            after,
            i64::from(limit)
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on("list changed results"))?;
        let changes = rows.into_iter().map(|row| ResultChange {
            id: row.id,
            at: row.at,
            action_id: row.action_id,
            rejudging_id: row.rejudging_id.map(Into::into),
            submission_id: row.submission_id.into(),
            contest: row.contest,
            team: row.team,
            problem: row.problem,
            old_result: row.old_result,
            new_result: row.new_result,
        });
        Ok(changes.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::estimate;

    #[test]
    fn the_rest_takes_as_long_as_what_was() {
        assert_eq!(estimate(300, 100, 10.0), Some(30));
        assert_eq!(estimate(300, 0, 10.0), None);
        assert_eq!(estimate(0, 5, 10.0), Some(0));
    }
}
