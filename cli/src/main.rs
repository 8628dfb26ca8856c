//! `assize`: what a person types.
#![forbid(unsafe_code)]

use std::io::Write as _;
use std::process::ExitCode;

use assize::exit;
use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;

/// Judge programs written by strangers: fairly, fast and safely
#[derive(Debug, Parser)]
#[command(name = "assize", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

impl Command {
    async fn execute(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Completions { shell } => {
                let mut script = Vec::new();
                clap_complete::generate(shell, &mut Cli::command(), "assize", &mut script);
                std::io::stdout().write_all(&script)?;
                Ok(ExitCode::from(exit::OK))
            }
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().command.execute().await {
        Ok(code) => code,
        Err(error) => {
            // Nothing is left to do if even this can't be written.
            drop(writeln!(std::io::stderr(), "assize: {error:#}"));
            exit::code_of(&error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
