//! `assize stop-rule`: when judging ends.

use std::process::ExitCode;

use assize_common::Stop;
use assize_common::api::{StopRule as ApiStopRule, StopRuleScope};
use clap::{Args, Subcommand};

use crate::client::ServerArguments;
use crate::{columns, exit, output};

/// Say for contests and problems when judging ends; the verdict is the same in any case
///
/// A rule about the contest goes before one about the problem. Without either the package's format decides: as early
/// as possible, but in the next batch again for DMOJ's, and as `on_reject` says in legacy ones.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct StopRule {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Set when judging ends for what is judged from now on
    Set(Set),
    /// Leave it to the problem, or to the package's format, again
    Remove(Remove),
    /// List the rules
    List(List),
}

#[derive(Debug, Args)]
struct Set {
    #[command(flatten)]
    subject: Subject,
    /// first-failure: as soon as the result is known; group-failure: go on with the next group; end: after all test cases
    #[arg(value_name = "RULE")]
    stop: Stop,
    #[command(flatten)]
    server: ServerArguments,
}

#[derive(Debug, Args)]
struct Remove {
    #[command(flatten)]
    subject: Subject,
    #[command(flatten)]
    server: ServerArguments,
}

#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    server: ServerArguments,
    /// One JSON object a line for each rule instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[group(id = "subject", required = true, multiple = false)]
struct Subject {
    /// All submissions of this contest
    #[arg(long)]
    contest: Option<String>,
    /// All submissions to this problem
    #[arg(long, value_name = "NAME")]
    problem: Option<String>,
}

impl Subject {
    fn named(self) -> (StopRuleScope, String) {
        match self.contest {
            Some(contest) => (StopRuleScope::Contest, contest),
            None => (StopRuleScope::Problem, self.problem.unwrap_or_default()),
        }
    }
}

impl StopRule {
    /// Does it.
    ///
    /// # Errors
    /// When the scheduler does not answer or refuses.
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        match self.action {
            Action::Set(set) => {
                let (scope, subject) = set.subject.named();
                let stop = set.stop;
                let rule = ApiStopRule {
                    scope,
                    subject,
                    stop,
                };
                set.server.api()?.set_stop_rule(&rule).await?;
            }
            Action::Remove(remove) => {
                let (scope, subject) = remove.subject.named();
                let api = remove.server.api()?;
                api.remove_stop_rule(scope, &subject).await?;
            }
            Action::List(list) => list.execute().await?,
        }
        Ok(ExitCode::from(exit::OK))
    }
}

impl List {
    async fn execute(self) -> anyhow::Result<()> {
        let rules = self.server.api()?.stop_rules().await?.stop_rules;
        if self.json {
            return output::print_json(rules);
        }
        let mut table = columns::table(["for", "subject", "judging ends"]);
        for rule in rules {
            table.add_row([rule.scope.to_string(), rule.subject, rule.stop.to_string()]);
        }
        output::print(&table.trim_fmt())
    }
}
