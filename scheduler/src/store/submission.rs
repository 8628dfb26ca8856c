//! Submissions: read, listed and cancelled.

use assize_common::api::{JudgementState, Submission, SubmissionList};
use assize_common::id::{SubmissionId, TokenId};
use assize_common::{ContentHash, Verdict};

use super::judgement::{JudgedRow, judged_query};
use super::{Store, StoreError, row};

/// Which submissions to list. What is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct SubmissionFilter {
    /// The problem's short name.
    pub problem: Option<String>,
    /// The contest.
    pub contest: Option<String>,
    /// The team.
    pub team: Option<String>,
    /// The language's id.
    pub language: Option<String>,
    /// The verdict of the judgement that counts.
    pub verdict: Option<Verdict>,
    /// The state of the judgement that counts.
    pub state: Option<JudgementState>,
}

impl Store {
    /// Ends the judgement that counts of a submission in an error with this
    /// reason; false if it has ended already, or there is no such submission.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn submission_cancel(
        &self,
        id: SubmissionId,
        reason: &str,
    ) -> Result<bool, StoreError> {
        let error = format!("cancelled: {}", row::text(reason));
        sqlx::query!(
            // Its row in the outbox goes by itself: relays don't publish what nobody wants.
            "UPDATE judgements SET state = 'error', error = $2, finished_at = clock_timestamp(), lease_until = NULL
             WHERE submission_id = $1 AND is_current AND state IN ('queued', 'running')",
            id.as_uuid(),
            error
        )
        .execute(&self.pool)
        .await
        .map(|ended| ended.rows_affected() > 0)
        .map_err(StoreError::on("cancel a submission"))
    }

    /// Finds the submission that an earlier request with this key made, with that
    /// request's hash.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn submission_find_by_key(
        &self,
        submitted_by: TokenId,
        key: &str,
    ) -> Result<Option<(SubmissionId, ContentHash)>, StoreError> {
        let found = sqlx::query!(
            r#"SELECT id, request_sha256 AS "request_sha256!" FROM submissions
               WHERE submitted_by = $1 AND idempotency_key = $2"#,
            submitted_by.as_uuid(),
            key
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::on("look up an idempotency key"))?;
        let Some(found) = found else { return Ok(None) };
        let hash = row::hash("a request's hash", found.request_sha256)?;
        Ok(Some((found.id.into(), hash)))
    }

    /// Reads one submission with the judgement that counts.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn submission_read(
        &self,
        id: SubmissionId,
    ) -> Result<Option<Submission>, StoreError> {
        judged_query!("WHERE s.id = $1 AND j.is_current", id.as_uuid())
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::on("read a submission"))?
            .map(JudgedRow::into_submission)
            .transpose()
    }

    /// Reads with which token a submission was sent.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn submission_sender(&self, id: SubmissionId) -> Result<Option<TokenId>, StoreError> {
        let sender = sqlx::query_scalar!(
            "SELECT submitted_by FROM submissions WHERE id = $1",
            id.as_uuid()
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::on("read who sent a submission"))?;
        Ok(sender.map(Into::into))
    }

    /// Lists at most `limit` submissions, the newest first, from the one after `after` on.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn submission_list(
        &self,
        filter: &SubmissionFilter,
        after: Option<SubmissionId>,
        limit: u32,
    ) -> Result<SubmissionList, StoreError> {
        let limit = usize::try_from(limit)
            .map_err(|error| StoreError::unreadable("a page's size", error))?;
        // One more than asked for tells whether there is a next page.
        let mut rows = judged_query!(
            "WHERE j.is_current
               AND ($1::text IS NULL OR p.short_name = $1)
               AND ($2::text IS NULL OR s.contest = $2)
               AND ($3::text IS NULL OR s.team = $3)
               AND ($4::text IS NULL OR s.language_id = $4)
               AND ($5::text IS NULL OR j.verdict = $5)
               AND ($6::text IS NULL OR j.state = $6)
               AND ($7::uuid IS NULL OR s.id < $7)
             ORDER BY s.id DESC LIMIT $8",
            filter.problem,
            filter.contest,
            filter.team,
            filter.language,
            filter.verdict.map(Verdict::id),
            filter.state.map(JudgementState::name),
            after.map(SubmissionId::as_uuid),
            row::column::<i64, _>("a page", limit + 1)?
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on("list submissions"))?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let submissions = rows
            .into_iter()
            .map(JudgedRow::into_submission)
            .collect::<Result<Vec<_>, _>>()?;
        let next = submissions
            .last()
            .filter(|_| more)
            .map(|last| last.id.to_string());
        Ok(SubmissionList { submissions, next })
    }
}
