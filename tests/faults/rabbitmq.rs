//! A RabbitMQ of our own, to be mistreated.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use assize_common::amqp::AmqpUrl;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::daemon::Daemon;
use super::service::{PATIENCE, as_service, free_ports, newest};

const NODE: &str = "faults@localhost";
/// The first bytes of every AMQP 0-9-1 connection.
const GREETING: &[u8] = b"AMQP\x00\x00\x09\x01";

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
