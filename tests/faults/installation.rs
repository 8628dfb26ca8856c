//! A whole installation whose every link leads through a proxy: two schedulers,
//! two workers, a Postgres, a RabbitMQ, all real processes.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use assize::client::Api;
use assize_common::Lane;
use assize_common::amqp::{Connection, Role, Topology};
use assize_common::package::Package;
use assize_scheduler::store::Store;
use assize_tests::program::command;
use assize_tests::system::data_directory;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tempfile::TempDir;
use tokio::process::Command;

use super::bucket::{self, Bucket};
use super::clock::Clock;
use super::daemon::Daemon;
use super::disk::Disk;
use super::frame::Protocol;
use super::leftovers::Leftovers;
use super::load::{Load, PROBLEM};
use super::postgres::Postgres;
use super::proxy::{Proxy, Target};
use super::rabbitmq::{ACKNOWLEDGED, RabbitMq};
use super::service::{free_ports, give_to_services};

/// Short times, so that what is lost is found soon.
pub(super) const LEASE: Duration = Duration::from_secs(3);
const SETTINGS: [(&str, &str); 2] = [
    ("ASSIZE_LOST_TASK_SECONDS", "4"),
    (
        "ASSIZE_LOG",
        "info,lapin=off,sqlx=off,assize_scheduler=debug",
    ),
];
/// For a mix. Its faults come thick and fast: an installation in the field would have an
/// hour's peace for each, and single ones are met with what is usual there.
const PATIENT: [(&str, &str); 2] = [
    ("ASSIZE_MAX_FAILURES", "50"),
    ("ASSIZE_RETRY_DELAY_SECONDS", "0.02"),
];
const PREFIX: &str = "faults";
const PATIENCE: Duration = Duration::from_secs(120);

/// A language of which thousands of programs can be judged.
const LANGUAGES: &str = r#"
[[language]]
id = "sh"
name = "Shell"
code = "sh"
extensions = ["sh"]
default = true
compile = [["/bin/sh", "{sources}", "compile"]]
artifacts = ["{sources}"]
run = ["/bin/sh", "/box/{entry}.sh"]
version = ["/bin/sh", "-c", "echo 1"]
self_test = """
[ "$1" = compile ] && exit 0
read a b
echo $((a + b))
"""
self_test_file = "main.sh"
"#;

/// What is different from one installation to another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) lease: Duration,
    /// Within what time RabbitMQ wants tasks acknowledged.
    pub(super) acknowledged: Duration,
    /// Whether packages and sources are in a bucket.
    pub(super) bucket: bool,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            lease: LEASE,
            acknowledged: ACKNOWLEDGED,
            bucket: false,
        }
    }
}

/// A scheduler with its ways to what it needs.
#[derive(Debug, Clone)]
pub(super) struct Scheduler {
    pub(super) daemon: Daemon,
    pub(super) clock: Clock,
    pub(super) broker: Proxy,
    pub(super) database: Proxy,
    pub(super) bucket: Option<Proxy>,
    pub(super) api: Api,
}

/// A worker with its ways to what it needs.
#[derive(Debug, Clone)]
pub(super) struct Worker {
    pub(super) daemon: Daemon,
    pub(super) clock: Clock,
    pub(super) broker: Proxy,
    /// To the schedulers' HTTP.
    pub(super) files: Proxy,
    /// With its cache.
    pub(super) disk: Arc<Disk>,
}

/// All of it.
#[derive(Debug)]
pub(super) struct Installation {
    pub(super) postgres: Postgres,
    pub(super) rabbitmq: RabbitMq,
    pub(super) schedulers: Vec<Scheduler>,
    pub(super) workers: Vec<Worker>,
    pub(super) database: PgPool,
    pub(super) store: Store,
    pub(super) topology: Topology,
    pub(super) load: Arc<Load>,
    pub(super) leftovers: Leftovers,
    /// Where packages and sources are, unless in a directory.
    _bucket: Option<Bucket>,
    /// Whose it is to spoil what is stored.
    pub(super) blobs_turn: tokio::sync::Mutex<()>,
    /// Whether schedulers that start try again very often.
    patient: Arc<AtomicBool>,
    directory: Mutex<Option<TempDir>>,
    place: PathBuf,
}

impl Installation {
    /// Starts all of it.
    pub(super) async fn start(shape: Shape) -> Self {
        let directory = data_directory();
        let place = directory.path();
        fs::create_dir(place.join("data")).unwrap();
        for service in ["postgres", "rabbitmq", "bucket"] {
            fs::create_dir(place.join(service)).unwrap();
            give_to_services(&place.join(service)).await;
        }
        let languages = place.join("languages.toml");
        fs::write(&languages, LANGUAGES).unwrap();
        let homes = ["postgres", "rabbitmq", "bucket"].map(|name| place.join(name));
        let (postgres, rabbitmq) = tokio::join!(
            Postgres::start(&homes[0]),
            RabbitMq::start(&homes[1], shape.acknowledged)
        );
        // Afterwards, or it might take a port that RabbitMQ is about to take.
        let bucket = match shape.bucket {
            true => Some(Bucket::start(&homes[2]).await),
            false => None,
        };
        let token = token(&postgres, &["admin", "worker"]).await;

        let patient = Arc::new(AtomicBool::new(false));
        let mut schedulers = Vec::new();
        let addresses: Vec<SocketAddr> = free_ports::<2>()
            .into_iter()
            .map(|port| ([127, 0, 0, 1], port).into())
            .collect();
        for (number, address) in addresses.iter().enumerate() {
            let broker = broker_proxy(&rabbitmq).await;
            let target = Target::Unix(postgres.socket());
            let database = Proxy::start(Protocol::Postgres, target).await;
            let name = format!("scheduler-{number}");
            let clock = Clock::new(place.join(format!("{name}.clock")));
            let bucket = match &bucket {
                Some(bucket) => Some(bucket.proxy().await),
                None => None,
            };
            let command = scheduler(place, *address, &broker, &database, shape.lease, &clock);
            let in_bucket = bucket.as_ref().map(bucket::environment);
            let patient = Arc::clone(&patient);
            let daemon = Daemon::new(&name, place, move || {
                let mut command = command();
                command.envs(in_bucket.clone().into_iter().flatten());
                if patient.load(Ordering::Relaxed) {
                    command.envs(PATIENT);
                }
                command
            });
            daemon.start().await;
            schedulers.push(Scheduler {
                daemon,
                clock,
                broker,
                database,
                bucket,
                api: Api::new(&format!("http://{address}"), Some(&token)).unwrap(),
            });
        }
        for scheduler in &schedulers {
            answers(&scheduler.api).await;
        }
        schedulers[0]
            .api
            .import_problem(PROBLEM, archive())
            .await
            .unwrap();

        let mut workers = Vec::new();
        for number in 0..2 {
            let broker = broker_proxy(&rabbitmq).await;
            let files = Proxy::start(Protocol::Http, Target::Tcp(addresses.clone())).await;
            let name = format!("worker-{number}");
            let clock = Clock::new(place.join(format!("{name}.clock")));
            let disk = Arc::new(Disk::mount(&place.join(format!("cache-{name}"))));
            let daemon = worker(&name, place, &token, &broker, &files, &clock);
            daemon.start().await;
            workers.push(Worker {
                daemon,
                clock,
                broker,
                files,
                disk,
            });
        }
        let database = PgPoolOptions::new()
            .acquire_timeout(PATIENCE)
            .connect(&postgres.url("assize"))
            .await
            .unwrap();
        let apis = schedulers.iter().map(|scheduler| scheduler.api.clone());
        Self {
            load: Arc::new(Load::new(apis.collect(), database.clone())),
            store: Store::from_pool(database.clone()),
            postgres,
            rabbitmq,
            schedulers,
            workers,
            database,
            topology: Topology::new(PREFIX),
            leftovers: Leftovers::default(),
            _bucket: bucket,
            blobs_turn: tokio::sync::Mutex::default(),
            patient,
            place: directory.path().to_owned(),
            directory: Mutex::new(Some(directory)),
        }
    }

    /// Has attempts tried again as often as a mix needs it, from now on.
    pub(super) async fn be_patient(&self) {
        if !self.patient.swap(true, Ordering::Relaxed) {
            for scheduler in &self.schedulers {
                scheduler.daemon.end("TERM").await;
                scheduler.daemon.start().await;
            }
        }
    }

    /// Where everything is kept.
    pub(super) fn place(&self) -> &Path {
        &self.place
    }

    /// Keeps the logs and returns where they are.
    pub(super) fn keep_logs(&self) -> PathBuf {
        if let Some(directory) = self.directory.lock().unwrap().take() {
            // Not to be removed.
            let _path = directory.keep();
        }
        self.place.clone()
    }

    /// Every daemon of ours.
    pub(super) fn daemons(&self) -> impl Iterator<Item = &Daemon> {
        let schedulers = self.schedulers.iter().map(|scheduler| &scheduler.daemon);
        schedulers.chain(self.workers.iter().map(|worker| &worker.daemon))
    }

    /// The queues that messages wait in, with how many.
    pub(super) async fn waiting_messages(&self) -> Vec<(String, u32)> {
        let url = self.rabbitmq.direct_url();
        let connection = Connection::open(&url, "tests", &self.topology, Role::Scheduler)
            .await
            .unwrap();
        let mut waiting = Vec::new();
        for queue in self.queues().into_iter().chain([self.topology.dead()]) {
            let messages = connection.waiting_messages(&queue).await.unwrap();
            if messages > 0 {
                waiting.push((queue, messages));
            }
        }
        // Whether it says good-bye or not.
        let _gone = connection.close().await;
        waiting
    }

    /// All queues but that of dead letters.
    pub(super) fn queues(&self) -> Vec<String> {
        let lanes = Lane::ALL.map(|lane| self.topology.lane(lane));
        lanes.into_iter().chain([self.topology.reports()]).collect()
    }
}

async fn broker_proxy(rabbitmq: &RabbitMq) -> Proxy {
    Proxy::start(Protocol::Amqp, Target::Tcp(vec![rabbitmq.address()])).await
}

async fn token(postgres: &Postgres, scopes: &[&str]) -> String {
    let mut create = command("assize-scheduler");
    create
        .env("ASSIZE_DATABASE_URL", postgres.url("assize"))
        .args(["token", "create", "--name", "faults"]);
    for scope in scopes {
        create.args(["--scope", scope]);
    }
    let output = create.output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn scheduler(
    place: &Path,
    address: SocketAddr,
    broker: &Proxy,
    database: &Proxy,
    lease: Duration,
    clock: &Clock,
) -> impl Fn() -> Command + Send + Sync + 'static {
    let broker = RabbitMq::url(broker.address);
    let database = format!(
        "postgres://assize@{}/assize?sslmode=disable",
        database.address
    );
    let (path, clock) = (place.to_owned(), clock.clone());
    move || {
        let mut scheduler = command("assize-scheduler");
        scheduler
            .envs(SETTINGS)
            .envs(clock.environment())
            .env("ASSIZE_LEASE_SECONDS", lease.as_secs().to_string())
            .env("ASSIZE_DATABASE_URL", &database)
            .env("ASSIZE_DATABASE_WAIT_SECONDS", "120")
            .env("ASSIZE_AMQP_URL", &broker)
            .env("ASSIZE_AMQP_PREFIX", PREFIX)
            .env("ASSIZE_LISTEN", address.to_string())
            .env("ASSIZE_DATA_DIR", path.join("data"))
            .env("ASSIZE_LANGUAGE_TABLE", path.join("languages.toml"))
            .arg("--supervised");
        scheduler
    }
}

fn worker(
    name: &str,
    place: &Path,
    token: &str,
    broker: &Proxy,
    files: &Proxy,
    clock: &Clock,
) -> Daemon {
    let broker = RabbitMq::url(broker.address);
    let files = format!("http://{}", files.address);
    let (path, token, own_name) = (place.to_owned(), token.to_owned(), name.to_owned());
    let clock = clock.clone();
    Daemon::new(name, place, move || {
        let mut worker = command("assize-worker");
        worker
            .envs(SETTINGS)
            .envs(clock.environment())
            .env("ASSIZE_AMQP_URL", &broker)
            .env("ASSIZE_AMQP_PREFIX", PREFIX)
            .env("ASSIZE_SCHEDULER_URL", &files)
            .env("ASSIZE_SCHEDULER_WAIT_SECONDS", "120")
            .env("ASSIZE_WORKER_TOKEN", &token)
            .env("ASSIZE_NAME", &own_name)
            .env("ASSIZE_SLOTS", "2")
            .env("ASSIZE_HEARTBEAT_SECONDS", "0.7")
            .env("ASSIZE_ACKNOWLEDGE_SECONDS", "2")
            .env("ASSIZE_DRAIN_TIMEOUT_SECONDS", "5")
            .env("ASSIZE_CACHE_DIR", path.join(format!("cache-{own_name}")))
            .env("ASSIZE_LANGUAGE_TABLE", path.join("languages.toml"))
            .arg("--supervised");
        worker
    })
}

async fn answers(api: &Api) {
    let answering = async {
        while !api.readiness().await.is_ok_and(|readiness| readiness.ready) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, answering)
        .await
        .expect("a scheduler answers");
}

/// The archive of a problem: add two numbers.
fn archive() -> Vec<u8> {
    let root = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    write(
        "problem.yaml",
        "problem_format_version: 2025-09\nname: Sum\nuuid: 01890a5d-ac96-774b-bcce-b302099a8057\n\
         limits:\n  time_limit: 10.0\n  memory: 64\n",
    );
    for (number, (input, answer)) in [("1 2", "3"), ("20 22", "42")].iter().enumerate() {
        write(&format!("data/secret/{number}.in"), &format!("{input}\n"));
        write(&format!("data/secret/{number}.ans"), &format!("{answer}\n"));
    }
    Package::pack(root.path()).unwrap()
}
