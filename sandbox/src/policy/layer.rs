//! Rules that one language, problem or submission adds to a policy.

use super::file::Policy;
use serde::{Deserialize, Deserializer, Serialize};

/// Rules over those of a shipped policy. What a layer says about a system
/// call or a path replaces what lower layers say about it; its budgets and
/// sequences hold besides theirs. See `docs/tracer.md` for the form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PolicyLayer(pub(super) Policy);

/// A policy or a layer over one can't be enforced as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct PolicyLayerError {
    problem: String,
}

impl PolicyLayerError {
    pub(super) const fn new(problem: String) -> Self {
        Self { problem }
    }
}

impl PolicyLayer {
    /// Reads a layer in TOML, and sees that it can be enforced.
    ///
    /// # Errors
    /// When it can't; the error names the rule or the field.
    pub fn parse(text: &str) -> Result<Self, PolicyLayerError> {
        let policy = Policy::parse(text).map_err(PolicyLayerError::new)?;
        Self::new(policy).map_err(PolicyLayerError::new)
    }

    fn new(policy: Policy) -> Result<Self, String> {
        if policy.extends.is_some() {
            return Err("a layer does not say what it extends".to_owned());
        }
        super::consistency::check(&policy)?;
        super::names::check(&policy)?;
        Ok(Self(policy))
    }
}

impl<'de> Deserialize<'de> for PolicyLayer {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::new(Policy::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}
