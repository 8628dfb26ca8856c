//! Keeps a service running: starts it, waits until it is ready, and starts it
//! again when it dies, later and later if it keeps dying.

use std::future::Future;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::announce::Announce;
use super::log_file;
use super::process::{Lifeline, Process, Program, describe};
use super::stamp::Stamp;
use crate::exit::{self, Failure};

const PROBE_INTERVAL: Duration = Duration::from_millis(50);
const FIRST_DELAY: Duration = Duration::from_millis(200);
const LONGEST_DELAY: Duration = Duration::from_secs(15);
/// Who lives that long is healthy: the delay starts over.
const HEALTHY_AFTER: Duration = Duration::from_secs(30);
/// Quick deaths in a row before the log's last lines are shown.
const PATIENCE: u32 = 3;
const LINES: usize = 12;

/// Something to keep running.
pub(super) trait Service: Send + Sync + 'static {
    /// Its name for people.
    fn name(&self) -> &str;

    /// The mark of its processes.
    fn stamp(&self) -> &Stamp;

    /// Makes everything ready for a start.
    fn prepare(&self) -> impl Future<Output = anyhow::Result<Program>> + Send;

    /// Whether it does its work now.
    fn is_ready(&self) -> impl Future<Output = bool> + Send;

    /// How long it may take until it is ready.
    fn ready_within(&self) -> Duration;

    /// How long it may take to stop before it is killed.
    fn stop_within(&self) -> Duration;
}

/// A service that is kept running until [`Supervised::stop`].
#[derive(Debug)]
pub(super) struct Supervised {
    name: String,
    stamp: Stamp,
    stop: CancellationToken,
    starts: watch::Receiver<Starts>,
    task: JoinHandle<anyhow::Result<()>>,
}

/// How often a service was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Starts {
    /// The number of starts after which it became ready.
    pub(super) count: u32,
    /// Whether it is ready now.
    pub(super) ready: bool,
}

impl Supervised {
    /// Starts a service and waits until it is ready.
    ///
    /// # Errors
    /// When it can't be started, dies first, or takes too long; the error ends
    /// with the last lines of its log. Also when `interrupt` comes first.
    pub(super) async fn start<S: Service>(
        service: S,
        announce: &Announce,
        interrupt: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let name = service.name().to_owned();
        let stop = CancellationToken::new();
        let started = tokio::select! {
            started = start_once(&service) => started?,
            () = interrupt.cancelled() => {
                service.stamp().end_leftovers().await?;
                let message = format!("interrupted while starting {name}");
                return Err(Failure::new(exit::INTERRUPTED, message).into());
            }
        };
        let (sender, starts) = watch::channel(Starts {
            count: 1,
            ready: true,
        });
        let stamp = service.stamp().clone();
        let keeper = Keeper {
            service: Arc::new(service),
            announce: announce.clone(),
            stop: stop.clone(),
            starts: sender,
        };
        let task = tokio::spawn(keeper.keep(started));
        Ok(Self {
            name,
            stamp,
            stop,
            starts,
            task,
        })
    }

    /// Its name.
    #[must_use]
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The mark of its processes.
    pub(super) const fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// How often it was started, and whether it is ready, now and later.
    pub(super) fn starts(&self) -> watch::Receiver<Starts> {
        self.starts.clone()
    }

    /// Stops it and waits for its end.
    ///
    /// # Errors
    /// When it had to be killed.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.task
            .await
            .with_context(|| format!("the supervision of {} failed", self.name))?
    }
}

struct Keeper<S> {
    service: Arc<S>,
    announce: Announce,
    stop: CancellationToken,
    starts: watch::Sender<Starts>,
}

/// A process that became ready, with its program.
type Started = (Process, Program);

impl<S: Service> Keeper<S> {
    async fn keep(self, started: Started) -> anyhow::Result<()> {
        let (mut process, mut program) = started;
        let mut quick_deaths = 0;
        let mut since = Instant::now();
        loop {
            let status = tokio::select! {
                status = process.wait() => status.with_context(|| format!("cannot wait for {}", self.service.name()))?,
                () = self.stop.cancelled() => return self.end(process).await,
            };
            self.starts.send_modify(|starts| starts.ready = false);
            let mut problem = format!("{} died ({})", self.service.name(), describe(status));
            loop {
                quick_deaths = if since.elapsed() < HEALTHY_AFTER {
                    quick_deaths + 1
                } else {
                    1
                };
                let delay = delay(quick_deaths);
                self.announce_death(&problem, quick_deaths, delay, &program);
                tokio::select! {
                    () = tokio::time::sleep(delay) => {}
                    () = self.stop.cancelled() => return Ok(()),
                }
                since = Instant::now();
                let starting = tokio::select! {
                    starting = start_once(&*self.service) => starting,
                    () = self.stop.cancelled() => return self.service.stamp().end_leftovers().await.map(drop),
                };
                match starting {
                    Ok(started) => {
                        (process, program) = started;
                        break;
                    }
                    Err(error) => problem = format!("{error:#}"),
                }
            }
            self.announce
                .line(&format!("{} runs again", self.service.name()));
            self.starts.send_modify(|starts| {
                *starts = Starts {
                    count: starts.count + 1,
                    ready: true,
                }
            });
        }
    }

    async fn end(&self, process: Process) -> anyhow::Result<()> {
        let name = self.service.name();
        let grace = self.service.stop_within();
        let by_itself = process
            .stop(grace)
            .await
            .with_context(|| format!("cannot stop {name}"))?;
        anyhow::ensure!(
            by_itself,
            "{name} did not stop within {} s and was killed",
            grace.as_secs()
        );
        Ok(())
    }

    fn announce_death(&self, problem: &str, quick_deaths: u32, delay: Duration, program: &Program) {
        let again = format!("starting it again in {:.1} s", delay.as_secs_f64());
        let log = program.log.display();
        if quick_deaths == PATIENCE {
            let lines = log_file::last_lines(&program.log, LINES);
            self.announce.line(&format!("{problem}; {quick_deaths} quick deaths in a row, {again}; its log {log} ends so:{lines}"));
        } else {
            self.announce
                .line(&format!("{problem}; {again}; see {log}"));
        }
    }
}

async fn start_once<S: Service>(service: &S) -> anyhow::Result<Started> {
    let name = service.name();
    service.stamp().end_leftovers().await?;
    let program = service
        .prepare()
        .await
        .with_context(|| format!("cannot prepare the start of {name}"))?;
    let mut process = Process::start(&program)?;
    let becomes_ready = async {
        while !service.is_ready().await {
            tokio::time::sleep(PROBE_INTERVAL).await;
        }
    };
    let patience = service.ready_within();
    let mut code = exit::FAILURE;
    let problem = tokio::select! {
        status = process.wait() => {
            let status = status.with_context(|| format!("cannot wait for {name}"))?;
            code = meant_by(status, program.lifeline);
            format!("{name} did not start ({})", describe(status))
        }
        ready = tokio::time::timeout(patience, becomes_ready) => match ready {
            Ok(()) => return Ok((process, program)),
            Err(_) => format!("{name} was not ready within {} s", patience.as_secs()),
        },
    };
    process.kill().await?;
    let lines = log_file::last_lines(&program.log, LINES);
    let log = program.log.display();
    Err(Failure::new(code, format!("{problem}; its log {log} ends so:{lines}")).into())
}

/// The exit code that passes on why a program of ours did not start: what the
/// codes of others mean is their business.
fn meant_by(status: ExitStatus, lifeline: Lifeline) -> u8 {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    match (lifeline, code) {
        (Lifeline::Own, Some(code @ (exit::USAGE | exit::JUDGING_ERROR | exit::TEMPORARY))) => code,
        _ => exit::FAILURE,
    }
}

/// Doubles with each quick death up to a cap; jittered, so that services which
/// died of the same cause do not come back in step.
fn delay(quick_deaths: u32) -> Duration {
    use std::hash::{BuildHasher as _, RandomState};
    let doubled = FIRST_DELAY.saturating_mul(2_u32.saturating_pow(quick_deaths.saturating_sub(1)));
    let percent = 75 + u32::try_from(RandomState::new().hash_one(0) % 50).unwrap_or_default();
    doubled.min(LONGEST_DELAY) * percent / 100
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::{Path, PathBuf};

    /// Counts its starts in a file, and does what `script` says.
    struct Script {
        root: PathBuf,
        script: &'static str,
        stamp: Stamp,
    }

    impl Service for Script {
        fn name(&self) -> &str {
            "script"
        }

        fn stamp(&self) -> &Stamp {
            &self.stamp
        }

        async fn prepare(&self) -> anyhow::Result<Program> {
            Ok(Program {
                path: "/bin/sh".into(),
                args: vec!["-c".into(), self.script.into()],
                env: Vec::new(),
                inherit_env: false,
                account: None,
                directory: self.root.clone(),
                lifeline: Lifeline::Own,
                log: self.root.join("log"),
                stamp: self.stamp.clone(),
            })
        }

        async fn is_ready(&self) -> bool {
            let ready = self.root.join("ready").exists();
            // Tells the script that it may die now.
            ready && std::fs::write(self.root.join("seen"), "").is_ok()
        }

        fn ready_within(&self) -> Duration {
            Duration::from_secs(30)
        }

        fn stop_within(&self) -> Duration {
            Duration::from_secs(30)
        }
    }

    async fn start(
        root: &Path,
        script: &'static str,
        announce: &Announce,
    ) -> anyhow::Result<Supervised> {
        Supervised::start(
            Script {
                root: root.to_owned(),
                script,
                stamp: Stamp::new(root, "script", "TERM"),
            },
            announce,
            &CancellationToken::new(),
        )
        .await
    }

    #[tokio::test]
    async fn what_dies_is_started_again_until_stopped() {
        let root = tempfile::tempdir().unwrap();
        let (announce, lines) = Announce::collect();
        let script = "touch ready; [ -e second ] && exec cat; touch second
            until [ -e seen ]; do sleep 0.01; done; exit 3";
        let service = start(root.path(), script, &announce).await.unwrap();
        let again = Starts {
            count: 2,
            ready: true,
        };
        service
            .starts()
            .wait_for(|starts| *starts == again)
            .await
            .unwrap();
        service.stop().await.unwrap();
        let lines = lines.lock().unwrap();
        assert!(lines[0].contains("script died (exit code 3)"), "{lines:?}");
        assert!(lines[1].contains("runs again"), "{lines:?}");
    }

    #[tokio::test]
    async fn a_failing_first_start_shows_the_log() {
        let root = tempfile::tempdir().unwrap();
        let error = start(
            root.path(),
            "echo the disk is on fire; exit 75",
            &Announce::collect().0,
        )
        .await
        .unwrap_err();
        let code = exit::code_of(&error);
        assert_eq!(
            format!("{code:?}"),
            format!(
                "{:?}",
                exit::code_of(&Failure::new(exit::TEMPORARY, "").into())
            )
        );
        let error = format!("{error:#}");
        assert!(
            error.contains("did not start (exit code 75)") && error.contains("the disk is on fire"),
            "{error}"
        );
    }

    #[test]
    fn delays_grow_to_a_cap() {
        assert!(delay(1) < Duration::from_millis(300));
        assert!(delay(4) > delay(1));
        assert!(delay(u32::MAX) <= LONGEST_DELAY * 5 / 4);
    }
}
