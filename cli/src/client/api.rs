//! The calls.

use std::time::Duration;

use assize_common::Verdict;
use assize_common::api::{
    CancelSubmission, DeadLetter, DeadLetterList, Feedback, ImportedPackage, Judgement,
    JudgementState, LanguageList, NewSubmission, ProblemDetails, ProblemList, ProblemVersion,
    ProblemVersionList, Readiness, SetWorkerMode, Submission, SubmissionList, WorkerList,
};
use assize_common::id::{SubmissionId, WorkerId};
use assize_common::message::WorkerMode;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ClientError;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A little more than the scheduler gives itself for an answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(35);
const IMPORT_TIMEOUT: Duration = Duration::from_secs(16 * 60);

/// A scheduler's API. Clones share connections.
#[derive(Debug, Clone)]
pub struct Api {
    url: Url,
    client: Client,
}

/// Which submissions to list; all without any.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SubmissionFilter {
    /// Only of this problem, by short name.
    pub problem: Option<String>,
    /// Only of this contest.
    pub contest: Option<String>,
    /// Only of this team.
    pub team: Option<String>,
    /// Only in this language.
    pub language: Option<String>,
    /// Only with this verdict.
    pub verdict: Option<Verdict>,
    /// Only in this state.
    pub state: Option<JudgementState>,
}

impl Api {
    /// The scheduler at `url`, called with `token`. Connects to nothing yet.
    ///
    /// # Errors
    /// When either can't be used.
    pub fn new(url: &str, token: Option<&str>) -> Result<Self, ClientError> {
        let invalid = || ClientError::InvalidUrl {
            url: url.to_owned(),
        };
        let parsed = Url::parse(url).map_err(|_| invalid())?;
        // There is no TLS in this build: a proxy in front of the scheduler has it.
        if parsed.scheme() != "http" || parsed.host().is_none() {
            return Err(invalid());
        }
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
                .map_err(|_| ClientError::InvalidToken)?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let client = Client::builder()
            .default_headers(headers)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            // Tokens are for this server, not for a proxy that a variable names.
            .no_proxy()
            .build()
            .map_err(ClientError::Setup)?;
        Ok(Self {
            url: parsed,
            client,
        })
    }

    /// The scheduler's URL, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// Whether it takes submissions and has a broker to pass them on.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn readiness(&self) -> Result<Readiness, ClientError> {
        let attempt = "ask whether the scheduler is ready";
        let answer = self
            .send(attempt, self.request(Method::GET, &["readyz"]))
            .await?;
        // Not being ready is an answer, too.
        let status = answer.status();
        let json = answer.json().await;
        json.map_err(|source| self.unexpected(attempt, status.as_u16(), Some(source)))
    }

    /// All problems.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn problems(&self) -> Result<ProblemList, ClientError> {
        self.get("list the problems", &["problems"]).await
    }

    /// The languages that may be submitted.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn languages(&self) -> Result<LanguageList, ClientError> {
        self.get("list the languages", &["languages"]).await
    }

    /// The workers seen lately.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn workers(&self) -> Result<WorkerList, ClientError> {
        self.get("list the workers", &["workers"]).await
    }

    /// Imports a zipped package as the current version of the problem.
    ///
    /// # Errors
    /// When it does not answer, or the package is broken.
    pub async fn import_problem(
        &self,
        short_name: &str,
        archive: Vec<u8>,
    ) -> Result<ImportedPackage, ClientError> {
        self.send_package(short_name, archive, true).await
    }

    /// The same, but new submissions are judged as before.
    ///
    /// # Errors
    /// As [`Self::import_problem`].
    pub async fn import_problem_inactive(
        &self,
        short_name: &str,
        archive: Vec<u8>,
    ) -> Result<ImportedPackage, ClientError> {
        self.send_package(short_name, archive, false).await
    }

    async fn send_package(
        &self,
        short_name: &str,
        archive: Vec<u8>,
        activate: bool,
    ) -> Result<ImportedPackage, ClientError> {
        let request = self
            .request(Method::POST, &["api", "v1", "problems"])
            .query(&[("short_name", short_name)])
            // Schedulers of before 0.2 activate each import, and know no such word.
            .query(&(!activate).then_some([("activate", false)]))
            .header("content-type", "application/zip")
            .timeout(IMPORT_TIMEOUT)
            .body(archive);
        self.call(&format!("import the problem {short_name}"), request)
            .await
    }

    /// The versions of a problem's package, the latest first.
    ///
    /// # Errors
    /// When it does not answer, or there is no such problem.
    pub async fn problem_versions(
        &self,
        short_name: &str,
    ) -> Result<ProblemVersionList, ClientError> {
        let attempt = format!("list the versions of {short_name}");
        self.get(&attempt, &["problems", short_name, "versions"])
            .await
    }

    /// Has new submissions to a problem judged by this version of its package.
    ///
    /// # Errors
    /// When it does not answer, or there is no such version.
    pub async fn activate_problem_version(
        &self,
        short_name: &str,
        version: u32,
    ) -> Result<ProblemVersion, ClientError> {
        let path = ["api", "v1", "problems", short_name, "active-version"];
        let request = self.request(Method::PUT, &path);
        let request = request.json(&serde_json::json!({ "version": version }));
        let attempt = format!("activate version {version} of {short_name}");
        self.call(&attempt, request).await
    }

    /// Submits. The same request with the same `key` makes one submission,
    /// however often it is sent.
    ///
    /// # Errors
    /// When it does not answer, or the submission can't be judged.
    pub async fn submit(
        &self,
        new: &NewSubmission,
        key: Option<&str>,
    ) -> Result<Submission, ClientError> {
        let mut request = self
            .request(Method::POST, &["api", "v1", "submissions"])
            .json(new);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.call("submit", request).await
    }

    /// A submission with the summary of its judgement.
    ///
    /// # Errors
    /// When it does not answer, or there is no such submission.
    pub async fn submission(&self, id: SubmissionId) -> Result<Submission, ClientError> {
        let attempt = format!("read submission {id}");
        self.get(&attempt, &["submissions", &id.to_string()]).await
    }

    /// The judgement of a submission that counts, with its runs.
    ///
    /// # Errors
    /// When it does not answer, or there is no such submission.
    pub async fn judgement(&self, id: SubmissionId) -> Result<Judgement, ClientError> {
        let attempt = format!("read the judgement of submission {id}");
        self.get(&attempt, &["submissions", &id.to_string(), "judgement"])
            .await
    }

    /// What the team may see of a submission that this token sent.
    ///
    /// # Errors
    /// When it does not answer, or there is no such submission.
    pub async fn feedback(&self, id: SubmissionId) -> Result<Feedback, ClientError> {
        let attempt = format!("read the feedback on submission {id}");
        self.get(&attempt, &["submissions", &id.to_string(), "feedback"])
            .await
    }

    /// A page of submissions, the newest first. `cursor` is the `next` of the
    /// page before; `limit` is 1 to 200.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn submissions(
        &self,
        filter: &SubmissionFilter,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<SubmissionList, ClientError> {
        let request = self
            .request(Method::GET, &["api", "v1", "submissions"])
            .query(filter)
            .query(&[("limit", limit)])
            .query(&[("cursor", cursor)]);
        self.call("list submissions", request).await
    }

    /// Says how a worker is to work.
    ///
    /// # Errors
    /// When it does not answer, or there is no such worker.
    pub async fn set_worker_mode(&self, id: WorkerId, mode: WorkerMode) -> Result<(), ClientError> {
        let path = ["api", "v1", "workers", &id.to_string(), "mode"];
        let request = self
            .request(Method::PUT, &path)
            .json(&SetWorkerMode { mode });
        self.tell(&format!("tell worker {id} to {mode}"), request)
            .await
    }

    /// Ends the judging of a submission.
    ///
    /// # Errors
    /// When it does not answer, or the submission is judged already.
    pub async fn cancel_submission(
        &self,
        id: SubmissionId,
        reason: String,
    ) -> Result<(), ClientError> {
        let path = ["api", "v1", "submissions", &id.to_string(), "cancel"];
        let request = self
            .request(Method::POST, &path)
            .json(&CancelSubmission { reason });
        self.tell(&format!("cancel submission {id}"), request).await
    }

    /// Dead letters, the latest first; with `decided`, those too that somebody
    /// has decided about.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn dead_letters(&self, decided: bool) -> Result<DeadLetterList, ClientError> {
        let request = self
            .request(Method::GET, &["api", "v1", "dead-letters"])
            .query(&[("decided", decided)]);
        self.call("list the dead letters", request).await
    }

    /// A dead letter with its message.
    ///
    /// # Errors
    /// When it does not answer, or there is none of this number.
    pub async fn dead_letter(&self, id: i64) -> Result<DeadLetter, ClientError> {
        let attempt = format!("read dead letter {id}");
        self.get(&attempt, &["dead-letters", &id.to_string()]).await
    }

    /// Puts a dead letter back into its queue.
    ///
    /// # Errors
    /// When it does not answer, or it was dropped.
    pub async fn retry_dead_letter(&self, id: i64) -> Result<(), ClientError> {
        let path = ["api", "v1", "dead-letters", &id.to_string(), "retry"];
        let attempt = format!("retry dead letter {id}");
        self.tell(&attempt, self.request(Method::POST, &path)).await
    }

    /// Drops a dead letter.
    ///
    /// # Errors
    /// When it does not answer, or it was retried.
    pub async fn drop_dead_letter(&self, id: i64) -> Result<(), ClientError> {
        let path = ["api", "v1", "dead-letters", &id.to_string()];
        let attempt = format!("drop dead letter {id}");
        self.tell(&attempt, self.request(Method::DELETE, &path))
            .await
    }

    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        attempt: &str,
        path: &[&str],
    ) -> Result<T, ClientError> {
        let path: Vec<&str> = ["api", "v1"].iter().chain(path).copied().collect();
        self.call(attempt, self.request(Method::GET, &path)).await
    }

    pub(super) fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let url = format!("{}/{}", self.url(), path.join("/"));
        self.client.request(method, url)
    }

    pub(super) async fn send(
        &self,
        attempt: &str,
        request: RequestBuilder,
    ) -> Result<reqwest::Response, ClientError> {
        let answer = request.send().await;
        answer.map_err(|source| ClientError::Unreachable {
            attempt: attempt.to_owned(),
            url: self.url().to_owned(),
            source: source.without_url(),
        })
    }

    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        attempt: &str,
        request: RequestBuilder,
    ) -> Result<T, ClientError> {
        let answer = self.success(attempt, request).await?;
        let status = answer.status();
        let json = answer.json().await;
        json.map_err(|source| self.unexpected(attempt, status.as_u16(), Some(source)))
    }

    /// A call whose answer says nothing but yes or no.
    pub(super) async fn tell(
        &self,
        attempt: &str,
        request: RequestBuilder,
    ) -> Result<(), ClientError> {
        self.success(attempt, request).await.map(drop)
    }

    /// The answer, if it is a success.
    pub(super) async fn success(
        &self,
        attempt: &str,
        request: RequestBuilder,
    ) -> Result<reqwest::Response, ClientError> {
        let answer = self.send(attempt, request).await?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        match answer.json::<ProblemDetails>().await {
            Ok(problem) => Err(ClientError::Refused {
                attempt: attempt.to_owned(),
                problem: Box::new(problem),
            }),
            Err(_) => Err(self.unexpected(attempt, status.as_u16(), None)),
        }
    }

    pub(super) fn unexpected(
        &self,
        attempt: &str,
        status: u16,
        source: Option<reqwest::Error>,
    ) -> ClientError {
        ClientError::Unexpected {
            attempt: attempt.to_owned(),
            url: self.url().to_owned(),
            status,
            source,
        }
    }
}
