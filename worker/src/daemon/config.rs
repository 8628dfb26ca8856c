//! The worker's configuration, from arguments and environment.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use assize_common::Lane;
use assize_common::amqp::AmqpUrl;
use assize_common::api::Token;
use assize_common::language::LanguageTable;
use assize_common::message::{LONGEST_NAME, MOST_SLOTS};
use assize_common::secret::Secret;
use assize_common::telemetry::LogFormat;
use bytesize::ByteSize;
use clap::Parser;
use clap::builder::BoolishValueParser;
use reqwest::Url;

use super::error::DaemonError;
use crate::judge::RunSettings;

const AMQP_URL: &str = "ASSIZE_AMQP_URL";
const TOKEN: &str = "ASSIZE_WORKER_TOKEN";

const AFTER_HELP: &str = "\
Secrets come from the environment or from files, never from the command line:
  ASSIZE_AMQP_URL, or ASSIZE_AMQP_URL_FILE          RabbitMQ, amqp://user:password@host:5672/vhost, or amqps://
  ASSIZE_WORKER_TOKEN, or ASSIZE_WORKER_TOKEN_FILE  a token of the scheduler, of scope worker

SIGTERM, SIGINT: take no more tasks, finish what runs, end; a second one: hand back what runs, end
Exit codes: 0 success, 1 failure, 2 wrong configuration, 3 this host can't judge, 75 the scheduler did not answer in time (try again later)";

/// Take judging tasks from RabbitMQ, judge them, report
#[derive(Debug, Parser)]
#[command(name = "assize-worker", version, after_help = AFTER_HELP)]
pub struct Arguments {
    /// Prefix of the names of exchanges and queues
    #[arg(long, env = "ASSIZE_AMQP_PREFIX", default_value = "assize")]
    amqp_prefix: String,
    /// PEM file of certificate authorities to trust in amqps:// connections, beside those of the host
    #[arg(long, env = "ASSIZE_AMQP_CA", value_name = "PATH")]
    amqp_ca: Option<PathBuf>,
    /// Schedulers that serve packages and sources, comma separated: the next one is asked when one is away
    #[arg(
        long,
        env = "ASSIZE_SCHEDULER_URL",
        value_name = "URL",
        value_delimiter = ','
    )]
    #[arg(default_value = "http://127.0.0.1:8420")]
    scheduler_url: Vec<Url>,
    /// How long to wait for the scheduler at start, in seconds
    #[arg(
        long = "wait",
        env = "ASSIZE_SCHEDULER_WAIT_SECONDS",
        default_value_t = 30.0
    )]
    #[arg(value_name = "SECONDS", value_parser = seconds)]
    scheduler_wait: f64,
    /// Name for people instead of the host's name with the process id
    #[arg(long, env = "ASSIZE_NAME", value_parser = name)]
    name: Option<String>,
    /// Judgements to run at once; one for each core of --cores, or of the host, without it
    #[arg(long, env = "ASSIZE_SLOTS", value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST_SLOTS)))]
    slots: Option<u16>,
    /// Cores to bind the slots to, comma separated; unbound without it
    #[arg(long, env = "ASSIZE_CORES", value_delimiter = ',', value_name = "CORE")]
    cores: Vec<usize>,
    /// Test cases of one submission to run at once, on slots that wait for a task
    #[arg(
        long,
        env = "ASSIZE_TESTS_AT_ONCE",
        default_value_t = 1,
        value_name = "N"
    )]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST_SLOTS)))]
    tests_at_once: u16,
    /// Run submissions at the same addresses each time, which makes their times repeat better
    #[arg(long, env = "ASSIZE_FIXED_LAYOUT", value_parser = BoolishValueParser::new())]
    fixed_layout: bool,
    /// End submissions that use no CPU time for so many seconds; without it the wall limit ends them
    #[arg(
        long = "idle-limit",
        env = "ASSIZE_IDLE_LIMIT_SECONDS",
        value_name = "SECONDS"
    )]
    #[arg(value_parser = idle_limit)]
    idle_limit: Option<Duration>,
    /// Lanes to take tasks from, comma separated; all without it
    #[arg(long, env = "ASSIZE_LANES", value_delimiter = ',', value_name = "LANE")]
    lanes: Vec<Lane>,
    /// Ids of the languages to judge, comma separated; all of the table without it
    #[arg(
        long,
        env = "ASSIZE_LANGUAGES",
        value_delimiter = ',',
        value_name = "ID"
    )]
    languages: Vec<String>,
    /// Language table instead of the built-in one
    #[arg(long, env = "ASSIZE_LANGUAGE_TABLE", value_name = "PATH")]
    language_table: Option<PathBuf>,
    /// Directory for packages, sources and compiled programs; each worker needs its own
    #[arg(long, env = "ASSIZE_CACHE_DIR", value_name = "PATH")]
    #[arg(default_value = "/var/cache/assize")]
    cache_dir: PathBuf,
    /// How much is kept there beside what is in use
    #[arg(
        long,
        env = "ASSIZE_CACHE_SIZE",
        default_value = "8GiB",
        value_name = "SIZE"
    )]
    cache_size: ByteSize,
    /// How much of a judgement's outputs is kept with the scheduler, so that a mended answer or
    /// output validator makes no program run again: up to 64 MiB; nothing if 0
    #[arg(
        long,
        env = "ASSIZE_KEPT_OUTPUTS",
        default_value = "16MiB",
        value_name = "SIZE"
    )]
    kept_outputs: ByteSize,
    /// Address to serve Prometheus metrics at; nowhere without it
    #[arg(long, env = "ASSIZE_METRICS_LISTEN", value_name = "ADDRESS")]
    metrics_listen: Option<SocketAddr>,
    /// How often to tell the scheduler what is being judged, in seconds; a third of its lease
    #[arg(long, env = "ASSIZE_HEARTBEAT_SECONDS", default_value_t = 10.0)]
    #[arg(value_name = "SECONDS", value_parser = seconds)]
    heartbeat: f64,
    /// How often to run canaries on each slot that has nothing to do, in seconds; never if 0
    #[arg(
        long = "canaries",
        env = "ASSIZE_CANARY_SECONDS",
        default_value_t = 600.0
    )]
    #[arg(value_name = "SECONDS", value_parser = seconds_or_never)]
    canary_every: f64,
    /// How long a judgement may take before its task is acknowledged, in seconds; less than RabbitMQ's consumer_timeout
    #[arg(long, env = "ASSIZE_ACKNOWLEDGE_SECONDS", default_value_t = 600.0)]
    #[arg(value_name = "SECONDS", value_parser = seconds)]
    acknowledge_after: f64,
    /// How long to finish what runs after being told to stop, in seconds
    #[arg(long, env = "ASSIZE_DRAIN_TIMEOUT_SECONDS", default_value_t = 60.0)]
    #[arg(value_name = "SECONDS", value_parser = seconds)]
    drain_timeout: f64,
    /// Form of log lines: human or json
    #[arg(long, env = "ASSIZE_LOG_FORMAT", default_value = "human")]
    pub log_format: LogFormat,
    /// Stop when standard input ends, as it does when the parent process dies
    #[arg(long)]
    pub supervised: bool,
}

/// All that a worker needs to know.
#[derive(Debug)]
pub struct Config {
    pub(super) amqp: AmqpUrl,
    pub(super) amqp_prefix: String,
    pub(super) schedulers: Vec<Url>,
    pub(super) scheduler_wait: Duration,
    pub(super) token: Token,
    pub(super) name: String,
    pub(super) slots: u16,
    pub(super) cores: Vec<usize>,
    pub(super) tests_at_once: u16,
    pub(super) settings: RunSettings,
    /// The most urgent first.
    pub(super) lanes: Vec<Lane>,
    pub(super) languages: LanguageTable,
    pub(super) cache_directory: PathBuf,
    pub(super) cache_size: ByteSize,
    pub(super) metrics_listen: Option<SocketAddr>,
    pub(super) heartbeat: Duration,
    /// Never without it.
    pub(super) canary_every: Option<Duration>,
    pub(super) acknowledge_after: Duration,
    pub(super) drain_timeout: Duration,
}

impl Arguments {
    /// Checks the arguments and takes the secrets from the environment.
    ///
    /// # Errors
    /// [`DaemonError`] that names what to set.
    pub fn config(self) -> Result<Config, DaemonError> {
        let amqp = Secret::from_environment(AMQP_URL, "ASSIZE_AMQP_URL_FILE")?;
        let mut amqp: AmqpUrl = amqp.reveal().parse().map_err(DaemonError::AmqpUrl)?;
        if let Some(authorities) = &self.amqp_ca {
            amqp = amqp.trusting(authorities).map_err(DaemonError::AmqpUrl)?;
        }
        let token = Secret::from_environment(TOKEN, "ASSIZE_WORKER_TOKEN_FILE")?;
        let is_good =
            |url: &Url| url.scheme() == "http" && url.has_host() && url.username().is_empty();
        if let Some(bad) = self.scheduler_url.iter().find(|url| !is_good(url)) {
            return Err(DaemonError::SchedulerUrl {
                scheme: bad.scheme().to_owned(),
            });
        }
        let wanted = |lane: &Lane| self.lanes.is_empty() || self.lanes.contains(lane);
        let slots = match (self.slots, self.cores.len()) {
            (Some(slots), 0) => slots,
            (Some(slots), cores) if usize::from(slots) != cores => {
                return Err(DaemonError::Cores { slots, cores });
            }
            (_, 0) => as_slots(std::thread::available_parallelism().map_or(1, usize::from)),
            (_, cores) => as_slots(cores),
        };
        Ok(Config {
            amqp,
            amqp_prefix: self.amqp_prefix,
            schedulers: self.scheduler_url,
            scheduler_wait: Duration::from_secs_f64(self.scheduler_wait),
            token: token.reveal().parse().map_err(DaemonError::Token)?,
            name: self.name.unwrap_or_else(default_name),
            slots,
            cores: self.cores,
            tests_at_once: self.tests_at_once,
            settings: RunSettings {
                fixed_layout: self.fixed_layout,
                idle_limit: self.idle_limit,
                all_transcripts: false,
                kept_outputs: self.kept_outputs,
            },
            lanes: Lane::ALL.into_iter().filter(wanted).collect(),
            languages: languages(self.language_table, &self.languages)?,
            cache_directory: self.cache_dir,
            cache_size: self.cache_size,
            metrics_listen: self.metrics_listen,
            heartbeat: Duration::from_secs_f64(self.heartbeat),
            canary_every: (self.canary_every > 0.0)
                .then(|| Duration::from_secs_f64(self.canary_every)),
            acknowledge_after: Duration::from_secs_f64(self.acknowledge_after),
            drain_timeout: Duration::from_secs_f64(self.drain_timeout),
        })
    }
}

fn languages(table: Option<PathBuf>, ids: &[String]) -> Result<LanguageTable, DaemonError> {
    let table = LanguageTable::load(table.as_deref()).map_err(DaemonError::Languages)?;
    let ids: Vec<&str> = ids
        .iter()
        .map(|id| id.trim())
        .filter(|id| !id.is_empty())
        .collect();
    if ids.is_empty() {
        return Ok(table);
    }
    table.restricted_to(&ids).map_err(DaemonError::Languages)
}

fn as_slots(cores: usize) -> u16 {
    u16::try_from(cores)
        .unwrap_or(MOST_SLOTS)
        .clamp(1, MOST_SLOTS)
}

/// The host's name, as far as it can be found without asking the system, and our process id.
fn default_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{}-{}", host.trim(), std::process::id())
}

/// A name that schedulers take.
fn name(text: &str) -> Result<String, String> {
    if text.trim().is_empty() || text.len() > LONGEST_NAME {
        return Err(format!("expected a name of 1 to {LONGEST_NAME} bytes"));
    }
    Ok(text.to_owned())
}

/// A number of seconds that makes sense as a time to wait.
fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.01..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("expected a number of seconds from 0.01 to 86400".to_owned()),
    }
}

/// The same, or 0.
fn seconds_or_never(text: &str) -> Result<f64, String> {
    if text == "0" {
        return Ok(0.0);
    }
    seconds(text)
}

/// A limit that a loaded host or a slow runtime does not run into.
fn idle_limit(text: &str) -> Result<Duration, String> {
    match seconds(text) {
        Ok(seconds) if seconds >= 0.5 => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("expected a number of seconds from 0.5 to 86400".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn senseless_values_are_refused() {
        for line in [
            ["assize-worker", "--slots", "0"],
            ["assize-worker", "--slots", "129"],
            ["assize-worker", "--name", ""],
            ["assize-worker", "--name", &"x".repeat(201)],
            ["assize-worker", "--heartbeat", "0"],
            ["assize-worker", "--lanes", "fast"],
            ["assize-worker", "--idle-limit", "0.1"],
            ["assize-worker", "--scheduler-url", "nonsense"],
        ] {
            assert!(Arguments::try_parse_from(line).is_err(), "{line:?}");
        }
    }
}
