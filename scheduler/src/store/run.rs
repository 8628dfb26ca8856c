//! Runs: the test cases of the attempt that decided.

use assize_common::ContentHash;
use assize_common::id::JudgementId;
use assize_common::message::{
    Difference, Exit, Failure, HeldJudgement, KeyParts, KillCause, RunReport, Transcript, Words,
};
use serde::Serialize;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

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
    team_message: Option<String>,
    award: Option<serde_json::Value>,
    failure: Option<String>,
    difference: Option<serde_json::Value>,
    transcripts: Option<serde_json::Value>,
    key: Option<Vec<u8>>,
    reused_from: Option<Uuid>,
    program_key: Option<Vec<u8>>,
    validator_key: Option<Vec<u8>>,
    validated_again: Option<serde_json::Value>,
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
            kill_cause: row::json("a kill cause", row.kill_cause.map(Into::into))?,
            message: row.message,
            team_message: row.team_message,
            award: row::json("a validator's points", row.award)?,
            failure: row::json("why a program failed", row.failure.map(Into::into))?,
            difference: row::json("a difference", row.difference)?,
            transcripts: row::json("transcripts", row.transcripts)?.unwrap_or_default(),
            key: row
                .key
                .map(|key| row::hash("a run's key", key))
                .transpose()?,
            reused_from: row.reused_from.map(Into::into),
            key_parts: match (row.program_key, row.validator_key) {
                (Some(program), Some(validator)) => Some(KeyParts {
                    program: row::hash("a program's key", program)?,
                    validator: row::hash("a validator's key", validator)?,
                }),
                _ => None,
            },
            validated_again: row::json("why an output was validated again", row.validated_again)?,
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
        KillCause::Idle => "idle",
        KillCause::Memory => "memory",
        KillCause::Output => "output",
        KillCause::Processes => "processes",
        KillCause::Policy => "policy",
        KillCause::Cancelled => "cancelled",
    }
}

#[derive(Default)]
struct Columns {
    judgement_ids: Vec<Uuid>,
    attempts: Vec<i32>,
    ordinals: Vec<i32>,
    testcases: Vec<String>,
    verdicts: Vec<String>,
    cpu_times_ms: Vec<i64>,
    wall_times_ms: Vec<i64>,
    memory_bytes: Vec<i64>,
    exit_hows: Vec<String>,
    exit_values: Vec<Option<i32>>,
    kill_causes: Vec<Option<String>>,
    messages: Vec<Option<String>>,
    team_messages: Vec<Option<String>>,
    awards: Vec<Option<serde_json::Value>>,
    failures: Vec<Option<String>>,
    differences: Vec<Option<serde_json::Value>>,
    transcripts: Vec<Option<serde_json::Value>>,
    keys: Vec<Option<Vec<u8>>>,
    reused_from: Vec<Option<Uuid>>,
    program_keys: Vec<Option<Vec<u8>>>,
    validator_keys: Vec<Option<Vec<u8>>>,
    validated_again: Vec<Option<serde_json::Value>>,
}

impl Columns {
    fn push(
        &mut self,
        held: HeldJudgement,
        ordinal: usize,
        run: &RunReport,
    ) -> Result<(), StoreError> {
        let measured = |value| row::column::<i64, _>("a run's time or memory", value);
        let (how, value) = exit_columns(run.exit);
        self.judgement_ids.push(held.judgement_id.as_uuid());
        self.attempts.push(row::column("an attempt", held.attempt)?);
        self.ordinals
            .push(row::column("a number of runs", ordinal)?);
        self.testcases.push(row::text(&run.testcase));
        self.verdicts.push(run.verdict.to_string());
        self.cpu_times_ms.push(measured(run.cpu_time_ms)?);
        self.wall_times_ms.push(measured(run.wall_time_ms)?);
        self.memory_bytes.push(measured(run.memory_bytes)?);
        self.exit_hows.push(how.to_owned());
        self.exit_values.push(value);
        let cause = run.kill_cause.map(kill_cause_column);
        self.kill_causes.push(cause.map(ToOwned::to_owned));
        self.messages.push(run.message.as_deref().map(row::text));
        self.team_messages
            .push(run.team_message.as_deref().map(row::text));
        self.awards
            .push(json("a validator's points", run.award.as_ref())?);
        let failure = run.failure.map(Failure::name);
        self.failures.push(failure.map(ToOwned::to_owned));
        let difference = run.difference.as_ref().map(|difference| Difference {
            expected: difference.expected.as_deref().map(row::text),
            got: difference.got.as_deref().map(row::text),
            ..*difference
        });
        self.differences
            .push(json("a difference", difference.as_ref())?);
        let transcripts: Vec<_> = run.transcripts.iter().map(storable).collect();
        let some = Some(&transcripts).filter(|transcripts| !transcripts.is_empty());
        self.transcripts.push(json("transcripts", some)?);
        let bytes = |hash: ContentHash| hash.as_bytes().to_vec();
        self.keys.push(run.key.map(bytes));
        let parts = run.key_parts;
        self.program_keys
            .push(parts.map(|parts| bytes(parts.program)));
        self.validator_keys
            .push(parts.map(|parts| bytes(parts.validator)));
        let again = run.validated_again.as_ref();
        self.validated_again
            .push(json("why an output was validated again", again)?);
        let origin = run.reused_from.map(JudgementId::as_uuid);
        self.reused_from.push(origin);
        Ok(())
    }
}

/// A transcript that Postgres takes.
fn storable(transcript: &Transcript) -> Transcript {
    let mut transcript = transcript.clone();
    for remark in transcript.start.iter_mut().chain(&mut transcript.end) {
        if let Words::Text(text) = &mut remark.words {
            *text = row::text(text);
        }
    }
    transcript
}

fn json<T: Serialize>(
    what: &'static str,
    value: Option<&T>,
) -> Result<Option<serde_json::Value>, StoreError> {
    let value = value.map(serde_json::to_value).transpose();
    value.map_err(|error| StoreError::unreadable(what, error))
}

/// Stores the runs of attempts. The caller has just moved their judgements in the
/// same transaction.
///
/// # Errors
/// When the database can't be reached, or runs of an attempt are there already.
pub(super) async fn run_list_create<'r>(
    connection: &mut PgConnection,
    attempts: impl Iterator<Item = (HeldJudgement, &'r [RunReport])>,
) -> Result<(), StoreError> {
    let mut columns = Columns::default();
    for (held, runs) in attempts {
        for (ordinal, run) in runs.iter().enumerate() {
            columns.push(held, ordinal, run)?;
        }
    }
    if columns.ordinals.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO runs (judgement_id, attempt, ordinal, testcase, verdict, cpu_time_ms, wall_time_ms, memory_bytes,
             exit_how, exit_value, kill_cause, message, team_message, award, failure,
             difference, key, reused_from, transcripts, program_key, validator_key, validated_again)
         SELECT * FROM UNNEST($1::uuid[], $2::integer[], $3::integer[], $4::text[], $5::text[], $6::bigint[],
             $7::bigint[], $8::bigint[], $9::text[], $10::integer[], $11::text[], $12::text[], $13::text[], $14::jsonb[],
             $15::text[], $16::jsonb[], $17::bytea[], $18::uuid[], $19::jsonb[], $20::bytea[], $21::bytea[], $22::jsonb[])",
        &columns.judgement_ids,
        &columns.attempts,
        &columns.ordinals,
        &columns.testcases,
        &columns.verdicts,
        &columns.cpu_times_ms,
        &columns.wall_times_ms,
        &columns.memory_bytes,
        &columns.exit_hows,
        &columns.exit_values as &[Option<i32>],
        &columns.kill_causes as &[Option<String>],
        &columns.messages as &[Option<String>],
        &columns.team_messages as &[Option<String>],
        &columns.awards as &[Option<serde_json::Value>],
        &columns.failures as &[Option<String>],
        &columns.differences as &[Option<serde_json::Value>],
        &columns.keys as &[Option<Vec<u8>>],
        &columns.reused_from as &[Option<Uuid>],
        &columns.transcripts as &[Option<serde_json::Value>],
        &columns.program_keys as &[Option<Vec<u8>>],
        &columns.validator_keys as &[Option<Vec<u8>>],
        &columns.validated_again as &[Option<serde_json::Value>],
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
        "SELECT testcase, verdict, cpu_time_ms, wall_time_ms, memory_bytes, exit_how, exit_value, kill_cause, message,
             team_message, award, failure, difference, transcripts, key, reused_from,
             program_key, validator_key, validated_again
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
