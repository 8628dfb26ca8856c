//! Messages that nobody could read or finish.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What became of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeadLetterState {
    /// Nobody has decided yet.
    Waiting,
    /// It goes back into its queue soon.
    Retrying,
    /// It went back into its queue.
    Retried,
    /// Nobody wants it.
    Dropped,
}

/// A text that names no state.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text:?} is not the state of a dead letter")]
pub struct UnknownDeadLetterState {
    text: String,
}

impl DeadLetterState {
    const ALL: [Self; 4] = [Self::Waiting, Self::Retrying, Self::Retried, Self::Dropped];

    /// Its name in JSON and in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Retrying => "retrying",
            Self::Retried => "retried",
            Self::Dropped => "dropped",
        }
    }
}

impl fmt::Display for DeadLetterState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for DeadLetterState {
    type Err = UnknownDeadLetterState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|state| state.name() == text);
        found.ok_or_else(|| UnknownDeadLetterState {
            text: text.to_owned(),
        })
    }
}

/// A message that nobody could read or finish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadLetterInfo {
    /// Its number.
    pub id: i64,
    /// The queue that it came from.
    pub queue: String,
    /// Why it is dead.
    pub reason: String,
    /// How large it is.
    pub size_bytes: u64,
    /// When a scheduler found it.
    pub received_at: DateTime<Utc>,
    /// What became of it.
    pub state: DeadLetterState,
}

/// A dead letter with what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadLetter {
    /// All but the message.
    #[serde(flatten)]
    pub info: DeadLetterInfo,
    /// The message, with a sign in the place of what is not UTF-8.
    pub message: String,
}

/// Dead letters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadLetterList {
    /// The latest first.
    pub dead_letters: Vec<DeadLetterInfo>,
}
