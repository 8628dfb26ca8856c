//! A private RabbitMQ: everything on the loopback interface and free ports, the
//! users of `deploy/rabbitmq-definitions.json`, its files below the data directory.
//!
//! An Erlang node needs a port mapper, epmd, and would start one itself that
//! outlives it. Ours is started first, on a port of its own, and supervised.

use std::ffi::OsString;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use assize_common::message::LARGEST_BYTES;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::account::Account;
use super::data_dir::DataDir;
use super::ports;
use super::process::{Lifeline, Program, find_program};
use super::stamp::Stamp;
use super::supervisor::Service;

const INSTALLED: &str = "/usr/lib/rabbitmq/lib";
/// Virtual host, users and what they may do, without passwords.
const DEFINITIONS: &str = include_str!("../../../deploy/rabbitmq-definitions.json");
const VIRTUAL_HOST: &str = "assize";
const SCHEDULER: &str = "assize-scheduler";
const WORKER: &str = "assize-worker";
/// No port mapper of its own, no distribution beyond this host, and no busy
/// waiting, which would take time from the contestants' programs on the same cores.
const ERLANG_ARGUMENTS: &str = "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1} \
                                +sbwt none +sbwtdcpu none +sbwtdio none";
/// The first bytes of every AMQP 0-9-1 connection.
const GREETING: &[u8] = b"AMQP\x00\x00\x09\x01";
/// The frame type of the broker's answer.
const METHOD_FRAME: u8 = 1;

/// A RabbitMQ below a data directory.
#[derive(Debug, Clone)]
pub(super) struct RabbitMq {
    server: PathBuf,
    settings: PathBuf,
    advanced: PathBuf,
    plugins: PathBuf,
    home: PathBuf,
    port: u16,
    distribution_port: u16,
    mapper_port: u16,
    scheduler_password: String,
    worker_password: String,
    account: Option<Account>,
    log: PathBuf,
    stamp: Stamp,
}

/// Where daemons find RabbitMQ, each as a user of its role.
#[derive(Debug, Clone)]
pub(super) struct AmqpUrls {
    pub(super) scheduler: String,
    pub(super) worker: String,
}

/// The port mapper of a [`RabbitMq`].
#[derive(Debug, Clone)]
pub(super) struct PortMapper {
    program: PathBuf,
    port: u16,
    account: Option<Account>,
    log: PathBuf,
    stamp: Stamp,
}

impl RabbitMq {
    /// Finds RabbitMQ and makes room for it below `data`. Starts nothing.
    ///
    /// # Errors
    /// When it is not installed, or no ports are free.
    pub(super) fn new(data: &DataDir) -> anyhow::Result<Self> {
        let server = find_server(Path::new(INSTALLED))?;
        let [port, distribution_port, mapper_port] = ports::free()?;
        let scheduler_password = data.random_secret("amqp-scheduler-password")?;
        let worker_password = data.random_secret("amqp-worker-password")?;
        let definitions =
            definitions([(SCHEDULER, &scheduler_password), (WORKER, &worker_password)])?;
        let definitions = data.configuration("rabbitmq-definitions.json", &definitions)?;
        let settings = format!(
            "load_definitions = {}\n\
             disk_free_limit.absolute = 50MB\n\
             vm_memory_high_watermark.absolute = 512MiB\n\
             max_message_size = {LARGEST_BYTES}\n",
            definitions.display()
        );
        Ok(Self {
            server,
            settings: data.configuration("rabbitmq.conf", &settings)?,
            advanced: data.configuration("rabbitmq-advanced.config", "[].\n")?,
            plugins: data.configuration("rabbitmq-plugins", "[].\n")?,
            home: data.service_directory("rabbitmq")?,
            port,
            distribution_port,
            mapper_port,
            scheduler_password,
            worker_password,
            account: data.account().cloned(),
            log: data.fresh_log("rabbitmq")?,
            stamp: Stamp::new(data.path(), "rabbitmq", "TERM"),
        })
    }

    /// Its port mapper, to be started before it and stopped after it.
    ///
    /// # Errors
    /// When Erlang is not installed.
    pub(super) fn port_mapper(&self, data: &DataDir) -> anyhow::Result<PortMapper> {
        let program = find_program("epmd", &[Path::new("/usr/bin")]);
        Ok(PortMapper {
            program: program.context("epmd is not installed: install the Debian package erlang-base, which rabbitmq-server needs")?,
            port: self.mapper_port,
            account: self.account.clone(),
            log: data.fresh_log("epmd")?,
            stamp: Stamp::new(data.path(), "epmd", "TERM"),
        })
    }

    /// The URLs to connect to, with their passwords.
    #[must_use]
    pub(super) fn urls(&self) -> AmqpUrls {
        let url = |user, password: &str| {
            let port = self.port;
            format!("amqp://{user}:{password}@127.0.0.1:{port}/{VIRTUAL_HOST}")
        };
        AmqpUrls {
            scheduler: url(SCHEDULER, &self.scheduler_password),
            worker: url(WORKER, &self.worker_password),
        }
    }
}

impl Service for RabbitMq {
    fn name(&self) -> &str {
        "RabbitMQ"
    }

    fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    async fn prepare(&self) -> anyhow::Result<Program> {
        let below = |name: &str| OsString::from(self.home.join(name));
        Ok(Program {
            path: self.server.clone(),
            args: Vec::new(),
            env: vec![
                ("HOME", self.home.clone().into()),
                // Replaces the shell by the Erlang machine, which then gets our signal itself.
                ("RABBITMQ_ALLOW_INPUT", "true".into()),
                ("RABBITMQ_SERVER_START_ARGS", "-noinput".into()),
                ("RABBITMQ_NODENAME", "assize@localhost".into()),
                ("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1".into()),
                ("RABBITMQ_NODE_PORT", self.port.to_string().into()),
                (
                    "RABBITMQ_DIST_PORT",
                    self.distribution_port.to_string().into(),
                ),
                (
                    "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                    ERLANG_ARGUMENTS.into(),
                ),
                ("ERL_EPMD_PORT", self.mapper_port.to_string().into()),
                ("ERL_EPMD_ADDRESS", "127.0.0.1".into()),
                ("RABBITMQ_MNESIA_BASE", below("mnesia")),
                ("RABBITMQ_LOG_BASE", below("log")),
                // To standard output: the log is ours.
                ("RABBITMQ_LOGS", "-".into()),
                ("RABBITMQ_PID_FILE", below("pid")),
                ("RABBITMQ_ENABLED_PLUGINS_FILE", self.plugins.clone().into()),
                ("RABBITMQ_CONFIG_FILE", self.settings.clone().into()),
                // Without these the machine's own configuration below /etc would be read too.
                ("RABBITMQ_CONFIG_FILES", below("conf.d/*.conf")),
                (
                    "RABBITMQ_ADVANCED_CONFIG_FILE",
                    self.advanced.clone().into(),
                ),
                ("RABBITMQ_CONF_ENV_FILE", "/dev/null".into()),
            ],
            inherit_env: false,
            account: self.account.clone(),
            directory: self.home.clone(),
            lifeline: Lifeline::Signal("TERM"),
            log: self.log.clone(),
            stamp: self.stamp.clone(),
        })
    }

    async fn is_ready(&self) -> bool {
        // The listener opens last, after users and queues are there.
        let greet = async {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await?;
            stream.write_all(GREETING).await?;
            stream.read_u8().await
        };
        let answer = tokio::time::timeout(Duration::from_secs(2), greet).await;
        answer.is_ok_and(|answer| answer.is_ok_and(|kind| kind == METHOD_FRAME))
    }

    fn ready_within(&self) -> Duration {
        Duration::from_secs(120)
    }

    fn stop_within(&self) -> Duration {
        Duration::from_secs(60)
    }
}

impl Service for PortMapper {
    fn name(&self) -> &str {
        "RabbitMQ's port mapper (epmd)"
    }

    fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    async fn prepare(&self) -> anyhow::Result<Program> {
        Ok(Program {
            path: self.program.clone(),
            args: ["-address", "127.0.0.1", "-port"]
                .map(OsString::from)
                .into_iter()
                .chain([self.port.to_string().into()])
                .collect(),
            env: Vec::new(),
            inherit_env: false,
            account: self.account.clone(),
            directory: "/".into(),
            lifeline: Lifeline::Signal("TERM"),
            log: self.log.clone(),
            stamp: self.stamp.clone(),
        })
    }

    async fn is_ready(&self) -> bool {
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))
            .await
            .is_ok()
    }

    fn ready_within(&self) -> Duration {
        Duration::from_secs(30)
    }

    fn stop_within(&self) -> Duration {
        Duration::from_secs(5)
    }
}

/// The definitions with a password for each user, who has none in them.
fn definitions(passwords: [(&str, &str); 2]) -> anyhow::Result<String> {
    let mut definitions: Value = serde_json::from_str(DEFINITIONS)
        .context("cannot read deploy/rabbitmq-definitions.json")?;
    for user in definitions["users"].as_array_mut().into_iter().flatten() {
        let name = user["name"].as_str().unwrap_or_default();
        let (_, password) = passwords
            .into_iter()
            .find(|(other, _)| *other == name)
            .with_context(|| format!("no password for the user {name} of RabbitMQ"))?;
        *user = json!({ "name": name, "password": password, "tags": [] });
    }
    Ok(definitions.to_string())
}

/// Where RabbitMQ is installed on this host.
///
/// # Errors
/// When it is not.
pub(super) fn installed() -> anyhow::Result<PathBuf> {
    find_server(Path::new(INSTALLED))
}

/// The server's own start script; the one in /usr/sbin insists on root and on
/// writing to /var/log.
fn find_server(installed: &Path) -> anyhow::Result<PathBuf> {
    let entries = fs::read_dir(installed).into_iter().flatten().flatten();
    let version = |path: &Path| -> Option<Vec<u32>> {
        let version = path
            .file_name()?
            .to_str()?
            .strip_prefix("rabbitmq_server-")?;
        version.split('.').map(|part| part.parse().ok()).collect()
    };
    let servers = entries.filter_map(|entry| {
        let server = entry.path().join("sbin/rabbitmq-server");
        Some((version(&entry.path())?, server)).filter(|(_, server)| server.exists())
    });
    match servers.max() {
        Some((_, server)) => Ok(server),
        None => bail!(
            "RabbitMQ is not installed: install the Debian package rabbitmq-server, or name a server with --amqp-url"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_server() {
        let root = tempfile::tempdir().unwrap();
        for version in ["3.9.20", "3.10.8", "4.0.1.broken"] {
            let sbin = root.path().join(format!("rabbitmq_server-{version}/sbin"));
            fs::create_dir_all(&sbin).unwrap();
            fs::write(sbin.join("rabbitmq-server"), "").unwrap();
        }
        let newest = find_server(root.path()).unwrap();
        assert!(newest.to_str().unwrap().contains("3.10.8"), "{newest:?}");
        let error = find_server(&root.path().join("none"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("Debian package rabbitmq-server"), "{error}");
    }
}
