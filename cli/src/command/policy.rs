//! `assize policy`: what jailed programs may ask of the kernel.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use assize_worker::sandbox::{CallRule, Difference, EffectivePolicy, Explanation, PolicyName};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::policy_record::Record;
use crate::exit::{self, Failure};
use crate::output;

/// Record, check, compare and explain system call policies
///
/// POLICY is contestant or compiler, which are shipped, or a file: a layer over
/// contestant (or what --over names), or a whole policy that says what it extends.
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    about = "Record, check, compare and explain system call policies"
)]
pub struct Policy {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Record(Record),
    /// Check that policies can be enforced
    #[command(after_long_help = "Exit code: 0 all can be; 1 some can't; 2 wrong arguments.")]
    Check(Check),
    /// Tell about which system calls two policies differ
    #[command(
        after_long_help = "Exit code: 0 about none; 1 about some; 2 wrong arguments or a broken policy."
    )]
    Diff(Diff),
    /// Tell what a policy does about a system call, by which rule and why
    Explain(Explain),
}

#[derive(Debug, Args)]
struct Check {
    /// One JSON object a line for each file
    #[arg(long)]
    json: bool,
    /// What layers lie over: contestant or compiler
    #[arg(long, value_name = "NAME", default_value = "contestant", value_parser = shipped)]
    over: PolicyName,
    /// Policies or layers
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
struct Diff {
    /// One JSON object a line for each system call
    #[arg(long)]
    json: bool,
    /// What layers lie over: contestant or compiler
    #[arg(long, value_name = "NAME", default_value = "contestant", value_parser = shipped)]
    over: PolicyName,
    /// The first policy
    #[arg(value_name = "POLICY")]
    before: String,
    /// The second one
    #[arg(value_name = "POLICY")]
    after: String,
}

#[derive(Debug, Args)]
struct Explain {
    /// One JSON object
    #[arg(long)]
    json: bool,
    /// What layers lie over: contestant or compiler
    #[arg(long, value_name = "NAME", default_value = "contestant", value_parser = shipped)]
    over: PolicyName,
    /// The policy to be explained
    #[arg(long, value_name = "POLICY", default_value = "contestant")]
    policy: String,
    /// The system call's name
    #[arg(value_name = "SYSCALL")]
    syscall: String,
    /// Its arguments, decimal or 0x…; those that are left out are 0. Without any, all rules are told
    #[arg(value_name = "ARGUMENT", num_args = 0..=6, value_parser = number)]
    arguments: Vec<u64>,
}

/// What was found about one file.
#[derive(Debug, Serialize)]
struct Checked<'a> {
    file: &'a Path,
    ok: bool,
    rules: Option<usize>,
    problem: Option<String>,
}

impl Policy {
    /// Whether this starts jails here.
    #[must_use]
    pub const fn needs_jails(&self) -> bool {
        matches!(self.action, Action::Record(_))
    }

    /// Does it.
    ///
    /// # Errors
    /// A [`Failure`] with the exit code.
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        match self.action {
            Action::Record(record) => record.execute().await,
            Action::Check(check) => check.execute(),
            Action::Diff(diff) => diff.execute(),
            Action::Explain(explain) => explain.execute(),
        }
    }
}

impl Check {
    fn execute(&self) -> anyhow::Result<ExitCode> {
        let mut code = exit::OK;
        for file in &self.files {
            let read = read(file).map_err(|error| error.to_string());
            let policy = read.and_then(|text| {
                EffectivePolicy::parse(&text, self.over).map_err(|error| error.to_string())
            });
            let checked = match policy {
                Ok(policy) => Checked {
                    file,
                    ok: true,
                    rules: Some(policy.len()),
                    problem: None,
                },
                Err(problem) => Checked {
                    file,
                    ok: false,
                    rules: None,
                    problem: Some(problem),
                },
            };
            if !checked.ok {
                code = exit::FAILURE;
            }
            if self.json {
                output::print_json([&checked])?;
            } else {
                output::print(&checked.to_string())?;
            }
        }
        Ok(ExitCode::from(code))
    }
}

impl std::fmt::Display for Checked<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let file = self.file.display();
        match (&self.problem, self.rules) {
            (Some(problem), _) => write!(formatter, "{file}: {}", problem.trim_end()),
            (None, rules) => write!(
                formatter,
                "{file}: can be enforced, {} rules with those below it",
                rules.unwrap_or_default()
            ),
        }
    }
}

impl Diff {
    fn execute(&self) -> anyhow::Result<ExitCode> {
        let before = open(&self.before, self.over)?;
        let differences = before.differences(&open(&self.after, self.over)?);
        if self.json {
            output::print_json(&differences)?;
        } else if !differences.is_empty() {
            let told: Vec<String> = differences.iter().map(describe_difference).collect();
            output::print(&told.join("\n"))?;
        }
        Ok(ExitCode::from(if differences.is_empty() {
            exit::OK
        } else {
            exit::FAILURE
        }))
    }
}

impl Explain {
    fn execute(&self) -> anyhow::Result<ExitCode> {
        let policy = open(&self.policy, self.over)?;
        let unknown = |error| Failure::new(exit::USAGE, "no such system call").because(error);
        let mut explained = policy.explain(&self.syscall).map_err(unknown)?;
        if !self.arguments.is_empty() {
            let mut arguments = [0; 6];
            for (argument, given) in arguments.iter_mut().zip(&self.arguments) {
                *argument = *given;
            }
            explained.rules = vec![policy.decide(&self.syscall, &arguments).map_err(unknown)?];
        }
        if self.json {
            output::print_json([&explained])?;
        } else {
            output::print(&describe(&explained, self.arguments.is_empty()))?;
        }
        Ok(ExitCode::from(exit::OK))
    }
}

fn describe(explained: &Explanation, in_general: bool) -> String {
    let mut lines: Vec<String> = explained.rules.iter().map(describe_rule).collect();
    if in_general
        && explained
            .rules
            .iter()
            .all(|rule| !rule.conditions.is_empty())
    {
        lines.push(format!("otherwise: {}", explained.default));
    }
    for rule in &explained.traced {
        lines.push(format!(
            "under ptrace: {} [{}: {}]",
            rule.says, rule.rule, rule.why
        ));
    }
    lines.join("\n")
}

fn describe_rule(rule: &CallRule) -> String {
    let conditions = match rule.conditions.as_slice() {
        [] => String::new(),
        all => format!(" if {}", all.join(" and ")),
    };
    format!("{}{conditions} [{}: {}]", rule.action, rule.rule, rule.why)
}

fn describe_difference(difference: &Difference) -> String {
    let mut lines = vec![difference.syscall.clone()];
    let side = |sign: char, rules: &[CallRule]| -> Vec<String> {
        let told = rules.iter().map(describe_rule);
        told.map(|rule| format!("{sign} {rule}")).collect()
    };
    lines.extend(side('-', &difference.before));
    lines.extend(side('+', &difference.after));
    lines.join("\n")
}

/// A shipped policy by name, or else a file.
fn open(policy: &str, over: PolicyName) -> Result<EffectivePolicy, Failure> {
    let broken =
        |error| Failure::new(exit::USAGE, format!("unusable policy {policy}")).because(error);
    if let Ok(name) = shipped(policy) {
        return EffectivePolicy::shipped(name, &[]).map_err(broken);
    }
    let text = read(Path::new(policy))?;
    EffectivePolicy::parse(&text, over).map_err(broken)
}

fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| {
        Failure::new(
            exit::USAGE,
            format!("cannot read {}: {error}", file.display()),
        )
    })
}

/// The shipped policy of this name.
pub(super) fn shipped(name: &str) -> Result<PolicyName, String> {
    match name {
        "contestant" => Ok(PolicyName::Contestant),
        "compiler" => Ok(PolicyName::Compiler),
        _ => Err("contestant and compiler are shipped".to_owned()),
    }
}

fn number(text: &str) -> Result<u64, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|error| format!("{error}: write a number such as 17 or 0x11"))
}
