//! The calls about rejudgings.

use assize_common::api::{
    AdminActionList, ApplyRejudging, NewRejudging, Rejudging, RejudgingList, RejudgingMember,
    RejudgingMemberList, RejudgingOutcome, RejudgingPreview, RejudgingReview, RejudgingState,
    Selection,
};
use assize_common::id::{RejudgingId, SubmissionId};
use chrono::{DateTime, Utc};
use reqwest::Method;

use super::{Api, ClientError};

const ROOT: [&str; 3] = ["api", "v1", "rejudgings"];

impl Api {
    /// What a selection comes to.
    ///
    /// # Errors
    /// When it does not answer, or the filter is wrong.
    pub async fn preview_rejudging(
        &self,
        selection: &Selection,
    ) -> Result<RejudgingPreview, ClientError> {
        let path = [ROOT.as_slice(), &["preview"]].concat();
        let request = self.request(Method::POST, &path).json(selection);
        self.call("select submissions", request).await
    }

    /// Makes a rejudging. The same request with the same `key` makes one, however
    /// often it is sent.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn create_rejudging(
        &self,
        new: &NewRejudging,
        key: Option<&str>,
    ) -> Result<Rejudging, ClientError> {
        let mut request = self.request(Method::POST, &ROOT).json(new);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.call("rejudge", request).await
    }

    /// The newest rejudgings.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn rejudgings(
        &self,
        state: Option<RejudgingState>,
        limit: u32,
    ) -> Result<RejudgingList, ClientError> {
        let request = self
            .request(Method::GET, &ROOT)
            .query(&[("state", state)])
            .query(&[("limit", limit)]);
        self.call("list rejudgings", request).await
    }

    /// A rejudging with its progress.
    ///
    /// # Errors
    /// When it does not answer, or there is no such rejudging.
    pub async fn rejudging(&self, id: RejudgingId) -> Result<Rejudging, ClientError> {
        let attempt = format!("read rejudging {id}");
        self.get(&attempt, &["rejudgings", &id.to_string()]).await
    }

    /// What it would change.
    ///
    /// # Errors
    /// When it does not answer, or there is no such rejudging.
    pub async fn review_rejudging(
        &self,
        id: RejudgingId,
        contest_start: Option<DateTime<Utc>>,
    ) -> Result<RejudgingReview, ClientError> {
        let id_text = id.to_string();
        let path = [&ROOT[..], &[&id_text, "review"]].concat();
        let start = [("contest_start", contest_start)];
        let request = self.request(Method::GET, &path).query(&start);
        self.call(&format!("review rejudging {id}"), request).await
    }

    /// A page of its submissions whose result or score changes.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn rejudging_members(
        &self,
        id: RejudgingId,
        cursor: Option<SubmissionId>,
        limit: u32,
    ) -> Result<RejudgingMemberList, ClientError> {
        let id_text = id.to_string();
        let path = [&ROOT[..], &[&id_text, "members"]].concat();
        let request = self
            .request(Method::GET, &path)
            .query(&[("changed", true)])
            .query(&[("cursor", cursor)])
            .query(&[("limit", limit)]);
        self.call(&format!("list the submissions of rejudging {id}"), request)
            .await
    }

    /// One of its submissions, if it is one.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn rejudging_member(
        &self,
        id: RejudgingId,
        submission: SubmissionId,
    ) -> Result<Option<RejudgingMember>, ClientError> {
        let id_text = id.to_string();
        let path = [&ROOT[..], &[&id_text, "members"]].concat();
        let request = self
            .request(Method::GET, &path)
            .query(&[("submission", submission)]);
        let attempt = format!("read submission {submission} of rejudging {id}");
        let list: RejudgingMemberList = self.call(&attempt, request).await?;
        Ok(list.members.into_iter().next())
    }

    /// Makes its judgements count.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn apply_rejudging(
        &self,
        id: RejudgingId,
        apply: &ApplyRejudging,
    ) -> Result<RejudgingOutcome, ClientError> {
        let request = self.request(
            Method::POST,
            &[&ROOT[..], &[&id.to_string(), "apply"]].concat(),
        );
        let attempt = format!("apply rejudging {id}");
        self.call(&attempt, request.json(apply)).await
    }

    /// Gives up what is not applied of it.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn cancel_rejudging(&self, id: RejudgingId) -> Result<RejudgingOutcome, ClientError> {
        let request = self.request(
            Method::POST,
            &[&ROOT[..], &[&id.to_string(), "cancel"]].concat(),
        );
        self.call(&format!("cancel rejudging {id}"), request).await
    }

    /// Makes the judgements count again that it replaced.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn undo_rejudging(&self, id: RejudgingId) -> Result<RejudgingOutcome, ClientError> {
        let request = self.request(
            Method::POST,
            &[&ROOT[..], &[&id.to_string(), "undo"]].concat(),
        );
        self.call(&format!("undo rejudging {id}"), request).await
    }

    /// Holds it back, or lets it go on.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn pause_rejudging(&self, id: RejudgingId, pause: bool) -> Result<(), ClientError> {
        let (method, verb) = if pause {
            (Method::PUT, "pause")
        } else {
            (Method::DELETE, "resume")
        };
        let request = self.request(method, &[&ROOT[..], &[&id.to_string(), "pause"]].concat());
        self.tell(&format!("{verb} rejudging {id}"), request).await
    }

    /// What admins did to `subject`, the latest first.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn admin_actions(&self, subject: &str) -> Result<AdminActionList, ClientError> {
        let request = self
            .request(Method::GET, &["api", "v1", "admin-actions"])
            .query(&[("subject", subject)]);
        self.call("list what admins did", request).await
    }
}
