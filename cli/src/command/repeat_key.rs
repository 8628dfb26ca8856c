//! Keys of requests that make something: sent again with the same one, they make
//! it once.

use uuid::Uuid;

use crate::client::ClientError;
use crate::output;

/// The key of one request.
#[derive(Debug)]
pub(super) struct RepeatKey(String);

impl RepeatKey {
    /// The one that was given, or one of its own.
    pub(super) fn new(given: Option<String>) -> Self {
        Self(given.unwrap_or_else(|| Uuid::now_v7().to_string()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Says how to ask again, if after this error nobody knows what was done.
    pub(super) fn explain(&self, error: ClientError) -> ClientError {
        if error.may_be_done() {
            output::note(&format!(
                "it may be done nevertheless; to ask again without doing it twice, add: --idempotency-key {}",
                self.0
            ));
        }
        error
    }
}
