//! `assize worker`: who judges.

use std::process::ExitCode;

use assize_common::api::WorkerInfo;
use clap::{Args, Subcommand};

use crate::client::ServerArguments;
use crate::{columns, exit, output};

/// Look at the workers
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct Worker {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the workers that run, the latest heard of first
    List(List),
}

#[derive(Debug, Args)]
struct List {
    /// Those that stopped in the last 24 hours, too
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    server: ServerArguments,
    /// One JSON object a line for each worker instead of a table
    #[arg(long)]
    json: bool,
}

impl Worker {
    /// Does it.
    ///
    /// # Errors
    /// When the scheduler does not answer or refuses.
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        let Action::List(list) = self.action;
        list.execute().await
    }
}

impl List {
    async fn execute(self) -> anyhow::Result<ExitCode> {
        let mut workers = self.server.api()?.workers().await?.workers;
        workers.retain(|worker| self.all || !worker.stopped);
        if self.json {
            output::print_json(workers)?;
        } else {
            output::print(&table(workers))?;
        }
        Ok(ExitCode::from(exit::OK))
    }
}

fn table(workers: Vec<WorkerInfo>) -> String {
    let mut table = columns::table([
        "worker",
        "slots",
        "lanes",
        "languages",
        "version",
        "heard of",
        "state",
        "id",
    ]);
    for worker in workers {
        table.add_row([
            worker.name,
            worker.slots.to_string(),
            worker.lanes.join(" "),
            worker.languages.len().to_string(),
            worker.version,
            columns::moment(worker.last_seen_at),
            if worker.stopped { "stopped" } else { "" }.to_owned(),
            worker.id.to_string(),
        ]);
    }
    columns::align_right(&mut table, [1, 3]);
    table.trim_fmt()
}
