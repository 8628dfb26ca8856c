//! Runs: the test cases of the attempt that decided.

use assize_common::id::JudgementId;
use assize_common::message::{Exit, HeldJudgement, KillCause, RunReport};
use sqlx::{PgConnection, PgPool};

use super::{StoreError, row};

struct RunRow {
    testcase: String,
    verdict: String,
    cpu_time_ms: i64,
    wall_time_ms: i64,
    memory_bytes: i64,
    exit_how: String,
    exit_value: Option<i32>,
    kill_cause: Option<String>,
    message: Option<String>,
}

impl TryFrom<RunRow> for RunReport {
    type Error = StoreError;

    fn try_from(row: RunRow) -> Result<Self, StoreError> {
        Ok(Self {
            testcase: row.testcase,
            verdict: row::named("a verdict", &row.verdict)?,
            cpu_time_ms: row::count("a CPU time", row.cpu_time_ms)?,
            wall_time_ms: row::count("a wall time", row.wall_time_ms)?,
            memory_bytes: row::count("a memory peak", row.memory_bytes)?,
            exit: match (row.exit_how.as_str(), row.exit_value) {
                ("exited", Some(code)) => Exit::Exited { code },
                ("signalled", Some(signal)) => Exit::Signalled { signal },
                ("killed", None) => Exit::Killed,
                (how, value) => {
                    return Err(StoreError::unreadable(
                        "the end of a run",
                        format!("{how} with {value:?}"),
                    ));
                }
            },
            kill_cause: row
                .kill_cause
                .map(|cause| {
                    serde_json::from_value(cause.into())
                        .map_err(|error| StoreError::unreadable("a kill cause", error))
                })
                .transpose()?,
            message: row.message,
        })
    }
}

const fn exit_columns(exit: Exit) -> (&'static str, Option<i32>) {
    match exit {
        Exit::Exited { code } => ("exited", Some(code)),
        Exit::Signalled { signal } => ("signalled", Some(signal)),
        Exit::Killed => ("killed", None),
    }
}

const fn kill_cause_column(cause: KillCause) -> &'static str {
    match cause {
        KillCause::CpuTime => "cpu_time",
        KillCause::WallTime => "wall_time",
        KillCause::Memory => "memory",
        KillCause::Output => "output",
        KillCause::Processes => "processes",
        KillCause::Policy => "policy",
        KillCause::Cancelled => "cancelled",
    }
}

/// Stores the runs of an attempt. The caller has just moved the judgement in the
/// same transaction.
///
/// # Errors
/// When the database can't be reached, or runs of the attempt are there already.
pub(super) async fn run_list_create(
    connection: &mut PgConnection,
    judgement: HeldJudgement,
    runs: &[RunReport],
) -> Result<(), StoreError> {
    let times = |time: fn(&RunReport) -> u64| -> Result<Vec<i64>, StoreError> {
        runs.iter()
            .map(|run| row::column("a run's time or memory", time(run)))
            .collect()
    };
    let exits: Vec<_> = runs.iter().map(|run| exit_columns(run.exit)).collect();
    let exit_hows: Vec<String> = exits.iter().map(|(how, _)| (*how).to_owned()).collect();
    let exit_values: Vec<Option<i32>> = exits.iter().map(|(_, value)| *value).collect();
    let testcases: Vec<String> = runs.iter().map(|run| row::text(&run.testcase)).collect();
    let verdicts: Vec<String> = runs.iter().map(|run| run.verdict.to_string()).collect();
    let causes: Vec<Option<String>> = runs
        .iter()
        .map(|run| {
            run.kill_cause
                .map(|cause| kill_cause_column(cause).to_owned())
        })
        .collect();
    let messages: Vec<Option<String>> = runs
        .iter()
        .map(|run| run.message.as_deref().map(row::text))
        .collect();
    sqlx::query!(
        "INSERT INTO runs (judgement_id, attempt, ordinal, testcase, verdict, cpu_time_ms, wall_time_ms, memory_bytes,
             exit_how, exit_value, kill_cause, message)
         SELECT $1, $2, run.ordinal - 1, run.testcase, run.verdict, run.cpu_time_ms, run.wall_time_ms,
             run.memory_bytes, run.exit_how, run.exit_value, run.kill_cause, run.message
         FROM UNNEST($3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[], $9::integer[],
                 $10::text[], $11::text[])
             WITH ORDINALITY AS run (testcase, verdict, cpu_time_ms, wall_time_ms, memory_bytes, exit_how, exit_value,
                 kill_cause, message, ordinal)",
        judgement.judgement_id.as_uuid(),
        row::column::<i32, _>("an attempt", judgement.attempt)?,
        &testcases,
        &verdicts,
        &times(|run| run.cpu_time_ms)?,
        &times(|run| run.wall_time_ms)?,
        &times(|run| run.memory_bytes)?,
        &exit_hows,
        &exit_values as &[Option<i32>],
        &causes as &[Option<String>],
        &messages as &[Option<String>],
    )
    .execute(connection)
    .await
    .map(drop)
    .map_err(StoreError::on("store runs"))
}

/// Lists the runs of an attempt in the order of the test cases.
///
/// # Errors
/// When the database can't be reached.
pub(super) async fn run_list(
    pool: &PgPool,
    judgement_id: JudgementId,
    attempt: i32,
) -> Result<Vec<RunReport>, StoreError> {
    sqlx::query_as!(
        RunRow,
        "SELECT testcase, verdict, cpu_time_ms, wall_time_ms, memory_bytes, exit_how, exit_value, kill_cause, message
         FROM runs WHERE judgement_id = $1 AND attempt = $2 ORDER BY ordinal",
        judgement_id.as_uuid(),
        attempt
    )
    .fetch_all(pool)
    .await
    .map_err(StoreError::on("list runs"))?
    .into_iter()
    .map(RunReport::try_from)
    .collect()
}
