//! What is not judged since judging of it failed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A problem, a language, or one in the other, of which no task is published since
/// judging of it failed again and again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Pause {
    /// The problem's short name; all problems without it.
    pub problem: Option<String>,
    /// The version of the problem's package. Other versions are judged.
    pub version: Option<u32>,
    /// The language's id; all languages without it.
    pub language: Option<String>,
    /// What failed, with the words of the last judging error.
    pub reason: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// How many tasks wait for its end.
    pub waiting: u64,
}

/// What is not judged since judging of it failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PauseList {
    /// The earliest first.
    pub pauses: Vec<Pause>,
}
