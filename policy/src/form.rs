//! The form of a policy file, and of a layer over one.

use crate::error_name::ErrorName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The length of a rule's id, at most.
const ID_BYTES: usize = 64;

/// A policy that is shipped with the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyName {
    /// For contestant and jury programs.
    Contestant,
    /// For compilers and build tools.
    Compiler,
}

/// A policy: what happens to each system call. A call that no rule names
/// fails with `default`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The policy whose rules hold for calls that are not named here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extends: Option<PolicyName>,
    /// What calls fail with that no rule names; the lower layer's when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<ErrorName>,
    /// What happens to system calls by their numbers and arguments.
    #[serde(default)]
    pub rule: Vec<Rule>,
    /// What may be done with files.
    #[serde(default)]
    pub path: Vec<PathRule>,
    /// How often calls may be made.
    #[serde(default)]
    pub budget: Vec<Budget>,
    /// What is over once something has happened.
    #[serde(default)]
    pub sequence: Vec<Sequence>,
}

/// What happens to a group of system calls, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What the audit calls it.
    pub id: String,
    /// The reason, for whoever reads that.
    pub why: String,
    /// What happens.
    pub action: Action,
    /// The error number's name, with `action = "deny"`.
    pub errno: Option<ErrorName>,
    /// To which calls.
    pub syscalls: Vec<String>,
    /// All of these must hold for the rule to apply.
    #[serde(default)]
    pub when: Vec<When>,
    /// And one of these, if there are some.
    #[serde(default)]
    pub any: Vec<When>,
    /// Holds when a run is only observed, too, and whatever a layer over it says.
    #[serde(default)]
    pub always: bool,
}

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Allowed, at full speed.
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
pub struct When {
    /// 0 to 5.
    pub arg: u32,
    /// How it is compared.
    pub is: Is,
    /// With what.
    pub value: u64,
    /// Only these bits count; all of them when absent.
    pub mask: Option<u64>,
}

/// How an argument is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Is {
    /// It is the value.
    Equal,
    /// It is anything else.
    NotEqual,
}

impl When {
    /// Whether it holds for a call with these arguments.
    #[must_use]
    pub fn holds(&self, arguments: &[u64; 6]) -> bool {
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
pub struct PathRule {
    /// What the audit calls it.
    pub id: String,
    /// The reason, for whoever reads that.
    pub why: String,
    /// `trace` allows: nothing here goes unrecorded.
    pub action: Action,
    /// With `action = "deny"`.
    pub errno: Option<ErrorName>,
    /// What must not be done, or may be.
    pub access: BTreeSet<Access>,
    /// `/a/b` is that file alone, `/a/*` all directly in `/a`, `/a/**` all
    /// below and `/a` itself. Names are canonical: without dots and links.
    pub paths: Vec<String>,
}

/// What a call does with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Content, or the names in a directory.
    Read,
    /// Content, names or attributes changed.
    Write,
    /// Existence and attributes.
    Stat,
    /// Executed, or loaded to execute something: a program and its interpreter. Of a script that
    /// has a script for its interpreter, that one is not looked at.
    Exec,
}

impl Access {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Stat, Self::Exec];
}

/// How often some calls may be made in one run, all of them together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// What the audit calls it.
    pub id: String,
    /// The reason, for whoever reads that.
    pub why: String,
    /// The calls.
    pub syscalls: Vec<String>,
    /// How often; never with 0.
    pub count: u64,
    /// `deny` or `kill`, for those past `count`.
    pub action: Action,
    /// With `action = "deny"`.
    pub errno: Option<ErrorName>,
}

/// What is over once something has happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequence {
    /// What the audit calls it.
    pub id: String,
    /// The reason, for whoever reads that.
    pub why: String,
    /// After the first of these calls,
    pub after: Vec<String>,
    /// for which all of this holds,
    #[serde(default)]
    pub when: Vec<When>,
    /// none of these
    pub syscalls: Vec<String>,
    /// is made any more: `deny` or `kill`.
    pub action: Action,
    /// With `action = "deny"`.
    pub errno: Option<ErrorName>,
}

impl Policy {
    /// Reads a policy in TOML.
    ///
    /// # Errors
    /// When it has not this form; names the rule or the field.
    pub fn parse(text: &str) -> Result<Self, String> {
        let policy: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        policy.check()?;
        Ok(policy)
    }

    /// What a form can be wrong about by itself.
    pub(crate) fn check(&self) -> Result<(), String> {
        for rule in &self.rule {
            check_rule(&rule.id, &rule.why, rule.action, rule.errno)?;
            let mut conditions = rule.when.iter().chain(&rule.any);
            conditions.try_for_each(|when| check_condition(&rule.id, when))?;
        }
        for rule in &self.path {
            check_rule(&rule.id, &rule.why, rule.action, rule.errno)?;
            for path in &rule.paths {
                check_pattern(path).map_err(|problem| format!("{}: {path} {problem}", rule.id))?;
            }
        }
        for rule in &self.budget {
            check_rule(&rule.id, &rule.why, rule.action, rule.errno)?;
            check_refuses(&rule.id, rule.action)?;
        }
        for rule in &self.sequence {
            check_rule(&rule.id, &rule.why, rule.action, rule.errno)?;
            check_refuses(&rule.id, rule.action)?;
        }
        Ok(())
    }

    /// Adds what `base` says about everything that is not named here, and what it says always:
    /// only to refuse a whole call goes further.
    pub fn extend(&mut self, base: Self) {
        let names = |which: fn(&Rule) -> bool| -> BTreeSet<String> {
            let rules = self.rule.iter().filter(|rule| which(rule));
            rules.flat_map(|rule| rule.syscalls.clone()).collect()
        };
        let (named, refused) = (names(|_| true), names(Rule::refuses_for_good));
        for mut rule in base.rule {
            let replaced = if rule.always { &refused } else { &named };
            rule.syscalls.retain(|name| !replaced.contains(name));
            self.rule.push(rule);
        }
        self.default = self.default.take().or(base.default);
        self.extends = base.extends;
        // Of two path rules for one pattern the first counts.
        self.add(Self {
            path: base.path,
            budget: base.budget,
            sequence: base.sequence,
            ..Self::default()
        });
    }

    /// Adds paths, budgets and sequences.
    pub fn add(&mut self, added: Self) {
        self.path.extend(added.path);
        self.budget.extend(added.budget);
        self.sequence.extend(added.sequence);
    }

    /// The ids of all rules, to be changed.
    pub(crate) fn ids_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let rules = self.rule.iter_mut().map(|rule| &mut rule.id);
        rules
            .chain(self.path.iter_mut().map(|rule| &mut rule.id))
            .chain(self.budget.iter_mut().map(|rule| &mut rule.id))
            .chain(self.sequence.iter_mut().map(|rule| &mut rule.id))
    }

    /// The ids of all rules: of calls, paths, budgets and sequences, in this order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        let rules = self.rule.iter().map(|rule| &rule.id);
        rules
            .chain(self.path.iter().map(|rule| &rule.id))
            .chain(self.budget.iter().map(|rule| &rule.id))
            .chain(self.sequence.iter().map(|rule| &rule.id))
            .map(String::as_str)
    }
}

fn check_rule(id: &str, why: &str, action: Action, errno: Option<ErrorName>) -> Result<(), String> {
    if id.is_empty() || why.trim().is_empty() {
        return Err(format!("the rule {id:?} has no id or no reason (why)"));
    }
    // It goes into tables and queries, and a colon tells whose it is.
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if id.len() > ID_BYTES || !id.bytes().all(plain) {
        return Err(format!(
            "the rule {id:?}: an id is made of at most {ID_BYTES} lower-case letters, digits and dashes"
        ));
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
