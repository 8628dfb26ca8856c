//! `assize replay`: a judgement once more, on this machine or on a worker.

use std::process::ExitCode;

use clap::Args;
use uuid::Uuid;

use crate::client::ServerArguments;
use crate::exit::{self, Failure};
use crate::language_table_option::LanguageTableOption;
use crate::replay::{Replay as Fetched, judge_on};
use crate::{blocking, host, output};

/// Judge a judgement's package and sources once more, here or on a worker, and compare run by run
///
/// Without --worker nothing is stored, with it a rejudging that is never applied and is cancelled at the end. The package, the sources, the sandbox and the limits are those of the judgement; what else it
/// depends on and is another way there is told.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Exit code: 0 the same verdicts and scores; 1 others, or no verdict to compare with; 2 an unknown \
                       language; 3 a judging error, an unfit host, or another worker has judged; 130 interrupted."
)]
pub struct Replay {
    /// The judgement, or a submission, whose judgement that counts is meant
    #[arg(value_name = "JUDGEMENT")]
    id: Uuid,
    /// On this machine, as without --worker
    #[arg(long, conflicts_with = "worker")]
    here: bool,
    /// On the worker of this name
    #[arg(long, value_name = "NAME")]
    worker: Option<String>,
    #[command(flatten)]
    language_table: LanguageTableOption,
    #[command(flatten)]
    server: ServerArguments,
    /// One JSON object instead of tables
    #[arg(long)]
    json: bool,
}

impl Replay {
    /// Judges and compares.
    ///
    /// # Errors
    /// A [`Failure`] with the exit code, or what kept the scheduler from answering.
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        let api = self.server.api()?;
        let judgement = match api.judgement_by_id(self.id.into()).await {
            Err(error) if error.is_not_found() => api.judgement(self.id.into()).await,
            result => result,
        };
        let judgement = match judgement {
            Err(error) if error.is_not_found() => {
                let message = format!("there is no judgement and no submission {}", self.id);
                return Err(Failure::new(exit::FAILURE, message).into());
            }
            result => result?,
        };
        let comparison = match &self.worker {
            Some(worker) => judge_on(&api, &judgement, worker).await?,
            None => {
                let table = self.language_table.load()?;
                host::require_fit()?;
                let fetched = Fetched::fetch(&api, judgement).await?;
                blocking::until_cancelled(move |cancel| fetched.judge(&table, cancel)).await?
            }
        };
        if self.json {
            output::print_json([&comparison])?;
        } else {
            output::print(&comparison.to_string())?;
        }
        Ok(ExitCode::from(if comparison.is_same() {
            exit::OK
        } else {
            exit::FAILURE
        }))
    }
}
