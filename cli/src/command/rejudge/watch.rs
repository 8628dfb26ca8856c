//! `assize rejudge watch`.

use std::process::ExitCode;
use std::time::Duration;

use assize_common::api::RejudgingState;
use assize_common::id::RejudgingId;
use clap::Args;

use super::show::progress;
use crate::client::ServerArguments;
use crate::follow::{Display, Silence};
use crate::{exit, output};

/// How often to look.
const PAUSE: Duration = Duration::from_secs(1);

/// Follow a rejudging until nothing of it is left to be judged
///
/// Exit code: 0 when all is judged, 1 when it was cancelled or undone, 3 when some judging failed.
#[derive(Debug, Args)]
pub(super) struct Watch {
    /// The rejudging
    #[arg(value_name = "REJUDGING")]
    id: RejudgingId,
    #[command(flatten)]
    server: ServerArguments,
    /// The rejudging as one JSON object at the end, and no progress
    #[arg(long)]
    json: bool,
}

impl Watch {
    pub(super) async fn execute(self) -> anyhow::Result<ExitCode> {
        let api = self.server.api()?;
        let display = if self.json {
            Display::Hidden
        } else {
            Display::of_stderr()
        };
        let mut silence = Silence::default();
        let mut shown = String::new();
        let rejudging = loop {
            let answer = api.rejudging(self.id).await;
            if let Some(rejudging) = silence.heard(answer, &display)? {
                let now = progress(&rejudging);
                if now != shown {
                    display.line(&now);
                    shown = now;
                }
                if rejudging.state != RejudgingState::Open || rejudging.progress.is_judged() {
                    break rejudging;
                }
            }
            tokio::time::sleep(PAUSE).await;
        };
        if self.json {
            output::print_json([&rejudging])?;
        } else if rejudging.state == RejudgingState::Open {
            output::note(&format!(
                "see what would change with: assize rejudge review {}",
                self.id
            ));
        }
        Ok(ExitCode::from(match rejudging.state {
            RejudgingState::Cancelled | RejudgingState::Undone => exit::FAILURE,
            _ if rejudging.progress.failed > 0 => exit::JUDGING_ERROR,
            _ => exit::OK,
        }))
    }
}
