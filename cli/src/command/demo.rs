//! `assize demo`: the example contest through the whole system, on this machine.

use std::future::Future;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use assize_common::api::Submission;
use backon::{ExponentialBuilder, Retryable as _};
use chrono::{SecondsFormat, Utc};
use clap::Args;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio_util::sync::CancellationToken;

use crate::client::{Api, ClientError, Server};
use crate::demo::{Contest, Entry, Outcome, Outcomes};
use crate::exit::{self, Failure};
use crate::follow::{Display, Following, Tracked};
use crate::up::{Installation, Options};
use crate::{interrupt, output};

const AT_ONCE: usize = 8;

/// Judge an example contest through the whole system and check its verdicts
///
/// Uses the `assize up` that runs with the same data directory, or starts one for
/// the while. Imports the packages, sends their submissions through the API and
/// follows them to their verdicts.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Exit code: 0 all verdicts as expected; 1 some not; 2 a broken package; \
                       3 a judging error or a missing language; 130 interrupted."
)]
pub struct Demo {
    #[command(flatten)]
    options: Options,
    /// Directory of problem packages
    #[arg(long, value_name = "DIR", default_value = "tests/packages")]
    contest: PathBuf,
    /// Go on running afterwards, until Ctrl-C
    #[arg(long)]
    stay: bool,
}

/// Where the demo runs.
enum Place {
    /// In an installation of our own.
    Started(Installation),
    /// In the one of another process.
    Attached(Api),
}

impl Demo {
    /// Runs the demo.
    ///
    /// # Errors
    /// When the installation can't be started, or the scheduler refuses something.
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        let interrupt = interrupt::listen()?;
        let display = Display::of_stderr();
        let contest = self.read_contest();
        let place = self.open(&display, &interrupt);
        let (contest, place) = tokio::join!(contest, place);
        let place = place?;
        let shown = match contest {
            Ok(contest) => tokio::select! {
                shown = self.show(place.api(), &contest, &display) => shown,
                () = interrupt.cancelled() => Err(Failure::new(exit::INTERRUPTED, "interrupted").into()),
            },
            Err(error) => Err(error),
        };
        if shown.is_ok() {
            output::print(&self.look_further(&place))?;
            if self.stay {
                interrupt.cancelled().await;
            }
        }
        if let Place::Started(installation) = place {
            installation.stop().await?;
        }
        shown.map(ExitCode::from)
    }

    async fn read_contest(&self) -> anyhow::Result<Contest> {
        let root = self.contest.clone();
        tokio::task::spawn_blocking(move || Contest::read(&root))
            .await
            .context("reading the packages failed")?
    }

    async fn open(
        &self,
        display: &Display,
        interrupt: &CancellationToken,
    ) -> anyhow::Result<Place> {
        let data = self.options.data_directory()?;
        if let Ok(server) = Server::of_installation(&data) {
            let api = Api::new(&server.url, Some(&server.token))?;
            if api.readiness().await.is_ok() {
                display.line(&format!("using the `assize up` at {}", server.url));
                return Ok(Place::Attached(api));
            }
        }
        let started = Instant::now();
        let installation =
            Installation::start(&self.options, &display.announce(), interrupt).await?;
        display.line(&format!("everything runs after {}", seconds(started)));
        Ok(Place::Started(installation))
    }

    async fn show(&self, api: &Api, contest: &Contest, display: &Display) -> anyhow::Result<u8> {
        let started = Instant::now();
        import(api, contest).await?;
        let count = contest.problems().len();
        display.line(&format!(
            "imported {count} problems in {}",
            seconds(started)
        ));

        // A name of its own for each demo: all submissions are new ones.
        let now = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let name = format!("demo {now}");
        let entries = contest.entries(&name, &api.languages().await?.languages)?;
        let started = Instant::now();
        let submissions = send(api, &entries).await?;
        let count = submissions.len();
        display.line(&format!("sent {count} submissions in {}", seconds(started)));

        let tracked: Vec<Tracked> = entries
            .iter()
            .zip(&submissions)
            .map(|(entry, submission)| Tracked {
                id: submission.id,
                label: entry.name.clone(),
            })
            .collect();
        let started = Instant::now();
        let following = Following {
            api,
            contest: Some(&name),
            display,
        };
        let judged = following.until_judged(&tracked, |_| Ok(())).await?;
        display.line(&format!(
            "judged {count} submissions in {}",
            seconds(started)
        ));

        let judgements = stream::iter(judged.iter().map(|submission| api.judgement(submission.id)))
            .buffered(AT_ONCE)
            .try_collect::<Vec<_>>()
            .await?;
        let outcomes = entries
            .iter()
            .zip(&judged)
            .zip(judgements)
            .map(|((entry, submission), judgement)| Outcome::new(entry, submission, judgement));
        let outcomes = Outcomes::new(outcomes.collect());
        output::print(&format!("\n{outcomes}"))?;
        Ok(outcomes.exit_code())
    }

    fn look_further(&self, place: &Place) -> String {
        let url = place.api().url();
        let mut lines = vec!["\nTo look further:".to_owned()];
        let data = match place {
            Place::Started(installation) => {
                let data = installation.path().display().to_string();
                if self.stay {
                    lines.push(format!("  it runs on at {url} until Ctrl-C"));
                } else {
                    lines.push(format!(
                        "  assize up --data-dir {data}   (everything is kept)"
                    ));
                }
                format!(" --data-dir {data}")
            }
            Place::Attached(_) => {
                let data = self.options.data_dir.as_ref();
                data.map_or_else(String::new, |data| {
                    format!(" --data-dir {}", data.display())
                })
            }
        };
        lines.push(format!("  assize submission list{data}"));
        lines.push(format!("  assize submission show{data} SUBMISSION"));
        lines.push(format!(
            "  the API is at {url}, its description at {url}/openapi.json"
        ));
        lines.join("\n")
    }
}

impl Place {
    const fn api(&self) -> &Api {
        match self {
            Self::Started(installation) => installation.api(),
            Self::Attached(api) => api,
        }
    }
}

async fn import(api: &Api, contest: &Contest) -> Result<(), ClientError> {
    let imports = contest.problems().iter().map(|problem| {
        patiently(|| api.import_problem(&problem.short_name, problem.archive.clone()))
    });
    stream::iter(imports)
        .buffer_unordered(2)
        .try_for_each(|_| async { Ok(()) })
        .await
}

async fn send(api: &Api, entries: &[Entry]) -> Result<Vec<Submission>, ClientError> {
    let sending = entries.iter().map(|entry| async move {
        let contest = entry.new.contest.as_deref().unwrap_or_default();
        // So that trying again never submits twice.
        let key = format!("{contest}: {}", entry.name);
        patiently(|| api.submit(&entry.new, Some(&key))).await
    });
    stream::iter(sending).buffered(AT_ONCE).try_collect().await
}

/// Calls again when a server is away for a moment, as when it is started again.
async fn patiently<T, F>(call: impl FnMut() -> F) -> Result<T, ClientError>
where
    F: Future<Output = Result<T, ClientError>>,
{
    let delays = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(250))
        .with_max_delay(Duration::from_secs(5))
        .with_max_times(10);
    call.retry(delays)
        .when(|error| error.exit_code() == exit::TEMPORARY)
        .await
}

fn seconds(since: Instant) -> String {
    format!("{:.1} s", since.elapsed().as_secs_f64())
}
