//! Starting an installation: from nothing to everything.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use anyhow::Context as _;
use assize_common::amqp::AmqpUrl;
use assize_common::language::LanguageTable;
use assize_common::secret::Secret;

use super::daemon::{Common, Scheduler, Worker};
use super::data_dir::DataDir;
use super::languages::{self, Availability};
use super::options::Options;
use super::ports;
use super::postgres::Postgres;
use super::rabbitmq::{AmqpUrls, RabbitMq};
use super::running::{Running, Stage};
use crate::client::{Api, Server};
use crate::exit::{self, Failure};

const DATABASE: &str = "assize";
const ADMIN_TOKEN: &str = "admin-token";
const WORKER_TOKEN: &str = "worker-token";
const PROBE_INTERVAL: Duration = Duration::from_millis(50);
const BROKER_WITHIN: Duration = Duration::from_secs(60);

/// The way from nothing to everything.
pub(super) struct Start<'a> {
    pub(super) options: &'a Options,
    pub(super) data: &'a DataDir,
    pub(super) running: &'a Running,
}

impl Start<'_> {
    /// Starts everything; returns the API and what runs where.
    pub(super) async fn everything(&self) -> anyhow::Result<(Api, String)> {
        self.options_are_right()?;
        self.listen_address_is_free()?;
        let (database_url, amqp_urls, available) =
            tokio::join!(self.database(), self.broker(), self.languages());
        let (database_url, amqp_urls, available) = (database_url?, amqp_urls?, available?);
        let common = Common {
            amqp_urls,
            amqp_prefix: self.options.amqp_prefix.clone(),
            languages: available.ids(),
            language_table: self.language_table()?,
        };
        let scheduler =
            Scheduler::new(self.data, common.clone(), database_url, self.options.listen)?;
        self.running
            .start(Stage::Scheduler, scheduler.clone())
            .await?;
        let token = self.tokens(&scheduler).await?;
        let api = scheduler.api(Some(&token))?;
        self.broker_is_connected(&api).await?;
        let metrics = self.metrics_addresses()?;
        self.workers(&common, &scheduler, &api, &metrics).await?;
        let server = Server {
            url: api.url().to_owned(),
            token,
        };
        server.publish(self.data)?;
        Ok((api, self.summary(&server, &available, &metrics)))
    }

    /// A free address for the metrics of each worker.
    fn metrics_addresses(&self) -> anyhow::Result<Vec<SocketAddr>> {
        let mut addresses = BTreeSet::new();
        while addresses.len() < usize::from(self.options.workers) {
            let [port] = ports::free()?;
            addresses.insert(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        }
        Ok(addresses.into_iter().collect())
    }

    /// Asked before anything starts, and before what would ask later.
    fn options_are_right(&self) -> anyhow::Result<()> {
        let options = self.options;
        let usage = |option: &'static str| {
            move |error: anyhow::Error| Failure::new(exit::USAGE, option).because(error)
        };
        if let Some(url) = &options.amqp_url {
            let parsed = url.reveal().parse::<AmqpUrl>();
            parsed.map_err(|error| usage("--amqp-url")(error.into()))?;
        }
        if !options.languages.is_empty() {
            LanguageTable::load(options.language_table.as_deref())?
                .restricted_to(&options.languages)
                .map_err(|error| usage("--languages")(error.into()))?;
        }
        Ok(())
    }

    /// Asked before anything starts: the scheduler, which is the one to listen, is the last of the servers.
    fn listen_address_is_free(&self) -> anyhow::Result<()> {
        let listen = self.options.listen;
        TcpListener::bind(listen).map(drop).with_context(|| {
            format!("cannot listen on {listen}: is it in use by another program? choose another address with --listen")
        })
    }

    /// The URL of a database that is ready.
    async fn database(&self) -> anyhow::Result<String> {
        if let Some(url) = &self.options.postgres_url {
            return Ok(url.reveal().to_owned());
        }
        let postgres = Postgres::new(self.data)?;
        self.running.start(Stage::Servers, postgres.clone()).await?;
        postgres.create_database(DATABASE).await?;
        Ok(postgres.url(DATABASE))
    }

    /// The URLs of a broker that is ready.
    async fn broker(&self) -> anyhow::Result<AmqpUrls> {
        if let Some(url) = &self.options.amqp_url {
            return Ok(AmqpUrls {
                scheduler: url.reveal().to_owned(),
                worker: url.reveal().to_owned(),
            });
        }
        let rabbitmq = RabbitMq::new(self.data)?;
        self.running
            .start(Stage::PortMapper, rabbitmq.port_mapper(self.data)?)
            .await?;
        self.running.start(Stage::Servers, rabbitmq.clone()).await?;
        Ok(rabbitmq.urls())
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
        if self.options.amqp_url.is_some() {
            self.say("waiting for the scheduler to connect to RabbitMQ");
        }
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
        metrics: &[SocketAddr],
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
        let starting = metrics.iter().enumerate().map(|(number, metrics)| {
            let name = format!("worker-{}", number + 1);
            let worker = Worker::new(
                self.data,
                common.clone(),
                &name,
                slots,
                address,
                *metrics,
                api.clone(),
            );
            async move { self.running.start(Stage::Workers, worker?).await }
        });
        let started = futures_util::future::join_all(starting).await;
        started.into_iter().collect()
    }

    fn summary(&self, server: &Server, available: &Availability, metrics: &[SocketAddr]) -> String {
        let Options { workers, .. } = self.options;
        let slots = self.options.slots();
        let private = |given: Option<&Secret>, private: &str| match given {
            Some(_) => "the one that was named".to_owned(),
            None => private.to_owned(),
        };
        let data = self.data.path().display();
        let metrics: String = metrics
            .iter()
            .map(|address| format!(", http://{address}/metrics"))
            .collect();
        format!(
            "Assize runs.\n  \
             API         {url}  (its description: {url}/openapi.json)\n  \
             workers     {workers} with {slots} {} each\n  \
             {languages}\n  \
             Postgres    {}\n  \
             RabbitMQ    {}\n  \
             metrics     {url}/metrics{metrics}\n  \
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
