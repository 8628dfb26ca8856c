//! An installation from its start to its stop.

use std::path::Path;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use super::account::Account;
use super::announce::Announce;
use super::data_dir::DataDir;
use super::options::Options;
use super::running::Running;
use super::stamp::{self, Stamp};
use super::start::Start;
use crate::client::{Api, Server};

/// A running installation. [`Self::stop`] it: when dropped, its services go on
/// until this process ends.
#[derive(Debug)]
pub struct Installation {
    data: DataDir,
    api: Api,
    running: Running,
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
        let running = Running::new(announce, interrupt);
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
        let stopped = self.running.stop().await;
        // Children of services may end a little after them.
        stamp::end_all_leftovers(self.data.path()).await?;
        stopped.and(withdrawn)
    }
}
