//! Outputs that are kept: stored by workers, and fetched by them to be validated again.

use assize_common::ContentHash;
use assize_common::api::ProblemDetails;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::IntoResponse;
use bytesize::ByteSize;

use super::auth::{Caller, MayFetchBlobs};
use super::error::{ApiError, ErrorKind};
use super::extract::Id;
use super::receive::{Most, store_blob};
use super::{Api, Bytes};

/// More than workers keep of a judgement.
const LARGEST: Most = Most {
    size: ByteSize::mib(64),
    of: "the outputs",
    set_by: "",
};

/// Store outputs of a judgement
///
/// For workers, before they report the judgement that refers to them.
#[utoipa::path(
    put, path = "/api/v1/outputs/{sha256}", tag = "outputs",
    params(("sha256" = ContentHash, Path, description = "The SHA-256 in hexadecimal")),
    request_body(content = Bytes, content_type = "application/octet-stream", description = "The outputs, encoded"),
    responses(
        (status = NO_CONTENT, description = "Stored"),
        (status = UNPROCESSABLE_ENTITY, description = "Other bytes than the hash's", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Another error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn store_outputs(
    State(api): State<Api>,
    _: Caller<MayFetchBlobs>,
    Id(hash): Id<ContentHash>,
    body: Body,
) -> Result<StatusCode, ApiError> {
    // They only spare work, and must not use what submissions need.
    if api.pressure.disk_is_short() {
        return Err(ApiError::storage_full());
    }
    store_blob(&api, &api.outputs, hash, body, LARGEST).await
}

/// Fetch outputs of a judgement by their hash
///
/// For workers, which validate them again when an answer or an output validator was mended.
#[utoipa::path(
    get, path = "/api/v1/outputs/{sha256}", tag = "outputs",
    params(("sha256" = ContentHash, Path, description = "The SHA-256 in hexadecimal")),
    responses(
        (status = OK, description = "The outputs, encoded", body = Bytes, content_type = "application/octet-stream"),
        (status = NOT_FOUND, description = "There are none of this hash, or not any more", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Another error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn fetch_outputs(
    State(api): State<Api>,
    _: Caller<MayFetchBlobs>,
    Id(hash): Id<ContentHash>,
) -> Result<impl IntoResponse, ApiError> {
    let content = api.outputs.get(hash).await?.ok_or_else(|| {
        ApiError::new(
            ErrorKind::NotFound,
            format!("there are no outputs with the hash {hash}"),
        )
    })?;
    let headers = [
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (CONTENT_LENGTH, content.size_bytes.to_string()),
    ];
    Ok((headers, Body::from_stream(content.stream)))
}
