//! When judging a submission ends early: a setting of contests and problems, which
//! changes what is run and never the verdict.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// When judging ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = StopRule)]
pub enum Stop {
    /// As soon as no other test case can change the result: at the first one that is not accepted, unless there are
    /// scores.
    FirstFailure,
    /// In each group by itself: after one that is not accepted the rest of its directory is left out, as far as it
    /// can't change the result, and the next directory is judged.
    GroupFailure,
    /// After all test cases.
    End,
}

/// A text that names no such rule.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text:?} does not say when judging ends: expected first-failure, group-failure or end")]
pub struct UnknownStop {
    text: String,
}

impl Stop {
    /// Every rule, the one that runs least first.
    pub const ALL: [Self; 3] = [Self::FirstFailure, Self::GroupFailure, Self::End];

    /// Its name, such as `first-failure`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FirstFailure => "first-failure",
            Self::GroupFailure => "group-failure",
            Self::End => "end",
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Stop {
    type Err = UnknownStop;

    fn from_str(text: &str) -> Result<Self, UnknownStop> {
        Self::ALL
            .into_iter()
            .find(|stop| stop.name() == text)
            .ok_or_else(|| UnknownStop {
                text: text.chars().take(32).collect(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_json_agree() {
        for stop in Stop::ALL {
            let json = serde_json::to_value(stop).unwrap();
            assert_eq!(json, stop.to_string());
            assert_eq!(stop.name().parse::<Stop>().unwrap(), stop);
        }
        assert!("never".parse::<Stop>().is_err());
    }
}
