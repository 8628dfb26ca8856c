//! `assize audit`: what the tracer saw.

use std::process::ExitCode;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use serde_json::json;

use crate::audit::difference::differences;
use crate::audit::target::{Target, fetch};
use crate::audit::text;
use crate::client::{AuditFilter, ServerArguments};
use crate::{exit, output};

/// Look at what the tracer saw of submissions judged under ptrace
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct Audit {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show the audit of a submission or judgement, or every recorded call of one run
    Show(Show),
    /// Show what two submissions, judgements or runs did not do equally often
    Diff(Diff),
    /// Search the calls of all submissions, the latest first
    Search(Search),
    /// Show what a submission did that accepted ones to the same problem do not do
    Unusual(Unusual),
}

#[derive(Debug, Args)]
struct Show {
    /// A submission's or judgement's id, or one with a test case as in ID/secret/01
    #[arg(value_name = "ID[/TESTCASE]")]
    target: Target,
    /// Every recorded call of all runs
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    server: ServerArguments,
    /// One JSON object for the judgement, or for each run
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Diff {
    /// What to compare
    #[arg(value_name = "ID[/TESTCASE]")]
    before: Target,
    /// What to compare it with
    #[arg(value_name = "ID[/TESTCASE]")]
    after: Target,
    #[command(flatten)]
    server: ServerArguments,
    /// One JSON object a line for each difference
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Search {
    /// Only this system call
    #[arg(long, value_name = "NAME")]
    syscall: Option<String>,
    /// Only calls with this path, or one below it
    #[arg(long)]
    path: Option<String>,
    /// Only calls that were denied or killed for
    #[arg(long)]
    denied: bool,
    /// Only what this rule of a policy decided
    #[arg(long, value_name = "ID")]
    rule: Option<String>,
    /// Only of this problem
    #[arg(long, value_name = "NAME")]
    problem: Option<String>,
    /// Only in this language
    #[arg(long, value_name = "ID")]
    language: Option<String>,
    /// Only of this team
    #[arg(long)]
    team: Option<String>,
    /// Only judged since then: a time such as 2026-11-24T18:00:00Z, or a duration such as 2h or 7days
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    since: Option<DateTime<Utc>>,
    /// How many calls at most
    #[arg(long, default_value_t = 100, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    #[command(flatten)]
    server: ServerArguments,
    /// One JSON object a line for each call instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Unusual {
    /// A submission's or judgement's id
    #[arg(value_name = "ID")]
    target: Target,
    #[command(flatten)]
    server: ServerArguments,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

impl Audit {
    /// Does it.
    ///
    /// # Errors
    /// When the scheduler does not answer, or there is no such audit.
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        match self.action {
            Action::Show(show) => show.execute().await,
            Action::Diff(diff) => diff.execute().await,
            Action::Search(search) => search.execute().await,
            Action::Unusual(unusual) => unusual.execute().await,
        }?;
        Ok(ExitCode::from(exit::OK))
    }
}

impl Show {
    async fn execute(self) -> anyhow::Result<()> {
        let api = self.server.api()?;
        let found = self.target.find(&api).await?;
        let runs = match found.runs {
            Some(runs) => runs,
            None if self.all => found.audit.runs,
            None if self.json => return output::print_json([found.audit]),
            None => return output::print(&text::judgement(&found.audit)),
        };
        for run in &runs {
            let audit = fetch(&api, run).await?;
            if self.json {
                output::print_json([json!({ "run": run, "audit": audit })])?;
            } else {
                output::print(&format!("{}, pass {}:\n{audit}", run.testcase, run.pass))?;
            }
        }
        Ok(())
    }
}

impl Diff {
    async fn execute(self) -> anyhow::Result<()> {
        let api = self.server.api()?;
        let before = self.before.find(&api).await?.calls(&api).await?;
        let after = self.after.find(&api).await?.calls(&api).await?;
        let differences = differences(&before, &after);
        if self.json {
            return output::print_json(differences);
        }
        if differences.is_empty() {
            output::note("no difference");
        }
        for difference in &differences {
            output::print(&difference.to_string())?;
        }
        Ok(())
    }
}

impl Search {
    async fn execute(self) -> anyhow::Result<()> {
        let api = self.server.api()?;
        let filter = AuditFilter {
            syscall: self.syscall,
            path: self.path,
            refused: self.denied,
            rule: self.rule,
            problem: self.problem,
            language: self.language,
            team: self.team,
            since: self.since,
        };
        let found = api.audit_search(&filter, self.limit).await?;
        if self.json {
            output::print_json(&found.hits)?;
        } else {
            output::print(&text::hits(&found.hits))?;
        }
        if found.more {
            output::note("there are more: ask for fewer, or for more with --limit");
        }
        Ok(())
    }
}

impl Unusual {
    async fn execute(self) -> anyhow::Result<()> {
        let api = self.server.api()?;
        let audit = self.target.find(&api).await?.audit;
        if self.json {
            output::print_json([audit.unusual])
        } else {
            output::print(text::unusual(&audit).trim_end())
        }
    }
}

/// A time, or how long ago.
fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    let at = match humantime::parse_duration(text) {
        Ok(ago) => SystemTime::now().checked_sub(ago),
        Err(_) => humantime::parse_rfc3339_weak(text).ok(),
    };
    at.map(DateTime::from).ok_or_else(|| {
        "expected a time such as 2026-11-24T18:00:00Z or a duration such as 2h or 7days".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_absolute_or_relative() {
        let at = moment("2026-11-24T18:00:00Z").unwrap();
        assert_eq!(at.to_rfc3339(), "2026-11-24T18:00:00+00:00");
        let (earlier, later) = (moment("7days").unwrap(), moment("2h").unwrap());
        assert!(earlier < later && later < Utc::now());
        for bad in ["yesterday", "", "999999999999999y"] {
            assert!(moment(bad).is_err(), "{bad}");
        }
    }
}
