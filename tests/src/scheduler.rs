//! A scheduler alone, for tests that choose its settings.

use std::path::Path;
use std::process::Stdio;

use assize::client::Api;
use tokio::process::{Child, Command};

use crate::program::command;
use crate::services::Services;
use crate::system::{PAUSE, patiently};

/// A running scheduler; it ends when this is dropped.
#[derive(Debug)]
pub struct Scheduler {
    api: Api,
    process: Child,
}

impl Scheduler {
    /// Starts one with its files below `data`, and waits until it answers.
    ///
    /// # Panics
    /// When it does not.
    pub async fn start(services: &Services, amqp_url: &str, data: &Path) -> Self {
        let token = output(
            configured(services).args(["token", "create", "--name", "test", "--scope", "admin"]),
        )
        .await;
        let address_file = data.with_extension("address");
        let process = configured(services)
            .env("ASSIZE_AMQP_URL", amqp_url)
            .env("ASSIZE_LISTEN", "127.0.0.1:0")
            .env("ASSIZE_DATA_DIR", data)
            .arg("--address-file")
            .arg(&address_file)
            .stderr(Stdio::null())
            .spawn()
            .expect("the scheduler is a program");
        let address = patiently(PAUSE, async || std::fs::read_to_string(&address_file).ok());
        let address = address.await.expect("the scheduler listens");
        let api = Api::new(&format!("http://{}", address.trim()), Some(token.trim()))
            .expect("an address makes a URL");
        Self { api, process }
    }

    /// Its API, with a token that allows everything.
    #[must_use]
    pub const fn api(&self) -> &Api {
        &self.api
    }

    /// Ends it.
    ///
    /// # Panics
    /// When it can't be killed.
    pub async fn kill(mut self) {
        self.process.kill().await.expect("a child can be killed");
    }
}

fn configured(services: &Services) -> Command {
    let mut scheduler = command("assize-scheduler");
    scheduler
        .env("ASSIZE_DATABASE_URL", services.database_url())
        .env("ASSIZE_AMQP_PREFIX", services.amqp_prefix());
    scheduler
}

async fn output(command: &mut Command) -> String {
    let output = command.output().await.expect("the scheduler is a program");
    assert!(
        output.status.success(),
        "{}",
        crate::program::complaint(&output)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
