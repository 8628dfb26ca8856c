//! System call policies: data in `policy/*.toml`, compiled once per jail.

mod compile;
mod file;

pub(crate) use compile::TracedAction;

use crate::protocol::Failure;
use crate::spec::{Mode, PolicyName};
use crate::sys::seccomp::Program;

/// Every policy in every mode, ready to be installed.
#[derive(Debug)]
pub(crate) struct Filters {
    contestant: ByMode,
    compiler: ByMode,
}

#[derive(Debug)]
struct ByMode {
    unshare: Program,
    ptrace: Program,
}

impl Filters {
    /// Compiles all policies, so that a broken one is found before any run.
    pub(crate) fn compile() -> Result<Self, Failure> {
        Ok(Self {
            contestant: by_mode(PolicyName::Contestant)?,
            compiler: by_mode(PolicyName::Compiler)?,
        })
    }

    pub(crate) fn get(&self, name: PolicyName, mode: Mode) -> &Program {
        let by_mode = match name {
            PolicyName::Contestant => &self.contestant,
            PolicyName::Compiler => &self.compiler,
        };
        match mode {
            Mode::Unshare => &by_mode.unshare,
            Mode::Ptrace => &by_mode.ptrace,
        }
    }
}

fn text(name: PolicyName) -> &'static str {
    match name {
        PolicyName::Contestant => include_str!("../../policy/contestant.toml"),
        PolicyName::Compiler => include_str!("../../policy/compiler.toml"),
    }
}

fn by_mode(name: PolicyName) -> Result<ByMode, Failure> {
    compile_text(text(name)).map_err(|problem| Failure::Step {
        step: format!("compile the policy {name:?}: {problem}"),
        errno: libc::EINVAL,
    })
}

fn compile_text(source: &str) -> Result<ByMode, String> {
    let mut policy = file::Policy::parse(source)?;
    if let Some(base) = policy.extends {
        policy.extend(file::Policy::parse(text(base))?);
    }
    policy.check_consistent()?;
    Ok(ByMode {
        unshare: compile::compile(&policy, Mode::Unshare)?,
        ptrace: compile::compile(&policy, Mode::Ptrace)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(rules: &str) -> String {
        compile_text(&format!("default = 'ENOSYS'\n{rules}")).unwrap_err()
    }

    #[test]
    fn shipped_policies_compile() {
        Filters::compile().unwrap();
    }

    #[test]
    fn unknown_name_is_an_error() {
        let rules = "[[rule]]\nwhy = 'x'\naction = 'allow'\nsyscalls = ['frobnicate']";
        assert!(problem(rules).contains("frobnicate"));
    }

    #[test]
    fn contradiction_is_an_error() {
        let rules = "[[rule]]\nwhy = 'x'\naction = 'allow'\nsyscalls = ['ptrace']\n\
                     [[rule]]\nwhy = 'y'\naction = 'kill'\nsyscalls = ['ptrace']";
        assert!(problem(rules).contains("ptrace"));
    }

    #[test]
    fn rule_without_reason_is_an_error() {
        let rules = "[[rule]]\nwhy = ''\naction = 'allow'\nsyscalls = ['read']";
        assert!(problem(rules).contains("reason"));
    }
}
