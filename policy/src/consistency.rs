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
                         each other",
                            other.id, rule.id
                        ));
                    }
                }
            }
        }
        let parts = self.rule.iter().zip(self.rule.iter().skip(1));
        let mut parts: BTreeSet<&str> = parts
            .filter(|(one, next)| is_other_part(one, next))
            .map(|(one, _)| one.id.as_str())
            .collect();
        let mut ids = BTreeSet::new();
        match self.ids().find(|id| !ids.insert(*id) && !parts.remove(*id)) {
            Some(id) => Err(format!("two rules have the id {id}")),
            None => Ok(()),
        }
    }
}

/// Whether they are one rule, of which a part holds for the observed too ([`Policy::extend`]).
fn is_other_part(one: &Rule, next: &Rule) -> bool {
    let said = |rule: &Rule| Rule {
        syscalls: Vec::new(),
        always: true,
        ..rule.clone()
    };
    one.always && !next.always && said(one) == said(next)
}

impl Rule {
    /// What it comes to for a program, or for a tracer.
    #[must_use]
    pub const fn effect(&self) -> (Action, Option<ErrorName>) {
        (self.action, self.errno)
    }
}

/// Libseccomp takes one of two unconditional rules without a word.
fn contradict(one: &Rule, other: &Rule) -> bool {
    let always = |rule: &Rule| rule.when.is_empty() && rule.any.is_empty();
    if always(one) || always(other) {
        return true;
    }
    one.effect() != other.effect()
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
