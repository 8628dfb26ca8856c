//! Lanes: the classes of judging work, each with a queue of its own.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A queue class.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// Submissions of a running contest.
    Live,
    /// Submissions that someone flagged: judged under ptrace, away from live work.
    Flagged,
    /// New judgements of submissions that had one.
    Rejudge,
    /// Work that nobody waits for, such as trying out a problem's own solutions.
    Batch,
    /// Submissions that several workers died of: under ptrace, and alone.
    Quarantine,
}

/// A text that names no lane.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text:?} is not a lane: expected one of live, flagged, rejudge, batch, quarantine")]
pub struct UnknownLane {
    text: String,
}

impl Lane {
    /// Every lane, the most urgent first.
    pub const ALL: [Self; 5] = [
        Self::Live,
        Self::Flagged,
        Self::Rejudge,
        Self::Batch,
        Self::Quarantine,
    ];

    /// The lane's name, such as `live`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Flagged => "flagged",
            Self::Rejudge => "rejudge",
            Self::Batch => "batch",
            Self::Quarantine => "quarantine",
        }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Lane {
    type Err = UnknownLane;

    fn from_str(text: &str) -> Result<Self, UnknownLane> {
        Self::ALL
            .into_iter()
            .find(|lane| lane.name() == text)
            .ok_or_else(|| UnknownLane {
                text: text.chars().take(32).collect(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_json_agree() {
        for lane in Lane::ALL {
            assert_eq!(lane.name().parse::<Lane>().unwrap(), lane);
            assert_eq!(serde_json::to_value(lane).unwrap(), lane.name());
        }
    }

    #[test]
    fn the_refusal_of_a_text_names_every_lane() {
        let refusal = "slow".parse::<Lane>().unwrap_err().to_string();
        for lane in Lane::ALL {
            assert!(refusal.contains(lane.name()), "{refusal}");
        }
    }
}
