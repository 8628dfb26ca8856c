//! How closely a judgement is looked at, where a flag asks for more than usual.

use std::fmt;
use std::str::FromStr;

use assize_policy::{LayerOf, PolicyLayer, PolicyLayerError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Layers of one flag together, at most: they are sent along with each run. A judgement
/// has those of two flags at most, its team's and its problem's.
const LAYER_BYTES_MAX: usize = 64 << 10;

/// How much a tracer records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AuditDetail {
    /// How often each call was made; refused ones in full.
    Summary,
    /// Every call that the policy wants a decision about.
    Decisions,
    /// Every call.
    Full,
}

impl AuditDetail {
    const ALL: [Self; 3] = [Self::Summary, Self::Decisions, Self::Full];

    /// Its name, such as `full`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::Decisions => "decisions",
            Self::Full => "full",
        }
    }
}

impl fmt::Display for AuditDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that names no level of audits.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text:?} is no level of audits: expected summary, decisions or full")]
pub struct UnknownAuditDetail {
    text: String,
}

impl FromStr for AuditDetail {
    type Err = UnknownAuditDetail;

    fn from_str(text: &str) -> Result<Self, UnknownAuditDetail> {
        let named = Self::ALL.into_iter().find(|detail| detail.name() == text);
        named.ok_or_else(|| UnknownAuditDetail {
            text: text.chars().take(32).collect(),
        })
    }
}

/// What a flag asks for besides a tracer. What is unknown in it is refused in
/// messages, too: nobody would miss a rule that is skipped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Scrutiny {
    /// How much is recorded; as workers are set without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<AuditDetail>,
    /// What policies kill for is let through and recorded, so that only the
    /// namespaces confine. Such a judgement never counts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub observe: bool,
    /// Rules that are held besides, each a layer in TOML: paths, budgets and sequences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<String>,
}

/// Scrutiny that can't be had.
#[derive(Debug, thiserror::Error)]
pub enum ScrutinyError {
    /// A layer can't be enforced.
    #[error("layer {number}: {source}")]
    Layer {
        /// Counted from 1.
        number: usize,
        /// Which rule or field, and what is wrong with it.
        source: PolicyLayerError,
    },
    /// There are too many rules.
    #[error("the layers have {bytes} bytes together: {LAYER_BYTES_MAX} are allowed to a flag")]
    TooLarge {
        /// Their size.
        bytes: usize,
    },
}

impl Scrutiny {
    /// Whether it asks for nothing.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// What two flags on one submission ask for together.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        Self {
            audit: self.audit.max(other.audit),
            observe: self.observe || other.observe,
            layers: [self.layers, other.layers].concat(),
        }
    }

    /// Whether one flag may ask for it.
    ///
    /// # Errors
    /// When the layers are too large together, or one can't be enforced.
    pub fn check(&self) -> Result<(), ScrutinyError> {
        let bytes = self.layers.iter().map(String::len).sum();
        if bytes > LAYER_BYTES_MAX {
            return Err(ScrutinyError::TooLarge { bytes });
        }
        self.policy_layers().map(drop)
    }

    /// The layers, as they are enforced. How large they are was checked flag by flag:
    /// here it is too late to refuse one.
    ///
    /// # Errors
    /// When one can't be; says which and why.
    pub fn policy_layers(&self) -> Result<Vec<PolicyLayer>, ScrutinyError> {
        let layers = self.layers.iter().zip(1..);
        layers
            .map(|(text, number)| {
                PolicyLayer::parse(LayerOf::Flag, text)
                    .map_err(|source| ScrutinyError::Layer { number, source })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_add_up() {
        let of = |audit, layer: &str| Scrutiny {
            audit,
            observe: false,
            layers: vec![layer.to_owned()],
        };
        let both = of(Some(AuditDetail::Full), "a").join(of(None, "b"));
        assert_eq!(both.audit, Some(AuditDetail::Full));
        assert_eq!(both.layers, ["a", "b"]);
        assert!(!both.is_none() && Scrutiny::default().is_none());
    }

    #[test]
    fn layers_are_checked_one_by_one() {
        let right =
            "[[budget]]\nid = 'a'\nwhy = 'x'\nsyscalls = ['fork']\ncount = 0\naction = 'kill'\n";
        let scrutiny = |layers: &[&str]| Scrutiny {
            layers: layers.iter().map(|layer| (*layer).to_owned()).collect(),
            ..Scrutiny::default()
        };
        assert_eq!(scrutiny(&[right, right]).policy_layers().unwrap().len(), 2);
        let error = scrutiny(&[right, "x = 1"]).policy_layers().unwrap_err();
        assert!(error.to_string().starts_with("layer 2: "), "{error}");
    }

    #[test]
    fn two_flags_of_the_largest_size_can_be_enforced_together() {
        let of_size = |bytes| Scrutiny {
            layers: vec!["#".repeat(bytes)],
            ..Scrutiny::default()
        };
        let largest = of_size(LAYER_BYTES_MAX);
        largest.check().unwrap();
        let both = largest.clone().join(largest);
        assert_eq!(both.policy_layers().unwrap().len(), 2);
        let error = of_size(LAYER_BYTES_MAX + 1).check().unwrap_err();
        assert!(error.to_string().contains("65536 are allowed"), "{error}");
    }
}
