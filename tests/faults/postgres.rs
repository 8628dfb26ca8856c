//! A Postgres with a replica that confirms every commit, to be mistreated.
//!
//! Whoever asks for it finds the primary behind a name that leads to another
//! server after a failover, as the name of a host or an address would.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::sync::Arc;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::process::Command;
use tokio::sync::Mutex;

use super::clock::Clock;
use super::daemon::{Daemon, send_signal};
use super::disk::Disk;
use super::service::{PATIENCE, as_service, give_to_services, newest};

const PAUSE: Duration = Duration::from_millis(50);

/// A primary and its replica, each behind a Unix socket. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Postgres {
    /// Of all its servers.
    pub(super) clock: Clock,
    directory: PathBuf,
    /// What is done to processes is done to one after the other.
    servers: Arc<Mutex<Servers>>,
}

#[derive(Debug)]
struct Servers {
    primary: Server,
    /// None until a new one is built after a failover.
    replica: Option<Server>,
    /// How many there were.
    count: u32,
}

/// One server with a disk of its own.
#[derive(Debug)]
struct Server {
    daemon: Daemon,
    home: PathBuf,
    disk: Disk,
}

impl Postgres {
    pub(super) async fn start(directory: &Path) -> Self {
        let clock = Clock::new(directory.join("clock"));
        let primary = Server::new(directory, 1, &clock).await;
        primary.initialize().await;
        primary.daemon.start().await;
        let postgres = Self {
            clock,
            directory: directory.to_owned(),
            servers: Arc::new(Mutex::new(Servers {
                primary,
                replica: None,
                count: 1,
            })),
        };
        let mut servers = Arc::clone(&postgres.servers).lock_owned().await;
        postgres.lead_to(&servers.primary);
        postgres.ready().await;
        postgres.patiently("CREATE DATABASE assize").await;
        postgres.build_replica(&mut servers).await;
        postgres
    }

    /// The way to a database of the primary by its socket.
    pub(super) fn url(&self, database: &str) -> String {
        format!(
            "postgres://assize@localhost/{database}?host={}",
            self.name().display()
        )
    }

    /// The socket of the primary.
    pub(super) fn socket(&self) -> PathBuf {
        self.name().join(".s.PGSQL.5432")
    }

    /// Ends the primary by a signal, and starts it again after a while.
    pub(super) async fn restart(&self, signal: &str, pause: Duration) {
        let servers = self.servers.lock().await;
        let daemon = &servers.primary.daemon;
        daemon.end(signal).await;
        tokio::time::sleep(pause).await;
        daemon.start().await;
        self.ready().await;
    }

    /// The primary does nothing for a while, whoever is connected to it.
    pub(super) async fn stand_still(&self, time: Duration) {
        let servers = self.servers.lock().await;
        servers.primary.daemon.freeze(time).await;
    }

    /// How often the primary ended without being told to.
    pub(super) async fn surprises(&self) -> u32 {
        self.servers.lock().await.primary.daemon.surprises()
    }

    /// Loses the primary for good, and after a while the replica is the primary. It gets a
    /// replica of its own as soon as that can be built.
    pub(super) async fn fail_over(&self, pause: Duration) {
        let mut servers = Arc::clone(&self.servers).lock_owned().await;
        servers.primary.lose().await;
        tokio::time::sleep(pause).await;
        let replica = servers.replica.take().expect("there is a replica");
        replica.promote().await;
        self.lead_to(&replica);
        servers.primary = replica;
        self.ready().await;
        let postgres = self.clone();
        tokio::spawn(async move { postgres.build_replica(&mut servers).await });
    }

    /// The disk of the primary is full for a while.
    pub(super) async fn fill_disk(&self, time: Duration) {
        let servers = self.servers.lock().await;
        servers.primary.disk.fill();
        let using_up = async {
            // What it has put aside for its log would last for minutes.
            loop {
                let _gone = self.execute("SELECT pg_switch_wal()").await;
                tokio::time::sleep(2 * PAUSE).await;
            }
        };
        let _over = tokio::time::timeout(time, using_up).await;
        servers.primary.disk.free();
        self.ready().await;
    }

    /// Ends both, and gives back their disks.
    pub(super) async fn end(&self) {
        let mut servers = self.servers.lock().await;
        servers.primary.lose().await;
        let replica = servers.replica.take().expect("there is a replica");
        replica.lose().await;
    }

    /// Returns once the primary answers.
    async fn ready(&self) {
        self.patiently("SELECT").await;
    }

    fn name(&self) -> PathBuf {
        self.directory.join("primary")
    }

    /// Makes the name lead to a server.
    fn lead_to(&self, server: &Server) {
        let next = self.directory.join("next");
        symlink(&server.home, &next).unwrap();
        fs::rename(next, self.name()).unwrap();
    }

    /// Copies the primary. From then on commits wait for the replica.
    async fn build_replica(&self, servers: &mut Servers) {
        servers.count += 1;
        let replica = Server::new(&self.directory, servers.count, &self.clock).await;
        replica.copy(&servers.primary).await;
        replica.daemon.start().await;
        let streams = "DO $$ BEGIN
             ASSERT (SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming'); END $$";
        self.patiently(streams).await;
        // The copy was made before: as a primary without a replica it would wait for ever.
        self.patiently("ALTER SYSTEM SET synchronous_standby_names = '*'")
            .await;
        self.patiently("SELECT pg_reload_conf()").await;
        servers.replica = Some(replica);
    }

    /// Executes a statement on the primary, again and again until it succeeds.
    async fn patiently(&self, statement: &str) {
        let executing = async {
            while self.execute(statement).await.is_err() {
                tokio::time::sleep(PAUSE).await;
            }
        };
        tokio::time::timeout(PATIENCE, executing)
            .await
            .unwrap_or_else(|_| panic!("Postgres executes {statement}"));
    }

    async fn execute(&self, statement: &str) -> sqlx::Result<()> {
        let mut connection = PgConnection::connect(&self.url("postgres")).await?;
        let executed = sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut connection)
            .await;
        executed.map(drop)
    }
}

impl Server {
    async fn new(directory: &Path, number: u32, clock: &Clock) -> Self {
        let name = format!("postgres-{number}");
        let home = directory.join(&name);
        let disk = Disk::mount(&home);
        give_to_services(&home).await;
        let (server, own, clock) = (program("postgres"), home.clone(), clock.clone());
        let daemon = Daemon::new(&name, directory, move || {
            // No sooner than it is the account: what is left of root would be in its way.
            let mut command = as_service(Path::new("/usr/bin/env"));
            let environment = clock.environment().into_iter();
            command
                .args(environment.map(|(name, value)| format!("{name}={value}")))
                .arg(&server)
                .arg("-D")
                .arg(own.join("cluster"))
                .args(["--listen_addresses=", "--max_connections=200"])
                // A killed process loses nothing by it, only a host does.
                .args(["--fsync=off", "--dynamic_shared_memory_type=mmap"])
                .args(["--max_wal_size=96MB", "--min_wal_size=32MB"])
                // For a replica that was away for a moment, which looks for its primary at once.
                .args([
                    "--wal_keep_size=64MB",
                    "--wal_retrieve_retry_interval=100ms",
                ])
                .arg(format!("--unix_socket_directories={}", own.display()));
            command
        });
        Self { daemon, home, disk }
    }

    fn cluster(&self) -> PathBuf {
        self.home.join("cluster")
    }

    async fn initialize(&self) {
        let mut initdb = as_service(&program("initdb"));
        initdb
            .args(["--username=assize", "--auth-local=trust"])
            .args(["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"])
            .arg("--pgdata")
            .arg(self.cluster());
        succeeds(&mut initdb).await;
    }

    /// Becomes a replica of another one.
    async fn copy(&self, primary: &Self) {
        let mut copy = as_service(&program("pg_basebackup"));
        copy.args(["--username=assize", "--no-password", "--no-sync"])
            .args(["--checkpoint=fast", "--write-recovery-conf", "--host"])
            .arg(&primary.home)
            .arg("--pgdata")
            .arg(self.cluster());
        succeeds(&mut copy).await;
    }

    async fn promote(&self) {
        let mut promote = as_service(&program("pg_ctl"));
        promote.arg("promote").arg("--pgdata").arg(self.cluster());
        succeeds(&mut promote).await;
    }

    /// Kills all of it at once, as when its host is gone.
    async fn lose(&self) {
        let processes = self.daemon.descendants();
        let lock = fs::read_to_string(self.cluster().join("postmaster.pid"));
        self.daemon.end("KILL").await;
        send_signal("KILL", &processes).await;
        self.disk.unmount();
        // With a host this would be gone as well.
        let lock = lock.unwrap_or_default();
        let memory = lock
            .lines()
            .nth(6)
            .and_then(|line| line.split_whitespace().nth(1));
        if let Some(memory) = memory {
            let mut remove = Process::new("/usr/bin/ipcrm");
            let _best_effort = remove.args(["-m", memory]).output();
        }
    }
}

/// A program of Postgres.
fn program(name: &str) -> PathBuf {
    newest("/usr/lib/postgresql", "", "bin/initdb").with_file_name(name)
}

async fn succeeds(command: &mut Command) {
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
}
