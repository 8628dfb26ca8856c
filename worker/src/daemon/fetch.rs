//! Fetching packages and sources from the scheduler by their hash.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use assize_common::ContentHash;
use assize_common::api::{ReusableJudgement, Token};
use assize_common::content_hash::ContentHasher;
use assize_common::id::JudgementId;
use assize_common::telemetry::error_chain;
use backon::{BackoffBuilder as _, ExponentialBuilder};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use tokio::time::Instant;

use super::error::DaemonError;
use crate::cancel::Cancel;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest silence within an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// How long to ask for what can be done without.
const REUSABLE_TIMEOUT: Duration = Duration::from_secs(10);
const FIRST_DELAY: Duration = Duration::from_millis(100);
const LARGEST_DELAY: Duration = Duration::from_secs(5);
/// Accidents happen, but not so often for one blob.
const TRIES: usize = 5;
/// How long an attempt waits for a scheduler that is away, before another worker
/// gets it, to which the way may be open.
const PATIENCE: Duration = Duration::from_secs(300);

/// Fetches blobs, and waits for the scheduler for a while when it is away.
#[derive(Debug)]
pub(super) struct Fetcher {
    pub(super) client: Client,
    /// Any of them will do.
    schedulers: Vec<Url>,
    /// Which one is asked: the one that answered last, or the next one.
    current: AtomicUsize,
    pub(super) token: Token,
    patience: Duration,
}

/// Why a blob can't be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The scheduler has no such blob.
    #[error("the scheduler has no blob {hash}: its data directory lost it")]
    Gone {
        /// The blob.
        hash: ContentHash,
    },
    /// The token is not or no longer good enough.
    #[error("the scheduler answers {status} to our token")]
    Refused {
        /// The answer's status.
        status: StatusCode,
    },
    /// An answer that trying again won't change.
    #[error("the scheduler answers {status} when asked for blob {hash}")]
    Answer {
        /// The blob.
        hash: ContentHash,
        /// The answer's status.
        status: StatusCode,
    },
    /// The scheduler is busy, or something between us and it answered in its place.
    #[error("the scheduler, or what is between us and it, answers {status} for now")]
    Unavailable {
        /// The answer's status.
        status: StatusCode,
    },
    /// There was no answer.
    #[error("cannot ask the scheduler")]
    Transport(#[source] reqwest::Error),
    /// The scheduler itself failed, as it does when its stored bytes are damaged.
    #[error("the scheduler fails with {status} when asked for blob {hash}")]
    Failing {
        /// The blob.
        hash: ContentHash,
        /// The answer's status.
        status: StatusCode,
    },
    /// The answer ended early, which is how a scheduler tells damage that it
    /// finds late.
    #[error("the scheduler broke off sending blob {hash}")]
    BrokenOff {
        /// The blob.
        hash: ContentHash,
        /// The cause.
        #[source]
        source: reqwest::Error,
    },
    /// The bytes are not those that were asked for.
    #[error("the scheduler sent other bytes than those of blob {hash}")]
    Damaged {
        /// The blob.
        hash: ContentHash,
    },
    /// Our disk failed.
    #[error("cannot write {}", path.display())]
    Disk {
        /// The file.
        path: std::path::PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The scheduler was away for too long.
    #[error("the scheduler did not answer this worker for {} s", patience.as_secs())]
    Away {
        /// How long we waited.
        patience: Duration,
        /// Why it could not be asked the last time.
        #[source]
        source: Box<Self>,
    },
    /// Nobody wants the blob any more.
    #[error("cancelled")]
    Cancelled,
}

impl FetchError {
    /// Whether the scheduler is away, and will be able to answer sooner or later.
    const fn is_absence(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Transport(_))
    }

    /// Whether this may have been an accident.
    const fn is_failure(&self) -> bool {
        matches!(
            self,
            Self::Failing { .. } | Self::BrokenOff { .. } | Self::Damaged { .. }
        )
    }
}

impl Fetcher {
    pub(super) fn new(schedulers: Vec<Url>, token: Token) -> Result<Self, DaemonError> {
        let client = Client::builder()
            .user_agent(concat!("assize-worker/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            // The token is for the scheduler alone.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(DaemonError::HttpClient)?;
        Ok(Self {
            client,
            schedulers,
            current: AtomicUsize::new(0),
            token,
            patience: PATIENCE,
        })
    }

    /// Finds out whether the scheduler answers and takes our token; waits for it
    /// for at most `wait`.
    pub(super) async fn check(&self, wait: Duration) -> Result<(), DaemonError> {
        // There is none of this hash; to say so, the scheduler looks at the token first.
        let nothing = ContentHash::of(b"assize-worker looks for its scheduler");
        let begin = Instant::now();
        let mut delays = delays();
        loop {
            let current = self.current.load(Ordering::Relaxed);
            let url = self.scheduler(current).to_string();
            let Err(error) = self.ask(nothing).await else {
                return Err(DaemonError::NoScheduler { url });
            };
            match error {
                FetchError::Gone { .. } => return Ok(()),
                FetchError::Refused { .. } => return Err(DaemonError::TokenRefused(error)),
                error if error.is_absence() || error.is_failure() => {
                    let delay = delays.next().unwrap_or(LARGEST_DELAY);
                    if begin.elapsed() + delay > wait {
                        return Err(DaemonError::SchedulerUnreachable {
                            url,
                            waited: wait,
                            source: error,
                        });
                    }
                    tracing::info!(scheduler.url = url, error = %error_chain(&error), "waiting for the scheduler");
                    self.move_on(current);
                    tokio::time::sleep(delay).await;
                }
                _ => return Err(DaemonError::NoScheduler { url }),
            }
        }
    }

    /// Writes a blob to the new file `path`.
    pub(super) async fn fetch(
        &self,
        hash: ContentHash,
        path: &Path,
        cancel: &Cancel,
    ) -> Result<(), FetchError> {
        let trying = async || self.try_fetch(hash, path).await;
        self.persist(hash, cancel, trying).await
    }

    /// Tries to move a blob until that works, through accidents and while the
    /// scheduler is away, but neither too often nor for too long.
    pub(super) async fn persist<T>(
        &self,
        hash: ContentHash,
        cancel: &Cancel,
        trying: impl AsyncFn() -> Result<T, FetchError>,
    ) -> Result<T, FetchError> {
        let (mut delays, mut failures, mut away_since) = (delays(), 0, None);
        loop {
            let begin = Instant::now();
            let current = self.current.load(Ordering::Relaxed);
            let error = tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(FetchError::Cancelled),
                result = trying() => match result {
                    Ok(moved) => return Ok(moved),
                    Err(error) => error,
                },
            };
            // What this one can't do another one may.
            self.move_on(current);
            if error.is_absence() {
                let patience = self.patience;
                if away_since.get_or_insert(begin).elapsed() >= patience {
                    let source = Box::new(error);
                    return Err(FetchError::Away { patience, source });
                }
            } else {
                away_since = None;
                failures += 1;
                if failures == TRIES || !error.is_failure() {
                    return Err(error);
                }
            }
            tracing::warn!(blob = %hash, error = %error_chain(&error), "moving a file failed; trying again");
            tokio::select! {
                () = cancel.cancelled() => return Err(FetchError::Cancelled),
                () = tokio::time::sleep(delays.next().unwrap_or(LARGEST_DELAY)) => {}
            }
        }
    }

    /// What may be taken over of a judgement, if the scheduler says so at once.
    pub(super) async fn reusable(
        &self,
        judgement: JudgementId,
    ) -> Result<ReusableJudgement, reqwest::Error> {
        let request = self
            .client
            .get(self.url(&format!("judgements/{judgement}/reusable")));
        let request = request
            .bearer_auth(self.token.reveal())
            .timeout(REUSABLE_TIMEOUT);
        self.send_once(request)
            .await?
            .error_for_status()?
            .json()
            .await
    }

    /// Asks for what can be done without: the next time another scheduler, if there was no answer.
    pub(super) async fn send_once(
        &self,
        request: RequestBuilder,
    ) -> Result<Response, reqwest::Error> {
        let current = self.current.load(Ordering::Relaxed);
        let answer = request.send().await;
        if answer.is_err() {
            self.move_on(current);
        }
        answer
    }

    async fn try_fetch(&self, hash: ContentHash, path: &Path) -> Result<(), FetchError> {
        let mut answer = self.ask(hash).await?;
        let disk = |source| FetchError::Disk {
            path: path.to_owned(),
            source,
        };
        let mut file = File::create(path).map_err(disk)?;
        let mut hasher = ContentHasher::default();
        let broken_off = |source| FetchError::BrokenOff { hash, source };
        while let Some(piece) = answer.chunk().await.map_err(broken_off)? {
            hasher.update(&piece);
            file.write_all(&piece).map_err(disk)?;
        }
        if hasher.finish() == hash {
            Ok(())
        } else {
            Err(FetchError::Damaged { hash })
        }
    }

    /// The URL of what is below `/api/v1/`.
    pub(super) fn url(&self, path: &str) -> Url {
        let mut url = self.scheduler(self.current.load(Ordering::Relaxed)).clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/api/v1/{path}"));
        url
    }

    /// In turn.
    fn scheduler(&self, number: usize) -> &Url {
        &self.schedulers[number % self.schedulers.len()]
    }

    /// The next one is asked, unless others that met the same have gone on to it already.
    fn move_on(&self, from: usize) {
        let next = from.wrapping_add(1);
        let moved = self
            .current
            .compare_exchange(from, next, Ordering::Relaxed, Ordering::Relaxed);
        if moved.is_ok() && self.schedulers.len() > 1 {
            tracing::warn!(from = %self.scheduler(from), to = %self.scheduler(next), "asking another scheduler");
        }
    }

    async fn ask(&self, hash: ContentHash) -> Result<Response, FetchError> {
        let request = self.client.get(self.url(&format!("blobs/{hash}")));
        let request = request.bearer_auth(self.token.reveal());
        let answer = request.send().await.map_err(FetchError::Transport)?;
        let status = answer.status();
        match status {
            StatusCode::OK => Ok(answer),
            status if !is_of_scheduler(&answer) => Err(FetchError::Unavailable { status }),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(FetchError::Refused { status }),
            StatusCode::NOT_FOUND => Err(FetchError::Gone { hash }),
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
                Err(FetchError::Unavailable { status })
            }
            StatusCode::INTERNAL_SERVER_ERROR => Err(FetchError::Failing { hash, status }),
            status if status.is_server_error() => Err(FetchError::Unavailable { status }),
            status => Err(FetchError::Answer { hash, status }),
        }
    }
}

/// Whether an error comes from a scheduler, and not from another server or something on
/// the way.
pub(super) fn is_of_scheduler(answer: &Response) -> bool {
    answer
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind == "application/problem+json")
}

fn delays() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(FIRST_DELAY)
        .with_max_delay(LARGEST_DELAY)
        .with_jitter()
        .without_max_times()
        .build()
}

#[cfg(test)]
mod tests {
    use assize_common::id::TokenId;
    use std::net::TcpListener;

    use super::*;

    fn fetcher(listener: &TcpListener, patience: Duration) -> Fetcher {
        let url = format!("http://{}", listener.local_addr().unwrap());
        let token = Token::new(TokenId::generate(), [7; 32]);
        Fetcher {
            patience,
            ..Fetcher::new(vec![url.parse().unwrap()], token).unwrap()
        }
    }

    #[tokio::test]
    async fn a_scheduler_that_stays_away_is_not_waited_for_for_ever() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let fetcher = fetcher(&listener, Duration::from_millis(300));
        drop(listener);
        let path = tempfile::tempdir().unwrap();
        let hash = ContentHash::of(b"package");
        let fetched = fetcher
            .fetch(hash, &path.path().join("file"), &Cancel::default())
            .await;
        assert!(
            matches!(fetched, Err(FetchError::Away { .. })),
            "{fetched:?}"
        );
    }

    /// The first one is away, and something else answers in the second one's place.
    #[tokio::test]
    async fn the_next_scheduler_is_asked() {
        let [away, other, scheduler] = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let urls = [&away, &other, &scheduler];
        let urls = urls.map(|one| format!("http://{}", one.local_addr().unwrap()));
        drop(away);
        let answer = |listener: TcpListener, answer: &'static str| {
            std::thread::spawn(move || {
                let (mut connection, _) = listener.accept().unwrap();
                let mut request = [0; 4096];
                std::io::Read::read(&mut connection, &mut request).unwrap();
                connection.write_all(answer.as_bytes()).unwrap();
            })
        };
        let threads = [
            answer(other, "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"),
            answer(
                scheduler,
                "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\npackage",
            ),
        ];
        let urls = urls.iter().map(|url| url.parse().unwrap()).collect();
        let token = Token::new(TokenId::generate(), [7; 32]);
        let fetcher = Fetcher::new(urls, token).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let (file, hash) = (directory.path().join("file"), ContentHash::of(b"package"));
        fetcher
            .fetch(hash, &file, &Cancel::default())
            .await
            .unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"package");
        for thread in threads {
            thread.join().unwrap();
        }
    }

    /// It takes connections and says nothing.
    #[tokio::test]
    async fn a_cancel_ends_a_transfer_that_stands_still() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let fetcher = fetcher(&listener, PATIENCE);
        let (cancel, path) = (Cancel::default(), tempfile::tempdir().unwrap());
        let file = path.path().join("file");
        let fetching = fetcher.fetch(ContentHash::of(b"package"), &file, &cancel);
        let cancelling = async {
            // It is under way by then, and if not, that makes no difference.
            tokio::task::yield_now().await;
            cancel.cancel();
        };
        let (fetched, ()) = tokio::join!(fetching, cancelling);
        assert!(matches!(fetched, Err(FetchError::Cancelled)), "{fetched:?}");
    }
}
