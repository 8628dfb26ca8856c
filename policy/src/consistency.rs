//! That a policy says one thing about each call. Libseccomp gives no order of
//! rules to rely on, so rules that could both hold must do the same.

use crate::error_name::ErrorName;
use crate::form::{Action, Is, Policy, Rule, When};
use std::collections::{BTreeMap, BTreeSet};

impl Policy {
    /// Refuses rules that contradict each other, and an id that names two rules.
    ///
    /// # Errors
    /// Names the rules.
    pub fn check_consistency(&self) -> Result<(), String> {
        let mut by_call: BTreeMap<&str, Vec<&Rule>> = BTreeMap::new();
        for rule in &self.rule {
            for name in &rule.syscalls {
                let others = by_call.entry(name).or_default();
                match others.iter().find(|other| contradict(rule, other)) {
                    None => others.push(rule),
                    Some(other) => {
                        return Err(format!(
                            "{name} has contradicting rules, {} and {}: have their conditions exclude \
                         each other, or leave one out",
                            other.id, rule.id
                        ));
                    }
                }
            }
        }
        let mut ids = BTreeSet::new();
        match self.ids().find(|id| !ids.insert(*id)) {
            Some(id) => Err(format!("two rules have the id {id}")),
            None => Ok(()),
        }
    }
}

impl Rule {
    /// What it comes to for a program, or for a tracer.
    #[must_use]
    pub const fn effect(&self) -> (Action, Option<ErrorName>) {
        (self.action, self.errno)
    }

    /// Whether it holds for every call of its kind.
    const fn is_unconditional(&self) -> bool {
        self.when.is_empty() && self.any.is_empty()
    }

    /// Whether nobody can make such a call at all, not even who is only observed.
    pub(crate) fn refuses_for_good(&self) -> bool {
        let refuses = match self.action {
            Action::Deny => true,
            Action::Kill => self.always,
            Action::Allow | Action::Trace => false,
        };
        refuses && self.is_unconditional()
    }
}

/// Libseccomp takes one of two unconditional rules without a word.
fn contradict(one: &Rule, other: &Rule) -> bool {
    if one.is_unconditional() || other.is_unconditional() {
        return true;
    }
    // What holds always is said once.
    (one.always || other.always || one.effect() != other.effect())
        && alternatives(one).any(|one| {
            alternatives(other).any(|other| {
                !one.iter()
                    .any(|one| other.iter().any(|other| exclude(one, other)))
            })
        })
}

/// The conditions that must all hold, once for each of `any`.
fn alternatives(rule: &Rule) -> impl Iterator<Item = Vec<&When>> {
    let count = rule.any.len().max(1);
    (0..count).map(|index| rule.when.iter().chain(rule.any.get(index)).collect())
}

/// Whether two conditions can't both hold.
fn exclude(one: &When, other: &When) -> bool {
    if one.arg != other.arg {
        return false;
    }
    let mask = |when: &When| when.mask.unwrap_or(u64::MAX);
    match (one.is, other.is) {
        (Is::Equal, Is::Equal) => (one.value ^ other.value) & mask(one) & mask(other) != 0,
        (Is::NotEqual, Is::NotEqual) => false,
        _ => one.value == other.value && one.mask.is_none() && other.mask.is_none(),
    }
}
