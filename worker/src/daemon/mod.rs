//! The worker as a daemon: takes tasks from RabbitMQ, judges them, reports.
//!
//! Each slot has an asynchronous task of its own (`runner`) that takes one
//! judging task at a time (`intake`), has it judged on a blocking thread
//! (`assignment`), publishes the report and only then acknowledges. All share
//! one connection, which is replaced when it is lost (`session`) while
//! judgements go on. `docs/messages.md` says what the messages mean.

mod assignment;
mod audits;
mod boundary;
mod canaries;
mod conclusion;
mod config;
mod control;
mod error;
mod fetch;
mod held;
mod intake;
mod lending;
mod library;
mod outputs;
mod report_size;
mod reporter;
mod runner;
mod session;
mod startup;
mod stop;

use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use assize_common::Lane;
use assize_common::amqp::Topology;
use assize_common::id::WorkerId;
use assize_common::message::{LanguageVersion, Registered, Report};
use assize_common::telemetry;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

pub use config::{Arguments, Config};
pub use error::DaemonError;
pub use fetch::FetchError;
pub use stop::Stop;

use crate::cancel::Cancel;
use crate::disk_cache::DiskCache;
use crate::judge::Judge;
use crate::slot::Slot;
use crate::toolchain::Toolchains;
use canaries::Canaries;
use control::Controls;
use fetch::Fetcher;
use held::Held;
use intake::Intake;
use lending::Lending;
use library::Library;
use reporter::Reporter;
use runner::{Runner, Shared};
use session::Broker;

/// How long the last reports may take, once everything is handed back.
const FAREWELL: Duration = Duration::from_secs(10);

/// Runs a worker until it is told to stop and holds nothing any more.
///
/// # Errors
/// When it can't start, or the scheduler refuses it. Once it runs, lost
/// connections are rebuilt instead.
pub async fn run(config: Config, stop: Stop) -> Result<(), DaemonError> {
    if let Some(address) = config.metrics_listen {
        telemetry::serve_metrics(address).map_err(DaemonError::Metrics)?;
    }
    // What can fail at once comes before what may take a while.
    startup::examine_host(&config.cores)?;
    let cache = DiskCache::open(&config.cache_directory, config.cache_size)
        .map(Arc::new)
        .map_err(DaemonError::Cache)?;
    let scratch = config.cache_directory.join("scratch");
    make_anew(&scratch)?;
    let fetcher = Fetcher::new(config.schedulers.clone(), config.token.clone())?;
    tokio::select! {
        checked = fetcher.check(config.scheduler_wait) => checked?,
        () = stop.draining() => return Ok(()),
    }

    let toolchains = Toolchains::find(config.languages.iter());
    let judge = Judge::new(
        config.languages.clone(),
        toolchains,
        Arc::clone(&cache),
        scratch.clone(),
    )
    .running(config.settings);
    let slots = (0..config.slots)
        .map(|number| judge.slot(number, config.cores.get(usize::from(number)).copied()))
        .collect();
    let Some((judge, slots, languages)) = test(judge, slots, &config, &stop).await? else {
        return Ok(());
    };

    let topology = Topology::new(&config.amqp_prefix);
    let worker_id = WorkerId::generate();
    let (sessions, session) = watch::channel(None);
    let reporter = Reporter::new(worker_id, topology.reports(), session.clone());
    let controls = Arc::new(Controls::new(worker_id, stop.clone()));
    let shared = Arc::new(Shared {
        judge,
        library: Library::new(Arc::clone(&cache), fetcher, Handle::current(), scratch),
        held: Held::new(),
        reporter: reporter.clone(),
        stop: stop.clone(),
        controls: Arc::clone(&controls),
        refusal: OnceLock::new(),
        lending: Lending::new(config.tests_at_once),
        canary_turn: Mutex::new(()),
        acknowledge_after: config.acknowledge_after,
    });
    let queues = |lanes: &mut dyn Iterator<Item = &Lane>| {
        lanes.map(|lane| topology.lane(*lane)).collect::<Vec<_>>()
    };
    let waited_for = |lane: &&Lane| matches!(lane, Lane::Live | Lane::Flagged);
    let intake = Intake {
        queues: queues(&mut config.lanes.iter()),
        urgent: queues(&mut config.lanes.iter().filter(waited_for)),
        taken: 0,
        sessions: session,
        cordoned: controls.cordoned(),
        stop: stop.clone(),
    };
    metrics::gauge!("assize_worker_slots").set(f64::from(config.slots));
    let mut runners = JoinSet::new();
    for slot in slots {
        let runner = Runner {
            canaries: Canaries::new(config.canary_every),
            spare: None,
            host_failed_between: false,
            shared: Arc::clone(&shared),
            intake: intake.clone(),
            slot,
        };
        runners.spawn(runner.run());
    }
    let greeting = Report::Registered(registered(&config, languages));
    tracing::info!(worker.id = %worker_id, worker.name = config.name, slots = config.slots, "ready");
    let end = CancellationToken::new();
    let heartbeat = tokio::spawn(beat(
        Arc::clone(&shared),
        cache,
        config.heartbeat,
        end.clone(),
    ));
    let broker = Broker {
        url: config.amqp,
        topology,
        connection_name: format!("assize-worker/{}/{worker_id}", config.name),
    };
    let mut connecting = tokio::spawn(session::keep_connected(
        broker,
        reporter
            .encode(greeting, Vec::new())
            .map_err(DaemonError::Encode)?,
        sessions,
        controls,
        end.clone(),
    ));

    tokio::select! {
        () = stop.draining() => {}
        // Before the end that is always an error.
        ended = &mut connecting => return ended.unwrap_or(Ok(())),
    }
    tracing::info!(
        running = shared.held.running().0.len(),
        "stopping: taking no more tasks"
    );
    drain(&mut runners, &stop, config.drain_timeout).await;
    if tokio::time::timeout(FAREWELL, reporter.deliver(Report::Stopped, Vec::new()))
        .await
        .is_err()
    {
        tracing::warn!("stopping without good-bye: no connection to RabbitMQ");
    }
    end.cancel();
    finish(heartbeat).await;
    finish(connecting).await;
    tracing::info!("stopped");
    match shared.refusal.get() {
        Some(status) => Err(DaemonError::TokenRefused(FetchError::Refused {
            status: *status,
        })),
        None => Ok(()),
    }
}

/// Lets the slots finish what they run; after `timeout`, or when told to, they
/// hand it back.
async fn drain(runners: &mut JoinSet<()>, stop: &Stop, timeout: Duration) {
    tokio::select! {
        () = all_ended(runners) => return,
        () = stop.handing_back() => {}
        () = tokio::time::sleep(timeout) => tracing::warn!("judgements still run: handing them back"),
    }
    stop.hand_back();
    if tokio::time::timeout(FAREWELL, all_ended(runners))
        .await
        .is_err()
    {
        tracing::warn!("stopping with tasks in hand: RabbitMQ gives them to another worker");
        runners.abort_all();
    }
}

async fn all_ended(runners: &mut JoinSet<()>) {
    while let Some(ended) = runners.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a slot ended before its time");
        }
    }
}

/// Tells the scheduler what is being judged, until the end.
async fn beat(shared: Arc<Shared>, cache: Arc<DiskCache>, every: Duration, end: CancellationToken) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while end.run_until_cancelled(ticks.tick()).await.is_some() {
        #[expect(clippy::cast_precision_loss, reason = "a gauge need not be exact")]
        metrics::gauge!("assize_worker_cache_bytes").set(cache.bytes().as_u64() as f64);
        let (held, tickets) = shared.held.running();
        shared
            .reporter
            .send(Report::Heartbeat { held }, tickets)
            .await;
    }
}

/// Tests the languages; nothing if told to stop meanwhile.
async fn test(
    judge: Judge,
    mut slots: Vec<Slot>,
    config: &Config,
    stop: &Stop,
) -> Result<Option<(Judge, Vec<Slot>, Vec<LanguageVersion>)>, DaemonError> {
    let cancel = Cancel::default();
    let languages = config.languages.clone();
    let mut testing = {
        let cancel = cancel.clone();
        tokio::task::spawn_blocking(move || {
            let tested = startup::test_languages(&judge, &mut slots, &languages, &cancel);
            tested.map(|versions| (judge, slots, versions))
        })
    };
    let joined = tokio::select! {
        joined = &mut testing => joined,
        () = stop.draining() => {
            cancel.cancel();
            drop(testing.await);
            return Ok(None);
        }
    };
    match joined {
        Ok(tested) => tested.map(Some),
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

fn registered(config: &Config, languages: Vec<LanguageVersion>) -> Registered {
    Registered {
        name: config.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        slots: u32::from(config.slots),
        lanes: config.lanes.iter().map(ToString::to_string).collect(),
        languages,
    }
}

/// An empty directory, whatever an earlier process has left in it.
fn make_anew(path: &Path) -> Result<(), DaemonError> {
    let made = match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => fs::create_dir(path),
    };
    made.map_err(|source| DaemonError::Scratch {
        path: path.to_owned(),
        source,
    })
}

async fn finish<T>(task: JoinHandle<T>) {
    if tokio::time::timeout(FAREWELL, task).await.is_err() {
        tracing::warn!("stopping although the connection to RabbitMQ is not closed");
    }
}
