//! From rules to a filter program, by libseccomp.

use super::file::{Action, Is, Policy, Rule, When, errno};
use crate::spec::Mode;
use crate::sys::seccomp::Program;
use libseccomp::{ScmpAction, ScmpArgCompare, ScmpCompareOp, ScmpFilterContext, ScmpSyscall};
use nix::sys::memfd::{MFdFlags, memfd_create};
use std::fs::File;
use std::io::{Read, Seek};

/// What the tracer is told about a stopped call: the 16 bits of data that go
/// with `SECCOMP_RET_TRACE`. The filter decides, so both modes decide alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TracedAction {
    Allow,
    Deny(i32),
    Kill,
}

impl TracedAction {
    const KILL: u16 = u16::MAX;

    fn encode(self) -> Result<u16, String> {
        match self {
            Self::Allow => Ok(0),
            Self::Deny(errno) => u16::try_from(errno).map_err(|error| error.to_string()),
            Self::Kill => Ok(Self::KILL),
        }
    }

    /// Anything that was not encoded here kills.
    pub(crate) fn decode(data: i64) -> Self {
        match u16::try_from(data) {
            Ok(0) => Self::Allow,
            Ok(errno @ 1..4096) => Self::Deny(errno.into()),
            _ => Self::Kill,
        }
    }
}

/// Compiles a policy for one mode. With a tracer everything that is not
/// plainly allowed stops there, to be recorded.
pub(super) fn compile(policy: &Policy, mode: Mode) -> Result<Program, String> {
    let default = action(Action::Deny, Some(&policy.default), mode)?;
    let mut filter = ScmpFilterContext::new(default).map_err(text)?;
    // Any other architecture's calls (i386, x32) mean other numbers.
    filter
        .set_act_badarch(action(Action::Kill, None, mode)?)
        .map_err(text)?;
    // A binary tree: the kernel follows the program once for each call there
    // is when a filter is installed, for every run.
    filter.set_ctl_optimize(2).map_err(text)?;
    // Set by ourselves, at its own place in the order.
    filter.set_ctl_nnp(false).map_err(text)?;
    for rule in &policy.rule {
        add(&mut filter, rule, mode, default)?;
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
    mode: Mode,
    default: ScmpAction,
) -> Result<(), String> {
    let action = action(rule.action, rule.errno.as_deref(), mode)?;
    let all: Vec<_> = rule.when.iter().map(condition).collect();
    let alternatives: Vec<Vec<_>> = if rule.any.is_empty() {
        vec![all]
    } else {
        let and = |one| all.iter().copied().chain([condition(one)]).collect();
        rule.any.iter().map(and).collect()
    };
    for name in &rule.syscalls {
        let call =
            ScmpSyscall::from_name(name).map_err(|_| format!("unknown system call {name}"))?;
        // libseccomp refuses a rule that says what holds anyway.
        if action == default {
            continue;
        }
        // Known to libseccomp, but not on this architecture.
        if call.as_raw_syscall() < 0 {
            continue;
        }
        for conditions in &alternatives {
            filter
                .add_rule_conditional(action, call, conditions)
                .map_err(|error| format!("{name}: {error}"))?;
        }
    }
    Ok(())
}

fn action(action: Action, name: Option<&str>, mode: Mode) -> Result<ScmpAction, String> {
    let traced = match action {
        Action::Allow => return Ok(ScmpAction::Allow),
        Action::Trace => TracedAction::Allow,
        Action::Deny => TracedAction::Deny(errno(name.unwrap_or_default())?),
        Action::Kill => TracedAction::Kill,
    };
    Ok(match (mode, traced) {
        (Mode::Ptrace, traced) => ScmpAction::Trace(traced.encode()?),
        (Mode::Unshare, TracedAction::Allow) => ScmpAction::Allow,
        (Mode::Unshare, TracedAction::Deny(errno)) => ScmpAction::Errno(errno),
        (Mode::Unshare, TracedAction::Kill) => ScmpAction::KillProcess,
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
