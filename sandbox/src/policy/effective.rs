//! All layers of a policy put together: what the filter and the tracer do.

use super::Merged;
use super::keyed::keyed;
use super::names::native;
use super::paths::Paths;
use crate::protocol::Failure;
use crate::sys::seccomp::Program;
use crate::tracer::UNDECIDED;
use assize_policy::{Action, ErrorName, Policy, Rule, When};
use std::collections::{BTreeSet, HashMap};

/// Index of a rule: what the filter tells the tracer in the 16 bits of data
/// that go with `SECCOMP_RET_TRACE`.
pub(crate) type RuleNumber = u16;

/// The rule for calls that no other names.
pub(super) const DEFAULT: RuleNumber = 0;
/// The rule for calls of another ABI.
pub(super) const ABI: RuleNumber = 1;
/// The first rule of the policy file.
pub(super) const FIRST: RuleNumber = 2;

/// What the tracer does about a stopped call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TracedAction {
    Allow,
    Deny(i32),
    Kill,
}

/// A policy ready to be enforced.
#[derive(Debug)]
pub(crate) struct Effective {
    pub(crate) filter: Program,
    pub(crate) paths: Paths,
    /// Allows what lasts in an ipc namespace: a shipped policy does not, a layer may.
    pub(crate) allows_ipc: bool,
    rules: Vec<(TracedAction, bool)>,
    watched: HashMap<usize, Watched>,
    sequences: Vec<Vec<When>>,
    budgets: Vec<u64>,
    first_budget: RuleNumber,
    first_sequence: RuleNumber,
}

/// What one system call matters for.
#[derive(Debug, Default)]
struct Watched {
    budgets: Vec<usize>,
    begins: Vec<usize>,
    ends: Vec<usize>,
}

/// What has happened so far in a run.
#[derive(Debug, Default)]
pub(crate) struct History {
    used: Vec<u64>,
    begun: Vec<bool>,
}

impl Effective {
    pub(super) fn new(merged: &Merged, filter: Program) -> Result<Self, String> {
        let policy = &merged.policy;
        let actions = actions(policy)?;
        let number = |count: usize| RuleNumber::try_from(count).map_err(|error| error.to_string());
        let first_path = FIRST + number(policy.rule.len())?;
        let first_budget = first_path + number(policy.path.len())?;
        let first_sequence = first_budget + number(policy.budget.len())?;
        let mut watched: HashMap<usize, Watched> = HashMap::new();
        let mut watch = |names: &[String], note: fn(&mut Watched) -> &mut Vec<usize>, index| {
            for call in names.iter().filter_map(|name| native(name)) {
                note(watched.entry(call).or_default()).push(index);
            }
        };
        for (index, budget) in policy.budget.iter().enumerate() {
            watch(&budget.syscalls, |call| &mut call.budgets, index);
        }
        for (index, sequence) in policy.sequence.iter().enumerate() {
            watch(&sequence.after, |call| &mut call.begins, index);
            watch(&sequence.syscalls, |call| &mut call.ends, index);
        }
        let always = |index: usize| {
            let index = index.checked_sub(usize::from(FIRST));
            index.is_none_or(|index| policy.rule.get(index).is_some_and(|rule| rule.always))
        };
        Ok(Self {
            filter,
            paths: Paths::new(merged, first_path, &actions),
            allows_ipc: policy.rule.iter().any(allows_ipc),
            rules: actions
                .iter()
                .enumerate()
                .map(|(index, action)| (*action, always(index)))
                .collect(),
            watched,
            sequences: policy
                .sequence
                .iter()
                .map(|sequence| sequence.when.clone())
                .collect(),
            budgets: policy.budget.iter().map(|budget| budget.count).collect(),
            first_budget,
            first_sequence,
        })
    }

    /// The filter with a way around it for who knows the key.
    pub(crate) fn keyed(&self, key: u64) -> Result<Program, Failure> {
        keyed(&self.filter, key).map_err(|problem| Failure::Step {
            step: format!("add the key to the filter: {problem}"),
            errno: libc::EINVAL,
        })
    }

    /// What a rule says; a rule that does not exist kills.
    pub(crate) fn action(&self, rule: RuleNumber) -> TracedAction {
        self.rules
            .get(usize::from(rule))
            .map_or(TracedAction::Kill, |(action, _)| *action)
    }

    /// Whether a rule holds when a run is only observed, too.
    pub(crate) fn holds_always(&self, rule: RuleNumber) -> bool {
        self.rules
            .get(usize::from(rule))
            .is_none_or(|(_, always)| *always)
    }

    /// Takes an allowed call into the history; the strictest rule that has
    /// something against it now, if there is one.
    pub(crate) fn remember(
        &self,
        history: &mut History,
        call: usize,
        arguments: &[u64; 6],
    ) -> Option<RuleNumber> {
        let watched = self.watched.get(&call)?;
        history.used.resize(self.budgets.len(), 0);
        history.begun.resize(self.sequences.len(), false);
        let mut against = None;
        for index in &watched.ends {
            if history.begun.get(*index) == Some(&true) {
                against = self.strictest(against, rule(self.first_sequence, *index));
            }
        }
        for index in &watched.budgets {
            let (used, allowed) = (history.used.get_mut(*index)?, self.budgets.get(*index)?);
            *used += 1;
            if *used > *allowed {
                against = self.strictest(against, rule(self.first_budget, *index));
            }
        }
        for index in &watched.begins {
            let when = self.sequences.get(*index)?;
            if when.iter().all(|when| when.holds(arguments)) {
                *history.begun.get_mut(*index)? = true;
            }
        }
        against
    }

    /// Whether a budget counts this call.
    pub(crate) fn counts(&self, call: usize) -> bool {
        self.watched
            .get(&call)
            .is_some_and(|watched| !watched.budgets.is_empty())
    }

    /// Takes a call that has done nothing out of what budgets count.
    pub(crate) fn take_back(&self, history: &mut History, call: usize) {
        let watched = self.watched.get(&call);
        for index in watched.into_iter().flat_map(|watched| &watched.budgets) {
            if let Some(used) = history.used.get_mut(*index) {
                *used = used.saturating_sub(1);
            }
        }
    }

    /// Of two rules against a call, the one that kills: what one layer kills
    /// for is not only denied because another denies it.
    fn strictest(&self, one: Option<RuleNumber>, other: Option<RuleNumber>) -> Option<RuleNumber> {
        let kills = |rule: &RuleNumber| self.action(*rule) == TracedAction::Kill;
        one.filter(kills).or(other.filter(kills)).or(one).or(other)
    }
}

/// Whether a rule lets something be made in an ipc namespace that stays there.
fn allows_ipc(rule: &Rule) -> bool {
    const MAKING: [&str; 4] = ["shmget", "semget", "msgget", "mq_open"];
    let made = |name: &String| MAKING.contains(&name.as_str());
    is_allowing(rule) && rule.syscalls.iter().any(made)
}

const fn is_allowing(rule: &Rule) -> bool {
    matches!(rule.action, Action::Allow | Action::Trace)
}

fn rule(first: RuleNumber, index: usize) -> Option<RuleNumber> {
    RuleNumber::try_from(index).ok().map(|index| first + index)
}

/// Ids of all rules by number.
pub(super) fn rule_ids(policy: &Policy) -> Vec<String> {
    ["default", "abi"]
        .into_iter()
        .chain(policy.ids())
        .map(str::to_owned)
        .collect()
}

/// Refuses what path rules could not hold for.
pub(super) fn check_decided(policy: &Policy) -> Result<(), String> {
    let undecided = |name: &&String| UNDECIDED.contains(&name.as_str());
    let allowed = policy.rule.iter().filter(|rule| is_allowing(rule));
    let call = |rule: &Rule| rule.syscalls.iter().find(undecided).cloned();
    let mut calls = allowed.filter_map(|rule| Some((rule, call(rule)?)));
    match calls.next() {
        Some((rule, name)) if !policy.path.is_empty() => Err(format!(
            "the rule {} allows {name}, which no [[path]] can decide about",
            rule.id
        )),
        _ => Ok(()),
    }
}

/// Calls that must stop although the policy allows them.
pub(super) fn stopping(policy: &Policy) -> BTreeSet<&str> {
    // It can ask for a child that is not traced.
    let mut stopping = BTreeSet::from(["clone"]);
    for budget in &policy.budget {
        stopping.extend(budget.syscalls.iter().map(String::as_str));
    }
    for sequence in &policy.sequence {
        let both = sequence.after.iter().chain(&sequence.syscalls);
        stopping.extend(both.map(String::as_str));
    }
    if !policy.path.is_empty() {
        stopping.extend(crate::tracer::path_calls().map(|name| -> &str { name }));
    }
    stopping
}

fn actions(policy: &Policy) -> Result<Vec<TracedAction>, String> {
    let mut actions = vec![traced(Action::Deny, policy.default)?, TracedAction::Kill];
    let rules = policy.rule.iter();
    let rules = rules.map(|rule| (rule.action, rule.errno));
    let paths = policy.path.iter();
    let paths = paths.map(|rule| (rule.action, rule.errno));
    let budgets = policy.budget.iter();
    let budgets = budgets.map(|rule| (rule.action, rule.errno));
    let sequences = policy.sequence.iter();
    let sequences = sequences.map(|rule| (rule.action, rule.errno));
    for (action, errno) in rules.chain(paths).chain(budgets).chain(sequences) {
        actions.push(traced(action, errno)?);
    }
    Ok(actions)
}

pub(super) fn traced(action: Action, name: Option<ErrorName>) -> Result<TracedAction, String> {
    Ok(match (action, name) {
        (Action::Allow | Action::Trace, _) => TracedAction::Allow,
        (Action::Deny, Some(name)) => TracedAction::Deny(errno(name)),
        (Action::Deny, None) => return Err("the policy has no `default`".to_owned()),
        (Action::Kill, _) => TracedAction::Kill,
    })
}

/// The number of an error.
pub(super) const fn errno(name: ErrorName) -> i32 {
    match name {
        ErrorName::None => 0,
        ErrorName::Eacces => libc::EACCES,
        ErrorName::Eafnosupport => libc::EAFNOSUPPORT,
        ErrorName::Einval => libc::EINVAL,
        ErrorName::Enoent => libc::ENOENT,
        ErrorName::Enosys => libc::ENOSYS,
        ErrorName::Eperm => libc::EPERM,
        ErrorName::Erofs => libc::EROFS,
    }
}
