//! A Postgres and a RabbitMQ of our own, to be mistreated.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use assize_common::amqp::AmqpUrl;
use sqlx::{Connection as _, PgConnection};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Command;

use super::daemon::Daemon;

/// What takes longer to start is broken.
const PATIENCE: Duration = Duration::from_secs(120);
const NODE: &str = "faults@localhost";
/// The first bytes of every AMQP 0-9-1 connection.
const GREETING: &[u8] = b"AMQP\x00\x00\x09\x01";

/// A Postgres behind a Unix socket.
#[derive(Debug, Clone)]
pub(super) struct Postgres {
    pub(super) daemon: Daemon,
    directory: PathBuf,
}

impl Postgres {
    pub(super) async fn start(directory: &Path) -> Self {
        let initdb = newest("/usr/lib/postgresql", "", "bin/initdb");
        let server = initdb.with_file_name("postgres");
        let cluster = directory.join("cluster");
        let output = as_service(&initdb)
            .args(["--username=assize", "--auth-local=trust"])
            .args(["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"])
            .arg("--pgdata")
            .arg(&cluster)
            .output()
            .await
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let sockets = directory.to_owned();
        let daemon = Daemon::new("postgres", directory, move || {
            let mut command = as_service(&server);
            command
                .arg("-D")
                .arg(&cluster)
                .args(["--listen_addresses=", "--max_connections=200"])
                // A killed process loses nothing by it, only a host does.
                .arg("--fsync=off")
                .arg(format!("--unix_socket_directories={}", sockets.display()));
            command
        });
        let postgres = Self {
            daemon,
            directory: directory.to_owned(),
        };
        postgres.daemon.start().await;
        postgres.ready().await;
        let mut connection = PgConnection::connect(&postgres.url("postgres"))
            .await
            .unwrap();
        sqlx::query("CREATE DATABASE assize")
            .execute(&mut connection)
            .await
            .unwrap();
        postgres
    }

    /// The way to a database by the socket.
    pub(super) fn url(&self, database: &str) -> String {
        format!(
            "postgres://assize@localhost/{database}?host={}",
            self.directory.display()
        )
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.directory.join(".s.PGSQL.5432")
    }

    /// Returns once it answers.
    pub(super) async fn ready(&self) {
        let answering = async {
            while PgConnection::connect(&self.url("postgres")).await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, answering)
            .await
            .expect("Postgres answers");
    }

    /// Ends it by a signal, and starts it again after a while.
    pub(super) async fn restart(&self, signal: &str, pause: Duration) {
        self.daemon.end(signal).await;
        tokio::time::sleep(pause).await;
        self.daemon.start().await;
        self.ready().await;
    }
}

/// Within which time deliveries are to be acknowledged, as a rule; half an hour unless
/// RabbitMQ is told otherwise.
pub(super) const ACKNOWLEDGED: Duration = Duration::from_secs(6);

/// A RabbitMQ on a port of the loopback interface.
#[derive(Debug, Clone)]
pub(super) struct RabbitMq {
    pub(super) daemon: Daemon,
    mapper: Daemon,
    server: PathBuf,
    environment: Vec<(&'static str, String)>,
    port: u16,
}

impl RabbitMq {
    /// Starts one that wants deliveries `acknowledged` within that time.
    pub(super) async fn start(directory: &Path, acknowledged: Duration) -> Self {
        let server = newest(
            "/usr/lib/rabbitmq/lib",
            "rabbitmq_server-",
            "sbin/rabbitmq-server",
        );
        let [port, distribution, mapper_port] = free_ports();
        let configuration = "default_user = assize\ndefault_pass = assize\n\
                             disk_free_limit.absolute = 50MB\nvm_memory_high_watermark.absolute = 512MiB\n";
        // It is looked at twice in a second: once in a minute unless told otherwise.
        let advanced = format!(
            "[{{rabbit, [{{consumer_timeout, {}}}, {{channel_tick_interval, 500}}]}}].\n",
            acknowledged.as_millis()
        );
        for (name, text) in [
            ("rabbitmq.conf", configuration),
            ("advanced.config", &advanced),
            ("plugins", "[].\n"),
        ] {
            fs::write(directory.join(name), text).unwrap();
        }
        let below = |name: &str| directory.join(name).display().to_string();
        let environment = vec![
            ("HOME", below("")),
            ("RABBITMQ_ALLOW_INPUT", "true".to_owned()),
            ("RABBITMQ_SERVER_START_ARGS", "-noinput".to_owned()),
            ("RABBITMQ_NODENAME", NODE.to_owned()),
            ("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1".to_owned()),
            ("RABBITMQ_NODE_PORT", port.to_string()),
            ("RABBITMQ_DIST_PORT", distribution.to_string()),
            (
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none"
                    .to_owned(),
            ),
            ("ERL_EPMD_PORT", mapper_port.to_string()),
            ("ERL_EPMD_ADDRESS", "127.0.0.1".to_owned()),
            ("RABBITMQ_MNESIA_BASE", below("mnesia")),
            ("RABBITMQ_LOG_BASE", below("")),
            ("RABBITMQ_LOGS", "-".to_owned()),
            ("RABBITMQ_PID_FILE", below("rabbitmq.pid")),
            ("RABBITMQ_CONFIG_FILE", below("rabbitmq.conf")),
            ("RABBITMQ_CONFIG_FILES", below("none/*.conf")),
            ("RABBITMQ_ADVANCED_CONFIG_FILE", below("advanced.config")),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", below("plugins")),
            ("RABBITMQ_CONF_ENV_FILE", "/dev/null".to_owned()),
        ];
        let mapper = Daemon::new("epmd", directory, move || {
            let mut command = as_service(Path::new("/usr/bin/epmd"));
            command.args(["-address", "127.0.0.1", "-port"]);
            command.arg(mapper_port.to_string());
            command
        });
        let daemon = {
            let (server, environment) = (server.clone(), environment.clone());
            Daemon::new("rabbitmq", directory, move || {
                let mut command = as_service(&server);
                command.envs(environment.iter().map(|(name, value)| (*name, value)));
                command
            })
        };
        let rabbitmq = Self {
            daemon,
            mapper,
            server,
            environment,
            port,
        };
        rabbitmq.mapper.start().await;
        rabbitmq.daemon.start().await;
        rabbitmq.ready().await;
        rabbitmq
    }

    pub(super) fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// The way to it over `address`.
    pub(super) fn url(address: SocketAddr) -> String {
        format!("amqp://assize:assize@{address}/%2f")
    }

    /// The direct way to it.
    pub(super) fn direct_url(&self) -> AmqpUrl {
        Self::url(self.address()).parse().unwrap()
    }

    /// Returns once it lets clients in.
    pub(super) async fn ready(&self) {
        let greet = async || {
            let mut stream = TcpStream::connect(self.address()).await?;
            stream.write_all(GREETING).await?;
            stream.read_u8().await
        };
        let answering = async {
            while greet().await.is_err() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(PATIENCE, answering)
            .await
            .expect("RabbitMQ answers");
    }

    /// Ends it by a signal, and starts it again after a while.
    pub(super) async fn restart(&self, signal: &str, pause: Duration) {
        self.daemon.end(signal).await;
        tokio::time::sleep(pause).await;
        self.daemon.start().await;
        self.ready().await;
    }

    /// Takes no messages for a while, short of memory as it believes to be.
    pub(super) async fn alarm(&self, time: Duration) {
        let limit = "set_vm_memory_high_watermark";
        self.control(&[limit, "0.00001"]).await;
        tokio::time::sleep(time).await;
        self.control(&[limit, "absolute", "512MB"]).await;
    }

    /// Runs an administrator's command.
    pub(super) async fn control(&self, arguments: &[&str]) -> Output {
        let mut command = as_service(&self.server.with_file_name("rabbitmqctl"));
        command.envs(self.environment.iter().map(|(name, value)| (*name, value)));
        command.args(["-n", NODE]).args(arguments);
        command.output().await.unwrap()
    }

    pub(super) async fn end(&self) {
        self.daemon.end("KILL").await;
        self.mapper.end("KILL").await;
    }
}

/// A command run as the account of services, ended with us.
fn as_service(program: &Path) -> Command {
    let mut command = Command::new("/usr/bin/setpriv");
    command
        .args(["--reuid=assize", "--regid=assize", "--clear-groups"])
        .args(["--pdeathsig=KILL", "--"])
        .arg(program)
        .env_clear()
        .env("LANG", "C.UTF-8")
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command
}

/// The program of the newest installed version.
fn newest(installed: &str, prefix: &str, program: &str) -> PathBuf {
    let versions = fs::read_dir(installed).into_iter().flatten().flatten();
    let found = versions.filter_map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let version: Vec<u32> = name
            .strip_prefix(prefix)?
            .split('.')
            .map(|part| part.parse().ok())
            .collect::<Option<_>>()?;
        let path = entry.path().join(program);
        path.exists().then_some((version, path))
    });
    let newest = found.max();
    newest
        .unwrap_or_else(|| panic!("{program} is not below {installed}: run `make setup`"))
        .1
}

/// Ports below those of outgoing connections, or one of these might take one before we do.
pub(super) fn free_ports<const N: usize>() -> [u16; N] {
    let mut candidates =
        (20_000..32_000).skip(usize::try_from(std::process::id() % 10_000).unwrap());
    let mut next = || {
        let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
        candidates
            .by_ref()
            .find(is_free)
            .expect("some port is free")
    };
    std::array::from_fn(|_| next())
}
