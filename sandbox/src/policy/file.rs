//! The form of a policy file.

use crate::spec::PolicyName;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// A policy: what happens to each system call. A call that no rule names
/// fails with `default`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Policy {
    /// The policy whose rules hold for calls that are not named here.
    pub(super) extends: Option<PolicyName>,
    /// Name of an error number.
    pub(super) default: String,
    pub(super) rule: Vec<Rule>,
}

/// What happens to a group of system calls, and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) why: String,
    pub(super) action: Action,
    /// The error number's name, with `action = "deny"`.
    pub(super) errno: Option<String>,
    pub(super) syscalls: Vec<String>,
    /// All of these must hold for the rule to apply.
    #[serde(default)]
    pub(super) when: Vec<When>,
    /// And one of these, if there are some.
    #[serde(default)]
    pub(super) any: Vec<When>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Action {
    Allow,
    /// Allowed; in ptrace mode each call is counted.
    Trace,
    /// Fails with `errno`.
    Deny,
    /// Ends the run.
    Kill,
}

/// A condition on one argument.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct When {
    /// 0 to 5.
    pub(super) arg: u32,
    pub(super) is: Is,
    pub(super) value: u64,
    /// Only these bits count; all of them when absent.
    pub(super) mask: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Is {
    Equal,
    NotEqual,
}

impl Policy {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let policy: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        for rule in &policy.rule {
            if rule.why.trim().is_empty() {
                return Err(format!("the rule for {:?} has no reason", rule.syscalls));
            }
            if rule.errno.is_some() != (rule.action == Action::Deny) {
                return Err(format!(
                    "the rule for {:?} must name an errno if and only if it denies",
                    rule.syscalls
                ));
            }
        }
        Ok(policy)
    }

    /// Adds the rules of `base` for all calls that have none here.
    pub(super) fn extend(&mut self, base: Self) {
        let named: BTreeSet<String> = self
            .rule
            .iter()
            .flat_map(|rule| rule.syscalls.iter().cloned())
            .collect();
        for mut rule in base.rule {
            rule.syscalls.retain(|name| !named.contains(name));
            self.rule.push(rule);
        }
    }

    /// A call that has an unconditional rule has no other: libseccomp would
    /// take one of them without a word.
    pub(super) fn check_consistent(&self) -> Result<(), String> {
        let mut unconditional = BTreeMap::new();
        for rule in &self.rule {
            for name in &rule.syscalls {
                let always = rule.when.is_empty() && rule.any.is_empty();
                let before = unconditional.insert(name.as_str(), always);
                if before.is_some_and(|before| before || always) {
                    return Err(format!("{name} has contradicting rules"));
                }
            }
        }
        Ok(())
    }
}

/// The number of an error by its name.
pub(super) fn errno(name: &str) -> Result<i32, String> {
    match name {
        "EACCES" => Ok(libc::EACCES),
        "EAFNOSUPPORT" => Ok(libc::EAFNOSUPPORT),
        "EINVAL" => Ok(libc::EINVAL),
        "ENOSYS" => Ok(libc::ENOSYS),
        "EPERM" => Ok(libc::EPERM),
        other => Err(format!("unknown error name {other}")),
    }
}
