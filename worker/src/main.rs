//! The worker daemon.
#![forbid(unsafe_code)]

use std::io::{Read as _, Write as _};
use std::process::ExitCode;

use assize_common::telemetry;
use assize_worker::daemon::{self, Arguments, DaemonError, Stop};
use clap::Parser as _;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The log may not be set up yet, and this is for whoever started us.
            // Nothing is left to be done if even that fails.
            drop(writeln!(
                std::io::stderr(),
                "error: {}",
                telemetry::error_chain(error.as_ref())
            ));
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
        stop_at_end_of_input(stop.clone());
    }
    stop_at_signals(stop.clone())?;
    Ok(daemon::run(arguments.config()?, stop).await?)
}

/// Stops when standard input ends, which it does when the parent dies, however it dies.
fn stop_at_end_of_input(stop: Stop) {
    // A thread that nobody waits for: a read can't be interrupted.
    std::thread::spawn(move || {
        let mut buffer = [0; 256];
        while std::io::stdin()
            .read(&mut buffer)
            .is_ok_and(|read| read > 0)
        {}
        tracing::info!("standard input has ended: stopping");
        stop.drain();
    });
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
