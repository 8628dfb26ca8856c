//! The form of a policy file, and of a layer over one.

use crate::spec::PolicyName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A policy: what happens to each system call. A call that no rule names
/// fails with `default`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Policy {
    /// The policy whose rules hold for calls that are not named here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extends: Option<PolicyName>,
    /// Name of an error number; the lower layer's when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) default: Option<String>,
    #[serde(default)]
    pub(super) rule: Vec<Rule>,
    #[serde(default)]
    pub(super) path: Vec<PathRule>,
    #[serde(default)]
    pub(super) budget: Vec<Budget>,
    #[serde(default)]
    pub(super) sequence: Vec<Sequence>,
}

/// What happens to a group of system calls, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) id: String,
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
    /// Holds when a run is only observed, too.
    #[serde(default)]
    pub(super) always: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Action {
    Allow,
    /// Allowed; in ptrace mode each call is recorded.
    Trace,
    /// Fails with `errno`.
    Deny,
    /// Ends the run.
    Kill,
}

/// A condition on one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct When {
    /// 0 to 5.
    pub(super) arg: u32,
    pub(super) is: Is,
    pub(super) value: u64,
    /// Only these bits count; all of them when absent.
    pub(super) mask: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Is {
    Equal,
    NotEqual,
}

impl When {
    pub(crate) fn holds(&self, arguments: &[u64; 6]) -> bool {
        let argument = arguments.get(self.arg as usize).copied();
        let mask = self.mask.unwrap_or(u64::MAX);
        let equal = argument.is_some_and(|argument| argument & mask == self.value & mask);
        match self.is {
            Is::Equal => equal,
            Is::NotEqual => !equal,
        }
    }
}

/// What may be done with files; only a tracer can tell paths apart. Of the
/// patterns that match a path the most specific one decides. A path that none
/// matches is left to the namespaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PathRule {
    pub(super) id: String,
    pub(super) why: String,
    /// `trace` allows: nothing here goes unrecorded.
    pub(super) action: Action,
    pub(super) errno: Option<String>,
    pub(super) access: BTreeSet<Access>,
    /// `/a/b` is that file alone, `/a/*` all directly in `/a`, `/a/**` all
    /// below and `/a` itself. Names are canonical: without dots and links.
    pub(super) paths: Vec<String>,
}

/// What a call does with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Access {
    /// Content, or the names in a directory.
    Read,
    /// Content, names or attributes changed.
    Write,
    /// Existence and attributes.
    Stat,
    /// Executed; also as the interpreter of what is.
    Exec,
}

/// How often some calls may be made in one run, all of them together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Budget {
    pub(super) id: String,
    pub(super) why: String,
    pub(super) syscalls: Vec<String>,
    pub(super) count: u64,
    /// `deny` or `kill`, for those past `count`.
    pub(super) action: Action,
    pub(super) errno: Option<String>,
}

/// What is over once something has happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sequence {
    pub(super) id: String,
    pub(super) why: String,
    /// After the first of these calls,
    pub(super) after: Vec<String>,
    /// for which all of this holds,
    #[serde(default)]
    pub(super) when: Vec<When>,
    /// none of these
    pub(super) syscalls: Vec<String>,
    /// is made any more: `deny` or `kill`.
    pub(super) action: Action,
    pub(super) errno: Option<String>,
}

impl Policy {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let policy: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        policy.check()?;
        Ok(policy)
    }

    fn check(&self) -> Result<(), String> {
        for rule in &self.rule {
            check_rule(&rule.id, &rule.why, rule.action, rule.errno.as_deref())?;
            let mut conditions = rule.when.iter().chain(&rule.any);
            conditions.try_for_each(|when| check_condition(&rule.id, when))?;
        }
        for rule in &self.path {
            check_rule(&rule.id, &rule.why, rule.action, rule.errno.as_deref())?;
            for path in &rule.paths {
                check_pattern(path).map_err(|problem| format!("{}: {path} {problem}", rule.id))?;
            }
        }
        for rule in &self.budget {
            check_rule(&rule.id, &rule.why, rule.action, rule.errno.as_deref())?;
            check_refuses(&rule.id, rule.action)?;
        }
        for rule in &self.sequence {
            check_rule(&rule.id, &rule.why, rule.action, rule.errno.as_deref())?;
            check_refuses(&rule.id, rule.action)?;
        }
        Ok(())
    }

    /// Adds what `base` says about everything that is not named here.
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
        self.default = self.default.take().or(base.default);
        self.extends = base.extends;
        // Of two rules for one pattern the first counts.
        self.path.extend(base.path);
        self.budget.extend(base.budget);
        self.sequence.extend(base.sequence);
    }

    /// The ids of all rules, in the order of their numbers.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        let rules = self.rule.iter().map(|rule| &rule.id);
        rules
            .chain(self.path.iter().map(|rule| &rule.id))
            .chain(self.budget.iter().map(|rule| &rule.id))
            .chain(self.sequence.iter().map(|rule| &rule.id))
            .map(String::as_str)
    }
}

fn check_rule(id: &str, why: &str, action: Action, errno: Option<&str>) -> Result<(), String> {
    if id.is_empty() || why.trim().is_empty() {
        return Err(format!("the rule {id:?} has no id or no reason (why)"));
    }
    if errno.is_some() != (action == Action::Deny) {
        return Err(format!(
            "the rule {id} must name an errno if and only if it denies"
        ));
    }
    Ok(())
}

/// Filters have no way to say "not these bits", and compare no bit outside.
fn check_condition(id: &str, when: &When) -> Result<(), String> {
    let problem = match when.mask {
        _ if when.arg > 5 => "an argument is one of 0 to 5",
        Some(_) if when.is == Is::NotEqual => {
            "not_equal takes no mask: name each value that is meant"
        }
        Some(mask) if when.value & !mask != 0 => "the value has bits that the mask leaves out",
        _ => return Ok(()),
    };
    Err(format!("the rule {id}: {problem}"))
}

fn check_refuses(id: &str, action: Action) -> Result<(), String> {
    match action {
        Action::Deny | Action::Kill => Ok(()),
        Action::Allow | Action::Trace => Err(format!("the rule {id} must deny or kill")),
    }
}

fn check_pattern(path: &str) -> Result<(), &'static str> {
    let plain = path
        .strip_suffix("/**")
        .or_else(|| path.strip_suffix("/*"))
        .unwrap_or(path);
    if !path.starts_with('/') {
        return Err("is not absolute");
    }
    let mut parts = plain.split('/').skip(1);
    if plain != "/" && parts.any(|part| matches!(part, "" | "." | "..")) {
        return Err("is not canonical");
    }
    if plain.contains('*') {
        return Err("has a star that is not at its end");
    }
    Ok(())
}

/// The number of an error by its name.
pub(super) fn errno(name: &str) -> Result<i32, String> {
    match name {
        "EACCES" => Ok(libc::EACCES),
        "EAFNOSUPPORT" => Ok(libc::EAFNOSUPPORT),
        "EINVAL" => Ok(libc::EINVAL),
        "ENOENT" => Ok(libc::ENOENT),
        "ENOSYS" => Ok(libc::ENOSYS),
        "EPERM" => Ok(libc::EPERM),
        "EROFS" => Ok(libc::EROFS),
        other => Err(format!("unknown error name {other}")),
    }
}
