//! Problems and their packages.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ContentHash;
use crate::id::ProblemId;

/// A problem with the package version that new submissions are judged by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// The problem's id.
    pub id: ProblemId,
    /// The name by which submissions refer to it: lower-case letters, digits, `-` and `_`.
    pub short_name: String,
    /// The package's name for people.
    pub name: String,
    /// The content hash of the current package.
    pub package: ContentHash,
    /// The current package's version, counted from 1.
    pub version: u32,
    /// CPU time limit.
    pub time_limit_ms: u64,
    /// Memory limit.
    pub memory_limit_bytes: u64,
    /// How many test cases it has.
    pub testcases: u32,
    /// Whether submissions are outputs, one for each test case, and not programs.
    #[serde(default)]
    pub takes_outputs: bool,
    /// When the current package was imported.
    pub imported_at: DateTime<Utc>,
}

/// The answer to an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedPackage {
    /// The problem with the imported package as its current one.
    pub problem: Problem,
    /// Whether this content was there already; nothing changed then.
    pub unchanged: bool,
    /// What the reader of the package ignored, such as unknown keys.
    pub warnings: Vec<String>,
}

/// All problems.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProblemList {
    /// Sorted by short name.
    pub problems: Vec<Problem>,
}
