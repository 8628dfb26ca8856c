//! The scheduler daemon.
#![forbid(unsafe_code)]

mod arguments;
mod token;

use std::process::ExitCode;
use std::sync::Arc;

use assize_common::daemon::{complain, when_input_ends};
use assize_common::telemetry;
use assize_scheduler::serve::{self, ServeError};
use clap::Parser as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use arguments::{Arguments, Command};

/// The exit code when the same may succeed later, as when Postgres does not
/// answer yet. 1 is any other failure, 2 a usage error.
const EXIT_TEMPORARY: u8 = 75;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let temporary = error
                .downcast_ref::<ServeError>()
                .is_some_and(ServeError::is_temporary);
            complain(error.as_ref());
            if temporary {
                ExitCode::from(EXIT_TEMPORARY)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

#[tokio::main]
async fn run(arguments: Arguments) -> anyhow::Result<()> {
    telemetry::start_logging(arguments.log_format)?;
    match arguments.command {
        None => serve(arguments.serve).await,
        Some(Command::Serve(arguments)) => serve(*arguments).await,
        Some(Command::Migrate(database)) => {
            serve::migrate(&database.url()?, database.wait()).await?;
            tracing::info!("the database is up to date");
            Ok(())
        }
        Some(Command::Token(command)) => token::run(command).await,
    }
}

async fn serve(arguments: arguments::Serve) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    if arguments.supervised {
        let stop = stop.clone();
        when_input_ends(move || stop.cancel());
    }
    stop_at_signal(stop.clone())?;
    let config = arguments.config()?;
    let recorder = telemetry::record_metrics()?;
    let metrics = Arc::new(move || {
        recorder.run_upkeep();
        recorder.render()
    });
    Ok(serve::serve(config, metrics, stop).await?)
}

fn stop_at_signal(stop: CancellationToken) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("told to stop");
        stop.cancel();
    });
    Ok(())
}
