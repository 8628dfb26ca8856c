//! Flags: what admins want a closer look at; and what came of looking.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::JudgementId;
use crate::{SandboxChoice, Scrutiny, Verdict};

use super::JudgementState;

/// What a flag is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum FlagScope {
    /// One submission.
    Submission,
    /// All further submissions to a problem.
    Problem,
    /// All further submissions of a team.
    Team,
}

/// A text that names no scope.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text:?} is not what a flag can be on: expected submission, problem or team")]
pub struct UnknownFlagScope {
    text: String,
}

impl FlagScope {
    const ALL: [Self; 3] = [Self::Submission, Self::Problem, Self::Team];

    /// Its name, such as `team`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Submission => "submission",
            Self::Problem => "problem",
            Self::Team => "team",
        }
    }
}

impl fmt::Display for FlagScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for FlagScope {
    type Err = UnknownFlagScope;

    fn from_str(text: &str) -> Result<Self, UnknownFlagScope> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.name() == text)
            .ok_or_else(|| UnknownFlagScope {
                text: text.chars().take(32).collect(),
            })
    }
}

/// A flag to be set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFlag {
    /// What it is on.
    pub scope: FlagScope,
    /// The submission's id, the problem's short name, or the team.
    pub subject: String,
    /// Why, for other admins.
    pub reason: String,
    /// What is asked for besides ptrace. For a submission, it is judged again so each
    /// time it is flagged with some, beside the verdict, which stays in any case.
    #[serde(default, skip_serializing_if = "Scrutiny::is_none")]
    pub scrutiny: Scrutiny,
}

/// What came of setting a flag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Flagged {
    /// The new judgement under ptrace, of a submission that was judged without.
    pub escalation: Option<JudgementId>,
}

/// A flag that is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Flag {
    /// What it is on.
    pub scope: FlagScope,
    /// The submission's id, the problem's short name, or the team.
    pub subject: String,
    /// Why.
    pub reason: String,
    /// What is asked for besides ptrace.
    #[serde(default, skip_serializing_if = "Scrutiny::is_none")]
    pub scrutiny: Scrutiny,
}

/// Flags: all on problems and teams, and those on the latest submissions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FlagList {
    /// The flags.
    pub flags: Vec<Flag>,
}

/// A judgement under ptrace that looks again at one under unshare, or one by another worker where the
/// first was a close call. It does not count, unless the scheduler's settings say so; `assize rejudge` makes one that can.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Escalation {
    /// The judgement.
    pub judgement_id: JudgementId,
    /// The one that it looks at again.
    pub escalates: JudgementId,
    /// Where it is in its life.
    pub state: JudgementState,
    /// Its verdict, once done.
    pub verdict: Option<Verdict>,
    /// The sandbox and why.
    pub sandbox: SandboxChoice,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
}

/// The escalations of a submission, the first one first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EscalationList {
    /// The escalations.
    pub escalations: Vec<Escalation>,
}
