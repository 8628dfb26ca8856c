//! An installation from its start to its stop.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use assize_common::language::LanguageTable;
use assize_common::secret::Secret;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::account::Account;
use super::announce::Announce;
use super::daemon::{Common, Scheduler, Worker};
use super::data_dir::DataDir;
use super::languages::{self, Availability};
use super::options::Options;
use super::postgres::Postgres;
use super::rabbitmq::RabbitMq;
use super::stamp::{self, Stamp};
use super::supervisor::{Service, Starts, Supervised};
use crate::client::{Api, Server};
use crate::exit::{self, Failure};

const DATABASE: &str = "assize";
const ADMIN_TOKEN: &str = "admin-token";
const WORKER_TOKEN: &str = "worker-token";
const PROBE_INTERVAL: Duration = Duration::from_millis(50);
const BROKER_WITHIN: Duration = Duration::from_secs(60);

/// A running installation. [`Self::stop`] it: when dropped, its services go on
/// until this process ends.
#[derive(Debug)]
pub struct Installation {
    data: DataDir,
    api: Api,
    running: Arc<Running>,
    summary: String,
}

impl Installation {
    /// Starts everything and waits until submissions are judged.
    ///
    /// # Errors
    /// When something can't be started, or `interrupt` comes first; whatever was
    /// started is stopped again.
    pub async fn start(
        options: &Options,
        announce: &Announce,
        interrupt: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let account = Account::for_services(&options.service_user)?;
        let path = options.data_path(account.as_ref())?;
        let data = DataDir::open(&path, account.as_ref())?;
        // One of an installation that was killed leads nowhere now.
        Server::withdraw(&data)?;
        let ended = stamp::end_all_leftovers(data.path()).await?;
        if ended > 0 {
            announce.line(&format!(
                "ended {ended} processes that an earlier start left behind"
            ));
        }
        let running = Arc::new(Running {
            announce: announce.clone(),
            interrupt: interrupt.clone(),
            services: Mutex::default(),
        });
        let start = Start {
            options,
            data: &data,
            running: &running,
        };
        match start.everything().await {
            Ok((api, summary)) => Ok(Self {
                data,
                api,
                running,
                summary,
            }),
            Err(error) => {
                if let Err(further) = running.stop().await {
                    announce.line(&format!("while stopping: {further:#}"));
                }
                Err(error)
            }
        }
    }

    /// Its API, with a token that allows everything.
    #[must_use]
    pub const fn api(&self) -> &Api {
        &self.api
    }

    /// Its data directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.data.path()
    }

    /// What runs where, for people.
    #[must_use]
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// The processes of a service, such as `scheduler`, `worker-1`, `postgres`
    /// or `rabbitmq`.
    ///
    /// # Errors
    /// When `/proc` can't be read.
    pub fn processes(&self, service: &str) -> anyhow::Result<Vec<u32>> {
        Stamp::new(self.data.path(), service, "TERM").processes()
    }

    /// Waits until a service is ready after more than `count` starts, and returns
    /// how many it has had by then. Names are as for [`Self::processes`].
    ///
    /// # Errors
    /// When there is no such service here, or it is stopped.
    pub async fn ready_after(&self, service: &str, count: u32) -> anyhow::Result<u32> {
        let starts = self.running.starts(service).await;
        let mut starts = starts.with_context(|| format!("there is no service {service:?}"))?;
        let ready = starts
            .wait_for(|starts| starts.ready && starts.count > count)
            .await;
        Ok(ready
            .with_context(|| format!("{service} is stopped"))?
            .count)
    }

    /// Stops everything in the right order, keeping all data.
    ///
    /// # Errors
    /// When something had to be killed. Everything has ended nevertheless.
    pub async fn stop(self) -> anyhow::Result<()> {
        let withdrawn = Server::withdraw(&self.data);
        self.running.stop().await?;
        withdrawn
    }
}

/// What stops together; later ones stop first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    PortMapper,
    Servers,
    Scheduler,
    Workers,
}

/// All services that were started.
#[derive(Debug)]
struct Running {
    announce: Announce,
    interrupt: CancellationToken,
    services: Mutex<Vec<(Stage, Supervised)>>,
}

impl Running {
    async fn start<S: Service>(&self, stage: Stage, service: S) -> anyhow::Result<()> {
        let started = Supervised::start(service, &self.announce, &self.interrupt).await?;
        self.services.lock().await.push((stage, started));
        Ok(())
    }

    async fn starts(&self, service: &str) -> Option<watch::Receiver<Starts>> {
        let services = self.services.lock().await;
        let mut services = services.iter().map(|(_, service)| service);
        services
            .find(|candidate| candidate.stamp().is_of(service))
            .map(Supervised::starts)
    }

    async fn stop(&self) -> anyhow::Result<()> {
        let mut services = std::mem::take(&mut *self.services.lock().await);
        let mut problems = Vec::new();
        while let Some(stage) = services.iter().map(|(stage, _)| *stage).max() {
            let mut stopping = JoinSet::new();
            for (_, service) in services.extract_if(.., |(other, _)| *other == stage) {
                self.announce.line(&format!("stopping {}", service.name()));
                stopping.spawn(service.stop());
            }
            let ended = stopping.join_all().await;
            problems.extend(ended.into_iter().filter_map(Result::err));
        }
        // All have ended; one cause is enough to look further.
        problems.into_iter().next().map_or(Ok(()), Err)
    }
}

/// The way from nothing to everything.
struct Start<'a> {
    options: &'a Options,
    data: &'a DataDir,
    running: &'a Running,
}

impl Start<'_> {
    async fn everything(&self) -> anyhow::Result<(Api, String)> {
        let (database_url, amqp_url, available) =
            tokio::join!(self.database(), self.broker(), self.languages());
        let (database_url, amqp_url, available) = (database_url?, amqp_url?, available?);
        let common = Common {
            amqp_url,
            amqp_prefix: self.options.amqp_prefix.clone(),
            languages: available.ids(),
            language_table: self.language_table()?,
        };
        let scheduler =
            Scheduler::new(self.data, common.clone(), database_url, self.options.listen)?;
        self.say("starting the scheduler");
        self.running
            .start(Stage::Scheduler, scheduler.clone())
            .await?;
        let token = self.tokens(&scheduler).await?;
        let api = scheduler.api(Some(&token))?;
        self.broker_is_connected(&api).await?;
        self.workers(&common, &scheduler, &api).await?;
        let server = Server {
            url: api.url().to_owned(),
            token,
        };
        server.publish(self.data)?;
        Ok((api, self.summary(&server, &available)))
    }

    /// The URL of a database that is ready.
    async fn database(&self) -> anyhow::Result<String> {
        if let Some(url) = &self.options.postgres_url {
            return Ok(url.reveal().to_owned());
        }
        let postgres = Postgres::new(self.data)?;
        self.say("starting Postgres");
        self.running.start(Stage::Servers, postgres.clone()).await?;
        postgres.create_database(DATABASE).await?;
        Ok(postgres.url(DATABASE))
    }

    /// The URL of a broker that is ready.
    async fn broker(&self) -> anyhow::Result<String> {
        if let Some(url) = &self.options.amqp_url {
            return Ok(url.reveal().to_owned());
        }
        let rabbitmq = RabbitMq::new(self.data)?;
        self.say("starting RabbitMQ");
        self.running
            .start(Stage::PortMapper, rabbitmq.port_mapper(self.data)?)
            .await?;
        self.running.start(Stage::Servers, rabbitmq.clone()).await?;
        Ok(rabbitmq.url())
    }

    async fn languages(&self) -> anyhow::Result<Availability> {
        let table = LanguageTable::load(self.options.language_table.as_deref())?;
        let wanted = self.options.languages.clone();
        tokio::task::spawn_blocking(move || languages::find(&table, &wanted))
            .await
            .context("looking for compilers failed")?
    }

    /// The table where every service can read it.
    fn language_table(&self) -> anyhow::Result<Option<std::path::PathBuf>> {
        let Some(path) = &self.options.language_table else {
            return Ok(None);
        };
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the language table {}", path.display()))?;
        self.data.configuration("languages.toml", &text).map(Some)
    }

    /// Tokens of an earlier start, or new ones when the database does not know them.
    async fn tokens(&self, scheduler: &Scheduler) -> anyhow::Result<String> {
        if let (Some(admin), Some(_)) = (
            self.data.read_secret(ADMIN_TOKEN)?,
            self.data.read_secret(WORKER_TOKEN)?,
        ) {
            match scheduler.api(Some(&admin))?.languages().await {
                Ok(_) => return Ok(admin),
                Err(error) if error.is_unauthorized() => {}
                Err(error) => return Err(error.into()),
            }
        }
        let worker = scheduler
            .create_token("assize up: workers", "worker")
            .await?;
        self.data.keep_secret(WORKER_TOKEN, &worker)?;
        let admin = scheduler.create_token("assize up: admin", "admin").await?;
        self.data.keep_secret(ADMIN_TOKEN, &admin)?;
        Ok(admin)
    }

    /// Waits until the scheduler has its broker. Only a foreign one can fail to come.
    async fn broker_is_connected(&self, api: &Api) -> anyhow::Result<()> {
        let connected = async {
            while !api
                .readiness()
                .await
                .is_ok_and(|readiness| readiness.broker)
            {
                tokio::time::sleep(PROBE_INTERVAL).await;
            }
        };
        tokio::select! {
            connected = tokio::time::timeout(BROKER_WITHIN, connected) => connected.map_err(|_| anyhow::anyhow!(
                "the scheduler can't connect to RabbitMQ within {} s: is --amqp-url right? See {}",
                BROKER_WITHIN.as_secs(),
                self.data.path().join("logs/scheduler.log").display()
            )),
            () = self.running.interrupt.cancelled() => Err(
                Failure::new(exit::INTERRUPTED, "interrupted while waiting for RabbitMQ").into(),
            ),
        }
    }

    async fn workers(
        &self,
        common: &Common,
        scheduler: &Scheduler,
        api: &Api,
    ) -> anyhow::Result<()> {
        let address = scheduler
            .address()
            .context("the scheduler does not listen")?;
        let (count, slots) = (self.options.workers, self.options.slots());
        if count > 0 {
            self.say(&format!(
                "starting {count} {} with {slots} {} each, which test every language first",
                plural(count, "worker"),
                plural(slots, "slot"),
            ));
        }
        let starting = (0..count).map(|number| {
            let name = format!("worker-{}", number + 1);
            let worker = Worker::new(
                self.data,
                common.clone(),
                &name,
                slots,
                address,
                api.clone(),
            );
            async move { self.running.start(Stage::Workers, worker?).await }
        });
        let started = futures_util::future::join_all(starting).await;
        started.into_iter().collect()
    }

    fn summary(&self, server: &Server, available: &Availability) -> String {
        let Options { workers, .. } = self.options;
        let slots = self.options.slots();
        let private = |given: Option<&Secret>, private: &str| match given {
            Some(_) => "the one that was named".to_owned(),
            None => private.to_owned(),
        };
        let data = self.data.path().display();
        format!(
            "Assize runs.\n  \
             API         {url}  (its description: {url}/openapi.json)\n  \
             workers     {workers} with {slots} {} each\n  \
             {languages}\n  \
             Postgres    {}\n  \
             RabbitMQ    {}\n  \
             data        {data}\n  \
             logs        {data}/logs\n\
             Try, in another terminal with the same directory:\n  \
             assize problem import PACKAGE\n  \
             assize submit --problem NAME FILE --wait\n  \
             assize submission list",
            plural(slots, "slot"),
            private(
                self.options.postgres_url.as_ref(),
                "private, on a socket below the data directory"
            ),
            private(
                self.options.amqp_url.as_ref(),
                "private, on a port of its own"
            ),
            url = server.url,
            languages = available.describe().replace('\n', "\n  "),
        )
    }

    fn say(&self, line: &str) {
        self.running.announce.line(line);
    }
}

fn plural(count: u16, noun: &str) -> String {
    if count == 1 {
        noun.to_owned()
    } else {
        format!("{noun}s")
    }
}
