//! Blobs, for workers.

use assize_common::ContentHash;
use assize_common::api::ProblemDetails;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG};
use axum::response::IntoResponse;
use futures_util::stream::{self, StreamExt as _};

use super::auth::{Caller, MayFetchBlobs};
use super::error::{ApiError, ErrorKind};
use super::{Api, Bytes};

/// Fetch a package or source by its hash
///
/// The bytes are verified on the way: when they are damaged, the answer breaks off before its end.
#[utoipa::path(
    get, path = "/api/v1/blobs/{sha256}", tag = "blobs",
    params(("sha256" = ContentHash, Path, description = "The SHA-256 in hexadecimal")),
    responses(
        (status = OK, description = "The bytes", body = Bytes, content_type = "application/octet-stream"),
        (status = NOT_FOUND, description = "There are none of this hash", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Another error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn fetch_blob(
    State(api): State<Api>,
    _: Caller<MayFetchBlobs>,
    Path(text): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    let hash: ContentHash =
        text.parse()
            .map_err(|error: assize_common::content_hash::InvalidContentHash| {
                ApiError::new(ErrorKind::InvalidId, error.to_string())
            })?;
    let content = api.blobs.get(hash).await?.ok_or_else(|| {
        ApiError::new(
            ErrorKind::NotFound,
            format!("there is no blob with the hash {hash}"),
        )
    })?;
    let size = content.size_bytes;
    let mut pieces = content.stream;
    // Small blobs come in one piece: their damage shows before anything is answered.
    let first = pieces.next().await.transpose()?;
    let body = Body::from_stream(stream::iter(first.map(Ok)).chain(pieces));
    let headers = [
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (CONTENT_LENGTH, size.to_string()),
        (ETAG, format!("\"{hash}\"")),
        (
            CACHE_CONTROL,
            "private, max-age=31536000, immutable".to_owned(),
        ),
    ];
    Ok((headers, body))
}
