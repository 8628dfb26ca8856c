//! From rules to a filter program, by libseccomp.

use super::effective::{ABI, DEFAULT, FIRST, RuleNumber, TracedAction, stopping, traced};
use crate::sys::seccomp::Program;
use assize_policy::{Action, ErrorName, Is, Policy, Rule, When};
use libseccomp::{
    ScmpAction, ScmpArch, ScmpArgCompare, ScmpCompareOp, ScmpFilterContext, ScmpSyscall,
};
use nix::sys::memfd::{MFdFlags, memfd_create};
use std::fs::File;
use std::io::{Read, Seek};

/// Which calls stop for a tracer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Stops {
    /// There is none.
    None,
    /// All but those that the policy plainly allows.
    Decided,
    All,
}

/// Compiles a policy. For a tracer, the data beside each stop are the number
/// of the rule.
pub(super) fn compile(policy: &Policy, stops: Stops) -> Result<Program, String> {
    compile_for(ScmpArch::native(), policy, stops)
}

/// The same for a machine that need not be this one.
pub(super) fn compile_for(
    arch: ScmpArch,
    policy: &Policy,
    stops: Stops,
) -> Result<Program, String> {
    let default = action(Action::Deny, policy.default, DEFAULT, stops)?;
    let mut filter = ScmpFilterContext::new(default).map_err(text)?;
    if arch != ScmpArch::native() {
        filter.add_arch(arch).map_err(text)?;
        filter.remove_arch(ScmpArch::native()).map_err(text)?;
    }
    // Any other architecture's calls (i386, x32) mean other numbers.
    filter
        .set_act_badarch(action(Action::Kill, None, ABI, stops)?)
        .map_err(text)?;
    // A binary tree: the kernel follows the program once for each call there
    // is when a filter is installed, for every run.
    filter.set_ctl_optimize(2).map_err(text)?;
    // Set by ourselves, at its own place in the order.
    filter.set_ctl_nnp(false).map_err(text)?;
    let stopping = stopping(policy);
    for (rule, number) in policy.rule.iter().zip(FIRST..) {
        for name in &rule.syscalls {
            let stops_anyway = stops == Stops::All || stopping.contains(name.as_str());
            let kind = match rule.action {
                Action::Allow if stops_anyway => Action::Trace,
                other => other,
            };
            let action = action(kind, rule.errno, number, stops)?;
            // libseccomp refuses a rule that says what holds anyway.
            if action != default {
                add(&mut filter, rule, name, action)?;
            }
        }
    }
    let mut exported = File::from(memfd_create(c"filter", MFdFlags::MFD_CLOEXEC).map_err(text)?);
    filter.export_bpf(&exported).map_err(text)?;
    let mut bytes = Vec::new();
    exported.rewind().map_err(text)?;
    exported.read_to_end(&mut bytes).map_err(text)?;
    Program::parse(&bytes).ok_or_else(|| "libseccomp made no filter".to_owned())
}

fn add(
    filter: &mut ScmpFilterContext,
    rule: &Rule,
    name: &str,
    action: ScmpAction,
) -> Result<(), String> {
    let all: Vec<_> = rule.when.iter().map(condition).collect();
    let alternatives: Vec<Vec<_>> = if rule.any.is_empty() {
        vec![all]
    } else {
        let and = |one| all.iter().copied().chain([condition(one)]).collect();
        rule.any.iter().map(and).collect()
    };
    let call = ScmpSyscall::from_name(name).map_err(|_| format!("unknown system call {name}"))?;
    // Known to libseccomp, but not on this architecture.
    if call.as_raw_syscall() < 0 {
        return Ok(());
    }
    for conditions in &alternatives {
        filter
            .add_rule_conditional(action, call, conditions)
            .map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

fn action(
    action: Action,
    name: Option<ErrorName>,
    rule: RuleNumber,
    stops: Stops,
) -> Result<ScmpAction, String> {
    let traced = traced(action, name)?;
    Ok(match (stops, traced) {
        _ if action == Action::Allow => ScmpAction::Allow,
        (Stops::Decided | Stops::All, _) => ScmpAction::Trace(rule),
        (Stops::None, TracedAction::Allow) => ScmpAction::Allow,
        (Stops::None, TracedAction::Deny(errno)) => ScmpAction::Errno(errno),
        (Stops::None, TracedAction::Kill) => ScmpAction::KillProcess,
    })
}

fn condition(when: &When) -> ScmpArgCompare {
    match (when.is, when.mask) {
        (Is::Equal, None) => ScmpArgCompare::new(when.arg, ScmpCompareOp::Equal, when.value),
        (Is::NotEqual, None) => ScmpArgCompare::new(when.arg, ScmpCompareOp::NotEqual, when.value),
        (Is::Equal | Is::NotEqual, Some(mask)) => ScmpArgCompare::new(
            when.arg,
            ScmpCompareOp::MaskedEqual(mask),
            when.value & mask,
        ),
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
