//! What `assize audit` is asked about: a submission, a judgement, or one run.

use std::str::FromStr;

use anyhow::Context as _;
use assize_common::api::JudgementAudit;
use assize_common::message::{AuditedCall, RunAudit};
use assize_worker::audited_calls::AuditedCalls;
use assize_worker::audits::AuditedRun;
use assize_worker::sandbox::Audit;
use uuid::Uuid;

use crate::client::Api;
use crate::exit::{self, Failure};

/// A submission's or a judgement's id, and perhaps a test case: `ID` or
/// `ID/TESTCASE`, such as `01890a5d-ac96-774b-bcce-b302099a8057/secret/01`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    id: Uuid,
    testcase: Option<String>,
}

/// A text that names nothing of the kind.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "expected the id of a submission or a judgement, or one with a test case, as in ID/secret/01"
)]
pub struct InvalidTarget {
    #[source]
    source: uuid::Error,
}

impl FromStr for Target {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        let (id, testcase) = match text.split_once('/') {
            Some((id, testcase)) => (id, Some(testcase.to_owned())),
            None => (text, None),
        };
        let id = id.parse().map_err(|source| InvalidTarget { source })?;
        Ok(Self { id, testcase })
    }
}

/// A judgement's audit, and which of its runs are meant.
#[derive(Debug, Clone)]
pub struct Found {
    /// The audit of the whole judgement.
    pub audit: JudgementAudit,
    /// The runs of the test case that was named; none if it was not.
    pub runs: Option<Vec<RunAudit>>,
}

impl Target {
    /// Finds it.
    ///
    /// # Errors
    /// When the scheduler does not answer, or there is no such thing or no audit of it.
    pub async fn find(&self, api: &Api) -> anyhow::Result<Found> {
        let judgement = match api.judgement_by_id(self.id.into()).await {
            Err(error) if error.is_not_found() => api.judgement(self.id.into()).await,
            result => result,
        };
        let judgement = match judgement {
            Err(error) if error.is_not_found() => {
                let message = format!("there is no submission and no judgement {}", self.id);
                return Err(Failure::new(exit::FAILURE, message).into());
            }
            result => result?.summary,
        };
        let audit = match api.audit(judgement.id).await {
            Err(error) if error.is_not_found() => {
                let message = format!(
                    "there is no audit of judgement {}: it is {}, in {} ({})",
                    judgement.id, judgement.state, judgement.sandbox.mode, judgement.sandbox.reason
                );
                return Err(Failure::new(exit::FAILURE, message).into());
            }
            result => result?,
        };
        let Some(testcase) = &self.testcase else {
            return Ok(Found { audit, runs: None });
        };
        let runs: Vec<_> = audit
            .runs
            .iter()
            .filter(|run| run.testcase == *testcase)
            .cloned()
            .collect();
        if runs.is_empty() {
            let known: Vec<_> = audit.runs.iter().map(|run| &*run.testcase).collect();
            let message = format!(
                "there is no audit of a run on {testcase:?}: there are {}",
                known.join(", ")
            );
            return Err(Failure::new(exit::FAILURE, message).into());
        }
        let runs = Some(runs);
        Ok(Found { audit, runs })
    }
}

impl Found {
    /// The calls that are meant, alike ones once.
    ///
    /// # Errors
    /// When an audit can't be fetched or read.
    pub async fn calls(&self, api: &Api) -> anyhow::Result<Vec<AuditedCall>> {
        let Some(runs) = &self.runs else {
            return Ok(self.audit.calls.clone());
        };
        let mut audited = Vec::new();
        for run in runs {
            audited.push(AuditedRun {
                testcase: run.testcase.clone(),
                pass: run.pass,
                audit: fetch(api, run).await?,
            });
        }
        Ok(AuditedCalls::of(&audited).calls)
    }
}

/// The whole audit of a run.
///
/// # Errors
/// When it can't be fetched or read.
pub async fn fetch(api: &Api, run: &RunAudit) -> anyhow::Result<Audit> {
    let content = api.audit_content(run.sha256).await?;
    Audit::decode(&content).with_context(|| format!("cannot read the audit of {}", run.testcase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_case_follows_the_id() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        let whole: Target = id.parse().unwrap();
        assert_eq!((whole.id.to_string().as_str(), whole.testcase), (id, None));
        let run: Target = format!("{id}/secret/01").parse().unwrap();
        assert_eq!(run.testcase.as_deref(), Some("secret/01"));
        let error = "secret/01".parse::<Target>().unwrap_err();
        assert!(error.to_string().contains("ID/secret/01"), "{error}");
    }
}
