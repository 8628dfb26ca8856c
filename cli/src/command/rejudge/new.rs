//! `assize rejudge new`.

use std::io::{IsTerminal as _, Write as _, stderr, stdin};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use assize_common::SandboxMode;
use assize_common::api::{NewRejudging, Overrides, PackageChoice, RejudgingPreview};
use assize_common::message::LimitOverrides;
use bytesize::ByteSize;
use clap::Args;
use serde_json::json;

use super::super::repeat_key::RepeatKey;
use super::selection::Which;
use crate::client::ServerArguments;
use crate::exit::Failure;
use crate::{columns, exit, output};

/// Show what a selection comes to, then judge it again beside the judgements that count
///
/// Exit code: 0 when it is under way (or, with --preview, selected), 1 when you decline or the scheduler refuses, 2 when
/// the filter is wrong.
#[derive(Debug, Args)]
pub(super) struct New {
    #[command(flatten)]
    which: Which,
    /// Why, for other admins
    #[arg(long, value_name = "TEXT", required_unless_present = "preview")]
    reason: Option<String>,
    /// Version of the package to judge by: current, as-judged or a number
    #[arg(long, default_value_t = PackageChoice::Current, value_name = "VERSION")]
    package: PackageChoice,
    /// Judge in this sandbox instead of the one before: unshare or ptrace
    #[arg(long, value_name = "MODE")]
    sandbox: Option<SandboxMode>,
    /// Judge each submission so many times, to find verdicts that change from run to run
    #[arg(long, default_value_t = 1, value_name = "N")]
    repeat: u32,
    /// Judge by this time limit instead of the package's, such as 1500ms
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    time_limit: Option<Duration>,
    /// Judge by this memory limit instead of the package's, such as 512MiB
    #[arg(long, value_name = "SIZE")]
    memory_limit: Option<ByteSize>,
    /// Judge as submissions in this language, such as cpp23
    #[arg(long, value_name = "ID")]
    as_language: Option<String>,
    /// Judge all test cases, not only until the result is known
    #[arg(long)]
    judge_all: bool,
    /// Run everything again; without it, runs that nothing has changed for are taken over
    #[arg(long)]
    from_scratch: bool,
    /// Judge on the worker of this name, as long as it is there
    #[arg(long, value_name = "NAME")]
    on_worker: Option<String>,
    /// Leave out what other open rejudgings have
    #[arg(long)]
    skip_taken: bool,
    /// Only show what would be judged again
    #[arg(long, conflicts_with = "yes")]
    preview: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// A name of your choice for this request, which makes repeating it safe
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    server: ServerArguments,
    /// One JSON object, the rejudging or the preview, instead of tables
    #[arg(long)]
    json: bool,
}

impl New {
    pub(super) async fn execute(self) -> anyhow::Result<ExitCode> {
        let selection = self.which.into_selection().ok_or_else(|| {
            let message =
                "say which submissions: by ids, by options such as --problem, by --where, or --all";
            Failure::new(exit::USAGE, message)
        })?;
        let api = self.server.api()?;
        if self.preview || !self.yes {
            let preview = api.preview_rejudging(&selection).await?;
            if self.preview {
                if self.json {
                    output::print_json([preview])?;
                } else {
                    output::print(&table(&preview))?;
                }
                return Ok(ExitCode::from(exit::OK));
            }
            output::note(&table(&preview));
            if !confirmed(&preview)? {
                return Ok(ExitCode::from(exit::FAILURE));
            }
        }
        let new = NewRejudging {
            reason: self.reason.unwrap_or_default(),
            selection,
            overrides: Overrides {
                package: self.package,
                sandbox: self.sandbox,
                repeat: self.repeat,
                limits: LimitOverrides {
                    time_ms: self.time_limit.map(milliseconds),
                    memory_bytes: self.memory_limit.map(|size| size.as_u64()),
                },
                language: self.as_language,
                judge_all: self.judge_all,
                from_scratch: self.from_scratch,
                worker: self.on_worker,
            },
            skip_taken: self.skip_taken,
        };
        let key = RepeatKey::new(self.idempotency_key);
        let created = api.create_rejudging(&new, Some(key.as_str())).await;
        let rejudging = created.map_err(|error| key.explain(error))?;
        if self.json {
            output::print_json([json!(rejudging)])?;
        } else {
            output::print(&rejudging.id.to_string())?;
            output::note(&format!(
                "{} submissions are judged again; follow it with: assize rejudge watch {}",
                rejudging.progress.submissions, rejudging.id
            ));
        }
        Ok(ExitCode::from(exit::OK))
    }
}

/// As the API takes it. A limit below a millisecond is none, which the scheduler refuses.
fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Asks whoever sits at the terminal.
fn confirmed(preview: &RejudgingPreview) -> anyhow::Result<bool> {
    if preview.submissions == 0 {
        return Ok(false);
    }
    if !stdin().is_terminal() || !stderr().is_terminal() {
        let message = "nobody is there to be asked: say --yes, or --preview to look only";
        return Err(Failure::new(exit::USAGE, message).into());
    }
    write!(stderr(), "Judge them again? [y/N] ").context("cannot ask")?;
    let mut answer = String::new();
    stdin()
        .read_line(&mut answer)
        .context("cannot hear an answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn table(preview: &RejudgingPreview) -> String {
    let mut lines = vec![format!("{} submissions are selected", preview.submissions)];
    if !preview.groups.is_empty() {
        let mut table = columns::table(["submissions", "problem", "package", "language", "result"]);
        for group in &preview.groups {
            table.add_row([
                group.submissions.to_string(),
                group.problem.clone(),
                group.package_version.to_string(),
                group.language.clone(),
                group.result.clone(),
            ]);
        }
        columns::align_right(&mut table, [0, 2]);
        lines.push(table.trim_fmt());
    }
    for taken in &preview.taken {
        lines.push(format!(
            "{} of them are in the open rejudging {} ({})",
            taken.submissions, taken.rejudging_id, taken.reason
        ));
    }
    lines.join("\n")
}
