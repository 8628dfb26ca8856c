//! `assize worker`: who judges.

use std::process::ExitCode;

use assize_common::api::WorkerInfo;
use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, Subcommand};

use crate::client::ServerArguments;
use crate::{columns, exit, output};

/// Workers send a sign of life every ten seconds, unless told otherwise.
const SILENCE: TimeDelta = TimeDelta::seconds(30);

/// Look at the workers
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct Worker {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the workers that did not say good-bye, the latest heard of first
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
    let now = Utc::now();
    for worker in workers {
        table.add_row([
            worker.name.clone(),
            worker.slots.to_string(),
            worker.lanes.join(" "),
            worker.languages.len().to_string(),
            worker.version.clone(),
            columns::moment(worker.last_seen_at),
            state(&worker, now).to_owned(),
            worker.id.to_string(),
        ]);
    }
    columns::align_right(&mut table, [1, 3]);
    table.trim_fmt()
}

fn state(worker: &WorkerInfo, now: DateTime<Utc>) -> &'static str {
    if worker.stopped {
        "stopped"
    } else if now - worker.last_seen_at > SILENCE {
        "silent"
    } else {
        "runs"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assize_common::id::WorkerId;

    #[test]
    fn who_died_without_a_word_is_silent() {
        let now = Utc::now();
        let worker = |age: TimeDelta, stopped| WorkerInfo {
            id: WorkerId::generate(),
            name: "w".into(),
            version: "1".into(),
            slots: 1,
            lanes: Vec::new(),
            languages: Vec::new(),
            last_seen_at: now - age,
            stopped,
        };
        let minute = TimeDelta::minutes(1);
        assert_eq!(state(&worker(TimeDelta::zero(), false), now), "runs");
        assert_eq!(state(&worker(minute, false), now), "silent");
        assert_eq!(state(&worker(minute, true), now), "stopped");
    }
}
