//! Audits: stored with the verdict, searched, compared, and one day removed.

use std::time::Duration;

use assize_common::ContentHash;
use assize_common::api::{AuditHit, AuditHitList, JudgementAudit, Unusual, UnusualCall};
use assize_common::id::{JudgementId, SubmissionId};
use assize_common::message::{AuditReport, AuditedCall, HeldJudgement, RunAudit};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Store, StoreError, row, scrutiny};

/// Accepted judgements that others are compared with, at most: the latest.
const BASELINE: i64 = 200;
/// Fewer of the same problem say little: those of all problems are taken then.
const ENOUGH: u64 = 3;

/// Which calls to search for. What is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// The call's name.
    pub syscall: Option<String>,
    /// The path, or a directory above it.
    pub path: Option<String>,
    /// Only refused calls.
    pub refused: bool,
    /// The rule that decided.
    pub rule: Option<String>,
    /// The problem's short name.
    pub problem: Option<String>,
    /// The language's id.
    pub language: Option<String>,
    /// The team.
    pub team: Option<String>,
    /// Only of judgements that ended then or later.
    pub since: Option<DateTime<Utc>>,
}

struct CallRow {
    syscall: String,
    path: Option<String>,
    decision: String,
    rule: String,
    times: i64,
    testcase: String,
}

impl TryFrom<CallRow> for AuditedCall {
    type Error = StoreError;

    fn try_from(row: CallRow) -> Result<Self, StoreError> {
        Ok(Self {
            syscall: row.syscall,
            path: row.path,
            decision: row::named("a decision", &row.decision)?,
            rule: row.rule,
            times: row::count("a number of calls", row.times)?,
            testcase: row.testcase,
        })
    }
}

/// Stores the audits of attempts whose judgements the caller has just moved in
/// the same transaction.
///
/// # Errors
/// When the database can't be reached or refuses a value.
pub(super) async fn audit_list_create<'r>(
    connection: &mut PgConnection,
    attempts: impl Iterator<Item = (HeldJudgement, &'r AuditReport)>,
) -> Result<(), StoreError> {
    let attempt = "store audits";
    // One by one: audited judgements are few.
    for (held, audit) in attempts {
        let id = held.judgement_id.as_uuid();
        sqlx::query!(
            "INSERT INTO audits (judgement_id, attempt, problem_id, language_id, calls_dropped)
             SELECT j.id, j.attempt, s.problem_id, COALESCE(l.id, s.language_id), $2
             FROM judgements j
             JOIN submissions s ON s.id = j.submission_id
             -- A rejudging may have it judged as another one, whose programs it is like.
             LEFT JOIN languages l ON l.id = j.provenance->>'language'
             WHERE j.id = $1",
            id,
            row::column::<i64, _>("a number of calls", audit.calls_dropped)?
        )
        .execute(&mut *connection)
        .await
        .map_err(StoreError::on(attempt))?;
        let runs = RunColumns::of(&audit.runs)?;
        sqlx::query!(
            "INSERT INTO audit_runs (judgement_id, ordinal, testcase, pass, sha256, size_bytes)
             SELECT $1, run.ordinal - 1, run.testcase, run.pass, run.sha256, run.size_bytes
             FROM UNNEST($2::text[], $3::integer[], $4::bytea[], $5::bigint[])
                 WITH ORDINALITY AS run (testcase, pass, sha256, size_bytes, ordinal)",
            id,
            &runs.testcases,
            &runs.passes,
            &runs.hashes,
            &runs.sizes
        )
        .execute(&mut *connection)
        .await
        .map_err(StoreError::on(attempt))?;
        let calls = CallColumns::of(&audit.calls)?;
        sqlx::query!(
            "INSERT INTO audit_calls (judgement_id, ordinal, syscall, path, decision, rule, times, testcase)
             SELECT $1, call.ordinal - 1, call.syscall, call.path, call.decision, call.rule, call.times, call.testcase
             FROM UNNEST($2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[])
                 WITH ORDINALITY AS call (syscall, path, decision, rule, times, testcase, ordinal)",
            id,
            &calls.syscalls,
            &calls.paths as &[Option<String>],
            &calls.decisions,
            &calls.rules,
            &calls.times,
            &calls.testcases
        )
        .execute(&mut *connection)
        .await
        .map_err(StoreError::on(attempt))?;
    }
    Ok(())
}

#[derive(Default)]
struct RunColumns {
    testcases: Vec<String>,
    passes: Vec<i32>,
    hashes: Vec<Vec<u8>>,
    sizes: Vec<i64>,
}

impl RunColumns {
    fn of(runs: &[RunAudit]) -> Result<Self, StoreError> {
        let mut columns = Self::default();
        for run in runs {
            columns.testcases.push(row::text(&run.testcase));
            columns
                .passes
                .push(row::column("a number of passes", run.pass)?);
            columns.hashes.push(run.sha256.as_bytes().to_vec());
            columns
                .sizes
                .push(row::column("an audit's size", run.size_bytes)?);
        }
        Ok(columns)
    }
}

#[derive(Default)]
struct CallColumns {
    syscalls: Vec<String>,
    paths: Vec<Option<String>>,
    decisions: Vec<String>,
    rules: Vec<String>,
    times: Vec<i64>,
    testcases: Vec<String>,
}

impl CallColumns {
    fn of(calls: &[AuditedCall]) -> Result<Self, StoreError> {
        let mut columns = Self::default();
        for call in calls {
            columns.syscalls.push(row::text(&call.syscall));
            columns.paths.push(call.path.as_deref().map(row::text));
            columns.decisions.push(call.decision.to_string());
            columns.rules.push(row::text(&call.rule));
            columns
                .times
                .push(row::column("a number of calls", call.times)?);
            columns.testcases.push(row::text(&call.testcase));
        }
        Ok(columns)
    }
}

impl Store {
    /// Reads the audits of a judgement; `None` if there are none.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn audit_read(&self, id: JudgementId) -> Result<Option<JudgementAudit>, StoreError> {
        let attempt = "read audits";
        let head = sqlx::query!(
            "SELECT a.calls_dropped, j.submission_id, j.scrutiny, p.short_name AS problem, a.language_id AS language
             FROM audits a JOIN judgements j ON j.id = a.judgement_id JOIN problems p ON p.id = a.problem_id
             WHERE a.judgement_id = $1",
            id.as_uuid()
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::on(attempt))?;
        let Some(head) = head else { return Ok(None) };
        let runs = sqlx::query!(
            "SELECT testcase, pass, sha256, size_bytes FROM audit_runs WHERE judgement_id = $1 ORDER BY ordinal",
            id.as_uuid()
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on(attempt))?;
        let calls = sqlx::query_as!(
            CallRow,
            "SELECT syscall, path, decision, rule, times, testcase
             FROM audit_calls WHERE judgement_id = $1 ORDER BY ordinal",
            id.as_uuid()
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on(attempt))?;
        Ok(Some(JudgementAudit {
            judgement_id: id,
            submission_id: head.submission_id.into(),
            problem: head.problem,
            language: head.language,
            scrutiny: scrutiny::read(head.scrutiny)?,
            runs: runs
                .into_iter()
                .map(|run| {
                    Ok(RunAudit {
                        testcase: run.testcase,
                        pass: row::count("a number of passes", run.pass)?,
                        sha256: row::hash("an audit's hash", run.sha256)?,
                        size_bytes: row::count("an audit's size", run.size_bytes)?,
                    })
                })
                .collect::<Result<_, StoreError>>()?,
            calls: calls
                .into_iter()
                .map(AuditedCall::try_from)
                .collect::<Result<_, _>>()?,
            calls_dropped: row::count("a number of calls", head.calls_dropped)?,
            unusual: self.audit_compare(id).await?,
        }))
    }

    /// What a judgement did that accepted ones do not do.
    async fn audit_compare(&self, id: JudgementId) -> Result<Unusual, StoreError> {
        let attempt = "compare audits";
        let counts = sqlx::query!(
            r#"SELECT count(*) AS "all!", count(*) FILTER (WHERE same_problem) AS "same!" FROM (
                   SELECT a.problem_id = own.problem_id AS same_problem
                   FROM audits own
                   JOIN judgements oj ON oj.id = own.judgement_id
                   JOIN submissions os ON os.id = oj.submission_id
                   JOIN audits a ON a.language_id = own.language_id
                   JOIN judgements j ON j.id = a.judgement_id AND j.verdict = 'AC'
                       -- As much was recorded, and nothing let through.
                       AND j.scrutiny->>'audit' IS NOT DISTINCT FROM oj.scrutiny->>'audit'
                       AND j.scrutiny->'observe' IS NULL
                   JOIN submissions s ON s.id = j.submission_id AND s.id <> os.id
                       AND (os.team IS NULL OR s.team IS DISTINCT FROM os.team)
                   WHERE own.judgement_id = $1
                   ORDER BY a.judgement_id DESC LIMIT $2) AS baseline"#,
            id.as_uuid(),
            BASELINE
        )
        .fetch_one(&self.pool)
        .await
        .map_err(StoreError::on(attempt))?;
        let same: u64 = row::count("a number of judgements", counts.same)?;
        let all: u64 = row::count("a number of judgements", counts.all)?;
        let same_problem = same >= ENOUGH;
        let baseline = if same_problem { same } else { all };
        if baseline == 0 {
            return Ok(Unusual {
                baseline,
                same_problem,
                calls: Vec::new(),
            });
        }
        let rows = sqlx::query!(
            r#"WITH baseline AS (
                   SELECT a.judgement_id
                   FROM audits own
                   JOIN judgements oj ON oj.id = own.judgement_id
                   JOIN submissions os ON os.id = oj.submission_id
                   JOIN audits a ON a.language_id = own.language_id AND (NOT $2 OR a.problem_id = own.problem_id)
                   JOIN judgements j ON j.id = a.judgement_id AND j.verdict = 'AC'
                       -- As much was recorded, and nothing let through.
                       AND j.scrutiny->>'audit' IS NOT DISTINCT FROM oj.scrutiny->>'audit'
                       AND j.scrutiny->'observe' IS NULL
                   JOIN submissions s ON s.id = j.submission_id AND s.id <> os.id
                       AND (os.team IS NULL OR s.team IS DISTINCT FROM os.team)
                   WHERE own.judgement_id = $1
                   ORDER BY a.judgement_id DESC LIMIT $3
               ), usual AS (
                   SELECT c.syscall, c.path, c.decision, c.rule, max(c.times) AS times
                   FROM baseline b JOIN audit_calls c ON c.judgement_id = b.judgement_id
                   GROUP BY c.syscall, c.path, c.decision, c.rule
               )
               SELECT c.syscall, c.path, c.decision, c.rule, c.times, c.testcase,
                   COALESCE(u.times, 0) AS "most_times!"
               FROM audit_calls c
               LEFT JOIN usual u ON u.syscall = c.syscall AND u.path IS NOT DISTINCT FROM c.path
                   AND u.decision = c.decision AND u.rule = c.rule
               WHERE c.judgement_id = $1 AND (u.times IS NULL OR c.times > 10 * (u.times + 1))
               ORDER BY c.ordinal"#,
            id.as_uuid(),
            same_problem,
            BASELINE
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on(attempt))?;
        let calls = rows.into_iter().map(|row| {
            Ok(UnusualCall {
                most_times: row::count("a number of calls", row.most_times)?,
                call: AuditedCall::try_from(CallRow {
                    syscall: row.syscall,
                    path: row.path,
                    decision: row.decision,
                    rule: row.rule,
                    times: row.times,
                    testcase: row.testcase,
                })?,
            })
        });
        Ok(Unusual {
            baseline,
            same_problem,
            calls: calls.collect::<Result<_, StoreError>>()?,
        })
    }

    /// Lists at most `limit` calls, those of the latest judgements first.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn audit_search(
        &self,
        filter: &AuditFilter,
        limit: u32,
    ) -> Result<AuditHitList, StoreError> {
        let limit = usize::try_from(limit)
            .map_err(|error| StoreError::unreadable("a page's size", error))?;
        let path = filter
            .path
            .as_deref()
            .map(|path| path.trim_end_matches('/'));
        let rows = sqlx::query!(
            r#"SELECT j.submission_id, c.judgement_id, p.short_name AS problem, a.language_id AS language, s.team,
                   j.verdict, j.finished_at AS "finished_at!", c.syscall, c.path, c.decision, c.rule, c.times,
                   c.testcase
               FROM audit_calls c
               JOIN audits a ON a.judgement_id = c.judgement_id
               JOIN judgements j ON j.id = c.judgement_id
               JOIN submissions s ON s.id = j.submission_id
               JOIN problems p ON p.id = a.problem_id
               WHERE ($1::text IS NULL OR c.syscall = $1)
                 AND ($2::text IS NULL OR c.path = $2 OR c.path LIKE $3)
                 AND (NOT $4 OR c.decision <> 'allow')
                 AND ($5::text IS NULL OR c.rule = $5)
                 AND ($6::text IS NULL OR p.short_name = $6)
                 AND ($7::text IS NULL OR a.language_id = $7)
                 AND ($8::text IS NULL OR s.team = $8)
                 AND ($9::timestamptz IS NULL OR a.created_at >= $9)
               ORDER BY c.judgement_id DESC, c.ordinal LIMIT $10"#,
            filter.syscall,
            path,
            path.map(below),
            filter.refused,
            filter.rule,
            filter.problem,
            filter.language,
            filter.team,
            filter.since,
            row::column::<i64, _>("a page", limit + 1)?
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on("search audits"))?;
        let more = rows.len() > limit;
        let hits = rows.into_iter().take(limit).map(|row| {
            Ok(AuditHit {
                submission_id: SubmissionId::from(row.submission_id),
                judgement_id: JudgementId::from(row.judgement_id),
                problem: row.problem,
                language: row.language,
                team: row.team,
                verdict: row
                    .verdict
                    .map(|verdict| row::named("a verdict", &verdict))
                    .transpose()?,
                finished_at: row.finished_at,
                call: AuditedCall::try_from(CallRow {
                    syscall: row.syscall,
                    path: row.path,
                    decision: row.decision,
                    rule: row.rule,
                    times: row.times,
                    testcase: row.testcase,
                })?,
            })
        });
        Ok(AuditHitList {
            hits: hits.collect::<Result<_, StoreError>>()?,
            more,
        })
    }

    /// Removes the audits that are older than `age`, except those of flagged
    /// submissions. Their blobs are left to [`Store::audit_blob_list_kept`].
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn audit_list_remove(&self, age: Duration, limit: u16) -> Result<u64, StoreError> {
        let removed = sqlx::query!(
            "DELETE FROM audits WHERE judgement_id IN (
                 SELECT a.judgement_id FROM audits a
                 JOIN judgements j ON j.id = a.judgement_id
                 JOIN submissions s ON s.id = j.submission_id
                 WHERE a.created_at < clock_timestamp() - make_interval(secs => $1) AND s.flag IS NULL
                 ORDER BY a.created_at LIMIT $2)",
            age.as_secs_f64(),
            i64::from(limit)
        )
        .execute(&self.pool)
        .await
        .map_err(StoreError::on("remove old audits"))?;
        Ok(removed.rows_affected())
    }

    /// Which of these blobs an audit is in.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn audit_blob_list_kept(
        &self,
        blobs: &[ContentHash],
    ) -> Result<Vec<ContentHash>, StoreError> {
        let hashes: Vec<Vec<u8>> = blobs.iter().map(|hash| hash.as_bytes().to_vec()).collect();
        let rows = sqlx::query_scalar!(
            "SELECT DISTINCT sha256 FROM audit_runs WHERE sha256 = ANY($1)",
            &hashes
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on("look up the blobs of audits"))?;
        rows.into_iter()
            .map(|bytes| row::hash("an audit's hash", bytes))
            .collect()
    }
}

/// A pattern for everything below a directory.
fn below(directory: &str) -> String {
    let mut pattern = String::with_capacity(directory.len() + 2);
    for character in directory.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern + "/%"
}
