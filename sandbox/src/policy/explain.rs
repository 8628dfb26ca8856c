//! What a policy says about a system call, and why: read from its data alone.
//! The filter is another reading of the same; a test holds one against the
//! other.

use super::compile::{self, Stops};
use super::effective::check_decided;
use super::{merge, names};
use assize_policy::{
    Action, ErrorName, Is, LayerOf, Policy, PolicyLayer, PolicyLayerError, PolicyName, Rule, When,
    check_name,
};
use libseccomp::ScmpArch;
use serde::Serialize;

/// A policy with everything over and below it, to be asked what it does.
#[derive(Clone, Debug)]
pub struct EffectivePolicy {
    pub(super) policy: Policy,
}

/// All that a policy says about one system call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The call's name.
    pub syscall: String,
    /// Its rules; where the conditions of several hold, they do the same.
    pub rules: Vec<CallRule>,
    /// What it fails with when none of them does.
    pub default: String,
    /// What a tracer looks at besides, in ptrace mode.
    pub traced: Vec<TracerRule>,
}

/// What one rule says about a system call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CallRule {
    /// The rule's id.
    pub rule: String,
    /// `allow`, `trace`, `deny ERRNO` or `kill`.
    pub action: String,
    /// When it says so; always if empty.
    pub conditions: Vec<String>,
    /// The reason.
    pub why: String,
}

/// A budget or a sequence that counts a system call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TracerRule {
    /// The rule's id.
    pub rule: String,
    /// What it does, and when.
    pub says: String,
    /// The reason.
    pub why: String,
}

/// A system call about which two policies differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The call's name.
    pub syscall: String,
    /// What the first policy says.
    pub before: Vec<CallRule>,
    /// What the second one says.
    pub after: Vec<CallRule>,
}

impl EffectivePolicy {
    /// A shipped policy with layers over it, the lowest first.
    ///
    /// # Errors
    /// When they can't be enforced together.
    pub fn shipped(name: PolicyName, layers: &[PolicyLayer]) -> Result<Self, PolicyLayerError> {
        let merged = merge(name, layers).map_err(PolicyLayerError::new)?;
        Self::enforceable(merged.policy)
    }

    /// The policy in a file: one that says what it extends or what its default
    /// is stands by itself, anything else is a layer over `base`.
    ///
    /// # Errors
    /// When it can't be enforced; the error names the rule or the field.
    pub fn parse(text: &str, base: PolicyName) -> Result<Self, PolicyLayerError> {
        let policy = Policy::parse(text).map_err(PolicyLayerError::new)?;
        if policy.extends.is_none() && policy.default.is_none() {
            return Self::shipped(base, &[PolicyLayer::parse(LayerOf::Language, text)?]);
        }
        let policy = super::complete(policy).map_err(PolicyLayerError::new)?;
        Self::enforceable(policy)
    }

    fn enforceable(policy: Policy) -> Result<Self, PolicyLayerError> {
        check_decided(&policy).map_err(PolicyLayerError::new)?;
        for stops in [Stops::None, Stops::Decided, Stops::All] {
            compile::compile(&policy, stops).map_err(PolicyLayerError::new)?;
        }
        Ok(Self { policy })
    }

    /// Everything it says about a system call.
    ///
    /// # Errors
    /// When no machine has a call of that name.
    pub fn explain(&self, syscall: &str) -> Result<Explanation, PolicyLayerError> {
        check_name(syscall).map_err(PolicyLayerError::new)?;
        let names = |calls: &[String]| calls.iter().any(|name| name == syscall);
        let budgets = self
            .policy
            .budget
            .iter()
            .filter(|rule| names(&rule.syscalls));
        let budgets = budgets.map(|rule| TracerRule {
            rule: rule.id.clone(),
            says: format!(
                "{} after {} of {}",
                verb(rule.action, rule.errno),
                rule.count,
                rule.syscalls.join(", ")
            ),
            why: rule.why.clone(),
        });
        let sequences = self.policy.sequence.iter();
        let sequences = sequences.filter(|rule| names(&rule.syscalls) || names(&rule.after));
        let sequences = sequences.map(|rule| TracerRule {
            rule: rule.id.clone(),
            says: format!(
                "{} {} after {}",
                verb(rule.action, rule.errno),
                rule.syscalls.join(", "),
                rule.after.join(", ")
            ),
            why: rule.why.clone(),
        });
        Ok(Explanation {
            syscall: syscall.to_owned(),
            rules: self.rules_of(syscall),
            default: self.default(),
            traced: budgets.chain(sequences).collect(),
        })
    }

    /// The rule that decides about a call with these arguments; the default's
    /// when no other does.
    ///
    /// # Errors
    /// When no machine has a call of that name.
    pub fn decide(
        &self,
        syscall: &str,
        arguments: &[u64; 6],
    ) -> Result<CallRule, PolicyLayerError> {
        check_name(syscall).map_err(PolicyLayerError::new)?;
        Ok(holding(&self.policy, syscall, arguments)
            .next()
            .map_or_else(
                || CallRule {
                    rule: "default".to_owned(),
                    action: self.default(),
                    conditions: Vec::new(),
                    why: "no rule names it".to_owned(),
                },
                |(_, rule)| about(rule),
            ))
    }

    /// The system calls of this machine about which `other` differs.
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        names::of_machine(ScmpArch::native())
            .map(|(_, syscall)| Difference {
                before: self.told(&syscall),
                after: other.told(&syscall),
                syscall,
            })
            .filter(|difference| effects(&difference.before) != effects(&difference.after))
            .collect()
    }

    /// How many rules it has, of every kind.
    pub fn len(&self) -> usize {
        self.policy.ids().count()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn rules_of(&self, syscall: &str) -> Vec<CallRule> {
        let rules = self.policy.rule.iter();
        rules
            .filter(|rule| rule.syscalls.iter().any(|name| name == syscall))
            .map(about)
            .collect()
    }

    /// The default as a rule among others, where no unconditional one comes
    /// before it.
    fn told(&self, syscall: &str) -> Vec<CallRule> {
        let mut rules = self.rules_of(syscall);
        if rules.iter().all(|rule| !rule.conditions.is_empty()) {
            rules.push(CallRule {
                rule: "default".to_owned(),
                action: self.default(),
                conditions: Vec::new(),
                why: "no other rule says anything".to_owned(),
            });
        }
        rules
    }

    fn default(&self) -> String {
        verb(Action::Deny, self.policy.default)
    }
}

/// What matters to a program: not what a rule is called.
fn effects(rules: &[CallRule]) -> Vec<(&String, &Vec<String>)> {
    let mut effects: Vec<_> = rules
        .iter()
        .map(|rule| (&rule.action, &rule.conditions))
        .collect();
    effects.sort();
    effects
}

/// The rules that hold for a call, with their indices. They do the same.
pub(super) fn holding<'a>(
    policy: &'a Policy,
    syscall: &str,
    arguments: &[u64; 6],
) -> impl Iterator<Item = (usize, &'a Rule)> {
    let rules = policy.rule.iter().enumerate();
    rules.filter(move |(_, rule)| {
        rule.syscalls.iter().any(|name| name == syscall)
            && rule.when.iter().all(|when| when.holds(arguments))
            && (rule.any.is_empty() || rule.any.iter().any(|when| when.holds(arguments)))
    })
}

fn about(rule: &Rule) -> CallRule {
    let mut conditions: Vec<String> = rule.when.iter().map(condition).collect();
    if !rule.any.is_empty() {
        let any: Vec<String> = rule.any.iter().map(condition).collect();
        conditions.push(any.join(" or "));
    }
    CallRule {
        rule: rule.id.clone(),
        action: verb(rule.action, rule.errno),
        conditions,
        why: rule.why.clone(),
    }
}

fn condition(when: &When) -> String {
    let (arg, value) = (when.arg, when.value);
    let is = match when.is {
        Is::Equal => "==",
        Is::NotEqual => "!=",
    };
    match when.mask {
        Some(mask) => format!("arg{arg} & {mask:#x} {is} {value:#x}"),
        None => format!("arg{arg} {is} {value:#x}"),
    }
}

fn verb(action: Action, errno: Option<ErrorName>) -> String {
    match action {
        Action::Allow => "allow".to_owned(),
        Action::Trace => "trace".to_owned(),
        Action::Kill => "kill".to_owned(),
        Action::Deny => format!("deny {}", errno.map_or("", ErrorName::name)),
    }
}
