//! Rejudgings: which submissions, how, and how far.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::SandboxMode;
use crate::id::{RejudgingId, SubmissionId, TokenId};
use crate::message::LimitOverrides;

/// Which submissions, by the judgement that counts. What is left out does not matter, but one of the two must be there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// A filter such as `problem = shelf and verdict in (WA, TLE)`, or `all`. docs/rejudging.md has the language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Only these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub submissions: Vec<SubmissionId>,
}

/// Asks for submissions to be judged again, beside the judgements that count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRejudging {
    /// Why, for other admins.
    pub reason: String,
    /// Which submissions.
    pub selection: Selection,
    /// What is different this time.
    #[serde(default)]
    pub overrides: Overrides,
    /// Leaves out submissions that are in another open rejudging. Without it, such submissions are refused.
    #[serde(default)]
    pub skip_taken: bool,
}

/// What is different from how submissions are judged today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Overrides {
    /// The version of the problem's package: `current`, `as-judged` or a number.
    #[serde(default)]
    #[schema(value_type = String, default = "current")]
    pub package: PackageChoice,
    /// The sandbox; without it the one of the judgement that counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<SandboxMode>,
    /// How many new judgements each submission gets, to find verdicts that differ from run to run: 1 to 20. The first one
    /// is the one that is applied.
    #[serde(default = "once")]
    #[schema(minimum = 1, maximum = 20)]
    pub repeat: u32,
    /// Limits to judge by instead of the package's.
    #[serde(default, skip_serializing_if = "LimitOverrides::is_none")]
    pub limits: LimitOverrides,
    /// The id of an enabled language to judge as, instead of the submission's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Judges all test cases, not only until the result is known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub judge_all: bool,
    /// Runs everything again. Without it, what nothing has changed of is taken over from the judgement that counts,
    /// unless `repeat` is more than 1.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub from_scratch: bool,
    /// The name of a worker that is to judge, if it is there; others avoid it then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
}

const fn once() -> u32 {
    1
}

impl Default for Overrides {
    fn default() -> Self {
        Self {
            package: PackageChoice::default(),
            sandbox: None,
            repeat: once(),
            limits: LimitOverrides::default(),
            language: None,
            judge_all: false,
            from_scratch: false,
            worker: None,
        }
    }
}

/// Which version of a package to judge by: `current`, `as-judged` or a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum PackageChoice {
    /// The one that new submissions are judged by when the rejudging is made.
    #[default]
    Current,
    /// The one of the judgement that counts.
    AsJudged,
    /// This version; for submissions to one problem.
    Version(u32),
}

/// A text that names no version.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "{text:?} names no version of a package: expected current, as-judged or a number from 1 on"
)]
pub struct InvalidPackageChoice {
    text: String,
}

impl fmt::Display for PackageChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Current => f.pad("current"),
            Self::AsJudged => f.pad("as-judged"),
            Self::Version(version) => version.fmt(f),
        }
    }
}

impl FromStr for PackageChoice {
    type Err = InvalidPackageChoice;

    fn from_str(text: &str) -> Result<Self, InvalidPackageChoice> {
        match text {
            "current" => Ok(Self::Current),
            "as-judged" => Ok(Self::AsJudged),
            _ => match text.parse() {
                Ok(version) if version > 0 => Ok(Self::Version(version)),
                _ => Err(InvalidPackageChoice {
                    text: text.chars().take(32).collect(),
                }),
            },
        }
    }
}

impl TryFrom<String> for PackageChoice {
    type Error = InvalidPackageChoice;

    fn try_from(text: String) -> Result<Self, InvalidPackageChoice> {
        text.parse()
    }
}

impl From<PackageChoice> for String {
    fn from(choice: PackageChoice) -> Self {
        choice.to_string()
    }
}

/// What a selection comes to, before anything is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RejudgingPreview {
    /// How many submissions it selects.
    pub submissions: u64,
    /// Of what kinds they are, the largest group first.
    pub groups: Vec<SelectedGroup>,
    /// Those of them that are in other open rejudgings.
    pub taken: Vec<TakenSubmissions>,
}

/// Selected submissions that have something in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SelectedGroup {
    /// The problem's short name.
    pub problem: String,
    /// The version of the package they were judged by.
    pub package_version: u32,
    /// The language's id.
    pub language: String,
    /// A verdict, `JE`, or `open` while there is none.
    pub result: String,
    /// How many they are.
    pub submissions: u64,
}

/// Submissions that another open rejudging has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TakenSubmissions {
    /// Which one.
    pub rejudging_id: RejudgingId,
    /// Why it was made.
    pub reason: String,
    /// How many it has of those that were selected.
    pub submissions: u64,
}

/// Where a rejudging is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RejudgingState {
    /// Under way or waiting for a decision.
    Open,
    /// Its judgements count, or those that were wanted.
    Applied,
    /// It came to nothing.
    Cancelled,
    /// Its judgements counted, and those before it count again.
    Undone,
}

/// A text that names no state.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text:?} is not a rejudging's state: expected open, applied, cancelled or undone")]
pub struct UnknownRejudgingState {
    text: String,
}

impl RejudgingState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Open, Self::Applied, Self::Cancelled, Self::Undone];

    /// The state's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Applied => "applied",
            Self::Cancelled => "cancelled",
            Self::Undone => "undone",
        }
    }
}

impl fmt::Display for RejudgingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for RejudgingState {
    type Err = UnknownRejudgingState;

    fn from_str(text: &str) -> Result<Self, UnknownRejudgingState> {
        Self::ALL
            .into_iter()
            .find(|state| state.name() == text)
            .ok_or_else(|| UnknownRejudgingState {
                text: text.chars().take(32).collect(),
            })
    }
}

/// A rejudging and how far it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Rejudging {
    /// The rejudging's id.
    pub id: RejudgingId,
    /// Why it was made.
    pub reason: String,
    /// Where it is in its life.
    pub state: RejudgingState,
    /// Whether its waiting judgements are held back.
    pub paused: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// By whose token.
    pub created_by: TokenId,
    /// That token's name.
    pub created_by_name: String,
    /// When it was applied, cancelled or undone.
    pub closed_at: Option<DateTime<Utc>>,
    /// The filter that selected its submissions, if one did.
    pub filter: Option<String>,
    /// What is different from the judgements before.
    pub overrides: Overrides,
    /// How far it is.
    pub progress: RejudgingProgress,
}

/// How far a rejudging is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RejudgingProgress {
    /// Submissions it is about.
    pub submissions: u64,
    /// Judgements it takes: as many for each submission as `repeat` says.
    pub judgements: u64,
    /// Judgements that are yet to be begun.
    pub waiting: u64,
    /// Judgements that workers have.
    pub running: u64,
    /// Judgements with a verdict.
    pub done: u64,
    /// Judgements that ended in a judging error. They are never applied.
    pub failed: u64,
    /// Submissions for which its judgement counts.
    pub applied: u64,
    /// When the rest will be judged, if it goes on as in the last minutes.
    pub finishes_in_seconds: Option<u64>,
}

impl RejudgingProgress {
    /// Whether nothing is left to be judged.
    #[must_use]
    pub const fn is_judged(&self) -> bool {
        self.waiting == 0 && self.running == 0
    }
}

/// A page of rejudgings, the newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RejudgingList {
    /// The rejudgings.
    pub rejudgings: Vec<Rejudging>,
}

/// Makes new judgements count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyRejudging {
    /// Only for these of its submissions; the others stay as they are, and the rejudging open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Those that are judged, although others are not or ended in judging errors. Without it, such a rejudging is refused.
    #[serde(default)]
    pub finished_only: bool,
}

/// What applying, cancelling or undoing did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RejudgingOutcome {
    /// Submissions for which another judgement counts now.
    pub switched: u64,
    /// Those of them whose result or score is another one.
    pub changed: u64,
    /// The rejudging as it is now.
    pub rejudging: Rejudging,
}

/// An admin's deed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AdminAction {
    /// Its number, growing.
    pub id: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// By whose token.
    pub token_id: TokenId,
    /// That token's name.
    pub token_name: String,
    /// What was done, such as `rejudging.apply`.
    pub action: String,
    /// What it was done to.
    pub subject: String,
    /// What else is to be known.
    #[schema(value_type = Object)]
    pub details: serde_json::Value,
}

/// What admins did, the latest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AdminActionList {
    /// The deeds.
    pub actions: Vec<AdminAction>,
}

/// Another judgement of a submission counts than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ResultChange {
    /// Its number: growing, in the order in which changes became visible.
    pub id: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Changes of one action became visible at once.
    pub action_id: i64,
    /// The rejudging that was applied or undone; none when the scheduler's
    /// settings had an escalation count.
    pub rejudging_id: Option<RejudgingId>,
    /// The submission.
    pub submission_id: SubmissionId,
    /// The contest it belongs to, if any.
    pub contest: Option<String>,
    /// Who sent it, if known.
    pub team: Option<String>,
    /// The problem's short name.
    pub problem: String,
    /// The result before: a verdict, `JE`, or `open` while there was none.
    pub old_result: String,
    /// The result now.
    pub new_result: String,
}

/// A page of changes, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ResultChangeList {
    /// The changes.
    pub changes: Vec<ResultChange>,
    /// Pass this as `after` for those that come later.
    pub last: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_chosen_by_word_or_number() {
        for (text, choice) in [
            ("current", PackageChoice::Current),
            ("as-judged", PackageChoice::AsJudged),
            ("7", PackageChoice::Version(7)),
        ] {
            assert_eq!(text.parse::<PackageChoice>().unwrap(), choice);
            assert_eq!(choice.to_string(), text);
            assert_eq!(serde_json::to_value(choice).unwrap(), text);
        }
        for text in ["0", "-1", "latest", ""] {
            let error = text.parse::<PackageChoice>().unwrap_err().to_string();
            assert!(error.contains("as-judged"), "{error}");
        }
    }

    #[test]
    fn states_are_known_by_their_names() {
        for state in RejudgingState::ALL {
            assert_eq!(state.name().parse::<RejudgingState>().unwrap(), state);
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
    }
}
