//! What the tracer saw of an attempt, in so far as it is to be searched; the
//! full records are blobs that this names.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ContentHash;

/// The audits of an attempt's runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditReport {
    /// The stored audits, in the order of the runs.
    pub runs: Vec<RunAudit>,
    /// The calls of all runs, alike ones once; refused calls first.
    pub calls: Vec<AuditedCall>,
    /// Different calls that did not fit.
    #[serde(default)]
    pub calls_dropped: u64,
}

/// The audit of one run: a blob that the worker has stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunAudit {
    /// The test case.
    pub testcase: String,
    /// Counted from 1: the validator may have wanted several passes.
    pub pass: u32,
    /// The hash of the blob.
    pub sha256: ContentHash,
    /// The size of the blob.
    pub size_bytes: u64,
}

/// Calls of an attempt that are alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditedCall {
    /// The call's name; of another ABI with that before it.
    pub syscall: String,
    /// The path among its arguments, if it has one, shortened; a call with two is there for each.
    pub path: Option<String>,
    /// What was done about it.
    pub decision: AuditDecision,
    /// The rule that said so.
    pub rule: String,
    /// How often it was made in all runs.
    pub times: u64,
    /// The first test case on which it was made.
    pub testcase: String,
}

/// What the tracer did about a call.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum AuditDecision {
    /// The run was killed.
    Kill,
    /// The run would have been killed if it had not only been observed.
    Observe,
    /// The call failed as the rule says.
    Deny,
    /// The call was made.
    Allow,
}

/// A text that names no decision.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text:?} is not a decision: expected one of kill, observe, deny, allow")]
pub struct UnknownAuditDecision {
    text: String,
}

impl AuditDecision {
    const ALL: [Self; 4] = [Self::Kill, Self::Observe, Self::Deny, Self::Allow];

    /// Its name, such as `deny`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Observe => "observe",
            Self::Deny => "deny",
            Self::Allow => "allow",
        }
    }
}

impl std::fmt::Display for AuditDecision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for AuditDecision {
    type Err = UnknownAuditDecision;

    fn from_str(text: &str) -> Result<Self, UnknownAuditDecision> {
        Self::ALL
            .into_iter()
            .find(|decision| decision.name() == text)
            .ok_or_else(|| UnknownAuditDecision {
                text: text.chars().take(32).collect(),
            })
    }
}
