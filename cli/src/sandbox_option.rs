//! The option `--sandbox`.

use assize_common::sandbox_choice::{SandboxChoice, SandboxFactors, SandboxMode, choose_sandbox};
use clap::ValueEnum;

/// What a person asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SandboxOption {
    /// As the system would choose: unshare unless something calls for ptrace
    Auto,
    /// Namespaces, cgroups and a static filter: almost no cost
    Unshare,
    /// The same, with a tracer that decides and records system calls
    Ptrace,
}

impl SandboxOption {
    /// The mode and the reason for it, chosen as a scheduler does for a problem
    /// that has rules of its own or not.
    #[must_use]
    pub fn choose(self, problem_has_rules: bool) -> SandboxChoice {
        choose_sandbox(SandboxFactors {
            requested: match self {
                Self::Auto => None,
                Self::Unshare => Some(SandboxMode::Unshare),
                Self::Ptrace => Some(SandboxMode::Ptrace),
            },
            problem_has_rules,
            ..SandboxFactors::default()
        })
    }
}
