//! Complete attempts: the verdict and all runs.

use assize_common::id::WorkerId;
use assize_common::message::{
    AuditReport, CompileReport, HeldJudgement, Host, Provenance, RunReport,
};
use assize_common::{ContentHash, GroupScore, Score, Verdict};
use sqlx::PgConnection;

use super::super::audit::audit_list_create;
use super::super::output::output_list_create;
use super::super::run::run_list_create;
use super::super::{StoreError, row};
use super::{Moved, held, key};

/// An attempt that is complete.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FinishedAttempt<'r> {
    /// The judgement and its attempt.
    pub(crate) held: HeldJudgement,
    /// Who judged it.
    pub(crate) worker: WorkerId,
    /// The verdict on the submission.
    pub(crate) verdict: Verdict,
    /// How compiling went.
    pub(crate) compile: &'r CompileReport,
    /// The runs, in the order of the test cases.
    pub(crate) runs: &'r [RunReport],
    /// The score, in problems that give one.
    pub(crate) score: Option<&'r Score>,
    /// The scores of groups.
    pub(crate) groups: &'r [GroupScore],
    /// What the tracer saw, under ptrace.
    pub(crate) audit: Option<&'r AuditReport>,
    /// What the verdict depends on.
    pub(crate) provenance: Option<&'r Provenance>,
    /// The blobs that hold outputs of its runs.
    pub(crate) outputs: &'r [ContentHash],
}

/// Attempts are complete, each named once: of each the verdict and all its runs,
/// or nothing.
///
/// # Errors
/// When the database can't be reached or refuses a value.
pub(crate) async fn judgement_list_finish(
    connection: &mut PgConnection,
    finished: &[FinishedAttempt<'_>],
) -> Result<Moved, StoreError> {
    let mut columns = Columns::default();
    for attempt in finished {
        columns.push(attempt)?;
    }
    let rows = sqlx::query!(
        "UPDATE judgements j SET
             state = 'done',
             verdict = finished.verdict,
             compile = finished.compile,
             score = finished.score::numeric,
             groups = finished.groups,
             provenance = finished.provenance,
             max_cpu_time_ms = finished.max_cpu_time_ms,
             max_memory_bytes = finished.max_memory_bytes,
             testcases_done = LEAST(testcases_total, finished.runs),
             started_at = COALESCE(started_at, clock_timestamp()),
             finished_at = clock_timestamp(),
             lease_until = NULL,
             worker_id = finished.worker,
             worker_version = w.version,
             compiler_version = COALESCE(finished.provenance ->> 'compiler_version', (
                 SELECT entry ->> 'version'
                 FROM jsonb_array_elements(w.languages) AS entry, submissions s
                 WHERE s.id = j.submission_id AND entry ->> 'id' = s.language_id
                 LIMIT 1
             ))
         FROM UNNEST($1::uuid[], $2::integer[], $3::uuid[], $4::text[], $5::jsonb[], $6::bigint[], $7::bigint[],
                 $8::integer[], $9::text[], $10::jsonb[], $11::jsonb[])
             AS finished (id, attempt, worker, verdict, compile, max_cpu_time_ms, max_memory_bytes, runs, score,
                 groups, provenance)
         LEFT JOIN workers w ON w.id = finished.worker
         WHERE j.id = finished.id AND j.attempt = finished.attempt AND j.state IN ('queued', 'running')
         RETURNING j.id, j.attempt, j.submission_id",
        &columns.ids,
        &columns.attempts,
        &columns.workers,
        &columns.verdicts,
        &columns.compiles,
        &columns.max_cpu_times_ms as &[Option<i64>],
        &columns.max_memory_bytes as &[Option<i64>],
        &columns.runs,
        &columns.scores as &[Option<String>],
        &columns.groups,
        &columns.provenances as &[Option<serde_json::Value>]
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(StoreError::on("finish judgements"))?;
    let moved = rows
        .into_iter()
        .map(|row| Ok((held(row.id, row.attempt)?, row.submission_id.into())))
        .collect::<Result<Moved, StoreError>>()?;
    let decided = || {
        finished
            .iter()
            .filter(|attempt| moved.contains_key(&attempt.held))
    };
    let runs = decided().map(|attempt| (attempt.held, attempt.runs));
    run_list_create(&mut *connection, runs).await?;
    let audits = decided().filter_map(|attempt| Some((attempt.held, attempt.audit?)));
    audit_list_create(&mut *connection, audits).await?;
    let outputs = decided().map(|attempt| (attempt.held, attempt.outputs));
    output_list_create(connection, outputs).await?;
    Ok(moved)
}

#[derive(Default)]
struct Columns {
    ids: Vec<uuid::Uuid>,
    attempts: Vec<i32>,
    workers: Vec<uuid::Uuid>,
    verdicts: Vec<String>,
    compiles: Vec<serde_json::Value>,
    max_cpu_times_ms: Vec<Option<i64>>,
    max_memory_bytes: Vec<Option<i64>>,
    runs: Vec<i32>,
    scores: Vec<Option<String>>,
    groups: Vec<serde_json::Value>,
    provenances: Vec<Option<serde_json::Value>>,
}

impl Columns {
    fn push(&mut self, attempt: &FinishedAttempt<'_>) -> Result<(), StoreError> {
        let key = key(attempt.held)?;
        let compile = CompileReport {
            output: row::text(&attempt.compile.output),
            ..attempt.compile.clone()
        };
        let compile = serde_json::to_value(compile)
            .map_err(|error| StoreError::unreadable("a compile report", error))?;
        let largest = |measure: fn(&RunReport) -> u64| {
            attempt
                .runs
                .iter()
                .map(measure)
                .max()
                .map(|value| row::column::<i64, _>("a run's time or memory", value))
                .transpose()
        };
        self.ids.push(key.id);
        self.attempts.push(key.attempt);
        self.workers.push(attempt.worker.as_uuid());
        self.verdicts.push(attempt.verdict.to_string());
        self.compiles.push(compile);
        self.max_cpu_times_ms.push(largest(|run| run.cpu_time_ms)?);
        self.max_memory_bytes.push(largest(|run| run.memory_bytes)?);
        self.runs
            .push(i32::try_from(attempt.runs.len()).unwrap_or(i32::MAX));
        self.scores.push(attempt.score.map(ToString::to_string));
        let groups = serde_json::to_value(attempt.groups)
            .map_err(|error| StoreError::unreadable("the points of groups", error))?;
        self.groups.push(groups);
        let provenance = attempt.provenance.map(storable);
        let provenance = provenance.map(serde_json::to_value).transpose();
        self.provenances
            .push(provenance.map_err(|error| StoreError::unreadable("a provenance", error))?);
        Ok(())
    }
}

/// The same with texts that Postgres takes: programs of the host wrote them.
fn storable(provenance: &Provenance) -> Provenance {
    let host = &provenance.host;
    Provenance {
        language: row::text(&provenance.language),
        compiler_version: provenance.compiler_version.as_deref().map(row::text),
        host: Host {
            worker_version: row::text(&host.worker_version),
            kernel: row::text(&host.kernel),
            cpu: row::text(&host.cpu),
            ..host.clone()
        },
        ..provenance.clone()
    }
}
