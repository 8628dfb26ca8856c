//! `assize worker`: who judges.

use std::process::ExitCode;

use anyhow::bail;
use assize_common::api::WorkerInfo;
use assize_common::message::WorkerMode;
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
    /// Let a worker take no more tasks for now; it finishes what it holds
    Cordon(Tell),
    /// Let a cordoned worker take tasks again
    Uncordon(Tell),
    /// Let a worker finish what it holds, and end
    Drain(Tell),
}

#[derive(Debug, Args)]
struct Tell {
    /// Its name or id, as `assize worker list` shows them
    worker: String,
    #[command(flatten)]
    server: ServerArguments,
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
        match self.action {
            Action::List(list) => list.execute().await,
            Action::Cordon(tell) => tell.execute(WorkerMode::Cordon).await,
            Action::Uncordon(tell) => tell.execute(WorkerMode::Run).await,
            Action::Drain(tell) => tell.execute(WorkerMode::Drain).await,
        }
    }
}

impl Tell {
    async fn execute(self, mode: WorkerMode) -> anyhow::Result<ExitCode> {
        let api = self.server.api()?;
        let workers = api.workers().await?.workers;
        let mut meant = workers.iter().filter(|worker| {
            !worker.stopped && (worker.name == self.worker || worker.id.to_string() == self.worker)
        });
        let worker = match (meant.next(), meant.next()) {
            (Some(worker), None) => worker,
            (Some(_), Some(_)) => bail!(
                "several workers are called {}: take the id that `assize worker list` shows",
                self.worker
            ),
            (None, _) => bail!(
                "no worker of the last 24 hours is called {}: `assize worker list` shows them",
                self.worker
            ),
        };
        api.set_worker_mode(worker.id, mode).await?;
        output::note(&format!("told worker {} to {mode}", worker.name));
        Ok(ExitCode::from(exit::OK))
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
        "busy",
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
            worker.busy.to_string(),
            worker.slots.to_string(),
            worker.lanes.join(" "),
            worker.languages.len().to_string(),
            worker.version.clone(),
            columns::moment(worker.last_seen_at),
            state(&worker, now).to_owned(),
            worker.id.to_string(),
        ]);
    }
    columns::align_right(&mut table, [1, 2, 4]);
    table.trim_fmt()
}

fn state(worker: &WorkerInfo, now: DateTime<Utc>) -> &'static str {
    if worker.stopped {
        "stopped"
    } else if now - worker.last_seen_at > SILENCE {
        "silent"
    } else {
        match worker.mode {
            WorkerMode::Run => "runs",
            WorkerMode::Cordon => "cordoned",
            WorkerMode::Drain => "drains",
        }
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
            mode: WorkerMode::Run,
            busy: 0,
        };
        let minute = TimeDelta::minutes(1);
        assert_eq!(state(&worker(TimeDelta::zero(), false), now), "runs");
        assert_eq!(state(&worker(minute, false), now), "silent");
        assert_eq!(state(&worker(minute, true), now), "stopped");
    }
}
