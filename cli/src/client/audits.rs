//! The calls about audits.

use std::time::Duration;

use assize_common::ContentHash;
use assize_common::api::{AuditHitList, Judgement, JudgementAudit, JudgementProvenance};
use assize_common::id::JudgementId;
use chrono::{DateTime, Utc};
use reqwest::Method;
use serde::Serialize;

use super::{Api, ClientError};

/// Packages are large and lines may be slow.
const BLOB_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// Which calls to search for; all without any.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AuditFilter {
    /// Only this system call.
    pub syscall: Option<String>,
    /// Only with this path, or one below it.
    pub path: Option<String>,
    /// Only refused calls.
    pub refused: bool,
    /// Only what this rule decided.
    pub rule: Option<String>,
    /// Only of this problem, by short name.
    pub problem: Option<String>,
    /// Only in this language.
    pub language: Option<String>,
    /// Only of this team.
    pub team: Option<String>,
    /// Only of judgements that ended then or later.
    pub since: Option<DateTime<Utc>>,
}

impl Api {
    /// A judgement by its own id, with its runs.
    ///
    /// # Errors
    /// When it does not answer, or there is no such judgement.
    pub async fn judgement_by_id(&self, id: JudgementId) -> Result<Judgement, ClientError> {
        let attempt = format!("read judgement {id}");
        self.get(&attempt, &["judgements", &id.to_string()]).await
    }

    /// What a judgement depends on.
    ///
    /// # Errors
    /// When it does not answer, or there is no such judgement.
    pub async fn provenance(&self, id: JudgementId) -> Result<JudgementProvenance, ClientError> {
        let attempt = format!("read where judgement {id} comes from");
        self.get(&attempt, &["judgements", &id.to_string(), "provenance"])
            .await
    }

    /// A package's archive or a source.
    ///
    /// # Errors
    /// When it does not answer, or what it answers is damaged.
    pub async fn blob(&self, hash: ContentHash) -> Result<Vec<u8>, ClientError> {
        let attempt = format!("fetch the blob {hash}");
        let path = ["api", "v1", "blobs", &hash.to_string()];
        let request = self.request(Method::GET, &path).timeout(BLOB_TIMEOUT);
        let answer = self.success(&attempt, request).await?;
        let status = answer.status().as_u16();
        let content = answer.bytes().await;
        let content = content.map_err(|source| self.unexpected(&attempt, status, Some(source)))?;
        if ContentHash::of(&content) == hash {
            Ok(content.into())
        } else {
            Err(self.unexpected(&attempt, status, None))
        }
    }

    /// What the tracer saw of a judgement.
    ///
    /// # Errors
    /// When it does not answer, or there is no audit of it.
    pub async fn audit(&self, id: JudgementId) -> Result<JudgementAudit, ClientError> {
        let attempt = format!("read the audit of judgement {id}");
        self.get(&attempt, &["judgements", &id.to_string(), "audit"])
            .await
    }

    /// The audit of one run, encoded.
    ///
    /// # Errors
    /// When it does not answer, or the audit was removed.
    pub async fn audit_content(&self, hash: ContentHash) -> Result<Vec<u8>, ClientError> {
        let attempt = format!("fetch the audit {hash}");
        let path = ["api", "v1", "audits", &hash.to_string()];
        let answer = self
            .success(&attempt, self.request(Method::GET, &path))
            .await?;
        let status = answer.status().as_u16();
        let content = answer.bytes().await;
        content
            .map(|content| content.to_vec())
            .map_err(|source| self.unexpected(&attempt, status, Some(source)))
    }

    /// Searches the calls of all audits, the latest judgements first. `limit` is 1
    /// to 1000.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn audit_search(
        &self,
        filter: &AuditFilter,
        limit: u32,
    ) -> Result<AuditHitList, ClientError> {
        let request = self
            .request(Method::GET, &["api", "v1", "audits"])
            .query(filter)
            .query(&[("limit", limit)]);
        self.call("search audits", request).await
    }
}
