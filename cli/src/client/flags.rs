//! The calls about flags.

use assize_common::api::{EscalationList, FlagList, FlagScope, Flagged, NewFlag};
use assize_common::id::SubmissionId;
use reqwest::Method;

use super::{Api, ClientError};

impl Api {
    /// All flags on problems and teams, and those on the latest submissions.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn flags(&self) -> Result<FlagList, ClientError> {
        self.get("list flags", &["flags"]).await
    }

    /// Sets a flag.
    ///
    /// # Errors
    /// When it does not answer, or there is no such submission.
    pub async fn set_flag(&self, new: &NewFlag) -> Result<Flagged, ClientError> {
        let attempt = format!("flag {} {}", new.scope, new.subject);
        let request = self.request(Method::PUT, &["api", "v1", "flags"]).json(new);
        self.call(&attempt, request).await
    }

    /// Takes off a flag.
    ///
    /// # Errors
    /// When it does not answer, or there is none.
    pub async fn remove_flag(&self, scope: FlagScope, subject: &str) -> Result<(), ClientError> {
        let attempt = format!("take the flag off {scope} {subject}");
        let request = self.request(Method::DELETE, &["api", "v1", "flags"]);
        let request = request.query(&[("scope", scope.name()), ("subject", subject)]);
        self.success(&attempt, request).await.map(drop)
    }

    /// The judgements under ptrace that look again at a submission.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn escalations(&self, id: SubmissionId) -> Result<EscalationList, ClientError> {
        let attempt = format!("list the escalations of submission {id}");
        self.get(&attempt, &["submissions", &id.to_string(), "escalations"])
            .await
    }
}
