//! Why a worker can't run, and the exit code that says so to scripts.

use std::path::PathBuf;
use std::time::Duration;

use assize_common::amqp::AmqpError;
use assize_common::api::InvalidToken;
use assize_common::language::LanguageTableError;
use assize_common::secret::SecretError;
use assize_common::telemetry::TelemetryError;
use assize_sandbox::{JailError, PinError};

use super::fetch::FetchError;
use crate::disk_cache::OpenError;
use crate::judging_error::JudgingError;

/// Wrong configuration: somebody has to change it.
const CONFIGURATION: u8 = 2;
/// This host can't judge.
const UNFIT: u8 = 3;
/// The same may succeed later.
const TEMPORARY: u8 = 75;
const FAILURE: u8 = 1;

/// Why a worker can't run.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// A secret is missing.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The broker's URL is none.
    #[error("ASSIZE_AMQP_URL or ASSIZE_AMQP_CA is not valid")]
    AmqpUrl(#[source] AmqpError),
    /// The token is none.
    #[error(
        "ASSIZE_WORKER_TOKEN is not a token: `assize-scheduler token create --scope worker` makes one"
    )]
    Token(#[source] InvalidToken),
    /// The scheduler's URL is not one that we can use.
    #[error(
        "--scheduler-url must have the form http://host:port; {scheme} is not supported (nor are user names)"
    )]
    SchedulerUrl {
        /// What it begins with.
        scheme: String,
    },
    /// Two arguments disagree.
    #[error(
        "--slots is {slots}, but --cores names {cores} cores: give one for each slot, or leave one of them out"
    )]
    Cores {
        /// The stated number of slots.
        slots: u16,
        /// The number of cores.
        cores: usize,
    },
    /// Slots can't be bound to the cores.
    #[error(transparent)]
    Pin(#[from] PinError),
    /// The languages can't be had.
    #[error("cannot enable the languages")]
    Languages(#[source] LanguageTableError),
    /// The cache can't be used.
    #[error("cannot use the cache directory; choose another one with --cache-dir")]
    Cache(#[source] OpenError),
    /// The directory for temporary files can't be made.
    #[error("cannot make {} anew for temporary files", path.display())]
    Scratch {
        /// The directory.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The metrics' address can't be listened on.
    #[error("cannot serve metrics: is the address of --metrics-listen in use?")]
    Metrics(#[source] TelemetryError),
    /// The HTTP client can't be made.
    #[error("cannot set up the HTTP client")]
    HttpClient(#[source] reqwest::Error),
    /// The scheduler did not answer in time.
    #[error("cannot reach the scheduler at {url} after trying for {} s: is it running, and does --scheduler-url name it?", waited.as_secs())]
    SchedulerUnreachable {
        /// Where it should be.
        url: String,
        /// How long we tried.
        waited: Duration,
        /// The cause.
        #[source]
        source: FetchError,
    },
    /// What answers is no scheduler.
    #[error("{url} does not answer as a scheduler does: does --scheduler-url name one?")]
    NoScheduler {
        /// What was asked.
        url: String,
    },
    /// The scheduler refuses our token.
    #[error(
        "the scheduler refuses ASSIZE_WORKER_TOKEN: make one with `assize-scheduler token create --scope worker`"
    )]
    TokenRefused(#[source] FetchError),
    /// The broker refuses us.
    #[error(
        "RabbitMQ does not let us in: correct user, password or virtual host in ASSIZE_AMQP_URL"
    )]
    BrokerRefused(#[source] Box<AmqpError>),
    /// Our first report can't be written.
    #[error("cannot encode a report")]
    Encode(#[source] serde_json::Error),
    /// The host lacks what jails need.
    #[error("this host can't run jails: {problems}")]
    Unfit {
        /// What was found, with what to do about it.
        problems: String,
    },
    /// The host refuses the rights to start jails.
    #[error("this host can't run jails")]
    Rights(#[source] JailError),
    /// The self-test could not be done.
    #[error("this host can't judge")]
    SelfTest(#[source] JudgingError),
    /// Some languages do not work.
    #[error(
        "languages that do not work here: {problems}; mend them, or enable only others with --languages"
    )]
    BrokenLanguages {
        /// Each with its reason.
        problems: String,
    },
}

impl DaemonError {
    /// The exit code of a worker that ends with this error.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Unfit { .. }
            | Self::Rights(_)
            | Self::SelfTest(_)
            | Self::BrokenLanguages { .. } => UNFIT,
            Self::SchedulerUnreachable { .. } => TEMPORARY,
            Self::HttpClient(_) | Self::Encode(_) => FAILURE,
            Self::Secret(_)
            | Self::AmqpUrl(_)
            | Self::Token(_)
            | Self::SchedulerUrl { .. }
            | Self::Cores { .. }
            | Self::Pin(_)
            | Self::Languages(_)
            | Self::Cache(_)
            | Self::Scratch { .. }
            | Self::Metrics(_)
            | Self::NoScheduler { .. }
            | Self::TokenRefused(_)
            | Self::BrokerRefused(_) => CONFIGURATION,
        }
    }
}
