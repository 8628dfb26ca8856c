//! The command line and the environment.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use assize_common::amqp::AmqpUrl;
use assize_common::api::{FeedbackPart, Scope, UnknownFeedbackPart};
use assize_common::id::TokenId;
use assize_common::language::LanguageTable;
use assize_common::secret::Secret;
use assize_common::telemetry::LogFormat;
use assize_scheduler::blob::BucketUrl;
use assize_scheduler::pressure::Limits;
use assize_scheduler::serve::Config;
use assize_scheduler::settings::{Escalation, Settings};
use assize_scheduler::store::{DatabaseUrl, FEWEST_CONNECTIONS, RetryPolicy};
use assize_scheduler::suspicion::SuspicionRules;
use bytesize::ByteSize;
use clap::{Args, Parser, Subcommand};

const DATABASE_URL: &str = "ASSIZE_DATABASE_URL";
const AMQP_URL: &str = "ASSIZE_AMQP_URL";

const SECRETS_HELP: &str = "\
Secrets come from the environment or from files, never from the command line:
  ASSIZE_DATABASE_URL, or ASSIZE_DATABASE_URL_FILE  Postgres, postgres://user:password@host:5432/database
  ASSIZE_AMQP_URL, or ASSIZE_AMQP_URL_FILE          RabbitMQ, amqp://user:password@host:5672/vhost, or amqps://

With --blob-store, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY as well.

Exit codes: 0 success, 1 failure, 2 usage, 75 Postgres or the bucket did not answer in time (try again later)";

/// Store submissions, have them judged, answer the API
#[derive(Debug, Parser)]
#[command(version, after_help = SECRETS_HELP, args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) serve: Serve,
    /// Form of log lines: human or json
    #[arg(
        long,
        env = "ASSIZE_LOG_FORMAT",
        default_value = "human",
        global = true
    )]
    pub(crate) log_format: LogFormat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the scheduler (what happens without a command, too)
    #[command(after_help = SECRETS_HELP)]
    Serve(Box<Serve>),
    /// Bring the database up to date and end
    #[command(after_help = SECRETS_HELP)]
    Migrate(Database),
    /// Manage the tokens of the API
    #[command(subcommand)]
    Token(Token),
}

/// How to reach the database.
#[derive(Debug, Args)]
pub(crate) struct Database {
    /// How long to wait for Postgres, in seconds
    #[arg(
        long = "wait",
        env = "ASSIZE_DATABASE_WAIT_SECONDS",
        default_value_t = 30
    )]
    wait_seconds: u64,
}

impl Database {
    pub(crate) fn url(&self) -> anyhow::Result<DatabaseUrl> {
        let secret = Secret::from_environment(DATABASE_URL, "ASSIZE_DATABASE_URL_FILE")?;
        secret.reveal().parse().context(DATABASE_URL)
    }

    pub(crate) const fn wait(&self) -> Duration {
        Duration::from_secs(self.wait_seconds)
    }
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    database: Database,
    /// Address to listen on; port 0 takes a free one
    #[arg(long, env = "ASSIZE_LISTEN", default_value = "127.0.0.1:8420")]
    listen: SocketAddr,
    /// File that gets the actual address once the API answers
    #[arg(long, value_name = "PATH")]
    address_file: Option<PathBuf>,
    /// Directory for packages and sources, shared by all schedulers of an installation
    #[arg(long, env = "ASSIZE_DATA_DIR", default_value = "data")]
    data_dir: PathBuf,
    /// Bucket for packages, sources, audits and outputs instead of that directory, s3://BUCKET or
    /// s3://BUCKET/PREFIX; the variables AWS_* say where it is, and as whom
    #[arg(long, env = "ASSIZE_BLOB_STORE", value_name = "URL")]
    blob_store: Option<BucketUrl>,
    /// Ids of the languages that may be submitted, comma separated; all without it
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
    /// Prefix of the names of exchanges and queues
    #[arg(long, env = "ASSIZE_AMQP_PREFIX", default_value = "assize")]
    amqp_prefix: String,
    /// PEM file of certificate authorities to trust in amqps:// connections, beside those of the host
    #[arg(long, env = "ASSIZE_AMQP_CA", value_name = "PATH")]
    amqp_ca: Option<PathBuf>,
    /// Connections to Postgres, at most
    #[arg(long, env = "ASSIZE_DATABASE_CONNECTIONS", default_value_t = 16)]
    #[arg(value_parser = clap::value_parser!(u32).range(i64::from(FEWEST_CONNECTIONS)..))]
    database_connections: u32,
    /// Size of an imported package's archive, at most
    #[arg(
        long,
        env = "ASSIZE_MAX_PACKAGE",
        default_value = "512MiB",
        value_name = "SIZE"
    )]
    max_package: ByteSize,
    /// What teams may see beside the verdict: compiler, score, groups, message, testcases; comma separated
    #[arg(
        long,
        env = "ASSIZE_TEAM_FEEDBACK",
        value_delimiter = ',',
        default_value = "compiler,score,groups,message",
        value_name = "PART"
    )]
    #[arg(value_parser = feedback_part)]
    team_feedback: Vec<Option<FeedbackPart>>,
    /// How long a judgement stays with a worker that is not heard of, in seconds
    #[arg(
        long,
        env = "ASSIZE_LEASE_SECONDS",
        default_value_t = 30.0,
        value_name = "SECONDS"
    )]
    #[arg(value_parser = seconds)]
    lease: f64,
    /// How long a published task may wait unexplained before it counts as lost, in seconds
    #[arg(
        long,
        env = "ASSIZE_LOST_TASK_SECONDS",
        default_value_t = 60.0,
        value_name = "SECONDS"
    )]
    #[arg(value_parser = seconds)]
    lost_task_age: f64,
    /// How many attempts may fail through no fault of the contestant
    #[arg(
        long,
        env = "ASSIZE_MAX_FAILURES",
        default_value_t = 3,
        value_name = "N"
    )]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100))]
    max_failures: u32,
    /// How long to wait after the first failed attempt, in seconds; longer after each further one
    #[arg(
        long,
        env = "ASSIZE_RETRY_DELAY_SECONDS",
        default_value_t = 3.0,
        value_name = "SECONDS"
    )]
    #[arg(value_parser = seconds)]
    retry_delay: f64,
    /// How many live submissions may wait before further ones are refused
    #[arg(
        long,
        env = "ASSIZE_MAX_WAITING",
        default_value_t = 50_000,
        value_name = "N"
    )]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    max_waiting: u32,
    /// How many of one team may wait before further ones of it are refused
    #[arg(
        long,
        env = "ASSIZE_MAX_WAITING_PER_TEAM",
        default_value_t = 200,
        value_name = "N"
    )]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    max_waiting_per_team: u32,
    /// How much of the data directory's disk is left free
    #[arg(
        long,
        env = "ASSIZE_DISK_RESERVE",
        default_value = "512MiB",
        value_name = "SIZE"
    )]
    disk_reserve: ByteSize,
    /// File with rules for suspicious sources instead of those built in
    #[arg(long, env = "ASSIZE_SUSPICION_RULES", value_name = "PATH")]
    suspicion_rules: Option<PathBuf>,
    /// Don't judge again under ptrace what was killed for a forbidden system call under unshare
    #[arg(long, env = "ASSIZE_NO_ESCALATION")]
    no_escalation: bool,
    /// Have the verdict of what is judged again under ptrace count instead of the first one
    #[arg(
        long,
        env = "ASSIZE_ESCALATION_COUNTS",
        conflicts_with = "no_escalation"
    )]
    escalation_counts: bool,
    /// How many may wait in the flagged lane before suspicious sources stay out of it
    #[arg(
        long,
        env = "ASSIZE_MAX_WAITING_FLAGGED",
        default_value_t = 500,
        value_name = "N"
    )]
    max_waiting_flagged: u32,
    /// How long audits of unflagged submissions are kept, in days; for good if 0
    #[arg(
        long,
        env = "ASSIZE_AUDIT_DAYS",
        default_value_t = 180,
        value_name = "DAYS"
    )]
    audit_days: u16,
    /// How long outputs are kept, which spare rejudgings the running of programs, in days; for
    /// good if 0
    #[arg(
        long,
        env = "ASSIZE_OUTPUT_DAYS",
        default_value_t = 30,
        value_name = "DAYS"
    )]
    output_days: u16,
    /// By how many percent a worker's canaries may take longer than at first; by any if 0
    #[arg(
        long,
        env = "ASSIZE_DRIFT_PERCENT",
        default_value_t = 30,
        value_name = "PERCENT"
    )]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=1000))]
    drift_percent: u32,
    /// How close to the time limit, in percent of it, a verdict is that another worker is to confirm; none if 0
    #[arg(
        long,
        env = "ASSIZE_CLOSE_CALL_PERCENT",
        default_value_t = 5,
        value_name = "PERCENT"
    )]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=50))]
    close_call_percent: u32,
    /// Take reports that show no ticket, while workers or schedulers of before 0.2 still run
    #[arg(long, env = "ASSIZE_TICKETLESS_REPORTS")]
    ticketless_reports: bool,
    /// Stop when standard input ends, as it does when the parent process dies
    #[arg(long)]
    pub(crate) supervised: bool,
}

impl Serve {
    pub(crate) fn config(self) -> anyhow::Result<Config> {
        let table = LanguageTable::load(self.language_table.as_deref())?;
        let ids: Vec<&str> = self
            .languages
            .iter()
            .map(|id| id.trim())
            .filter(|id| !id.is_empty())
            .collect();
        let languages = if ids.is_empty() {
            table
        } else {
            table
                .restricted_to(&ids)
                .context("cannot enable the languages of ASSIZE_LANGUAGES")?
        };
        let amqp = Secret::from_environment(AMQP_URL, "ASSIZE_AMQP_URL_FILE")?;
        let mut amqp: AmqpUrl = amqp.reveal().parse().context(AMQP_URL)?;
        if let Some(authorities) = &self.amqp_ca {
            amqp = amqp.trusting(authorities)?;
        }
        Ok(Config {
            database: self.database.url()?,
            database_connections: self.database_connections,
            database_wait: self.database.wait(),
            amqp,
            amqp_prefix: self.amqp_prefix,
            listen: self.listen,
            address_file: self.address_file,
            data_directory: self.data_dir,
            bucket: self.blob_store,
            languages,
            suspicion: SuspicionRules::load(self.suspicion_rules.as_deref())?,
            max_package: self.max_package,
            team_feedback: self.team_feedback.into_iter().flatten().collect(),
            settings: Settings {
                lease: Duration::from_secs_f64(self.lease),
                lost_task_age: Duration::from_secs_f64(self.lost_task_age),
                retry: RetryPolicy {
                    max_failures: self.max_failures,
                    first_delay: Duration::from_secs_f64(self.retry_delay),
                },
                limits: Limits {
                    waiting: self.max_waiting,
                    waiting_per_team: self.max_waiting_per_team,
                    waiting_flagged: self.max_waiting_flagged,
                    disk_reserve: self.disk_reserve,
                },
                drift_percent: (self.drift_percent > 0).then_some(self.drift_percent),
                close_call_percent: self.close_call_percent,
                escalation: match (self.no_escalation, self.escalation_counts) {
                    (true, _) => Escalation::Never,
                    (false, false) => Escalation::Beside,
                    (false, true) => Escalation::Instead,
                },
                audit_age: days(self.audit_days),
                output_age: days(self.output_days),
                ticketless_reports: self.ticketless_reports,
            },
        })
    }
}

/// For good if 0.
fn days(number: u16) -> Option<Duration> {
    (number > 0).then(|| Duration::from_secs(u64::from(number) * 24 * 60 * 60))
}

#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Make a token and print it: the only time that it shows
    #[command(after_help = SECRETS_HELP)]
    Create {
        /// What it is for
        #[arg(long)]
        name: String,
        /// What it allows: admin, read, submit or worker; may be given several times
        #[arg(long = "scope", required = true, value_delimiter = ',')]
        scopes: Vec<Scope>,
        #[command(flatten)]
        database: Database,
    },
    /// List all tokens, without their secrets
    #[command(after_help = SECRETS_HELP)]
    List {
        #[command(flatten)]
        database: Database,
    },
    /// Revoke a token
    #[command(after_help = SECRETS_HELP)]
    Revoke {
        /// The id that `token list` shows
        id: TokenId,
        #[command(flatten)]
        database: Database,
    },
}

/// A part of the feedback; nothing stands for none, so that teams see verdicts alone.
fn feedback_part(text: &str) -> Result<Option<FeedbackPart>, UnknownFeedbackPart> {
    match text.trim() {
        "" => Ok(None),
        name => name.parse().map(Some),
    }
}

/// A number of seconds that makes sense as a time to wait.
fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.01..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("expected a number of seconds from 0.01 to 86400".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn serving_is_what_happens_without_a_command() {
        for line in [
            &[
                "assize-scheduler",
                "--supervised",
                "--listen",
                "127.0.0.1:0",
            ][..],
            &[
                "assize-scheduler",
                "serve",
                "--supervised",
                "--listen",
                "127.0.0.1:0",
            ],
        ] {
            let arguments = Arguments::try_parse_from(line).unwrap();
            let serve = match arguments.command {
                None => arguments.serve,
                Some(Command::Serve(serve)) => *serve,
                Some(other) => panic!("{other:?}"),
            };
            assert!(serve.supervised && serve.listen.port() == 0);
        }
    }

    #[test]
    fn teams_see_what_is_named() {
        let parts = |list: &str| {
            let line = ["assize-scheduler", "--team-feedback", list];
            let arguments = Arguments::try_parse_from(line)?;
            let parts = arguments.serve.team_feedback.into_iter().flatten();
            Ok::<_, clap::Error>(parts.map(FeedbackPart::name).collect::<Vec<_>>())
        };
        assert_eq!(parts("score, message").unwrap(), ["score", "message"]);
        assert_eq!(parts("").unwrap(), [""; 0]);
        assert!(parts("score,everything").is_err());
    }

    #[test]
    fn senseless_times_are_refused() {
        for bad in ["0", "-1", "inf", "NaN", "x", "1e9"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
        assert_eq!(seconds("0.5"), Ok(0.5));
    }
}
