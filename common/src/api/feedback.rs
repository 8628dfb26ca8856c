//! What a team may see of its submission.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Judgement, JudgementState};
use crate::id::SubmissionId;
use crate::{GroupScore, Score, Verdict};

/// A part of the feedback that teams may get beside the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FeedbackPart {
    /// What the compiler printed, of submissions that do not compile.
    Compiler,
    /// The score.
    Score,
    /// The scores of groups.
    Groups,
    /// What the validator says to the team about the first test case that was
    /// not accepted (`teammessage.txt`).
    Message,
    /// Each test case by name, with verdict, time and memory.
    Testcases,
}

/// A text that names no part.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "{text:?} is no part of the feedback: expected some of compiler, score, groups, message, testcases"
)]
pub struct UnknownFeedbackPart {
    text: String,
}

impl FeedbackPart {
    /// Every part.
    pub const ALL: [Self; 5] = [
        Self::Compiler,
        Self::Score,
        Self::Groups,
        Self::Message,
        Self::Testcases,
    ];

    /// The part's name, such as `score`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Compiler => "compiler",
            Self::Score => "score",
            Self::Groups => "groups",
            Self::Message => "message",
            Self::Testcases => "testcases",
        }
    }
}

impl fmt::Display for FeedbackPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for FeedbackPart {
    type Err = UnknownFeedbackPart;

    fn from_str(text: &str) -> Result<Self, UnknownFeedbackPart> {
        Self::ALL
            .into_iter()
            .find(|part| part.name() == text)
            .ok_or_else(|| UnknownFeedbackPart {
                text: text.chars().take(32).collect(),
            })
    }
}

/// What a team may see of its submission. Which fields are there is a setting of
/// the scheduler; what is for the jury (validators' messages, errors of ours, test
/// data) never is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Feedback {
    /// The submission.
    pub submission_id: SubmissionId,
    /// Whether it is judged: `queued`, `running` or `done`. Where judging failed
    /// the jury has to act, and it is still `running`.
    pub state: JudgementState,
    /// The verdict, once done.
    pub verdict: Option<Verdict>,
    /// What the compiler printed, if it refused the submission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compiler_output: Option<String>,
    /// The score, in problems that give one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<Score>,
    /// The scores of groups, the outermost one last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupScore>,
    /// What the validator says to the team about the first test case that was not
    /// accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The test cases that were judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub testcases: Vec<TestcaseFeedback>,
}

/// What a team may see of one test case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TestcaseFeedback {
    /// The test case's name, such as `secret/01`.
    pub testcase: String,
    /// The verdict on it.
    pub verdict: Verdict,
    /// User and system time.
    pub cpu_time_ms: u64,
    /// The memory peak.
    pub memory_bytes: u64,
}

impl Feedback {
    /// What of a judgement a team may see, with these parts beside the verdict.
    #[must_use]
    pub fn of(judgement: Judgement, parts: &[FeedbackPart]) -> Self {
        let has = |part| parts.contains(&part);
        let summary = judgement.summary;
        let failed = judgement.runs.iter().find(|run| run.verdict != Verdict::Ac);
        let message = failed.and_then(|run| run.team_message.clone());
        let compiler_output = judgement
            .compile
            .filter(|compile| !compile.success)
            .map(|compile| compile.output);
        let testcases = judgement.runs.into_iter().map(|run| TestcaseFeedback {
            testcase: run.testcase,
            verdict: run.verdict,
            cpu_time_ms: run.cpu_time_ms,
            memory_bytes: run.memory_bytes,
        });
        Self {
            submission_id: judgement.submission_id,
            state: match summary.state {
                JudgementState::Error => JudgementState::Running,
                state => state,
            },
            verdict: summary.verdict,
            compiler_output: compiler_output.filter(|_| has(FeedbackPart::Compiler)),
            score: summary.score.filter(|_| has(FeedbackPart::Score)),
            groups: if has(FeedbackPart::Groups) {
                judgement.groups
            } else {
                Vec::new()
            },
            message: message.filter(|_| has(FeedbackPart::Message)),
            testcases: testcases.filter(|_| has(FeedbackPart::Testcases)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_names() {
        for part in FeedbackPart::ALL {
            assert_eq!(part.to_string().parse::<FeedbackPart>().unwrap(), part);
        }
        let error = "all".parse::<FeedbackPart>().unwrap_err().to_string();
        for part in FeedbackPart::ALL {
            assert!(error.contains(part.name()), "{error}");
        }
    }
}
