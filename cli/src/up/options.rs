//! What an installation consists of, as arguments.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::thread;

use assize_common::secret::Secret;
use clap::Args;

use super::account::{Account, DEFAULT_SERVICE_USER};
use super::data_dir;

/// What an installation consists of.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Workers to run
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=64))]
    pub workers: u16,
    /// Judgements that each worker runs at once [default: the cores, shared among the workers]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=128))]
    pub slots: Option<u16>,
    /// Where everything is kept [default: ./data, or /var/lib/assize when the service user can't reach that]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Address of the API; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:8420", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// A Postgres that exists, instead of a private one; best set in the environment, for its password
    #[arg(
        long,
        env = "ASSIZE_POSTGRES_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub postgres_url: Option<Secret>,
    /// A RabbitMQ that exists, instead of a private one; best set in the environment, for its password
    #[arg(
        long,
        env = "ASSIZE_AMQP_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub amqp_url: Option<Secret>,
    /// First part of the names of exchanges and queues in a RabbitMQ that exists
    #[arg(
        long,
        default_value = "assize",
        value_name = "NAME",
        requires = "amqp_url"
    )]
    pub amqp_prefix: String,
    /// User that runs Postgres, RabbitMQ and the scheduler when we are root
    #[arg(long, default_value = DEFAULT_SERVICE_USER, value_name = "USER")]
    pub service_user: String,
    /// Ids of the languages to enable, comma separated [default: all whose compilers are installed]
    #[arg(long, value_delimiter = ',', value_name = "ID")]
    pub languages: Vec<String>,
    /// Language table instead of the built-in one
    #[arg(long, value_name = "PATH")]
    pub language_table: Option<PathBuf>,
}

impl Options {
    /// What an empty command line means, with this data directory and a free port.
    #[must_use]
    pub fn at(data_dir: &Path) -> Self {
        Self {
            workers: 1,
            slots: None,
            data_dir: Some(data_dir.to_owned()),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            postgres_url: None,
            amqp_url: None,
            amqp_prefix: "assize".to_owned(),
            service_user: DEFAULT_SERVICE_USER.to_owned(),
            languages: Vec::new(),
            language_table: None,
        }
    }

    /// The data directory.
    ///
    /// # Errors
    /// When none is named, and the default can't be told: as root without the service user.
    pub fn data_directory(&self) -> anyhow::Result<PathBuf> {
        self.data_path(Account::for_services(&self.service_user)?.as_ref())
    }

    pub(super) fn data_path(&self, account: Option<&Account>) -> anyhow::Result<PathBuf> {
        match &self.data_dir {
            Some(path) => Ok(path.clone()),
            None => data_dir::default_path(account),
        }
    }

    /// How many judgements each worker runs at once.
    #[must_use]
    pub fn slots(&self) -> u16 {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let share = cores / usize::from(self.workers.max(1));
        let share = u16::try_from(share).unwrap_or(u16::MAX).max(1);
        self.slots.unwrap_or(share)
    }
}
