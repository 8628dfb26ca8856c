//! Reports: what workers tell schedulers.

use std::slice;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::bounds::OutOfBounds;
use super::{AuditReport, KeyParts, Provenance, Transcript, ValidatedAgain};
use crate::id::{JudgementId, WorkerId};
use crate::{Award, ContentHash, GroupScore, Score, Verdict};

/// A report together with its sender. One that is read claims nothing beyond bounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Claimed")]
pub struct WorkerReport {
    /// The worker that reports.
    pub worker_id: WorkerId,
    /// What it reports.
    pub report: Report,
}

/// A report as somebody wrote it.
#[derive(Deserialize)]
struct Claimed {
    worker_id: WorkerId,
    report: Report,
}

impl TryFrom<Claimed> for WorkerReport {
    type Error = OutOfBounds;

    fn try_from(Claimed { worker_id, report }: Claimed) -> Result<Self, OutOfBounds> {
        report.check()?;
        Ok(Self { worker_id, report })
    }
}

impl WorkerReport {
    /// What schedulers send to themselves, to know that reports get through. The
    /// heartbeat of no worker, so that schedulers of the release before make
    /// nothing of it.
    #[must_use]
    pub fn echo() -> Self {
        Self {
            worker_id: Uuid::nil().into(),
            report: Report::Heartbeat { held: Vec::new() },
        }
    }

    /// Whether it is an echo.
    #[must_use]
    pub fn is_echo(&self) -> bool {
        self.worker_id.as_uuid().is_nil()
    }
}

/// What a worker reports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Report {
    /// A worker is up and consumes.
    Registered(Registered),
    /// The judgements a worker holds; extends their leases.
    Heartbeat {
        /// All that it holds at the moment.
        held: Vec<HeldJudgement>,
    },
    /// A worker took up a task.
    Started(Started),
    /// How far a judgement is; for live views, never for the record.
    Progress {
        /// Which judgement.
        judgement: HeldJudgement,
        /// Test cases run so far.
        testcases_done: u32,
        /// Test cases of the problem.
        testcases_total: u32,
    },
    /// An attempt is complete.
    Finished(Box<Finished>),
    /// A worker gives a task back unjudged, as when it drains.
    HandedBack(HandedBack),
    /// Canaries have run on a slot that had nothing else to do.
    Canaries(Canaries),
    /// A worker stops for good and holds nothing any more.
    Stopped,
}

impl Report {
    /// The judgements that it is about.
    #[must_use]
    pub fn judgements(&self) -> &[HeldJudgement] {
        match self {
            Self::Registered(_) | Self::Canaries(_) | Self::Stopped => &[],
            Self::Heartbeat { held } => held,
            Self::Started(started) => slice::from_ref(&started.judgement),
            Self::Progress { judgement, .. } => slice::from_ref(judgement),
            Self::Finished(finished) => slice::from_ref(&finished.judgement),
            Self::HandedBack(handed_back) => slice::from_ref(&handed_back.judgement),
        }
    }
}

/// What programs that always do the same took on a slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canaries {
    /// The slot's number within the worker.
    pub slot: u32,
    /// When they had run.
    pub at: DateTime<Utc>,
    /// What each of them took.
    pub readings: Vec<CanaryReading>,
}

/// What one of them took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CanaryReading {
    /// Which: `cpu`, `memory`, `syscalls` or `java`.
    pub program: String,
    /// Its CPU time.
    pub cpu_time_ms: u64,
}

/// A judgement at a certain attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HeldJudgement {
    /// The judgement.
    pub judgement_id: JudgementId,
    /// The attempt.
    pub attempt: u32,
}

/// What a worker is, sent when it starts to consume.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Registered {
    /// A name for people, such as the host's with a number.
    pub name: String,
    /// The version of the worker.
    pub version: String,
    /// How many judgements it runs at once.
    pub slots: u32,
    /// The names of the lanes it consumes.
    pub lanes: Vec<String>,
    /// The languages it tested at start.
    pub languages: Vec<LanguageVersion>,
}

/// A language as a worker found it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LanguageVersion {
    /// The id of the language table's entry.
    pub id: String,
    /// What the compiler says of its version.
    pub version: String,
}

/// A worker took up a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// The judgement and its attempt.
    #[serde(flatten)]
    pub judgement: HeldJudgement,
    /// When, by the worker's clock.
    pub at: DateTime<Utc>,
}

/// A worker gives a task back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HandedBack {
    /// The judgement and its attempt.
    #[serde(flatten)]
    pub judgement: HeldJudgement,
    /// Why.
    pub reason: String,
    /// How often the broker delivered the task before without an answer: each
    /// time a worker may have died of it, or a connection broke, or a slot gave it
    /// back unseen. A worker gives a task back unjudged that came back ten times,
    /// and it goes into quarantine.
    #[serde(default)]
    pub earlier_deliveries: u64,
    /// Whether that is since this worker is not the one for it, and another one may be: it
    /// lacks the submission's language, or the task avoids it.
    #[serde(
        default,
        rename = "lacks_language",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub unsuited: bool,
}

/// The complete result of an attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    /// The judgement and its attempt.
    #[serde(flatten)]
    pub judgement: HeldJudgement,
    /// When judging began, by the worker's clock.
    pub started_at: DateTime<Utc>,
    /// When judging ended, by the worker's clock.
    pub finished_at: DateTime<Utc>,
    /// The verdict with all its runs, or our failure.
    pub outcome: Judged,
}

/// How an attempt ended: with a verdict, or with a failure of ours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Judged {
    /// The contestant's verdict.
    Verdict {
        /// The verdict on the submission.
        verdict: Verdict,
        /// How compiling went.
        compile: CompileReport,
        /// The runs, in the order of the test cases.
        runs: Vec<RunReport>,
        /// The score, in problems that give one; none if it did not compile.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        score: Option<Score>,
        /// The scores of groups, the outermost one last.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        groups: Vec<GroupScore>,
        /// What the tracer saw, under ptrace.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        audit: Option<Box<AuditReport>>,
        /// Where the verdict comes from; none from workers before 0.2.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        provenance: Option<Box<Provenance>>,
        /// The blobs with outputs that may be validated again, its own first, stored before.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        outputs: Vec<ContentHash>,
    },
    /// Judging failed through no fault of the contestant.
    JudgingError {
        /// What failed, for admins.
        reason: String,
    },
}

/// How compiling went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CompileReport {
    /// Whether a program came out.
    pub success: bool,
    /// Whether the program came from the cache.
    pub cached: bool,
    /// CPU time of all commands.
    pub cpu_time_ms: u64,
    /// Wall time of all commands.
    pub wall_time_ms: u64,
    /// The largest memory peak among the commands.
    pub memory_bytes: u64,
    /// What the compiler printed, shortened.
    pub output: String,
}

/// One test case of an attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunReport {
    /// The test case's name, such as `secret/01`.
    pub testcase: String,
    /// The verdict on this run.
    pub verdict: Verdict,
    /// User and system time of all its processes.
    pub cpu_time_ms: u64,
    /// Time from start to end.
    pub wall_time_ms: u64,
    /// The memory peak.
    pub memory_bytes: u64,
    /// How the program ended, unless it was killed before it could.
    pub exit: Exit,
    /// Why the jail killed it, if it did.
    pub kill_cause: Option<KillCause>,
    /// The validator's words or another detail, for the jury.
    pub message: Option<String>,
    /// The validator's words for the team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_message: Option<String>,
    /// What the validator gave: points, or a part of what the test case can give.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub award: Option<Award>,
    /// What a program that failed says of the reason, as far as its language tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Where the output differs first, if the default validator compared it. For
    /// the jury.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<Difference>,
    /// What submission and validator said to each other, in runs of interactive
    /// problems that were not accepted: one for each pass. For the jury.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transcripts: Vec<Transcript>,
    /// The hash of all that determines the result: the same key, the same result.
    /// None where it is not to be taken over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<ContentHash>,
    /// The judgement in which it was run, if not in this one: its key was the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reused_from: Option<JudgementId>,
    /// What its key is made of, where the output can be validated again without the
    /// program: neither in interactive nor in multi-pass problems.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_parts: Option<KeyParts>,
    /// Whose output was validated again, where the program was not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validated_again: Option<ValidatedAgain>,
}

/// What the words of a validator follow in a message that begins with something else.
pub const VALIDATOR_SAID: &str = "; the validator said: ";
/// The same where it did not see the last pass.
pub const VALIDATOR_SAID_BEFORE: &str = "; the validator said of the pass before: ";

impl RunReport {
    /// Whether the output validator decided, and not what the program did.
    #[must_use]
    pub const fn is_decided_by_validator(&self) -> bool {
        matches!(self.verdict, Verdict::Ac | Verdict::Wa | Verdict::Pe)
    }

    /// What the validator wrote for the jury, without what is said of a program that
    /// failed.
    #[must_use]
    pub fn validator_words(&self) -> Option<&str> {
        let message = self.message.as_deref()?;
        if self.is_decided_by_validator() {
            return Some(message);
        }
        let said = [VALIDATOR_SAID, VALIDATOR_SAID_BEFORE];
        let mut words = said.iter().filter_map(|said| message.rsplit_once(said));
        words.next().map(|(_, words)| words)
    }
}

/// Why a program failed, by what its language's runtime printed: a hint, which a
/// program may fake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// Memory ran out: `std::bad_alloc`, Java's `OutOfMemoryError`, Python's
    /// `MemoryError` and their like.
    OutOfMemory,
    /// It called itself too deeply: Python's `RecursionError`, Java's
    /// `StackOverflowError` and their like.
    StackOverflow,
    /// A panic of Go or Rust.
    Panic,
    /// An exception that nobody caught.
    UncaughtException,
}

impl Failure {
    /// The name, such as `out_of_memory`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OutOfMemory => "out_of_memory",
            Self::StackOverflow => "stack_overflow",
            Self::Panic => "panic",
            Self::UncaughtException => "uncaught_exception",
        }
    }
}

/// The first difference between an output and the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    /// The line of the output, counted from 1.
    pub line: u64,
    /// The bytes of the output before it.
    pub offset_bytes: u64,
    /// The start of the token that is expected, in quotes; none where the output
    /// should end, or only white space differs.
    pub expected: Option<String>,
    /// The start of the token that is there; none where the output ends, or only
    /// white space differs.
    pub got: Option<String>,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Exit {
    /// It returned or called exit.
    Exited {
        /// Its exit code.
        code: i32,
    },
    /// A signal ended it.
    Signalled {
        /// The signal's number.
        signal: i32,
    },
    /// The jail killed it.
    Killed,
}

/// Why the jail killed a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KillCause {
    /// CPU time over the limit.
    CpuTime,
    /// Wall time over the limit.
    WallTime,
    /// Nothing done for longer than the idle limit. Releases before 0.2 do not know
    /// it; workers only send it where an idle limit is set.
    Idle,
    /// Memory over the limit.
    Memory,
    /// Output over the limit.
    Output,
    /// More processes than allowed.
    Processes,
    /// A forbidden system call.
    Policy,
    /// Judging was cancelled.
    Cancelled,
}
