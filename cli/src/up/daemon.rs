//! Our own daemons as services: the scheduler and the workers.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context as _, bail};
use assize_common::id::WorkerId;
use tokio::sync::Mutex;

use super::account::Account;
use super::data_dir::DataDir;
use super::process::{Lifeline, Program};
use super::rabbitmq::AmqpUrls;
use super::stamp::Stamp;
use super::supervisor::Service;
use crate::client::Api;

/// What all daemons of an installation have in common.
#[derive(Debug, Clone)]
pub(super) struct Common {
    /// The broker, with its passwords.
    pub(super) amqp_urls: AmqpUrls,
    /// The first part of the names of exchanges and queues.
    pub(super) amqp_prefix: String,
    /// The ids of the enabled languages.
    pub(super) languages: Vec<String>,
    /// A language table other than the built-in one.
    pub(super) language_table: Option<PathBuf>,
}

/// The scheduler.
#[derive(Debug, Clone)]
pub(super) struct Scheduler {
    common: Common,
    binary: PathBuf,
    database_url: String,
    home: PathBuf,
    listen: SocketAddr,
    /// Known once it listens; kept over restarts, because workers know it too.
    address: Arc<OnceLock<SocketAddr>>,
    account: Option<Account>,
    log: PathBuf,
    stamp: Stamp,
}

impl Scheduler {
    /// A scheduler below `data` that listens at `listen`. Starts nothing.
    ///
    /// # Errors
    /// When its binary is missing or can't be made reachable for its account.
    pub(super) fn new(
        data: &DataDir,
        common: Common,
        database_url: String,
        listen: SocketAddr,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            common,
            binary: reachable(data, find_binary("assize-scheduler")?)?,
            database_url,
            home: data.service_directory("scheduler")?,
            listen,
            address: Arc::default(),
            account: data.account().cloned(),
            log: data.fresh_log("scheduler")?,
            stamp: Stamp::new(data.path(), "scheduler", "TERM"),
        })
    }

    /// Where it listens, once it was ready.
    #[must_use]
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.address.get().copied()
    }

    /// Its API, once it was ready.
    ///
    /// # Errors
    /// Before that, and when no HTTP client can be made.
    pub(super) fn api(&self, token: Option<&str>) -> anyhow::Result<Api> {
        let address = self
            .address()
            .context("the scheduler does not listen yet")?;
        Ok(Api::new(&base_url(address), token)?)
    }

    /// Makes a token of one scope.
    ///
    /// # Errors
    /// When the scheduler refuses.
    pub(super) async fn create_token(&self, name: &str, scope: &str) -> anyhow::Result<String> {
        let mut command = tokio::process::Command::new(&self.binary);
        command.args(["token", "create", "--name", name, "--scope", scope]);
        command
            .envs(self.environment())
            .current_dir(&self.home)
            .stdin(std::process::Stdio::null());
        if let Some(account) = &self.account {
            command.gid(account.gid).uid(account.uid);
        }
        let answer = command
            .output()
            .await
            .with_context(|| format!("cannot run {}", self.binary.display()))?;
        if !answer.status.success() {
            bail!(
                "cannot create a token: {}",
                String::from_utf8_lossy(&answer.stderr).trim()
            );
        }
        Ok(String::from_utf8_lossy(&answer.stdout).trim().to_owned())
    }

    fn environment(&self) -> Vec<(&'static str, OsString)> {
        let mut environment = self.common.environment();
        environment.extend([
            (
                "ASSIZE_AMQP_URL",
                self.common.amqp_urls.scheduler.clone().into(),
            ),
            ("ASSIZE_DATABASE_URL", self.database_url.clone().into()),
            (
                "ASSIZE_LISTEN",
                self.address().unwrap_or(self.listen).to_string().into(),
            ),
            ("ASSIZE_DATA_DIR", self.home.clone().into()),
            // Not that of our user, where the database library would look for passwords.
            ("HOME", self.home.clone().into()),
        ]);
        environment
    }

    fn address_file(&self) -> PathBuf {
        self.home.join("address")
    }
}

impl Service for Scheduler {
    fn name(&self) -> &str {
        "the scheduler"
    }

    fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    async fn prepare(&self) -> anyhow::Result<Program> {
        // Or the address of an earlier start would be taken for this one's.
        match fs::remove_file(self.address_file()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error)
                    .with_context(|| format!("cannot remove {}", self.address_file().display()));
            }
            _ => {}
        }
        Ok(Program {
            path: self.binary.clone(),
            args: ["serve", "--supervised", "--address-file"]
                .map(OsString::from)
                .into_iter()
                .chain([self.address_file().into()])
                .collect(),
            env: self.environment(),
            inherit_env: true,
            account: self.account.clone(),
            directory: self.home.clone(),
            lifeline: Lifeline::Own,
            log: self.log.clone(),
            stamp: self.stamp.clone(),
        })
    }

    async fn is_ready(&self) -> bool {
        let listens = fs::read_to_string(self.address_file())
            .ok()
            .and_then(|text| text.trim().parse().ok());
        let Some(address) = listens else {
            return false;
        };
        let address = *self.address.get_or_init(|| address);
        let Ok(api) = Api::new(&base_url(address), None) else {
            return false;
        };
        api.readiness().await.is_ok_and(|readiness| readiness.ready)
    }

    fn ready_within(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn stop_within(&self) -> Duration {
        Duration::from_secs(30)
    }
}

/// One worker.
#[derive(Debug, Clone)]
pub(super) struct Worker {
    common: Common,
    binary: PathBuf,
    name: String,
    slots: u16,
    scheduler_url: String,
    token_file: PathBuf,
    /// An API to ask whether the worker has registered.
    api: Api,
    /// Earlier starts of it: each is a worker of its own to the scheduler, and
    /// one that was killed never said good-bye.
    earlier: Arc<Mutex<HashSet<WorkerId>>>,
    cache: PathBuf,
    /// Where it serves its metrics.
    metrics: SocketAddr,
    log: PathBuf,
    stamp: Stamp,
}

impl Worker {
    /// A worker below `data`, called `name`. `api` must be allowed to list workers.
    ///
    /// # Errors
    /// When its binary is missing.
    pub(super) fn new(
        data: &DataDir,
        common: Common,
        name: &str,
        slots: u16,
        scheduler: SocketAddr,
        metrics: SocketAddr,
        api: Api,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            common,
            binary: find_binary("assize-worker")?,
            name: name.to_owned(),
            slots,
            scheduler_url: base_url(scheduler),
            token_file: data.secret_path("worker-token"),
            api,
            earlier: Arc::default(),
            cache: data.cache(name)?,
            metrics,
            log: data.fresh_log(name)?,
            stamp: Stamp::new(data.path(), name, "TERM"),
        })
    }

    /// All starts of it that the scheduler knows and that did not say good-bye.
    async fn registrations(&self) -> anyhow::Result<HashSet<WorkerId>> {
        let workers = self.api.workers().await?.workers;
        let ours = workers
            .into_iter()
            .filter(|worker| worker.name == self.name && !worker.stopped);
        Ok(ours.map(|worker| worker.id).collect())
    }
}

impl Service for Worker {
    fn name(&self) -> &str {
        &self.name
    }

    fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    async fn prepare(&self) -> anyhow::Result<Program> {
        *self.earlier.lock().await = self.registrations().await?;
        let mut env = self.common.environment();
        env.extend([
            (
                "ASSIZE_AMQP_URL",
                self.common.amqp_urls.worker.clone().into(),
            ),
            ("ASSIZE_SCHEDULER_URL", self.scheduler_url.clone().into()),
            ("ASSIZE_WORKER_TOKEN_FILE", self.token_file.clone().into()),
            ("ASSIZE_NAME", self.name.clone().into()),
            ("ASSIZE_SLOTS", self.slots.to_string().into()),
            ("ASSIZE_CACHE_DIR", self.cache.clone().into()),
            ("ASSIZE_METRICS_LISTEN", self.metrics.to_string().into()),
        ]);
        Ok(Program {
            path: self.binary.clone(),
            args: vec!["--supervised".into()],
            env,
            inherit_env: true,
            account: None,
            directory: "/".into(),
            lifeline: Lifeline::Own,
            log: self.log.clone(),
            stamp: self.stamp.clone(),
        })
    }

    async fn is_ready(&self) -> bool {
        let Ok(registrations) = self.registrations().await else {
            return false;
        };
        let earlier = self.earlier.lock().await;
        registrations.iter().any(|id| !earlier.contains(id))
    }

    fn ready_within(&self) -> Duration {
        // It tests every language first.
        Duration::from_secs(180)
    }

    fn stop_within(&self) -> Duration {
        // Its own limit for running judgements, and some more to hand them back.
        Duration::from_secs(90)
    }
}

impl Common {
    fn environment(&self) -> Vec<(&'static str, OsString)> {
        let mut environment: Vec<(&'static str, OsString)> = vec![
            ("ASSIZE_AMQP_PREFIX", self.amqp_prefix.clone().into()),
            ("ASSIZE_LANGUAGES", self.languages.join(",").into()),
        ];
        environment.extend(
            self.language_table
                .iter()
                .map(|table| ("ASSIZE_LANGUAGE_TABLE", table.clone().into())),
        );
        environment
    }
}

fn base_url(address: SocketAddr) -> String {
    let mut reachable = address;
    if address.ip().is_unspecified() {
        // All addresses: also the one of the loopback interface.
        reachable.set_ip(if address.is_ipv4() {
            std::net::Ipv4Addr::LOCALHOST.into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        });
    }
    format!("http://{reachable}")
}

/// Finds a binary of ours: in `$ASSIZE_BIN_DIR`, beside this one, or one
/// directory above (where Cargo puts it for tests).
///
/// # Errors
/// When it is in none of them.
pub(super) fn find_binary(name: &str) -> anyhow::Result<PathBuf> {
    let named = std::env::var_os("ASSIZE_BIN_DIR").map(PathBuf::from);
    let this = std::env::current_exe().context("cannot tell where this program is")?;
    let directories: Vec<PathBuf> = match named {
        Some(directory) => vec![directory],
        None => this
            .ancestors()
            .skip(1)
            .take(2)
            .map(Path::to_owned)
            .collect(),
    };
    let found = directories
        .iter()
        .map(|directory| directory.join(name))
        .find(|binary| binary.is_file());
    found.with_context(|| {
        let places: Vec<_> = directories.iter().map(|directory| directory.display().to_string()).collect();
        format!("{name} is not in {}: build it with `cargo build --release`, or set ASSIZE_BIN_DIR to its directory", places.join(" or "))
    })
}

/// A place from which the service account can execute `binary`: its own, or a
/// copy in the data directory.
fn reachable(data: &DataDir, binary: PathBuf) -> anyhow::Result<PathBuf> {
    let Some(account) = data.account() else {
        return Ok(binary);
    };
    if account.blocked_at(&binary).is_none() {
        return Ok(binary);
    }
    data.copy_of_program(&binary)
}
