//! System call policies: data in `policy/*.toml` and layers over them, compiled
//! when they are first needed.

mod compile;
mod effective;
mod explain;
mod keyed;
mod names;
mod paths;
mod record;

pub(crate) use effective::{Effective, History, RuleNumber, TracedAction};
pub use explain::{CallRule, Difference, EffectivePolicy, Explanation, TracerRule};

use crate::audit::AuditLevel;
use crate::protocol::{Failure, Shape};
use crate::spec::Mode;
use assize_policy::{LayerOf, Policy, PolicyLayer, PolicyName};
use compile::Stops;
use std::collections::HashMap;
use std::sync::Arc;

/// Compiled policies kept for the next run.
const KEPT_MAX: usize = 64;

/// Policies, each compiled when it is first needed.
#[derive(Debug, Default)]
pub(crate) struct Policies {
    kept: HashMap<Key, Arc<Effective>>,
}

/// Layers as they travel.
type Key = (PolicyName, Stops, String);

impl Policies {
    /// The policy of runs of a shape.
    pub(crate) fn get(&mut self, shape: &Shape) -> Result<Arc<Effective>, Failure> {
        let stops = match (shape.mode, shape.audit) {
            (Mode::Unshare, _) => Stops::None,
            (Mode::Ptrace, AuditLevel::Full) => Stops::All,
            (Mode::Ptrace, _) => Stops::Decided,
        };
        self.find(shape.policy, stops, &shape.layers)
            .map_err(|problem| Failure::InvalidSpec {
                problem: format!("policy: {problem}"),
            })
    }

    /// The shipped policy of contestants' programs without and with a tracer.
    pub(crate) fn of_contestants(&mut self) -> Result<[Arc<Effective>; 2], Failure> {
        let mut get = |stops| self.find(PolicyName::Contestant, stops, &[]);
        get(Stops::None)
            .and_then(|untraced| Ok([untraced, get(Stops::Decided)?]))
            .map_err(|problem| Failure::InvalidSpec { problem })
    }

    fn find(
        &mut self,
        name: PolicyName,
        stops: Stops,
        layers: &[PolicyLayer],
    ) -> Result<Arc<Effective>, String> {
        let layers_key = match layers {
            [] => String::new(),
            _ => serde_json::to_string(layers).map_err(|error| error.to_string())?,
        };
        let key = (name, stops, layers_key);
        if let Some(known) = self.kept.get(&key) {
            return Ok(Arc::clone(known));
        }
        let merged = merge(name, layers)?;
        if stops != Stops::None {
            effective::check_decided(&merged.policy)?;
        }
        let filter = compile::compile(&merged.policy, stops)?;
        let effective = Arc::new(Effective::new(&merged, filter)?);
        if self.kept.len() >= KEPT_MAX {
            self.kept.retain(|(_, _, layers), _| layers.is_empty());
        }
        self.kept.insert(key, Arc::clone(&effective));
        Ok(effective)
    }
}

/// Ids of a policy's rules by number, to name them in an audit. Those of the last run
/// are kept, as the next one mostly has the same policy: to read that takes a third of
/// a short run.
#[derive(Debug, Default)]
pub(crate) struct RuleIds {
    of: Option<(PolicyName, Vec<PolicyLayer>)>,
    ids: Vec<String>,
}

impl RuleIds {
    pub(crate) fn get(&mut self, name: PolicyName, layers: Vec<PolicyLayer>) -> Vec<String> {
        let wanted = Some((name, layers));
        if self.of != wanted {
            let layers = wanted.as_ref().map_or(&[][..], |(_, layers)| layers);
            self.ids = rule_ids(name, layers);
            self.of = wanted;
        }
        self.ids.clone()
    }
}

fn rule_ids(name: PolicyName, layers: &[PolicyLayer]) -> Vec<String> {
    // A run with broken layers has made no audit.
    merge(name, layers).map_or_else(|_| Vec::new(), |merged| effective::rule_ids(&merged.policy))
}

/// A policy with all layers over it.
#[derive(Debug)]
struct Merged {
    /// All rules of all layers.
    policy: Policy,
    /// Where in `policy.path` the rules of each layer begin that only adds, the
    /// lowest first: they decide beside those before them.
    added_paths: Vec<usize>,
}

/// A shipped policy with layers over it. Those that only add come last, so that
/// none of them has a say in what others refuse.
fn merge(name: PolicyName, layers: &[PolicyLayer]) -> Result<Merged, String> {
    let mut policy = Policy::default();
    let of = |of: LayerOf| layers.iter().filter(move |layer| layer.of() == of);
    for layer in layers.iter().filter(|layer| !layer.of().only_adds()).rev() {
        policy.extend(layer.rules());
    }
    policy.extend(Policy::parse(shipped_rules(name))?);
    let mut policy = complete(policy)?;
    let mut added_paths = Vec::new();
    for layer in of(LayerOf::Problem).chain(of(LayerOf::Flag)) {
        added_paths.push(policy.path.len());
        policy.add(layer.rules());
    }
    Ok(Merged {
        policy,
        added_paths,
    })
}

/// A policy with those that it extends.
fn complete(mut policy: Policy) -> Result<Policy, String> {
    while let Some(base) = policy.extends {
        policy.extend(Policy::parse(shipped_rules(base))?);
    }
    policy.check_consistency()?;
    Ok(policy)
}

/// The rules of a shipped policy, in TOML.
#[must_use]
pub const fn shipped_rules(name: PolicyName) -> &'static str {
    match name {
        PolicyName::Contestant => include_str!("../../policy/contestant.toml"),
        PolicyName::Compiler => include_str!("../../policy/compiler.toml"),
    }
}

#[cfg(test)]
mod filter_tests;
#[cfg(test)]
mod tests;
