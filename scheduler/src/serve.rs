//! Running a scheduler from its configuration until it is stopped.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use assize_common::amqp::{AmqpError, AmqpUrl, Connection, Topology};
use assize_common::api::FeedbackPart;
use assize_common::language::LanguageTable;
use assize_common::telemetry::error_chain;
use assize_common::{ContentHash, Lane};
use backon::{BackoffBuilder as _, ExponentialBuilder};
use bytesize::ByteSize;
use futures_util::future::try_join_all;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::{self, Api};
use crate::bell::{self, Bells};
use crate::blob::{BlobError, BlobStore, BucketUrl};
use crate::blob_collection;
use crate::broker::{Broker, keep_connected};
use crate::clock;
use crate::control;
use crate::dead_letters::DeadLetters;
use crate::feeder;
use crate::intake::Intake;
use crate::lost_tasks::LostTasks;
use crate::pauser;
use crate::pressure::{self, Pressure};
use crate::reconciler::{self, Hearing};
use crate::relay::{Relay, Turn};
use crate::reports::Reports;
use crate::retention;
use crate::settings::Settings;
use crate::store::{DatabaseUrl, Store, StoreError};
use crate::suspicion::SuspicionRules;
use crate::ticket::TicketKey;

/// How long to finish what is under way after being told to stop.
const DRAIN: Duration = Duration::from_secs(20);

/// All that a scheduler needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// The database.
    pub database: DatabaseUrl,
    /// How many connections to it, at most.
    pub database_connections: u32,
    /// How long to wait for it at start.
    pub database_wait: Duration,
    /// The broker.
    pub amqp: AmqpUrl,
    /// The prefix of exchanges and queues.
    pub amqp_prefix: String,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// A file that gets the actual address once the API answers.
    pub address_file: Option<PathBuf>,
    /// Where blobs are, and uploads that are not checked yet.
    pub data_directory: PathBuf,
    /// Where blobs are instead.
    pub bucket: Option<BucketUrl>,
    /// The languages that may be submitted.
    pub languages: LanguageTable,
    /// What in a source is worth a closer look.
    pub suspicion: SuspicionRules,
    /// How large an imported package's archive may be.
    pub max_package: ByteSize,
    /// What teams may see of their submissions beside the verdict.
    pub team_feedback: Vec<FeedbackPart>,
    /// How lost work is found and tried again.
    pub settings: Settings,
}

/// Why a scheduler can't run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The database did not answer in time.
    #[error(
        "cannot reach Postgres at {url} after trying for {} s: is it running, and does ASSIZE_DATABASE_URL name it?",
        waited.as_secs()
    )]
    DatabaseUnreachable {
        /// Where it should be, without its password.
        url: DatabaseUrl,
        /// How long we tried.
        waited: Duration,
        /// The cause.
        #[source]
        source: StoreError,
    },
    /// The database answers but is not for us.
    #[error("cannot use Postgres at {url}: are user, password and database right?")]
    DatabaseUnusable {
        /// Where it is, without its password.
        url: DatabaseUrl,
        /// The cause.
        #[source]
        source: StoreError,
    },
    /// A statement failed at start.
    #[error("cannot prepare the database")]
    Database(#[source] StoreError),
    /// The blob store can't be used.
    #[error("cannot use the store of packages, sources, audits and outputs")]
    Blobs(#[source] BlobError),
    /// The address can't be listened on.
    #[error(
        "cannot listen on {address}: is it in use by another program? choose another one with ASSIZE_LISTEN"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The address file can't be written.
    #[error("cannot write the address file {}", path.display())]
    AddressFile {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The server broke down.
    #[error("the HTTP server broke down")]
    Http(#[source] std::io::Error),
}

impl ServeError {
    /// Whether the same may succeed later, as when Postgres is started after us.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::DatabaseUnreachable { .. } => true,
            Self::Blobs(error) => error.is_temporary(),
            _ => false,
        }
    }
}

/// Brings the database up to date, waiting for Postgres for at most `wait`.
///
/// # Errors
/// When Postgres does not answer in time, refuses us, or a migration fails.
pub async fn migrate(url: &DatabaseUrl, wait: Duration) -> Result<(), ServeError> {
    patiently(url, wait, || Store::migrate(url)).await
}

/// Asks the database again until it can answer, for at most `wait`.
async fn patiently<T, A: Future<Output = Result<T, StoreError>>>(
    url: &DatabaseUrl,
    wait: Duration,
    ask: impl Fn() -> A,
) -> Result<T, ServeError> {
    let begin = tokio::time::Instant::now();
    let mut delays = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(Duration::from_secs(2))
        .with_jitter()
        .without_max_times()
        .build();
    loop {
        let error = match ask().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let url = url.clone();
        match error {
            error if error.is_transient() => {
                let delay = delays.next().unwrap_or_default();
                if begin.elapsed() + delay > wait {
                    return Err(ServeError::DatabaseUnreachable {
                        url,
                        waited: wait,
                        source: error,
                    });
                }
                tracing::info!(database.url = %url, error = %error_chain(&error), "waiting for Postgres");
                tokio::time::sleep(delay).await;
            }
            source @ StoreError::Database { .. } => {
                return Err(ServeError::DatabaseUnusable { url, source });
            }
            error => return Err(ServeError::Database(error)),
        }
    }
}

/// Runs a scheduler until `stop` is cancelled and what was under way is finished.
///
/// # Errors
/// When it can't start. Once it runs, lost connections are rebuilt instead.
pub async fn serve(
    config: Config,
    metrics: Arc<dyn Fn() -> String + Send + Sync>,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    // What can fail at once comes before what may take a while.
    let opening = stop.run_until_cancelled(open_stores(&config));
    let Some(opened) = opening.await else {
        return Ok(());
    };
    let Stores {
        blobs,
        audits,
        outputs,
    } = opened.map_err(ServeError::Blobs)?;
    let unheard = |source| ServeError::Listen {
        address: config.listen,
        source,
    };
    let listener = TcpListener::bind(config.listen).await.map_err(unheard)?;
    let address = listener.local_addr().map_err(unheard)?;
    if let Some(path) = &config.address_file {
        // Or whoever watches for it finds the address of an earlier start.
        remove_address(path).map_err(unwritable(path))?;
    }
    let store = Store::new(&config.database, config.database_connections);
    let preparing = patiently(&config.database, config.database_wait, || {
        prepare(&config, &store)
    });
    let Some(prepared) = stop.run_until_cancelled(preparing).await else {
        return Ok(());
    };
    let (tickets, known) = prepared?;
    blobs.mark(known).map_err(ServeError::Blobs)?;
    // Only a scheduler that can run says what may be submitted.
    let replacing = patiently(&config.database, config.database_wait, || {
        store.language_list_replace(&config.languages)
    });
    let Some(replaced) = stop.run_until_cancelled(replacing).await else {
        return Ok(());
    };
    replaced?;
    let (broker_connected, broker) = watch::channel(false);
    let bells = Bells::default();
    let pressure = Pressure::default();
    let router = api::router(Api {
        store: store.clone(),
        intake: Intake::new(&store, &bells),
        bells: bells.clone(),
        pressure: pressure.clone(),
        blobs: blobs.clone(),
        audits: audits.clone(),
        outputs: outputs.clone(),
        suspicion: Arc::new(config.suspicion.clone()),
        languages: Arc::new(config.languages.clone()),
        max_package: config.max_package,
        team_feedback: config.team_feedback.as_slice().into(),
        broker,
        lease: config.settings.lease,
        metrics,
    });
    let tasks = TaskTracker::new();
    tasks.spawn(pressure::watch(
        pressure,
        store.clone(),
        config.data_directory.clone(),
        config.settings.limits,
        stop.clone(),
    ));
    start_background(
        &config,
        &store,
        tickets,
        bells,
        broker_connected,
        &tasks,
        &stop,
    );
    tasks.spawn(retention::run(
        store.clone(),
        audits,
        outputs,
        config.settings,
        stop.clone(),
    ));
    tasks.spawn(blob_collection::run(
        store.clone(),
        blobs.clone(),
        stop.clone(),
    ));
    if let Some(path) = &config.address_file {
        write_address(path, address).map_err(unwritable(path))?;
    }
    tracing::info!(%address, "listening");

    let serving = axum::serve(listener, router)
        .with_graceful_shutdown(stop.clone().cancelled_owned())
        .into_future();
    let deadline = async {
        stop.cancelled().await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        result = serving => result.map_err(ServeError::Http)?,
        () = deadline => tracing::warn!("stopping although requests are under way"),
    }
    stop.cancel();
    tasks.close();
    if tokio::time::timeout(DRAIN, tasks.wait()).await.is_err() {
        tracing::warn!("stopping although work is under way: it is done again later");
    }
    if tokio::time::timeout(DRAIN, store.close()).await.is_err() {
        tracing::warn!("stopping although statements are under way");
    }
    tracing::info!("stopped");
    Ok(())
}

/// Brings the database up to date, and returns the key of tickets and a package, if there is any.
async fn prepare(
    config: &Config,
    store: &Store,
) -> Result<(TicketKey, Option<ContentHash>), StoreError> {
    Store::migrate(&config.database).await?;
    let tickets = store.ticket_key_read().await?;
    Ok((tickets, store.blob_find_package().await?))
}

/// The stores of blobs, each of what comes and goes in its own way.
struct Stores {
    /// Packages and sources.
    blobs: BlobStore,
    audits: BlobStore,
    outputs: BlobStore,
}

async fn open_stores(config: &Config) -> Result<Stores, BlobError> {
    let data = &config.data_directory;
    let (audits, outputs) = (data.join("audits"), data.join("outputs"));
    let Some(bucket) = &config.bucket else {
        return Ok(Stores {
            blobs: BlobStore::open_unmarked(data)?,
            audits: BlobStore::open(&audits)?,
            outputs: BlobStore::open(&outputs)?,
        });
    };
    let (blobs, audits, outputs) = tokio::try_join!(
        BlobStore::open_bucket(bucket, "blobs", data),
        BlobStore::open_bucket(bucket, "audits", &audits),
        BlobStore::open_bucket(bucket, "outputs", &outputs),
    )?;
    tracing::info!(%bucket, "packages, sources, audits and outputs are in a bucket");
    Ok(Stores {
        blobs,
        audits,
        outputs,
    })
}

fn start_background(
    config: &Config,
    store: &Store,
    tickets: TicketKey,
    bells: Bells,
    broker_connected: watch::Sender<bool>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    let broker = Broker {
        url: config.amqp.clone(),
        topology: Topology::new(&config.amqp_prefix),
    };
    let hearing = Hearing::default();
    let settings = config.settings;

    tasks.spawn(bell::listen(store.clone(), bells.clone(), stop.clone()));
    tasks.spawn(reconciler::run(
        store.clone(),
        settings,
        hearing.clone(),
        stop.clone(),
    ));
    tasks.spawn(clock::run(store.clone(), settings, stop.clone()));
    tasks.spawn(pauser::run(store.clone(), settings, stop.clone()));
    tasks.spawn(feeder::run(store.clone(), bells.clone(), stop.clone()));
    let reports = Reports {
        store: store.clone(),
        settings,
        tickets,
        topology: broker.topology.clone(),
        hearing,
        bells: bells.clone(),
    };
    let publishing = {
        let (store, topology) = (store.clone(), broker.topology.clone());
        async move |connection: &Connection, stop: CancellationToken| {
            publish(
                connection, &store, tickets, &bells, &topology, settings, stop,
            )
            .await
        }
    };
    tasks.spawn(keep_connected(
        broker.clone(),
        "tasks",
        broker_connected,
        stop.clone(),
        publishing,
    ));
    tasks.spawn(keep_connected(
        broker,
        "reports",
        watch::channel(false).0,
        stop.clone(),
        async move |connection: &Connection, stop: CancellationToken| {
            reports.consume(connection, stop).await
        },
    ));
}

/// All that publishes, over one connection.
async fn publish(
    connection: &Connection,
    store: &Store,
    tickets: TicketKey,
    bells: &Bells,
    topology: &Topology,
    settings: Settings,
    stop: CancellationToken,
) -> Result<(), AmqpError> {
    let relays = async {
        let relays = Lane::ALL.into_iter().flat_map(|lane| {
            // Whoever waits for a verdict does not wait for others' confirms.
            let relays = if lane == Lane::Live { 2 } else { 1 };
            std::iter::repeat_n((lane, Arc::<Turn>::default()), relays)
        });
        let relays = relays.map(|(lane, turn)| {
            let stop = stop.clone();
            async move {
                let relay = Relay {
                    store: store.clone(),
                    bells: bells.clone(),
                    topology: topology.clone(),
                    publisher: connection.publisher().await?,
                    lane,
                    tickets,
                    lease: settings.lease,
                    turn,
                };
                relay.run(stop).await
            }
        });
        try_join_all(relays).await
    };
    let lost_tasks = LostTasks::new(store.clone(), settings, topology.clone(), connection);
    let dead_letters = DeadLetters {
        store: store.clone(),
        topology: topology.clone(),
    };
    tokio::try_join!(
        relays,
        lost_tasks.run(stop.clone()),
        dead_letters.run(connection, stop.clone()),
        control::run(store, connection, stop.clone()),
        reconciler::send_echoes(connection, topology, settings.lease, stop.clone()),
    )
    .map(drop)
}

fn unwritable(path: &Path) -> impl FnOnce(std::io::Error) -> ServeError {
    let path = path.to_owned();
    move |source| ServeError::AddressFile { path, source }
}

fn remove_address(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Writes the file whole or not at all, since others watch for it.
fn write_address(path: &Path, address: SocketAddr) -> std::io::Result<()> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(directory.unwrap_or(Path::new(".")))?;
    std::io::Write::write_all(&mut file, format!("{address}\n").as_bytes())?;
    file.persist(path)?;
    Ok(())
}
