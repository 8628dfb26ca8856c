//! The worker daemon.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use assize_common::daemon::{complain, when_input_ends};
use assize_common::telemetry;
use assize_worker::daemon::{self, Arguments, DaemonError, Stop};
use assize_worker::sandbox::become_root_of_namespace;
use clap::Parser as _;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Before there are threads.
    let able = become_root_of_namespace().map_err(DaemonError::Rights);
    match able.map_err(Into::into).and_then(|()| run(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(error.as_ref());
            error
                .downcast_ref::<DaemonError>()
                .map_or(ExitCode::FAILURE, |error| ExitCode::from(error.exit_code()))
        }
    }
}

#[tokio::main]
async fn run(arguments: Arguments) -> anyhow::Result<()> {
    telemetry::start_logging(arguments.log_format)?;
    let stop = Stop::default();
    if arguments.supervised {
        let stop = stop.clone();
        when_input_ends(move || stop.drain());
    }
    stop_at_signals(stop.clone())?;
    Ok(daemon::run(arguments.config()?, stop).await?)
}

/// The first signal drains, the second hands back at once.
fn stop_at_signals(stop: Stop) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("told to stop");
            stop.escalate();
        }
    });
    Ok(())
}
