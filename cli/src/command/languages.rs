//! `assize languages`: what may be submitted.

use std::process::ExitCode;

use clap::Args;

use crate::client::ServerArguments;
use crate::{columns, exit, output};

/// List the languages that may be submitted
#[derive(Debug, Args)]
pub struct Languages {
    #[command(flatten)]
    server: ServerArguments,
    /// One JSON object a line for each language instead of a table
    #[arg(long)]
    json: bool,
}

impl Languages {
    /// Lists them.
    ///
    /// # Errors
    /// When the scheduler does not answer or refuses.
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        let languages = self.server.api()?.languages().await?.languages;
        if self.json {
            output::print_json(languages)?;
            return Ok(ExitCode::from(exit::OK));
        }
        let mut table = columns::table(["language", "name", "file names"]);
        for language in languages {
            let endings: Vec<_> = language
                .extensions
                .iter()
                .map(|e| format!("*.{e}"))
                .collect();
            table.add_row([language.id, language.name, endings.join(" ")]);
        }
        output::print(&table.trim_fmt())?;
        Ok(ExitCode::from(exit::OK))
    }
}
