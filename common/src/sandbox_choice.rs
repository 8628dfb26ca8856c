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

/// What the choice depends on, in the order in which it counts.
#[derive(Debug, Clone, Copy, Default)]
pub struct SandboxFactors<'a> {
    /// A mode that an admin asked for explicitly.
    pub requested: Option<SandboxMode>,
    /// What an earlier judgement did that is looked at again.
    pub escalated: Option<&'a str>,
    /// Why the submission is flagged, when it is.
    pub flag: Option<&'a str>,
    /// Why its team is flagged, when it is.
    pub team_flag: Option<&'a str>,
    /// Why its problem is flagged, when it is.
    pub problem_flag: Option<&'a str>,
    /// The rule that finds its source suspicious, with the reason.
    pub suspicion: Option<&'a str>,
    /// Whether more wait in the flagged lane than may. Suspicion alone does not
    /// count then: a rule that finds too much must not slow a contest down.
    pub flagged_lane_is_full: bool,
    /// Whether its problem has rules that need a tracer.
    pub problem_has_rules: bool,
    /// What the language table asks for.
    pub language: Option<SandboxMode>,
    /// The lane of the judgement, when it goes through a queue.
    pub lane: Option<Lane>,
}

impl SandboxFactors<'_> {
    /// The lane of a submission's first judgement: apart from live work when
    /// somebody or a rule wants a closer look.
    #[must_use]
    pub fn first_lane(&self) -> Lane {
        let flags = [self.escalated, self.flag, self.team_flag, self.problem_flag];
        if flags.iter().any(Option::is_some) || self.suspicion_that_counts().is_some() {
            Lane::Flagged
        } else {
            Lane::Live
        }
    }

    fn suspicion_that_counts(&self) -> Option<&str> {
        self.suspicion.filter(|_| !self.flagged_lane_is_full)
    }
}

/// Chooses the sandbox of a judgement. Pure: the same factors always give the
/// same answer, and the reason names the factor that decided.
#[must_use]
pub fn choose_sandbox(factors: SandboxFactors<'_>) -> SandboxChoice {
    let flags = [
        ("escalated", factors.escalated),
        ("flagged", factors.flag),
        ("team flagged", factors.team_flag),
        ("problem flagged", factors.problem_flag),
    ];
    let flag = flags
        .into_iter()
        .find_map(|(what, why)| Some(format!("{what}: {}", why?)));
    let (mode, reason) = if let Some(mode) = factors.requested {
        (mode, "requested".to_owned())
    } else if let Some(flag) = flag {
        (SandboxMode::Ptrace, flag)
    } else if let Some(lane @ Lane::Quarantine) = factors.lane {
        (SandboxMode::Ptrace, format!("{lane} lane"))
    } else if let Some(suspicion) = factors.suspicion_that_counts() {
        (SandboxMode::Ptrace, format!("suspicious: {suspicion}"))
    } else if let Some(lane @ Lane::Flagged) = factors.lane {
        (SandboxMode::Ptrace, format!("{lane} lane"))
    } else if factors.problem_has_rules {
        (SandboxMode::Ptrace, "its problem has rules".to_owned())
    } else if let Some(suspicion) = factors.suspicion {
        let reason = format!("suspicious ({suspicion}), but the flagged lane is full");
        (SandboxMode::Unshare, reason)
    } else if let Some(mode) = factors.language {
        (mode, "its language's".to_owned())
    } else if let Some(lane) = factors.lane {
        (SandboxMode::Unshare, format!("{lane} lane"))
    } else {
        (SandboxMode::Unshare, "not flagged".to_owned())
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

    /// Each step takes away the factor that decided before.
    #[test]
    fn each_factor_decides_in_its_turn() {
        use SandboxMode::{Ptrace, Unshare};
        let mut factors = SandboxFactors {
            requested: Some(Unshare),
            escalated: Some("killed for a call"),
            flag: Some("reads /proc"),
            team_flag: Some("copies"),
            problem_flag: Some("leaked"),
            suspicion: Some("socket: a network"),
            flagged_lane_is_full: false,
            problem_has_rules: true,
            language: Some(Ptrace),
            lane: Some(Lane::Quarantine),
        };
        assert_eq!(chosen(factors), (Unshare, "requested".into()));
        factors.requested = None;
        assert_eq!(
            chosen(factors),
            (Ptrace, "escalated: killed for a call".into())
        );
        factors.escalated = None;
        assert_eq!(chosen(factors), (Ptrace, "flagged: reads /proc".into()));
        factors.flag = None;
        assert_eq!(chosen(factors), (Ptrace, "team flagged: copies".into()));
        factors.team_flag = None;
        assert_eq!(chosen(factors), (Ptrace, "problem flagged: leaked".into()));
        factors.problem_flag = None;
        assert_eq!(chosen(factors), (Ptrace, "quarantine lane".into()));
        factors.lane = Some(Lane::Flagged);
        assert_eq!(
            chosen(factors),
            (Ptrace, "suspicious: socket: a network".into())
        );
        factors.flagged_lane_is_full = true;
        assert_eq!(chosen(factors), (Ptrace, "flagged lane".into()));
        factors.lane = Some(Lane::Live);
        assert_eq!(chosen(factors), (Ptrace, "its problem has rules".into()));
        factors.problem_has_rules = false;
        assert_eq!(
            chosen(factors),
            (
                Unshare,
                "suspicious (socket: a network), but the flagged lane is full".into()
            )
        );
        factors.suspicion = None;
        assert_eq!(chosen(factors), (Ptrace, "its language's".into()));
        factors.language = None;
        assert_eq!(chosen(factors), (Unshare, "live lane".into()));
        factors.lane = None;
        assert_eq!(chosen(factors), (Unshare, "not flagged".into()));
    }

    #[test]
    fn what_is_looked_at_closer_stays_out_of_the_way() {
        let none = SandboxFactors::default();
        assert_eq!(none.first_lane(), Lane::Live);
        for factors in [
            SandboxFactors {
                flag: Some("x"),
                ..none
            },
            SandboxFactors {
                team_flag: Some("x"),
                ..none
            },
            SandboxFactors {
                problem_flag: Some("x"),
                ..none
            },
            SandboxFactors {
                suspicion: Some("x"),
                ..none
            },
        ] {
            assert_eq!(factors.first_lane(), Lane::Flagged, "{factors:?}");
        }
        let full = SandboxFactors {
            suspicion: Some("x"),
            flagged_lane_is_full: true,
            ..none
        };
        assert_eq!(full.first_lane(), Lane::Live);
    }
}
