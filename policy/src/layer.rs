//! Rules that one language, problem or flag adds to a policy.

use crate::form::Policy;
use crate::names;
use serde::{Deserialize, Deserializer, Serialize};

/// Rules of a layer that only adds, at most: each costs time on every call it
/// is looked at for.
const ADDED_MAX: usize = 200;

/// Whose a layer is, the lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerOf {
    /// Of the host, for a language: what it says about a system call or a path
    /// replaces what lower layers say about it.
    Language,
    /// Of a problem's package. It comes from a problem setter, so it only adds
    /// to what is refused.
    Problem,
    /// Of a flag. It only adds, too: an admin who looks closer wants no less held.
    Flag,
}

impl LayerOf {
    /// Whether it can refuse more and allow nothing.
    #[must_use]
    pub const fn only_adds(self) -> bool {
        !matches!(self, Self::Language)
    }

    /// What the ids of its rules begin with in an audit. Those of the host have
    /// nothing before them, so nobody else's can be taken for them.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Language => "",
            Self::Problem => "problem:",
            Self::Flag => "flag:",
        }
    }
}

/// Rules over those of a shipped policy. Budgets and sequences of all layers
/// hold, and so does what a layer that only adds says about paths. See
/// `docs/tracer.md` for the form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicyLayer {
    of: LayerOf,
    rules: Policy,
}

/// A policy or a layer over one can't be enforced as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct PolicyLayerError {
    problem: String,
}

impl PolicyLayerError {
    /// An error that says which rule or field is meant, and what is wrong.
    #[must_use]
    pub const fn new(problem: String) -> Self {
        Self { problem }
    }
}

impl PolicyLayer {
    /// Reads a layer in TOML, and sees that it can be enforced.
    ///
    /// # Errors
    /// When it can't; the error names the rule or the field.
    pub fn parse(of: LayerOf, text: &str) -> Result<Self, PolicyLayerError> {
        let rules = Policy::parse(text).map_err(PolicyLayerError::new)?;
        Self::new(of, rules).map_err(PolicyLayerError::new)
    }

    fn new(of: LayerOf, rules: Policy) -> Result<Self, String> {
        rules.check()?;
        if rules.extends.is_some() {
            return Err("`extends`: a layer does not say what it extends: leave it out".to_owned());
        }
        if of.only_adds() {
            check_only_adds(&rules)?;
        }
        rules.check_consistency()?;
        names::check(&rules)?;
        Ok(Self { of, rules })
    }

    /// Whose it is.
    #[must_use]
    pub const fn of(&self) -> LayerOf {
        self.of
    }

    /// Its rules, with ids as the audit shows them.
    #[must_use]
    pub fn rules(&self) -> Policy {
        let mut rules = self.rules.clone();
        for id in rules.ids_mut() {
            id.insert_str(0, self.of.prefix());
        }
        rules
    }
}

/// Rules about calls would replace those of the host: what it kills for stays
/// what it kills for if there are none.
fn check_only_adds(rules: &Policy) -> Result<(), String> {
    if let Some(rule) = rules.rule.first() {
        return Err(format!(
            "`rule` {}: only the host's policies have rules that allow or refuse calls by their arguments; \
             a [[budget]] with `count = 0` refuses calls, a [[sequence]] what follows others, a [[path]] files",
            rule.id
        ));
    }
    if rules.default.is_some() {
        return Err(
            "`default`: what calls fail with that no rule names is the host's to say: leave it out"
                .to_owned(),
        );
    }
    let count = rules.ids().count();
    if count > ADDED_MAX {
        return Err(format!("{count} rules: {ADDED_MAX} are allowed"));
    }
    Ok(())
}

impl<'de> Deserialize<'de> for PolicyLayer {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Parts {
            of: LayerOf,
            rules: Policy,
        }
        let Parts { of, rules } = Parts::deserialize(from)?;
        Self::new(of, rules).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: &str =
        "[[budget]]\nid = 'no-fork'\nwhy = 'x'\nsyscalls = ['fork']\ncount = 0\naction = 'kill'\n";

    fn problem(of: LayerOf, text: &str) -> String {
        PolicyLayer::parse(of, text).unwrap_err().to_string()
    }

    #[test]
    fn problems_and_flags_only_add() {
        let rule = "[[rule]]\nid = 'fork'\nwhy = 'x'\naction = 'allow'\nsyscalls = ['fork']\n";
        PolicyLayer::parse(LayerOf::Language, rule).unwrap();
        for of in [LayerOf::Problem, LayerOf::Flag] {
            PolicyLayer::parse(of, BUDGET).unwrap();
            assert!(problem(of, rule).contains("`rule` fork"));
            assert!(problem(of, "default = 'EPERM'").contains("`default`"));
            assert!(problem(of, "extends = 'compiler'").contains("`extends`"));
            let many: String = (0..=ADDED_MAX)
                .map(|number| BUDGET.replace("no-fork", &format!("no-{number}")))
                .collect();
            assert!(problem(of, &many).contains("201 rules"));
        }
    }

    #[test]
    fn mistakes_are_named() {
        let of = LayerOf::Problem;
        for (from, to, says) in [
            ("fork']", "forkk']", "did you mean fork?"),
            ("'kill'", "'allow'", "must deny or kill"),
            ("'kill'", "'deny'", "errno"),
            ("'no-fork'", "'No fork'", "lower-case letters"),
            ("'x'", "' '", "no reason (why)"),
            ("count", "cuont", "cuont"),
            ("'kill'\n", "'deny'\nerrno = 'EWHAT'\n", "EWHAT"),
        ] {
            let problem = problem(of, &BUDGET.replacen(from, to, 1));
            assert!(problem.contains(says), "{to}: {problem}");
        }
    }

    #[test]
    fn ids_tell_whose_a_rule_is() {
        for (of, id) in [
            (LayerOf::Language, "no-fork"),
            (LayerOf::Problem, "problem:no-fork"),
            (LayerOf::Flag, "flag:no-fork"),
        ] {
            let layer = PolicyLayer::parse(of, BUDGET).unwrap();
            assert_eq!(layer.rules().ids().collect::<Vec<_>>(), [id]);
        }
    }
}
