//! Submissions: stored once, together with the first judgement and the wish to
//! have it judged.

use assize_common::api::{Submission, SubmissionList};
use assize_common::id::{JudgementId, ProblemId, SubmissionId, TokenId};
use assize_common::message::SourceFile;
use assize_common::{ContentHash, Lane, SandboxChoice, Scrutiny, Verdict};
use uuid::Uuid;

use super::judgement::{JudgedRow, judged_query};
use super::outbox::{CONTEST_STEP, TEAM_STEP};
use super::{Store, StoreError, row, scrutiny};
use assize_common::api::JudgementState;

/// A submission that was found right, with its files in the blob store.
#[derive(Debug, Clone)]
pub struct NewStoredSubmission {
    /// The problem.
    pub problem_id: ProblemId,
    /// The version of its package.
    pub package_id: Uuid,
    /// How many test cases it has.
    pub testcases: i32,
    /// An enabled language.
    pub language: String,
    /// The source files.
    pub files: Vec<SourceFile>,
    /// The entry point, if stated.
    pub entry_point: Option<String>,
    /// The contest, if stated.
    pub contest: Option<String>,
    /// The team, if stated.
    pub team: Option<String>,
    /// Why it is flagged, if it is.
    pub flag: Option<String>,
    /// The lane of its first judgement.
    pub lane: Lane,
    /// The sandbox of its first judgement.
    pub sandbox: SandboxChoice,
    /// What flags ask for besides.
    pub scrutiny: Scrutiny,
    /// Who sent it.
    pub submitted_by: TokenId,
    /// The client's key with the hash of its request.
    pub idempotency: Option<(String, ContentHash)>,
}

/// What came of storing a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// It is stored, with its first judgement.
    Stored(SubmissionId, JudgementId),
    /// Another request with the same idempotency key came first.
    KeyTaken,
    /// The problem has another current package by now.
    PackageReplaced,
}

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
    /// Stores a submission with its first judgement, queued, and the outbox row
    /// that asks for it: all or nothing. The caller wakes the relay: a
    /// notification would make the commits of all submissions take turns.
    ///
    /// Only by the current package: whoever rejudges after an import finds every
    /// submission that was to be judged by the package before.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn submission_create(
        &self,
        new: &NewStoredSubmission,
    ) -> Result<Created, StoreError> {
        let id = SubmissionId::generate();
        let judgement_id = JudgementId::generate();
        let names: Vec<String> = new.files.iter().map(|file| file.name.clone()).collect();
        let hashes: Vec<Vec<u8>> = new
            .files
            .iter()
            .map(|file| file.sha256.as_bytes().to_vec())
            .collect();
        let sizes = new
            .files
            .iter()
            .map(|file| row::column::<i64, _>("a source file", file.size_bytes))
            .collect::<Result<Vec<_>, _>>()?;
        let (key, request_hash) = match &new.idempotency {
            Some((key, hash)) => (Some(key.as_str()), Some(hash.as_bytes().as_slice())),
            None => (None, None),
        };
        // One statement, so one round trip: this is the path of every submission.
        let stored = sqlx::query!(
            r#"WITH submission AS (
                   INSERT INTO submissions (id, problem_id, language_id, entry_point, contest, team, flag, submitted_by,
                       idempotency_key, request_sha256)
                   SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10
                   FROM packages WHERE id = $15 AND is_current
                   RETURNING id
               ), files AS (
                   INSERT INTO submission_files (submission_id, ordinal, name, sha256, size_bytes)
                   SELECT submission.id, file.ordinal - 1, file.name, file.sha256, file.size_bytes
                   FROM submission, UNNEST($11::text[], $12::bytea[], $13::bigint[])
                       WITH ORDINALITY AS file (name, sha256, size_bytes, ordinal)
               ), judgement AS (
                   INSERT INTO judgements (id, submission_id, package_id, is_current, lane, sandbox_mode, sandbox_reason,
                       testcases_total, scrutiny)
                   SELECT $14, submission.id, $15, true, $16, $17, $18, $19, $22 FROM submission
                   RETURNING id, attempt, lane
               ), contest AS (
                   SELECT GREATEST(clock_timestamp(), max(contest_turn) + make_interval(secs => $20)) AS turn
                   FROM outbox WHERE lane = $16 AND contest = $5 AND contest <> ''
               ), team AS (
                   SELECT max(turn) + make_interval(secs => $21) AS turn
                   FROM outbox WHERE lane = $16 AND contest = COALESCE($5, '') AND team = $6 AND team <> ''
               )
               INSERT INTO outbox (judgement_id, attempt, lane, contest, team, contest_turn, turn)
               SELECT judgement.id, judgement.attempt, judgement.lane, COALESCE($5, ''), COALESCE($6, ''),
                   contest.turn, GREATEST(contest.turn, team.turn)
               FROM judgement, contest, team"#,
            id.as_uuid(),
            new.problem_id.as_uuid(),
            new.language,
            new.entry_point,
            new.contest,
            new.team,
            new.flag,
            new.submitted_by.as_uuid(),
            key,
            request_hash,
            &names,
            &hashes,
            &sizes,
            judgement_id.as_uuid(),
            new.package_id,
            new.lane.name(),
            new.sandbox.mode.to_string(),
            new.sandbox.reason,
            new.testcases,
            CONTEST_STEP,
            TEAM_STEP,
            scrutiny::column(&new.scrutiny)?
        )
        .execute(&self.pool)
        .await
        .map_err(StoreError::on("store a submission"));
        match stored {
            Ok(done) if done.rows_affected() == 0 => Ok(Created::PackageReplaced),
            Ok(_) => Ok(Created::Stored(id, judgement_id)),
            Err(error) if error.breaks("submissions_idempotency") => Ok(Created::KeyTaken),
            Err(error) => Err(error),
        }
    }

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
