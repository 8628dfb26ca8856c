//! Which path rule decides.

use super::effective::{RuleNumber, TracedAction};
use super::file::{Access, Policy};
use std::collections::HashMap;

/// Path rules by pattern.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    exact: HashMap<(Access, Vec<u8>), RuleNumber>,
    children: HashMap<(Access, Vec<u8>), RuleNumber>,
    subtrees: HashMap<(Access, Vec<u8>), RuleNumber>,
    /// Accesses for which some path is refused.
    restricted: Vec<Access>,
}

impl Paths {
    /// `first` is the number of the first path rule.
    pub(super) fn new(policy: &Policy, first: RuleNumber, actions: &[TracedAction]) -> Self {
        let mut paths = Self::default();
        for (rule, number) in policy.path.iter().zip(first..) {
            for access in &rule.access {
                for pattern in &rule.paths {
                    let (map, path) = if let Some(path) = pattern.strip_suffix("/**") {
                        (&mut paths.subtrees, path)
                    } else if let Some(path) = pattern.strip_suffix("/*") {
                        (&mut paths.children, path)
                    } else {
                        (&mut paths.exact, pattern.as_str())
                    };
                    map.entry((*access, path.as_bytes().to_vec()))
                        .or_insert(number);
                }
                let action = actions.get(usize::from(number));
                if action != Some(&TracedAction::Allow) && !paths.restricted.contains(access) {
                    paths.restricted.push(*access);
                }
            }
        }
        paths
    }

    pub(crate) fn are_none(&self) -> bool {
        self.exact.is_empty() && self.children.is_empty() && self.subtrees.is_empty()
    }

    /// Whether the path decides about such an access at all.
    pub(crate) fn restrict(&self, access: Access) -> bool {
        self.restricted.contains(&access)
    }

    /// The most specific rule for a canonical path.
    pub(crate) fn decide(&self, access: Access, path: &[u8]) -> Option<RuleNumber> {
        // One buffer for all look-ups: keys only get shorter.
        let mut key = (access, path.to_vec());
        if let Some(rule) = self.exact.get(&key) {
            return Some(*rule);
        }
        let mut directly = true;
        if let Some(rule) = self.subtrees.get(&key) {
            return Some(*rule);
        }
        while let Some(slash) = key.1.iter().rposition(|byte| *byte == b'/') {
            key.1.truncate(slash);
            if directly && let Some(rule) = self.children.get(&key) {
                return Some(*rule);
            }
            directly = false;
            if let Some(rule) = self.subtrees.get(&key) {
                return Some(*rule);
            }
        }
        None
    }
}
