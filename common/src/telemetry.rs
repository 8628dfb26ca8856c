//! Logs and metrics, the same in every daemon.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::TryInitError;

/// The environment variable that filters logs, in the syntax of `RUST_LOG`.
pub const LOG_FILTER_VARIABLE: &str = "ASSIZE_LOG";

/// The AMQP client's own lines are left out: the AMQP seam says the same with
/// more context, and knows which ends of connections are meant.
const DEFAULT_LOG_FILTER: &str = "info,lapin=off";

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line, for machines.
    Json,
}

/// A text that names no log format.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text:?} is not a log format: expected human or json")]
pub struct UnknownLogFormat {
    text: String,
}

impl std::str::FromStr for LogFormat {
    type Err = UnknownLogFormat;

    fn from_str(text: &str) -> Result<Self, UnknownLogFormat> {
        match text {
            "human" => Ok(Self::Human),
            "json" => Ok(Self::Json),
            _ => Err(UnknownLogFormat {
                text: text.chars().take(32).collect(),
            }),
        }
    }
}

/// Why logs or metrics can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter does not parse.
    #[error(
        "the environment variable {LOG_FILTER_VARIABLE} is not a log filter such as info,assize_worker=debug"
    )]
    Filter(#[source] tracing_subscriber::filter::FromEnvError),
    /// Logging was set up before.
    #[error("logging is set up already")]
    Logs(#[source] TryInitError),
    /// The metrics can't be recorded or served.
    #[error("cannot set up metrics")]
    Metrics(#[source] BuildError),
}

/// Starts logging to standard error.
///
/// # Errors
/// When the filter in the environment does not parse, or at a second call.
pub fn start_logging(format: LogFormat) -> Result<(), TelemetryError> {
    use tracing_subscriber::util::SubscriberInitExt as _;

    let filter = if std::env::var_os(LOG_FILTER_VARIABLE).is_some() {
        EnvFilter::builder()
            .with_env_var(LOG_FILTER_VARIABLE)
            .with_default_directive(tracing::level_filters::LevelFilter::INFO.into())
            .from_env()
            .map_err(TelemetryError::Filter)?
    } else {
        EnvFilter::new(DEFAULT_LOG_FILTER)
    };
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // Colours are for terminals: in a file they only hide the text.
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Human => logs.finish().try_init(),
        LogFormat::Json => logs.json().flatten_event(true).finish().try_init(),
    }
    .map_err(TelemetryError::Logs)
}

/// How often single values are summed up.
const UPKEEP: Duration = Duration::from_secs(5);

/// Records metrics, to be rendered by a server of the caller's. Needs a tokio runtime.
///
/// # Errors
/// At a second call.
pub fn record_metrics() -> Result<PrometheusHandle, TelemetryError> {
    let recorder = PrometheusBuilder::new()
        .install_recorder()
        .map_err(TelemetryError::Metrics)?;
    let handle = recorder.clone();
    // Or every request would be remembered for itself until somebody asks.
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            handle.run_upkeep();
        }
    });
    Ok(recorder)
}

/// Records metrics and serves them over HTTP at `address`. Needs a tokio runtime.
///
/// # Errors
/// At a second call, or when the address can't be bound.
pub fn serve_metrics(address: SocketAddr) -> Result<(), TelemetryError> {
    PrometheusBuilder::new()
        .with_http_listener(address)
        .install()
        .map_err(TelemetryError::Metrics)
}

/// An error with the chain of its causes, for one log line. Some libraries print
/// the cause as part of an error: it is not said twice.
#[must_use]
pub fn error_chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |chain, cause| {
        let cause = cause.to_string();
        if chain.ends_with(&cause) {
            chain
        } else {
            chain + ": " + &cause
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read")]
    struct Reading(#[source] std::io::Error);

    #[derive(Debug, thiserror::Error)]
    #[error("broken: {0}")]
    struct Talkative(#[source] Reading);

    #[test]
    fn every_cause_is_said_once() {
        let error = Talkative(Reading(std::io::Error::other("no disk")));
        assert_eq!(error_chain(&error), "broken: cannot read: no disk");
    }
}
