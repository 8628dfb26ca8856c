//! Outputs that are kept for later judgements, stored with the scheduler before the report
//! that names them. They only spare work: what can't be stored or had at once is done without.

use std::io;
use std::time::Duration;

use assize_common::ContentHash;
use assize_common::telemetry::error_chain;
use reqwest::StatusCode;

use super::fetch::Fetcher;
use crate::cancel::Cancel;
use crate::outputs::Outputs;

/// How long to move them for: about as long as it takes to have them anew.
const TIMEOUT: Duration = Duration::from_secs(2);
/// More than workers store.
const LARGEST: usize = 64 << 20;

/// Why outputs can't be stored or had.
#[derive(Debug, thiserror::Error)]
pub(super) enum OutputError {
    /// They can't be compressed, or are not what a worker has written.
    #[error("the outputs can't be compressed or read")]
    Form(#[from] io::Error),
    /// The scheduler does not take or give them.
    #[error("cannot move outputs from or to the scheduler")]
    Transport(#[from] reqwest::Error),
    /// Other bytes than those that were asked for.
    #[error("the scheduler sent other bytes than those of the outputs {hash}")]
    Damaged {
        /// The blob.
        hash: ContentHash,
    },
    /// Nobody wants them any more.
    #[error("cancelled")]
    Cancelled,
}

/// Stores outputs. None if there are none, or if that can't be done at once.
pub(super) async fn store(
    fetcher: &Fetcher,
    outputs: &Outputs,
    cancel: &Cancel,
) -> Option<ContentHash> {
    if outputs.is_empty() {
        return None;
    }
    match unless_cancelled(cancel, fetcher.store_outputs(outputs)).await {
        Ok(stored) => stored,
        Err(error) => {
            tracing::warn!(error = %error_chain(&error), "outputs are not kept");
            None
        }
    }
}

/// The outputs in these blobs, as far as they can be had.
pub(super) async fn fetch(fetcher: &Fetcher, blobs: &[ContentHash], cancel: &Cancel) -> Outputs {
    let mut outputs = Outputs::default();
    for hash in blobs {
        match unless_cancelled(cancel, fetcher.fetch_outputs(*hash)).await {
            Ok(found) => outputs = outputs.and(found),
            Err(error) => {
                tracing::warn!(blob = %hash, error = %error_chain(&error), "running again what has written outputs that can't be had");
            }
        }
    }
    outputs
}

async fn unless_cancelled<T>(
    cancel: &Cancel,
    moving: impl Future<Output = Result<T, OutputError>>,
) -> Result<T, OutputError> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(OutputError::Cancelled),
        moved = moving => moved,
    }
}

impl Fetcher {
    /// None if the scheduler is of an older release, which takes no outputs.
    async fn store_outputs(&self, outputs: &Outputs) -> Result<Option<ContentHash>, OutputError> {
        let encoded = outputs.encode()?;
        let hash = ContentHash::of(&encoded);
        let request = self.client.put(self.url(&format!("outputs/{hash}")));
        let request = request
            .bearer_auth(self.token.reveal())
            .timeout(TIMEOUT)
            .body(encoded);
        let answer = self.send_once(request).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        answer.error_for_status()?;
        Ok(Some(hash))
    }

    async fn fetch_outputs(&self, hash: ContentHash) -> Result<Outputs, OutputError> {
        let request = self.client.get(self.url(&format!("outputs/{hash}")));
        let request = request.bearer_auth(self.token.reveal()).timeout(TIMEOUT);
        let mut answer = self.send_once(request).await?.error_for_status()?;
        let mut encoded = Vec::new();
        while let Some(piece) = answer.chunk().await? {
            encoded.extend_from_slice(&piece);
            if encoded.len() > LARGEST {
                return Err(OutputError::Damaged { hash });
            }
        }
        if ContentHash::of(&encoded) != hash {
            return Err(OutputError::Damaged { hash });
        }
        Ok(Outputs::decode(&encoded)?)
    }
}
