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
    /// Show what is known of a worker, and what its canaries take
    Show(Show),
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
struct Show {
    /// Its name or id, as `assize worker list` shows them
    worker: String,
    #[command(flatten)]
    server: ServerArguments,
    /// A JSON object instead of text
    #[arg(long)]
    json: bool,
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
            Action::Show(show) => show.execute().await,
            Action::Cordon(tell) => tell.execute(WorkerMode::Cordon).await,
            Action::Uncordon(tell) => tell.execute(WorkerMode::Run).await,
            Action::Drain(tell) => tell.execute(WorkerMode::Drain).await,
        }
    }
}

impl Tell {
    async fn execute(self, mode: WorkerMode) -> anyhow::Result<ExitCode> {
        let api = self.server.api()?;
        let mut workers = api.workers().await?.workers;
        workers.retain(|worker| !worker.stopped);
        let worker = called(workers, &self.worker, Utc::now())?;
        api.set_worker_mode(worker.id, mode).await?;
        output::note(&format!("told worker {} to {mode}", worker.name));
        Ok(ExitCode::from(exit::OK))
    }
}

/// The one of that name or id. Of several of a name, who was started again after a
/// crash is the one that is heard of.
fn called(
    mut workers: Vec<WorkerInfo>,
    called: &str,
    now: DateTime<Utc>,
) -> anyhow::Result<WorkerInfo> {
    workers.retain(|worker| worker.name == called || worker.id.to_string() == called);
    if workers.len() > 1 && workers.iter().any(|worker| is_heard_of(worker, now)) {
        workers.retain(|worker| is_heard_of(worker, now));
    }
    match (workers.pop(), workers.pop()) {
        (Some(worker), None) => Ok(worker),
        (Some(_), Some(_)) => bail!(
            "several workers are called {called}: take the id that `assize worker list` shows"
        ),
        (None, _) => bail!(
            "no worker of the last 24 hours is called {called}: `assize worker list` shows them"
        ),
    }
}

fn is_heard_of(worker: &WorkerInfo, now: DateTime<Utc>) -> bool {
    !worker.stopped && now - worker.last_seen_at <= SILENCE
}

impl Show {
    async fn execute(self) -> anyhow::Result<ExitCode> {
        let workers = self.server.api()?.workers().await?.workers;
        let worker = called(workers, &self.worker, Utc::now())?;
        if self.json {
            output::print_json([worker])?;
        } else {
            output::print(&description(&worker))?;
        }
        Ok(ExitCode::from(exit::OK))
    }
}

fn description(worker: &WorkerInfo) -> String {
    let state = state(worker, Utc::now());
    let mut lines = vec![format!("{} ({}): {state}", worker.name, worker.id)];
    lines.extend(worker.mode_reason.clone());
    if let Some(since) = worker.suspect_since {
        let until = worker.suspect_until.map(columns::moment);
        lines.push(format!(
            "what it judged from {} until {} is suspect",
            columns::moment(since),
            until.as_deref().unwrap_or("now")
        ));
    }
    let mut canaries = columns::table(["slot", "canary", "at first", "now", "at"]);
    for canary in &worker.canaries {
        canaries.add_row([
            canary.slot.to_string(),
            canary.program.clone(),
            canary
                .usual_ms
                .map(|ms| format!("{ms} ms"))
                .unwrap_or_default(),
            format!("{} ms", canary.latest_ms),
            columns::moment(canary.ran_at),
        ]);
    }
    columns::align_right(&mut canaries, [0, 2, 3]);
    lines.push(canaries.trim_fmt());
    lines.join("\n")
}

impl List {
    async fn execute(self) -> anyhow::Result<ExitCode> {
        let api = self.server.api()?;
        let mut workers = api.workers().await?.workers;
        workers.retain(|worker| self.all || !worker.stopped);
        let readiness = api.readiness().await?;
        for language in readiness.languages_missing {
            output::note(&format!(
                "no worker has the language {language}: submissions in it wait"
            ));
        }
        for lane in readiness.lanes_missing {
            output::note(&format!(
                "no worker takes the {lane} lane: submissions in it wait"
            ));
        }
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
            WorkerMode::Run if worker.is_suspect() => "suspect",
            WorkerMode::Run => "runs",
            WorkerMode::Cordon if worker.mode_reason.is_some() => "unfit",
            WorkerMode::Cordon => "cordoned",
            WorkerMode::Drain => "drains",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assize_common::id::WorkerId;

    fn worker(now: DateTime<Utc>, age: TimeDelta, stopped: bool) -> WorkerInfo {
        WorkerInfo {
            id: WorkerId::generate(),
            name: "w".into(),
            version: "1".into(),
            slots: 1,
            lanes: Vec::new(),
            languages: Vec::new(),
            last_seen_at: now - age,
            stopped,
            mode: WorkerMode::Run,
            mode_reason: None,
            suspect_since: None,
            suspect_until: None,
            canaries: Vec::new(),
            busy: 0,
        }
    }

    #[test]
    fn who_died_without_a_word_is_silent() {
        let now = Utc::now();
        let minute = TimeDelta::minutes(1);
        assert_eq!(state(&worker(now, TimeDelta::zero(), false), now), "runs");
        assert_eq!(state(&worker(now, minute, false), now), "silent");
        assert_eq!(state(&worker(now, minute, true), now), "stopped");
    }

    #[test]
    fn a_name_means_who_is_heard_of() {
        let now = Utc::now();
        let (alive, died) = (TimeDelta::seconds(1), TimeDelta::hours(1));
        let workers = [alive, died, died].map(|age| worker(now, age, false));
        let found = |workers: &[WorkerInfo], name: &str| called(workers.to_vec(), name, now);
        assert_eq!(found(&workers, "w").unwrap().id, workers[0].id);
        let id = workers[1].id;
        assert_eq!(found(&workers, &id.to_string()).unwrap().id, id);
        assert!(found(&workers[1..], "w").is_err());
        assert_eq!(found(&workers[1..2], "w").unwrap().id, id);
        let two = [alive, alive].map(|age| worker(now, age, false));
        assert!(found(&two, "w").is_err());
        assert!(found(&workers, "v").is_err());
    }
}
