//! `assize pause`: what is not judged since judging of it failed.

use std::process::ExitCode;

use assize_common::api::Pause as ApiPause;
use clap::{Args, Subcommand};

use crate::client::ServerArguments;
use crate::{columns, exit, output};

/// See what is not judged since judging of it failed again and again, and have it judged again
///
/// Schedulers pause the smallest thing on which several submissions of several teams fail while nothing of it is judged: a problem in a language,
/// a problem, or a language. Its submissions wait; all others are judged. A pause of a problem is one of the version of its package.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct Pause {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List what is paused, why, and how much waits
    List(List),
    /// Have it judged again, what waits first
    End(End),
}

#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    server: ServerArguments,
    /// One JSON object a line for each pause instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[group(id = "what", required = true, multiple = true, args = ["problem", "language"])]
struct End {
    /// The pause is of this problem
    #[arg(long, value_name = "NAME")]
    problem: Option<String>,
    /// The pause is of this language, or of the problem in it
    #[arg(long, value_name = "ID")]
    language: Option<String>,
    #[command(flatten)]
    server: ServerArguments,
}

impl Pause {
    /// Does it.
    ///
    /// # Errors
    /// When the scheduler does not answer or refuses.
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        match self.action {
            Action::List(list) => list.execute().await?,
            Action::End(end) => {
                let (problem, language) = (end.problem.as_deref(), end.language.as_deref());
                end.server.api()?.end_pause(problem, language).await?;
            }
        }
        Ok(ExitCode::from(exit::OK))
    }
}

impl List {
    async fn execute(self) -> anyhow::Result<()> {
        let pauses = self.server.api()?.pauses().await?.pauses;
        if self.json {
            return output::print_json(pauses);
        }
        output::print(&table(pauses))
    }
}

fn table(pauses: Vec<ApiPause>) -> String {
    let mut table = columns::table([
        "problem", "version", "language", "since", "waiting", "reason",
    ]);
    for pause in pauses {
        table.add_row([
            pause.problem.unwrap_or_else(|| "all".to_owned()),
            pause
                .version
                .map(|version| version.to_string())
                .unwrap_or_default(),
            pause.language.unwrap_or_else(|| "all".to_owned()),
            columns::moment(pause.since),
            pause.waiting.to_string(),
            pause.reason,
        ]);
    }
    columns::align_right(&mut table, [1, 4]);
    table.trim_fmt()
}
