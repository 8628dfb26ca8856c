//! Verdicts: what a contestant is told. A judging error is not among them; it
//! is ours and has its own type wherever it can occur.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The verdict on a run or on a submission. The names are the ids of the ICPC
/// Contest API's judgement types.
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
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// Accepted.
    Ac,
    /// Wrong answer.
    Wa,
    /// Presentation error: right but for its form (only from validators that tell it apart).
    Pe,
    /// Time limit exceeded.
    Tle,
    /// Memory limit exceeded.
    Mle,
    /// Output limit exceeded.
    Ole,
    /// Run-time error: a signal or a non-zero exit code.
    Rte,
    /// Security violation: ended for a system call that its policy forbids.
    Sv,
    /// Compile error.
    Ce,
}

/// A text that names no verdict.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text:?} is not a verdict: expected one of AC, WA, PE, TLE, MLE, OLE, RTE, SV, CE")]
pub struct UnknownVerdict {
    text: String,
}

impl Verdict {
    /// Every verdict, in the order of the declaration.
    pub const ALL: [Self; 9] = [
        Self::Ac,
        Self::Wa,
        Self::Pe,
        Self::Tle,
        Self::Mle,
        Self::Ole,
        Self::Rte,
        Self::Sv,
        Self::Ce,
    ];

    /// The verdict's id, such as `AC`.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Ac => "AC",
            Self::Wa => "WA",
            Self::Pe => "PE",
            Self::Tle => "TLE",
            Self::Mle => "MLE",
            Self::Ole => "OLE",
            Self::Rte => "RTE",
            Self::Sv => "SV",
            Self::Ce => "CE",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

impl FromStr for Verdict {
    type Err = UnknownVerdict;

    fn from_str(text: &str) -> Result<Self, UnknownVerdict> {
        Self::ALL
            .into_iter()
            .find(|verdict| verdict.id() == text)
            .ok_or_else(|| UnknownVerdict {
                text: text.chars().take(32).collect(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_json_agree() {
        for verdict in Verdict::ALL {
            assert_eq!(verdict.id().parse::<Verdict>().unwrap(), verdict);
            assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.id());
        }
        assert!("ac".parse::<Verdict>().is_err());
    }
}
