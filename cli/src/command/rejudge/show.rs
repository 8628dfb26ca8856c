//! `assize rejudge list` and `show`.

use std::process::ExitCode;
use std::time::Duration;

use assize_common::api::{AdminAction, Rejudging, RejudgingState};
use assize_common::id::RejudgingId;
use clap::Args;
use serde_json::json;

use crate::client::ServerArguments;
use crate::{columns, exit, output};

/// List rejudgings, the newest first
#[derive(Debug, Args)]
pub(super) struct List {
    /// Only in this state: open, applied, cancelled or undone
    #[arg(long)]
    state: Option<RejudgingState>,
    /// How many at most, up to 100
    #[arg(long, default_value_t = 20, value_name = "N")]
    limit: u32,
    #[command(flatten)]
    server: ServerArguments,
    /// One JSON object a line for each rejudging instead of a table
    #[arg(long)]
    json: bool,
}

/// Show a rejudging with all that was done to it
#[derive(Debug, Args)]
pub(super) struct Show {
    /// The rejudging
    #[arg(value_name = "REJUDGING")]
    id: RejudgingId,
    #[command(flatten)]
    server: ServerArguments,
    /// One JSON object with `rejudging` and `actions` instead of tables
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) async fn execute(self) -> anyhow::Result<ExitCode> {
        let api = self.server.api()?;
        let rejudgings = api.rejudgings(self.state, self.limit).await?.rejudgings;
        if self.json {
            output::print_json(rejudgings)?;
        } else {
            output::print(&table(&rejudgings))?;
        }
        Ok(ExitCode::from(exit::OK))
    }
}

impl Show {
    pub(super) async fn execute(self) -> anyhow::Result<ExitCode> {
        let api = self.server.api()?;
        let rejudging = api.rejudging(self.id).await?;
        let actions = api.admin_actions(&self.id.to_string()).await?.actions;
        if self.json {
            output::print_json([json!({ "rejudging": rejudging, "actions": actions })])?;
        } else {
            output::print(&details(&rejudging, &actions))?;
        }
        Ok(ExitCode::from(exit::OK))
    }
}

fn table(rejudgings: &[Rejudging]) -> String {
    let mut table = columns::table([
        "rejudging",
        "made",
        "by",
        "state",
        "submissions",
        "judged",
        "applied",
        "reason",
    ]);
    for rejudging in rejudgings {
        let progress = &rejudging.progress;
        table.add_row([
            rejudging.id.to_string(),
            columns::moment(rejudging.created_at),
            rejudging.created_by_name.clone(),
            state(rejudging),
            progress.submissions.to_string(),
            format!("{}/{}", progress.done, progress.judgements),
            progress.applied.to_string(),
            rejudging.reason.clone(),
        ]);
    }
    columns::align_right(&mut table, [4, 5, 6]);
    table.trim_fmt()
}

fn details(rejudging: &Rejudging, actions: &[AdminAction]) -> String {
    let overrides = &rejudging.overrides;
    let mut how = vec![format!("package {}", overrides.package)];
    how.extend(overrides.sandbox.map(|mode| format!("sandbox {mode}")));
    how.extend(
        overrides
            .language
            .as_ref()
            .map(|language| format!("as {language}")),
    );
    let limits = overrides.limits;
    how.extend(limits.time_ms.map(|time| format!("time limit {time} ms")));
    let memory = limits.memory_bytes.map(bytesize::ByteSize);
    how.extend(memory.map(|memory| format!("memory limit {memory}")));
    if overrides.judge_all {
        how.push("all test cases".to_owned());
    }
    if overrides.from_scratch {
        how.push("from scratch".to_owned());
    }
    if let Some(worker) = &overrides.worker {
        how.push(format!("on {worker}"));
    }
    if overrides.repeat > 1 {
        how.push(format!("{} times each", overrides.repeat));
    }
    let mut lines = vec![
        format!("rejudging   {}", rejudging.id),
        format!("reason      {}", rejudging.reason),
        format!("state       {}", state(rejudging)),
        format!(
            "selected    {}",
            rejudging.filter.as_deref().unwrap_or("by ids")
        ),
        format!("judged by   {}", how.join(", ")),
        format!("progress    {}", progress(rejudging)),
        String::new(),
    ];
    let mut table = columns::table(["when", "who", "what", "details"]);
    for action in actions.iter().rev() {
        table.add_row([
            columns::moment(action.at),
            action.token_name.clone(),
            action.action.clone(),
            action.details.to_string(),
        ]);
    }
    lines.push(table.trim_fmt());
    lines.join("\n")
}

fn state(rejudging: &Rejudging) -> String {
    if rejudging.paused {
        format!("{}, paused", rejudging.state)
    } else {
        rejudging.state.to_string()
    }
}

/// How far it is, in a line.
pub(super) fn progress(rejudging: &Rejudging) -> String {
    let progress = &rejudging.progress;
    let mut parts = vec![format!(
        "{} of {} judged",
        progress.done, progress.judgements
    )];
    let counts = [
        (progress.running, "running"),
        (progress.waiting, "waiting"),
        (progress.failed, "failed"),
        (progress.applied, "applied"),
    ];
    for (count, what) in counts.into_iter().filter(|(count, _)| *count > 0) {
        parts.push(format!("{count} {what}"));
    }
    if rejudging.paused {
        parts.push("paused".to_owned());
    } else if let Some(seconds) = progress.finishes_in_seconds {
        let rest = humantime::format_duration(Duration::from_secs(seconds));
        parts.push(format!("about {rest} to go"));
    }
    parts.join(", ")
}
