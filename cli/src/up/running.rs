//! The services that run, in the order in which they depend on each other.

use std::time::Instant;

use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::announce::Announce;
use super::supervisor::{Service, Starts, Supervised};

/// What stops together; later ones stop first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    PortMapper,
    Servers,
    Scheduler,
    Workers,
}

/// All services that were started.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) announce: Announce,
    pub(super) interrupt: CancellationToken,
    services: Mutex<Vec<(Stage, Supervised)>>,
}

impl Running {
    /// Nothing yet.
    pub(super) fn new(announce: &Announce, interrupt: &CancellationToken) -> Self {
        Self {
            announce: announce.clone(),
            interrupt: interrupt.clone(),
            services: Mutex::default(),
        }
    }

    /// Starts a service, and waits until it is ready.
    pub(super) async fn start<S: Service>(&self, stage: Stage, service: S) -> anyhow::Result<()> {
        let since = Instant::now();
        let started = Supervised::start(service, &self.announce, &self.interrupt).await?;
        let seconds = since.elapsed().as_secs_f64();
        self.announce
            .line(&format!("{} is ready after {seconds:.1} s", started.name()));
        self.services.lock().await.push((stage, started));
        Ok(())
    }

    /// How often the service of this name was started, now and later.
    pub(super) async fn starts(&self, service: &str) -> Option<watch::Receiver<Starts>> {
        let services = self.services.lock().await;
        let mut services = services.iter().map(|(_, service)| service);
        services
            .find(|candidate| candidate.stamp().is_of(service))
            .map(Supervised::starts)
    }

    /// Stops them all, the latest stage first.
    pub(super) async fn stop(&self) -> anyhow::Result<()> {
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
