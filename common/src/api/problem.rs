//! Problems and their packages.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ContentHash;
use crate::id::ProblemId;

/// A problem as a version of its package has it: where nothing else is said, the
/// active one, by which new submissions are judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// The problem's id.
    pub id: ProblemId,
    /// The name by which submissions refer to it: lower-case letters, digits, `-` and `_`.
    pub short_name: String,
    /// The package's name for people.
    pub name: String,
    /// The content hash of the package.
    pub package: ContentHash,
    /// The package's version, counted from 1.
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
    /// When the package was imported.
    pub imported_at: DateTime<Utc>,
}

/// A version of a problem's package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProblemVersion {
    /// The problem as this version has it.
    #[serde(flatten)]
    pub problem: Problem,
    /// Whether new submissions are judged by it.
    pub is_active: bool,
}

/// The versions of a problem's package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProblemVersionList {
    /// The latest first.
    pub versions: Vec<ProblemVersion>,
}

/// The answer to an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedPackage {
    /// The problem as the imported package has it.
    pub problem: Problem,
    /// Whether new submissions are judged by this package now.
    #[serde(default = "yes")]
    pub is_active: bool,
    /// Whether this content was there already; nothing changed then.
    pub unchanged: bool,
    /// What the reader of the package ignored, such as unknown keys.
    pub warnings: Vec<String>,
}

/// Schedulers that don't tell activate each import.
const fn yes() -> bool {
    true
}

/// All problems that take submissions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProblemList {
    /// Sorted by short name.
    pub problems: Vec<Problem>,
}
