//! Requests that may be repeated: a key of the client's choice, and the hash of
//! what came with it.

use assize_common::ContentHash;
use axum::http::HeaderMap;
use serde::Serialize;

use super::error::{ApiError, ErrorKind};

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const MAX_KEY_BYTES: usize = 255;

/// The key of a request, if it has one, with the hash of its body in one written
/// form, whatever the client's was.
pub(super) fn idempotency(
    headers: &HeaderMap,
    body: &impl Serialize,
) -> Result<Option<(String, ContentHash)>, ApiError> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    let key = match value.to_str() {
        Ok(key) if (1..=MAX_KEY_BYTES).contains(&key.len()) => key.to_owned(),
        _ => {
            return Err(ApiError::new(
                ErrorKind::InvalidField,
                format!("the Idempotency-Key has 1 to {MAX_KEY_BYTES} visible ASCII characters"),
            )
            .in_field("Idempotency-Key"));
        }
    };
    let json = serde_json::to_vec(body).map_err(|error| ApiError::internal(&error))?;
    Ok(Some((key, ContentHash::of(&json))))
}

/// What an earlier request with the same key made, unless it was another request.
pub(super) fn same_request<T>(
    (key, hash): &(String, ContentHash),
    found: Option<(T, ContentHash)>,
) -> Result<Option<T>, ApiError> {
    match found {
        Some((_, earlier)) if earlier != *hash => Err(ApiError::new(
            ErrorKind::IdempotencyKeyReused,
            format!(
                "the Idempotency-Key {key:?} came with another request before: a new request needs a new key"
            ),
        )),
        found => Ok(found.map(|(made, _)| made)),
    }
}

/// A key that is taken and yet not there.
#[derive(Debug, thiserror::Error)]
#[error("an idempotency key is taken and yet not there")]
pub(super) struct VanishedKey;
