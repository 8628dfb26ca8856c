//! Which path rule decides.

use super::Merged;
use super::effective::{RuleNumber, TracedAction};
use assize_policy::{Access, PathRule};
use std::collections::HashMap;

/// Path rules of all layers.
#[derive(Debug)]
pub(crate) struct Paths {
    /// Those of the host, then those of each layer that only adds: each decides
    /// by itself.
    sets: Vec<PathSet>,
    /// Accesses for which some path is refused.
    restricted: Vec<Access>,
}

/// Path rules by pattern.
#[derive(Clone, Debug, Default)]
struct PathSet {
    exact: HashMap<(Access, Vec<u8>), PathDecision>,
    children: HashMap<(Access, Vec<u8>), PathDecision>,
    subtrees: HashMap<(Access, Vec<u8>), PathDecision>,
}

#[derive(Clone, Copy, Debug)]
struct PathDecision {
    rule: RuleNumber,
    action: TracedAction,
}

impl Paths {
    /// `first` is the number of the first path rule.
    pub(super) fn new(merged: &Merged, first: RuleNumber, actions: &[TracedAction]) -> Self {
        let mut paths = Self {
            sets: vec![PathSet::default(); 1 + merged.added_paths.len()],
            restricted: Vec::new(),
        };
        for ((index, path), rule) in merged.policy.path.iter().enumerate().zip(first..) {
            let action = actions.get(usize::from(rule)).copied();
            let action = action.unwrap_or(TracedAction::Kill);
            let begun = merged.added_paths.iter().filter(|begin| **begin <= index);
            if let Some(set) = paths.sets.get_mut(begun.count()) {
                set.add(path, PathDecision { rule, action });
            }
            let refused = path.access.iter().filter(|_| action != TracedAction::Allow);
            paths.restricted.extend(refused);
        }
        paths.sets.retain(|set| !set.is_empty());
        paths
    }

    pub(crate) fn are_none(&self) -> bool {
        self.sets.is_empty()
    }

    /// Whether the path decides about such an access at all.
    pub(crate) fn restrict(&self, access: Access) -> bool {
        self.restricted.contains(&access)
    }

    /// The rule for a canonical path: of the most specific ones of each set the
    /// strictest.
    pub(crate) fn decide(&self, access: Access, path: &[u8]) -> Option<RuleNumber> {
        self.decision(access, path).map(|decision| decision.rule)
    }

    fn decision(&self, access: Access, path: &[u8]) -> Option<PathDecision> {
        strictest(self.sets.iter().filter_map(|set| set.decide(access, path)))
    }

    /// The rule that refuses an access to a canonical path.
    fn refusal(&self, access: Access, path: &[u8]) -> Option<PathDecision> {
        let decision = self.decision(access, path);
        decision.filter(|decision| decision.action != TracedAction::Allow)
    }

    pub(crate) fn refuses(&self, access: Access, path: &[u8]) -> bool {
        self.refusal(access, path).is_some()
    }

    /// The strictest rule that refuses something below a directory with this canonical
    /// path, and would not any more if the directory got the other path.
    pub(crate) fn refusal_below(
        &self,
        directory: &[u8],
        other: Option<&[u8]>,
    ) -> Option<RuleNumber> {
        let below = self.sets.iter().flat_map(|set| set.below(directory));
        let named = below.map(|(_, decision)| decision);
        let named = named.filter(|decision| decision.action != TracedAction::Allow);
        // Nothing has such a name. What lies deeper is decided like the second one.
        let unnamed = [&b"/\0"[..], b"/\0/\0"];
        let refused_by_a_rule_around = Access::ALL.iter().flat_map(|access| {
            unnamed.iter().filter_map(|rest| {
                let refusal = self.refusal(*access, &[directory, rest].concat())?;
                let still = other.is_some_and(|other| {
                    self.refuses(*access, &[other, rest].concat())
                        && !self.allow_below(*access, other)
                });
                (!still).then_some(refusal)
            })
        });
        strictest(named.chain(refused_by_a_rule_around)).map(|decision| decision.rule)
    }

    /// Whether something below a directory is excepted from what is decided around it.
    fn allow_below(&self, access: Access, directory: &[u8]) -> bool {
        let mut below = self.sets.iter().flat_map(|set| set.below(directory));
        below.any(|(of, decision)| of == access && decision.action == TracedAction::Allow)
    }
}

fn strictest(decisions: impl Iterator<Item = PathDecision>) -> Option<PathDecision> {
    let strictness = |decision: &PathDecision| match decision.action {
        TracedAction::Allow => 0,
        TracedAction::Deny(_) => 1,
        TracedAction::Kill => 2,
    };
    decisions.max_by_key(strictness)
}

impl PathSet {
    fn add(&mut self, rule: &PathRule, decision: PathDecision) {
        for access in &rule.access {
            for pattern in &rule.paths {
                let (map, path) = if let Some(path) = pattern.strip_suffix("/**") {
                    (&mut self.subtrees, path)
                } else if let Some(path) = pattern.strip_suffix("/*") {
                    (&mut self.children, path)
                } else {
                    (&mut self.exact, pattern.as_str())
                };
                map.entry((*access, path.as_bytes().to_vec()))
                    .or_insert(decision);
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.children.is_empty() && self.subtrees.is_empty()
    }

    /// What rules say that name something below a directory.
    fn below(&self, directory: &[u8]) -> impl Iterator<Item = (Access, PathDecision)> {
        let below = move |pattern: &[u8]| {
            let rest = pattern.strip_prefix(directory);
            rest.is_some_and(|rest| rest.starts_with(b"/"))
        };
        let exact = self.exact.iter().chain(&self.subtrees);
        let exact = exact.filter(move |((_, pattern), _)| below(pattern));
        let children = self.children.iter();
        let children =
            children.filter(move |((_, pattern), _)| pattern == directory || below(pattern));
        let all = exact.chain(children);
        all.map(|((access, _), decision)| (*access, *decision))
    }

    /// The most specific rule.
    fn decide(&self, access: Access, path: &[u8]) -> Option<PathDecision> {
        // One buffer for all look-ups: keys only get shorter.
        let mut key = (access, path.to_vec());
        if let Some(decision) = self.exact.get(&key) {
            return Some(*decision);
        }
        let mut directly = true;
        if let Some(decision) = self.subtrees.get(&key) {
            return Some(*decision);
        }
        while let Some(slash) = key.1.iter().rposition(|byte| *byte == b'/') {
            key.1.truncate(slash);
            if directly && let Some(decision) = self.children.get(&key) {
                return Some(*decision);
            }
            directly = false;
            if let Some(decision) = self.subtrees.get(&key) {
                return Some(*decision);
            }
        }
        None
    }
}
