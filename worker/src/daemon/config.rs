//! The worker's configuration, from arguments and environment.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use assize_common::Lane;
use assize_common::secret::Secret;
use assize_common::telemetry::LogFormat;
use bytesize::ByteSize;
use clap::Parser;

/// Take judging tasks from RabbitMQ, judge them and report
#[derive(Debug, Parser)]
#[command(name = "assize-worker", version)]
pub struct Config {
    /// RabbitMQ, such as amqp://user:password@host:5672/vhost
    #[arg(long, env = "ASSIZE_AMQP_URL", hide_env_values = true)]
    pub(super) amqp_url: Option<Secret>,
    /// A file that holds the URL of RabbitMQ
    #[arg(long, env = "ASSIZE_AMQP_URL_FILE")]
    pub(super) amqp_url_file: Option<PathBuf>,
    /// The first part of the names of exchanges and queues
    #[arg(long, env = "ASSIZE_AMQP_PREFIX", default_value = "assize")]
    pub(super) amqp_prefix: String,
    /// The scheduler, which serves packages and sources
    #[arg(long, env = "ASSIZE_SCHEDULER_URL", default_value = "http://127.0.0.1:8420")]
    pub(super) scheduler_url: reqwest::Url,
    /// A token of scope worker
    #[arg(long, env = "ASSIZE_WORKER_TOKEN", hide_env_values = true)]
    pub(super) worker_token: Option<Secret>,
    /// A file that holds the token
    #[arg(long, env = "ASSIZE_WORKER_TOKEN_FILE")]
    pub(super) worker_token_file: Option<PathBuf>,
    /// A name for people; the host's name and the process id by default
    #[arg(long, env = "ASSIZE_NAME")]
    pub(super) name: Option<String>,
    /// Judgements to run at once; one for each core by default
    #[arg(long, env = "ASSIZE_SLOTS", value_parser = clap::value_parser!(u16).range(1..=512))]
    pub(super) slots: Option<u16>,
    /// The number of the first slot on this host; workers side by side must not share numbers
    #[arg(long, env = "ASSIZE_FIRST_SLOT", default_value_t = 0)]
    pub(super) first_slot: u16,
    /// Lanes to consume, comma separated; all by default
    #[arg(long, env = "ASSIZE_LANES", value_delimiter = ',')]
    pub(super) lanes: Vec<Lane>,
    /// Languages to judge, comma separated; all of the language table by default
    #[arg(long, env = "ASSIZE_LANGUAGES", value_delimiter = ',')]
    pub(super) languages: Vec<String>,
    /// A language table other than the built-in one
    #[arg(long, env = "ASSIZE_LANGUAGE_TABLE")]
    pub(super) language_table: Option<PathBuf>,
    /// Where packages, sources and programs are kept; each worker needs its own
    #[arg(long, env = "ASSIZE_CACHE_DIR", default_value = "/var/cache/assize")]
    pub(super) cache_dir: PathBuf,
    /// How much may be kept there
    #[arg(long, env = "ASSIZE_CACHE_BYTES", default_value = "8GiB")]
    pub(super) cache_bytes: ByteSize,
    /// Serve Prometheus metrics at this address
    #[arg(long, env = "ASSIZE_METRICS_LISTEN")]
    pub(super) metrics_listen: Option<SocketAddr>,
    /// How often to tell the scheduler what is being judged; a third of its lease
    #[arg(long, env = "ASSIZE_HEARTBEAT", default_value = "10s", value_parser = humantime::parse_duration)]
    pub(super) heartbeat: Duration,
    /// How long judgements may go on after the signal to stop before they are handed back
    #[arg(long, env = "ASSIZE_DRAIN_TIMEOUT", default_value = "60s", value_parser = humantime::parse_duration)]
    pub(super) drain_timeout: Duration,
    /// The form of log lines: human or json
    #[arg(long, env = "ASSIZE_LOG_FORMAT", default_value = "human")]
    pub(super) log_format: LogFormat,
    /// Stop when standard input ends, as it does when the parent process dies
    #[arg(long)]
    pub(super) supervised: bool,
}

impl Config {
    /// The lanes to consume, the most urgent first.
    pub(super) fn lanes(&self) -> Vec<Lane> {
        let wanted = |lane: &Lane| self.lanes.is_empty() || self.lanes.contains(lane);
        Lane::ALL.into_iter().filter(wanted).collect()
    }

    /// How many judgements run at once.
    pub(super) fn slots(&self) -> u16 {
        let cores = || std::thread::available_parallelism().map_or(1, |cores| cores.get());
        self.slots.unwrap_or_else(|| u16::try_from(cores()).unwrap_or(u16::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        use clap::CommandFactory as _;
        Config::command().debug_assert();
    }

    #[test]
    fn lanes_keep_their_urgency() {
        let config = Config::parse_from(["assize-worker", "--lanes", "rejudge,live"]);
        assert_eq!(config.lanes(), [Lane::Live, Lane::Rejudge]);
        let config = Config::parse_from(["assize-worker"]);
        assert_eq!(config.lanes(), Lane::ALL);
    }
}
