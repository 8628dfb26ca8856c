//! Rules about when judging ends, by contest and problem.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Stop;

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum StopRuleScope {
    /// All submissions of a contest. It goes before a rule about the problem.
    Contest,
    /// All submissions to a problem.
    Problem,
}

/// A text that names no scope.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text:?} is not what a rule can be about: expected contest or problem")]
pub struct UnknownStopRuleScope {
    text: String,
}

impl StopRuleScope {
    /// Its name, such as `contest`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Contest => "contest",
            Self::Problem => "problem",
        }
    }
}

impl fmt::Display for StopRuleScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for StopRuleScope {
    type Err = UnknownStopRuleScope;

    fn from_str(text: &str) -> Result<Self, UnknownStopRuleScope> {
        [Self::Contest, Self::Problem]
            .into_iter()
            .find(|scope| scope.name() == text)
            .ok_or_else(|| UnknownStopRuleScope {
                text: text.chars().take(32).collect(),
            })
    }
}

/// When judging of a contest's or problem's submissions ends. The verdict is the same in any case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StopRule {
    /// What it is about.
    #[schema(inline)]
    pub scope: StopRuleScope,
    /// The contest as submissions name it, or the problem's short name.
    pub subject: String,
    /// When judging ends.
    #[schema(inline)]
    pub stop: Stop,
}

/// The rules about when judging ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StopRuleList {
    /// Sorted by scope and subject.
    pub stop_rules: Vec<StopRule>,
}
