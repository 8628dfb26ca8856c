//! `assize dead`: messages that nobody could read or finish.

use std::process::ExitCode;

use assize_common::api::DeadLetterInfo;
use clap::{ArgGroup, Args, Subcommand};

use crate::client::{Api, ServerArguments};
use crate::{columns, exit, output};

/// Look at dead letters and decide about them
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct Dead {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the dead letters that nobody has decided about, the latest first
    List(List),
    /// Show a dead letter with its message
    Show(Show),
    /// Put dead letters back into their queues
    Retry(Decide),
    /// Drop dead letters; their records stay
    Drop(Decide),
}

#[derive(Debug, Args)]
struct List {
    /// Those too that somebody has decided about
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    server: ServerArguments,
    /// One JSON object a line for each dead letter instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Show {
    /// Its number, as `assize dead list` shows it
    id: i64,
    #[command(flatten)]
    server: ServerArguments,
    /// A JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("which").required(true).args(["ids", "all"])))]
struct Decide {
    /// Their numbers, as `assize dead list` shows them
    ids: Vec<i64>,
    /// All that nobody has decided about
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    server: ServerArguments,
}

impl Dead {
    /// Does it.
    ///
    /// # Errors
    /// When the scheduler does not answer or refuses.
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        match self.action {
            Action::List(list) => list.execute().await?,
            Action::Show(show) => show.execute().await?,
            Action::Retry(decide) => {
                let api = decide.server.api()?;
                for id in decide.ids(&api).await? {
                    api.retry_dead_letter(id).await?;
                    output::note(&format!("dead letter {id} goes back into its queue"));
                }
            }
            Action::Drop(decide) => {
                let api = decide.server.api()?;
                for id in decide.ids(&api).await? {
                    api.drop_dead_letter(id).await?;
                    output::note(&format!("dropped dead letter {id}"));
                }
            }
        }
        Ok(ExitCode::from(exit::OK))
    }
}

impl Decide {
    async fn ids(&self, api: &Api) -> anyhow::Result<Vec<i64>> {
        if !self.all {
            return Ok(self.ids.clone());
        }
        let waiting = api.dead_letters(false).await?.dead_letters;
        Ok(waiting.iter().map(|dead| dead.id).collect())
    }
}

impl List {
    async fn execute(self) -> anyhow::Result<()> {
        let dead_letters = self
            .server
            .api()?
            .dead_letters(self.all)
            .await?
            .dead_letters;
        if self.json {
            output::print_json(dead_letters)
        } else {
            output::print(&table(&dead_letters))
        }
    }
}

impl Show {
    async fn execute(self) -> anyhow::Result<()> {
        let dead = self.server.api()?.dead_letter(self.id).await?;
        if self.json {
            return output::print_json([dead]);
        }
        output::print(&table(std::slice::from_ref(&dead.info)))?;
        output::print(&dead.message)
    }
}

fn table(dead_letters: &[DeadLetterInfo]) -> String {
    let mut table = columns::table(["id", "queue", "bytes", "found", "state", "reason"]);
    for dead in dead_letters {
        table.add_row([
            dead.id.to_string(),
            dead.queue.clone(),
            dead.size_bytes.to_string(),
            columns::moment(dead.received_at),
            dead.state.to_string(),
            dead.reason.clone(),
        ]);
    }
    columns::align_right(&mut table, [0, 2]);
    table.trim_fmt()
}
