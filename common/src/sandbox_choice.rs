//! Which of the two sandboxes a judgement gets, and why.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::lane::Lane;

/// A way to run a program.
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
pub enum SandboxMode {
    /// Namespaces, cgroups and a static seccomp filter: almost no overhead.
    Unshare,
    /// The same isolation plus a decision and an audit record per traced system call.
    Ptrace,
}

impl fmt::Display for SandboxMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Unshare => "unshare",
            Self::Ptrace => "ptrace",
        })
    }
}

/// A text that names no sandbox mode.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text:?} is not a sandbox: expected unshare or ptrace")]
pub struct UnknownSandboxMode {
    text: String,
}

impl FromStr for SandboxMode {
    type Err = UnknownSandboxMode;

    fn from_str(text: &str) -> Result<Self, UnknownSandboxMode> {
        match text {
            "unshare" => Ok(Self::Unshare),
            "ptrace" => Ok(Self::Ptrace),
            _ => Err(UnknownSandboxMode {
                text: text.chars().take(32).collect(),
            }),
        }
    }
}

/// A mode together with the reason it was chosen for, as stored with the
/// judgement and shown to admins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SandboxChoice {
    /// The chosen mode.
    pub mode: SandboxMode,
    /// Why, in a few words.
    pub reason: String,
}

/// What the choice depends on.
#[derive(Debug, Clone, Copy, Default)]
pub struct SandboxFactors<'a> {
    /// A mode that a person or the caller asked for explicitly.
    pub requested: Option<SandboxMode>,
    /// Why the submission is flagged, when it is.
    pub flag: Option<&'a str>,
    /// The lane of the judgement, when it goes through a queue.
    pub lane: Option<Lane>,
}

/// Chooses the sandbox of a judgement. Pure: the same factors always give the
/// same answer, and the reason names the factor that decided.
#[must_use]
pub fn choose_sandbox(factors: SandboxFactors<'_>) -> SandboxChoice {
    let (mode, reason) = match factors {
        SandboxFactors {
            requested: Some(mode),
            ..
        } => (mode, "requested".to_owned()),
        SandboxFactors {
            flag: Some(flag), ..
        } => (SandboxMode::Ptrace, format!("flagged: {flag}")),
        SandboxFactors {
            lane: Some(lane @ (Lane::Flagged | Lane::Quarantine)),
            ..
        } => (SandboxMode::Ptrace, format!("{lane} lane")),
        SandboxFactors {
            lane: Some(lane), ..
        } => (SandboxMode::Unshare, format!("{lane} lane")),
        SandboxFactors { lane: None, .. } => (SandboxMode::Unshare, "not flagged".to_owned()),
    };
    SandboxChoice { mode, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(factors: SandboxFactors<'_>) -> (SandboxMode, String) {
        let choice = choose_sandbox(factors);
        (choice.mode, choice.reason)
    }

    #[test]
    fn each_factor_decides_in_its_turn() {
        let all = SandboxFactors {
            requested: Some(SandboxMode::Unshare),
            flag: Some("reads /proc"),
            lane: Some(Lane::Flagged),
        };
        assert_eq!(chosen(all), (SandboxMode::Unshare, "requested".into()));
        let unrequested = SandboxFactors {
            requested: None,
            ..all
        };
        assert_eq!(
            chosen(unrequested),
            (SandboxMode::Ptrace, "flagged: reads /proc".into())
        );
        let unflagged = SandboxFactors {
            flag: None,
            ..unrequested
        };
        assert_eq!(
            chosen(unflagged),
            (SandboxMode::Ptrace, "flagged lane".into())
        );
        let live = SandboxFactors {
            lane: Some(Lane::Live),
            ..unflagged
        };
        assert_eq!(chosen(live), (SandboxMode::Unshare, "live lane".into()));
        assert_eq!(
            chosen(SandboxFactors::default()),
            (SandboxMode::Unshare, "not flagged".into())
        );
    }
}
