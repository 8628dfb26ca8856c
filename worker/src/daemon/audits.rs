//! Storing audits with the scheduler, before the report that names them.

use assize_common::ContentHash;
use assize_common::message::{AuditReport, RunAudit};
use reqwest::StatusCode;

use super::fetch::{FetchError, Fetcher, is_of_scheduler};
use crate::audited_calls::{AuditedCalls, CallCounter};
use crate::audits::Audits;
use crate::cancel::Cancel;

/// Why an audit can't be stored.
#[derive(Debug, thiserror::Error)]
pub(super) enum AuditError {
    /// It can't be read back from this host's disk.
    #[error("cannot read back the audits of the judgement's runs")]
    Read {
        /// The cause.
        #[from]
        source: std::io::Error,
    },
    /// The scheduler does not take it.
    #[error("cannot store the audit of {testcase}")]
    Store {
        /// The run's test case.
        testcase: String,
        /// The cause.
        #[source]
        source: FetchError,
    },
}

/// What a scheduler did with an audit.
enum Kept {
    Stored,
    /// Its disk is full: that does not last for ever, but a verdict should neither wait
    /// for it nor fail.
    NoRoom,
    /// It is of an older release.
    NotTaken,
}

/// Stores the audits of an attempt, as far as the scheduler has room for them. None if
/// there are none, or if the scheduler is of an older release that takes none.
pub(super) async fn store(
    fetcher: &Fetcher,
    audits: &Audits,
    cancel: &Cancel,
) -> Result<Option<AuditReport>, AuditError> {
    if audits.is_empty() {
        return Ok(None);
    }
    let mut counter = CallCounter::default();
    let mut stored = Vec::with_capacity(audits.len());
    for run in audits.iter() {
        let run = run?;
        counter.add(&run.decode()?);
        let (sha256, size_bytes) = (ContentHash::of(&run.bytes), run.bytes.len() as u64);
        let testcase = run.testcase;
        match fetcher.store_audit(sha256, &run.bytes, cancel).await {
            Ok(Kept::Stored) => stored.push(RunAudit {
                testcase,
                pass: run.pass,
                sha256,
                size_bytes,
            }),
            Ok(Kept::NoRoom) => {}
            Ok(Kept::NotTaken) => return Ok(None),
            Err(source) => return Err(AuditError::Store { testcase, source }),
        }
    }
    let AuditedCalls { calls, dropped } = counter.finish();
    Ok(Some(AuditReport {
        runs: stored,
        calls,
        calls_dropped: dropped,
    }))
}

impl Fetcher {
    /// Stores one audit.
    async fn store_audit(
        &self,
        hash: ContentHash,
        encoded: &[u8],
        cancel: &Cancel,
    ) -> Result<Kept, FetchError> {
        let trying = async || self.try_store_audit(hash, encoded).await;
        self.persist(hash, cancel, trying).await
    }

    async fn try_store_audit(&self, hash: ContentHash, encoded: &[u8]) -> Result<Kept, FetchError> {
        let request = self.client.put(self.url(&format!("audits/{hash}")));
        let request = request
            .bearer_auth(self.token.reveal())
            .body(encoded.to_vec());
        let answer = request.send().await.map_err(FetchError::Transport)?;
        match answer.status() {
            status if status.is_success() => Ok(Kept::Stored),
            status if !is_of_scheduler(&answer) => Err(FetchError::Unavailable { status }),
            StatusCode::NOT_FOUND => {
                tracing::warn!("the scheduler takes no audits: is it older than this worker?");
                Ok(Kept::NotTaken)
            }
            StatusCode::INSUFFICIENT_STORAGE => {
                tracing::error!(audit = %hash, "an audit is lost: the scheduler has no room for it");
                metrics::counter!("assize_audits_lost_total").increment(1);
                Ok(Kept::NoRoom)
            }
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                Err(FetchError::Refused { status })
            }
            status @ StatusCode::INTERNAL_SERVER_ERROR => Err(FetchError::Failing { hash, status }),
            status @ (StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS) => {
                Err(FetchError::Unavailable { status })
            }
            status if status.is_server_error() => Err(FetchError::Unavailable { status }),
            status => Err(FetchError::Answer { hash, status }),
        }
    }
}
