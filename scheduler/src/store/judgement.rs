//! Reading judgements, and finding those that need help.

use std::time::Duration;

use assize_common::api::{Judgement, JudgementSummary, Submission};
use assize_common::id::{JudgementId, SubmissionId, WorkerId};
use assize_common::message::HeldJudgement;
use assize_common::{Lane, SandboxChoice};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Store, StoreError, row, run};

/// A judgement with its submission.
pub(super) struct JudgedRow {
    pub(super) submission_id: Uuid,
    pub(super) problem: String,
    pub(super) language: String,
    pub(super) contest: Option<String>,
    pub(super) team: Option<String>,
    pub(super) flag: Option<String>,
    pub(super) files: Vec<String>,
    pub(super) submitted_at: DateTime<Utc>,
    pub(super) judgement_id: Uuid,
    pub(super) is_current: bool,
    pub(super) state: String,
    pub(super) verdict: Option<String>,
    pub(super) score: Option<String>,
    pub(super) error: Option<String>,
    pub(super) lane: String,
    pub(super) sandbox_mode: String,
    pub(super) sandbox_reason: String,
    pub(super) attempt: i32,
    pub(super) testcases_done: i32,
    pub(super) testcases_total: i32,
    pub(super) max_cpu_time_ms: Option<i64>,
    pub(super) max_memory_bytes: Option<i64>,
    pub(super) started_at: Option<DateTime<Utc>>,
    pub(super) finished_at: Option<DateTime<Utc>>,
    pub(super) worker_id: Option<Uuid>,
    pub(super) package: Vec<u8>,
}

/// Selects [`JudgedRow`]s; `$tail` is what follows FROM and its joins.
macro_rules! judged_query {
    ($tail:literal $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            crate::store::judgement::JudgedRow,
            r#"SELECT s.id AS submission_id, p.short_name AS problem, s.language_id AS language, s.contest, s.team,
                   s.flag, s.submitted_at,
                   ARRAY(SELECT f.name FROM submission_files f WHERE f.submission_id = s.id ORDER BY f.ordinal)
                       AS "files!",
                   j.id AS judgement_id, j.is_current, j.state, j.verdict, j.score::text AS score, j.error, j.lane, j.sandbox_mode,
                   j.sandbox_reason, j.attempt, j.testcases_done, j.testcases_total, j.max_cpu_time_ms,
                   j.max_memory_bytes, j.started_at, j.finished_at, j.worker_id, v.content_hash AS package
               FROM judgements j
               JOIN submissions s ON s.id = j.submission_id
               JOIN problems p ON p.id = s.problem_id
               JOIN packages v ON v.id = j.package_id "#
            + $tail
            $(, $argument)*
        )
    };
}
pub(super) use judged_query;

impl JudgedRow {
    fn summary(&self) -> Result<JudgementSummary, StoreError> {
        let count = |value: i32| row::count("a number of test cases", value);
        Ok(JudgementSummary {
            id: self.judgement_id.into(),
            state: row::named("a judgement's state", &self.state)?,
            verdict: self
                .verdict
                .as_deref()
                .map(|verdict| row::named("a verdict", verdict))
                .transpose()?,
            score: self
                .score
                .as_deref()
                .map(|score| row::named("a score", score))
                .transpose()?,
            error: self.error.clone(),
            lane: row::named("a lane", &self.lane)?,
            sandbox: SandboxChoice {
                mode: row::named("a sandbox", &self.sandbox_mode)?,
                reason: self.sandbox_reason.clone(),
            },
            attempt: row::count("an attempt", self.attempt)?,
            testcases_done: count(self.testcases_done)?,
            testcases_total: count(self.testcases_total)?,
            max_cpu_time_ms: self
                .max_cpu_time_ms
                .map(|time| row::count("a CPU time", time))
                .transpose()?,
            max_memory_bytes: self
                .max_memory_bytes
                .map(|size| row::count("a memory peak", size))
                .transpose()?,
            started_at: self.started_at,
            finished_at: self.finished_at,
        })
    }

    pub(super) fn into_submission(self) -> Result<Submission, StoreError> {
        Ok(Submission {
            id: self.submission_id.into(),
            judgement: self.summary()?,
            problem: self.problem,
            language: self.language,
            contest: self.contest,
            team: self.team,
            flag: self.flag,
            files: self.files,
            submitted_at: self.submitted_at,
        })
    }
}

/// A judgement whose task the broker seems to have lost.
#[derive(Debug, Clone, Copy)]
pub struct UndispatchedJudgement {
    /// The judgement and its attempt.
    pub held: HeldJudgement,
    /// The submission.
    pub submission_id: SubmissionId,
    /// Whether a task that was published much later was taken up meanwhile.
    pub overtaken: bool,
}

impl Store {
    /// Reads one judgement with its runs.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn judgement_read(&self, id: JudgementId) -> Result<Option<Judgement>, StoreError> {
        let row = judged_query!("WHERE j.id = $1", id.as_uuid())
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::on("read a judgement"))?;
        self.judgement_complete(row).await
    }

    /// Reads the judgement that counts of a submission, with its runs.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn judgement_read_current(
        &self,
        submission_id: SubmissionId,
    ) -> Result<Option<Judgement>, StoreError> {
        let row = judged_query!("WHERE s.id = $1 AND j.is_current", submission_id.as_uuid())
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::on("read a judgement"))?;
        self.judgement_complete(row).await
    }

    /// Adds what only a finished judgement has. It never changes again, so that
    /// reading it after the rest shows no mixture.
    async fn judgement_complete(
        &self,
        row: Option<JudgedRow>,
    ) -> Result<Option<Judgement>, StoreError> {
        let Some(row) = row else { return Ok(None) };
        let summary = row.summary()?;
        let (mut compile, mut groups, mut runs) = (None, Vec::new(), Vec::new());
        if summary.state.is_final() {
            let stored = sqlx::query!(
                "SELECT compile, groups FROM judgements WHERE id = $1",
                row.judgement_id
            )
            .fetch_one(&self.pool)
            .await
            .map_err(StoreError::on("read what a judgement ended with"))?;
            compile = row::json("a compile report", stored.compile)?;
            groups = row::json("the points of groups", stored.groups)?.unwrap_or_default();
            runs = run::run_list(&self.pool, summary.id, row.attempt).await?;
        }
        Ok(Some(Judgement {
            summary,
            submission_id: row.submission_id.into(),
            current: row.is_current,
            package: row::hash("a package's hash", row.package)?,
            worker_id: row.worker_id.map(Into::into),
            compile,
            runs,
            groups,
        }))
    }

    /// Lists judgements whose task was published longer than `age` ago without
    /// being taken up, the longest waiting first.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn judgement_list_undispatched(
        &self,
        lane: Lane,
        age: Duration,
        limit: u32,
    ) -> Result<Vec<UndispatchedJudgement>, StoreError> {
        let rows = sqlx::query!(
            r#"WITH latest AS (
                   SELECT dispatched_at FROM judgements
                   WHERE lane = $1 AND started_at IS NOT NULL
                   ORDER BY started_at DESC LIMIT 1
               )
               SELECT j.id, j.attempt, j.submission_id, COALESCE(
                   (SELECT dispatched_at FROM latest)
                       > COALESCE(j.dispatched_at, j.queued_at) + make_interval(secs => $2),
                   false
               ) AS "overtaken!"
               FROM judgements j
               WHERE j.state = 'queued' AND j.lane = $1
                 AND COALESCE(j.dispatched_at, j.queued_at) < clock_timestamp() - make_interval(secs => $2)
                 AND NOT EXISTS (SELECT FROM outbox o WHERE o.judgement_id = j.id AND o.attempt = j.attempt)
               ORDER BY COALESCE(j.dispatched_at, j.queued_at)
               LIMIT $3"#,
            lane.name(),
            age.as_secs_f64(),
            i64::from(limit)
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on("look for lost tasks"))?;
        rows.into_iter()
            .map(|row| {
                Ok(UndispatchedJudgement {
                    held: held(row.id, row.attempt)?,
                    submission_id: row.submission_id.into(),
                    overtaken: row.overtaken,
                })
            })
            .collect()
    }
}

/// How long an attempt may take in any case, in seconds: for fetching and compiling,
/// and for each test case, beside its time limit.
const ATTEMPT_BASE: f64 = 1800.0;
const ATTEMPT_PER_TESTCASE: f64 = 120.0;
/// The same in time limits: languages stretch them, wall time is more, some
/// validators want several passes.
const ATTEMPT_TIME_LIMITS: f64 = 20.0;
/// Whatever limits somebody asks for: some 30 years, which the database can count.
const LONGEST_ATTEMPT: f64 = 1e9;

/// A judgement that is to be taken from its worker.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExpiredJudgement {
    /// The judgement and its attempt.
    pub(crate) held: HeldJudgement,
    /// The worker that had it.
    pub(crate) worker: WorkerId,
    /// The time in which it should have been done, if its worker still says that it
    /// has it; none if its lease ran out.
    pub(crate) overdue: Option<Duration>,
}

/// Locks and lists judgements whose lease ran out, the earliest first, and those that
/// take longer than they possibly can; those that another scheduler is at already are
/// skipped.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn judgement_list_expired(
    connection: &mut PgConnection,
    limit: u16,
) -> Result<Vec<ExpiredJudgement>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT j.id, j.attempt, j.worker_id AS "worker_id!", bound.seconds AS "seconds!: f64",
               j.lease_until >= clock_timestamp() AS "overdue!"
           FROM judgements j
           JOIN packages p ON p.id = j.package_id
           LEFT JOIN rejudgings r ON r.id = j.rejudging_id
           CROSS JOIN LATERAL (SELECT LEAST(GREATEST(p.time_limit_us::numeric / 1000000,
               (r.overrides #>> '{limits,time_ms}')::numeric / 1000), $5::float8::numeric)::float8) AS time_limit (seconds)
           CROSS JOIN LATERAL (SELECT LEAST($2::float8
               + j.testcases_total * ($3::float8 + $4::float8 * time_limit.seconds), $5::float8)) AS bound (seconds)
           WHERE j.state = 'running' AND (j.lease_until < clock_timestamp()
               OR j.started_at < clock_timestamp() - make_interval(secs => bound.seconds))
           ORDER BY j.lease_until LIMIT $1 FOR UPDATE OF j SKIP LOCKED"#,
        i64::from(limit),
        ATTEMPT_BASE,
        ATTEMPT_PER_TESTCASE,
        ATTEMPT_TIME_LIMITS,
        LONGEST_ATTEMPT
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::on("look for expired leases"))?;
    rows.into_iter()
        .map(|row| {
            let bound = Duration::try_from_secs_f64(row.seconds).unwrap_or(Duration::MAX);
            Ok(ExpiredJudgement {
                held: held(row.id, row.attempt)?,
                worker: row.worker_id.into(),
                overdue: row.overdue.then_some(bound),
            })
        })
        .collect()
}

fn held(id: Uuid, attempt: i32) -> Result<HeldJudgement, StoreError> {
    Ok(HeldJudgement {
        judgement_id: id.into(),
        attempt: row::count("an attempt", attempt)?,
    })
}
