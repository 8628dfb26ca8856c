//! `assize completions`: completion scripts for shells.

use std::process::ExitCode;

use clap::Args;
use clap_complete::Shell;

use crate::{exit, output};

/// Print a completion script for a shell
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    /// Writes the script for the command line `cli`.
    ///
    /// # Errors
    /// When standard output is closed.
    pub fn execute(self, cli: &mut clap::Command) -> anyhow::Result<ExitCode> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, cli, "assize", &mut script);
        output::print(String::from_utf8(script)?.trim_end())?;
        Ok(ExitCode::from(exit::OK))
    }
}
