//! `assize replay`: a judgement once more, on this machine.

use std::process::ExitCode;

use clap::Args;
use uuid::Uuid;

use crate::client::ServerArguments;
use crate::exit::{self, Failure};
use crate::language_table_option::LanguageTableOption;
use crate::replay::Replay as Fetched;
use crate::{blocking, host, output};

/// Judge a judgement's package and sources once more on this machine, and compare run by run
///
/// Nothing is stored. The package, the sources, the sandbox and the limits are those of the judgement; what else it
/// depends on and is another way here is told.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Exit code: 0 the same verdicts and scores; 1 others, or no verdict to compare with; 2 an unknown \
                       language; 3 a judging error or an unfit host; 130 interrupted."
)]
pub struct Replay {
    /// The judgement, or a submission, whose judgement that counts is meant
    #[arg(value_name = "JUDGEMENT")]
    id: Uuid,
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
        let table = self.language_table.load()?;
        host::require_fit()?;
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
        let fetched = Fetched::fetch(&api, judgement).await?;
        let comparison =
            blocking::until_cancelled(move |cancel| fetched.judge(&table, cancel)).await?;
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
