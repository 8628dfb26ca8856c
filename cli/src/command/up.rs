//! `assize up`: a whole installation until a signal comes.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Args;

use crate::exit;
use crate::interrupt;
use crate::up::{Announce, Installation, Options};

/// Run everything on this machine: Postgres, RabbitMQ, a scheduler and workers
///
/// Keeps its data between runs, starts again what dies, and stops at Ctrl-C.
#[derive(Debug, Args)]
pub struct Up {
    #[command(flatten)]
    options: Options,
}

impl Up {
    /// Runs until told to stop.
    ///
    /// # Errors
    /// When something can't be started, or did not stop by itself.
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        let interrupt = interrupt::listen()?;
        let announce = Announce::stderr();
        let installation = Installation::start(&self.options, &announce, &interrupt).await?;
        // A reader who went away is no reason to stop.
        drop(writeln!(
            std::io::stdout(),
            "{}\nCtrl-C stops it.",
            installation.summary()
        ));
        interrupt.cancelled().await;
        installation.stop().await?;
        announce.line("stopped; the data stays");
        Ok(ExitCode::from(exit::OK))
    }
}
