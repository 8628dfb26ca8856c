//! Judgements and their runs.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::{JudgementId, SubmissionId, WorkerId};
use crate::message::{CompileReport, RunReport};
use crate::{ContentHash, GroupScore, Lane, SandboxChoice, Score, Verdict};

/// Where a judgement is in its life. `queued → running → done | error`;
/// `running → queued` when an attempt is lost or handed back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum JudgementState {
    /// Waits for a worker.
    Queued,
    /// A worker has it.
    Running,
    /// Ended with a verdict.
    Done,
    /// Ended with a judging error: ours, not the contestant's.
    Error,
}

/// A text that names no state.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text:?} is not a judgement state")]
pub struct UnknownJudgementState {
    text: String,
}

impl JudgementState {
    /// Every state, in the order of life.
    pub const ALL: [Self; 4] = [Self::Queued, Self::Running, Self::Done, Self::Error];

    /// The state's name, such as `queued`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Error => "error",
        }
    }

    /// Whether a judgement in this state never changes again.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Error)
    }

    /// Whether a judgement may go from this state to `next`.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            // A report may overtake the note that its judgement was started.
            Self::Queued => true,
            Self::Running => !matches!(next, Self::Running),
            Self::Done | Self::Error => false,
        }
    }
}

impl fmt::Display for JudgementState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for JudgementState {
    type Err = UnknownJudgementState;

    fn from_str(text: &str) -> Result<Self, UnknownJudgementState> {
        Self::ALL
            .into_iter()
            .find(|state| state.name() == text)
            .ok_or_else(|| UnknownJudgementState {
                text: text.chars().take(32).collect(),
            })
    }
}

/// A judgement without its runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JudgementSummary {
    /// The judgement's id.
    pub id: JudgementId,
    /// Where it is in its life.
    pub state: JudgementState,
    /// The verdict, once done.
    pub verdict: Option<Verdict>,
    /// The score, once done, in problems that give one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<Score>,
    /// Why judging failed, when it did.
    pub error: Option<String>,
    /// The lane.
    pub lane: Lane,
    /// The sandbox and why.
    pub sandbox: SandboxChoice,
    /// The attempt, counted from 1.
    pub attempt: u32,
    /// Test cases run so far in this attempt.
    pub testcases_done: u32,
    /// Test cases of the problem.
    pub testcases_total: u32,
    /// The largest CPU time of its runs, once done.
    pub max_cpu_time_ms: Option<u64>,
    /// The largest memory peak of its runs, once done.
    pub max_memory_bytes: Option<u64>,
    /// When the current attempt was taken up.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// A judgement with its runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Judgement {
    /// The judgement itself.
    #[serde(flatten)]
    pub summary: JudgementSummary,
    /// The submission that is judged.
    pub submission_id: SubmissionId,
    /// Whether it is the one that counts.
    pub current: bool,
    /// The content hash of the package it is judged by.
    pub package: ContentHash,
    /// The worker of the current attempt.
    pub worker_id: Option<WorkerId>,
    /// How compiling went, once done.
    pub compile: Option<CompileReport>,
    /// The runs, in the order of the test cases.
    pub runs: Vec<RunReport>,
    /// The scores of groups, the outermost one last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupScore>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_a_final_state() {
        for from in JudgementState::ALL {
            for to in JudgementState::ALL {
                assert!(!(from.is_final() && from.may_become(to)), "{from} → {to}");
            }
        }
        assert!(JudgementState::Running.may_become(JudgementState::Queued));
        assert!(JudgementState::Queued.may_become(JudgementState::Done));
    }
}
