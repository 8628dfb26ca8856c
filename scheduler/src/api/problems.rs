//! Problems and their packages.

use assize_common::api::{ImportedPackage, ProblemDetails, ProblemList};
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use serde::Deserialize;
use utoipa::IntoParams;

use super::auth::{Caller, MayAdminister, MayRead};
use super::error::{ApiError, ErrorKind};
use super::extract::Query;
use super::import;
use super::{Api, Bytes};

/// List the problems
#[utoipa::path(
    get, path = "/api/v1/problems", tag = "problems",
    responses(
        (status = OK, description = "By short name", body = ProblemList),
        (status = "default", description = "An error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list_problems(
    State(api): State<Api>,
    _: Caller<MayRead>,
) -> Result<axum::Json<ProblemList>, ApiError> {
    let problems = api.store.problem_list().await?;
    Ok(axum::Json(ProblemList { problems }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ImportQuery {
    /// The name by which submissions refer to the problem: lower-case letters, digits, `-` and `_`.
    short_name: String,
}

/// Import a problem package
///
/// The package becomes the problem's current version: new submissions are judged by it. The same content is
/// stored once, however it is zipped.
#[utoipa::path(
    post, path = "/api/v1/problems", tag = "problems",
    params(ImportQuery),
    request_body(content = Bytes, content_type = "application/zip", description = "The package, zipped"),
    responses(
        (status = CREATED, description = "A new version", body = ImportedPackage),
        (status = OK, description = "The current version already", body = ImportedPackage),
        (status = UNPROCESSABLE_ENTITY, description = "The package is broken", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Another error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn import_problem(
    State(api): State<Api>,
    caller: Caller<MayAdminister>,
    Query(query): Query<ImportQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<impl IntoResponse, ApiError> {
    check_short_name(&query.short_name)?;
    let content_type = headers.get(CONTENT_TYPE);
    if !content_type.is_some_and(|value| value.as_bytes().starts_with(b"application/zip")) {
        return Err(ApiError::new(
            ErrorKind::WrongContentType,
            "send the zipped package with the header `Content-Type: application/zip`",
        ));
    }
    let imported = import::import(&api, &query.short_name, body, caller.token_id).await?;
    let status = if imported.unchanged {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    Ok((status, axum::Json::<ImportedPackage>(imported)))
}

/// Whether a problem may have this name.
pub(super) fn is_short_name(name: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.bytes()
        .all(|byte| alphanumeric(byte) || matches!(byte, b'-' | b'_'))
        && name.bytes().next().is_some_and(alphanumeric)
        && name.len() <= 64
}

fn check_short_name(name: &str) -> Result<(), ApiError> {
    if is_short_name(name) {
        return Ok(());
    }
    Err(ApiError::new(
        ErrorKind::InvalidQuery,
        "a short name has 1 to 64 lower-case letters, digits, `-` and `_` and begins with a letter or digit",
    )
    .in_field("short_name"))
}
