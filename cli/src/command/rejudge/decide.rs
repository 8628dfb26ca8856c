//! `assize rejudge apply`, `cancel`, `undo`, `pause` and `resume`.

use std::process::ExitCode;

use assize_common::api::{ApplyRejudging, RejudgingOutcome, RejudgingState};
use assize_common::id::RejudgingId;
use clap::Args;

use super::show::progress;
use crate::client::ServerArguments;
use crate::{exit, output};

#[derive(Debug, Args)]
struct Decision {
    /// The rejudging
    #[arg(value_name = "REJUDGING")]
    id: RejudgingId,
    #[command(flatten)]
    server: ServerArguments,
    /// One JSON object instead of words
    #[arg(long)]
    json: bool,
}

/// Make its judgements count, all at once
///
/// Refused (exit code 1) while something is not judged or its judging failed. Repeating does nothing more.
#[derive(Debug, Args)]
pub(super) struct Apply {
    /// Only for what this filter means of it; the rest stays open (docs/rejudging.md)
    #[arg(long = "where", value_name = "FILTER")]
    filter: Option<String>,
    /// What is judged, although other submissions are not
    #[arg(long)]
    finished_only: bool,
    #[command(flatten)]
    decision: Decision,
}

/// Give up what is not applied; results stay as they are
#[derive(Debug, Args)]
pub(super) struct Cancel {
    #[command(flatten)]
    decision: Decision,
}

/// Make the judgements count again that it replaced, all at once
///
/// Refused (exit code 1) while other rejudgings build on its results. Repeating does nothing more.
#[derive(Debug, Args)]
pub(super) struct Undo {
    #[command(flatten)]
    decision: Decision,
}

/// Hold back what workers have not taken up
#[derive(Debug, Args)]
pub(super) struct Pause {
    #[command(flatten)]
    decision: Decision,
}

/// Let it go on
#[derive(Debug, Args)]
pub(super) struct Resume {
    #[command(flatten)]
    decision: Decision,
}

impl Apply {
    pub(super) async fn execute(self) -> anyhow::Result<ExitCode> {
        let apply = ApplyRejudging {
            filter: self.filter,
            finished_only: self.finished_only,
        };
        let api = self.decision.server.api()?;
        let outcome = api.apply_rejudging(self.decision.id, &apply).await?;
        self.decision.tell(&outcome, || exchanged(&outcome))
    }
}

impl Cancel {
    pub(super) async fn execute(self) -> anyhow::Result<ExitCode> {
        let api = self.decision.server.api()?;
        let outcome = api.cancel_rejudging(self.decision.id).await?;
        let applied = outcome.rejudging.progress.applied;
        self.decision.tell(&outcome, || match applied {
            0 => "cancelled: results stay as they are".to_owned(),
            applied => {
                format!("the rest is given up; what was applied, {applied} submissions, stays")
            }
        })
    }
}

impl Undo {
    pub(super) async fn execute(self) -> anyhow::Result<ExitCode> {
        let api = self.decision.server.api()?;
        let outcome = api.undo_rejudging(self.decision.id).await?;
        self.decision.tell(&outcome, || exchanged(&outcome))
    }
}

impl Pause {
    pub(super) async fn execute(self) -> anyhow::Result<ExitCode> {
        self.decision.pause(true).await
    }
}

impl Resume {
    pub(super) async fn execute(self) -> anyhow::Result<ExitCode> {
        self.decision.pause(false).await
    }
}

/// What applying or undoing did.
fn exchanged(outcome: &RejudgingOutcome) -> String {
    let state = match outcome.rejudging.state {
        RejudgingState::Open => "applied in part, the rest stays open".to_owned(),
        state => state.to_string(),
    };
    format!(
        "{state}: {} submissions have another judgement, {} of them another result",
        outcome.switched, outcome.changed
    )
}

impl Decision {
    fn tell(
        &self,
        outcome: &RejudgingOutcome,
        in_words: impl FnOnce() -> String,
    ) -> anyhow::Result<ExitCode> {
        if self.json {
            output::print_json([outcome])?;
        } else {
            output::print(&in_words())?;
        }
        Ok(ExitCode::from(exit::OK))
    }

    async fn pause(self, pause: bool) -> anyhow::Result<ExitCode> {
        let api = self.server.api()?;
        api.pause_rejudging(self.id, pause).await?;
        let rejudging = api.rejudging(self.id).await?;
        if self.json {
            output::print_json([&rejudging])?;
        } else {
            let state = if pause { "paused" } else { "goes on" };
            output::print(&format!("{state}: {}", progress(&rejudging)))?;
        }
        Ok(ExitCode::from(exit::OK))
    }
}
