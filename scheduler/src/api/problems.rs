//! Problems and their packages.

use assize_common::api::{
    ImportedPackage, ProblemDetails, ProblemList, ProblemVersion, ProblemVersionList,
};
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::auth::{Caller, MayAdminister, MayRead};
use super::error::{ApiError, ErrorKind};
use super::extract::{Id, Json, Query};
use super::import;
use super::{Api, Bytes};
use crate::store::Activation;

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
    /// Whether new submissions are judged by it from now on. If not, it is only kept until it is activated.
    #[serde(default = "yes")]
    activate: bool,
}

const fn yes() -> bool {
    true
}

/// Import a problem package
///
/// The package becomes the problem's active version, unless `activate` is false: new submissions are judged by
/// it. The same content is stored once, however it is zipped.
#[utoipa::path(
    post, path = "/api/v1/problems", tag = "problems",
    params(ImportQuery),
    request_body(content = Bytes, content_type = "application/zip", description = "The package, zipped"),
    responses(
        (status = CREATED, description = "A new version", body = ImportedPackage),
        (status = OK, description = "There already, and as active as asked for", body = ImportedPackage),
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
    let activation = if query.activate {
        Activation::AtOnce
    } else {
        Activation::Later
    };
    let imported =
        import::import(&api, &query.short_name, body, activation, caller.token_id).await?;
    let status = if imported.unchanged {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    Ok((status, axum::Json::<ImportedPackage>(imported)))
}

/// List the versions of a problem's package
#[utoipa::path(
    get, path = "/api/v1/problems/{short_name}/versions", tag = "problems",
    params(("short_name" = String, Path, description = "The problem")),
    responses(
        (status = OK, description = "The latest first", body = ProblemVersionList),
        (status = NOT_FOUND, description = "No such problem", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Another error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list_problem_versions(
    State(api): State<Api>,
    _: Caller<MayRead>,
    Id(short_name): Id<String>,
) -> Result<axum::Json<ProblemVersionList>, ApiError> {
    let versions = api.store.problem_versions(&short_name).await?;
    if versions.is_empty() {
        return Err(ApiError::new(
            ErrorKind::NotFound,
            "there is no such problem",
        ));
    }
    Ok(axum::Json(ProblemVersionList { versions }))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ActivateVersion {
    /// Which version of its package.
    version: u32,
}

/// Activate a version of a problem's package
///
/// New submissions are judged by it from now on; those that are there keep the version they came under until they
/// are rejudged.
#[utoipa::path(
    put, path = "/api/v1/problems/{short_name}/active-version", tag = "problems",
    params(("short_name" = String, Path, description = "The problem")),
    request_body = ActivateVersion,
    responses(
        (status = OK, description = "It is active", body = ProblemVersion),
        (status = NOT_FOUND, description = "No such problem or version", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Another error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn activate_problem_version(
    State(api): State<Api>,
    caller: Caller<MayAdminister>,
    Id(short_name): Id<String>,
    Json(ActivateVersion { version }): Json<ActivateVersion>,
) -> Result<axum::Json<ProblemVersion>, ApiError> {
    let activated = api
        .store
        .problem_activate(&short_name, version, caller.token_id)
        .await?;
    let activated = activated.ok_or_else(|| {
        ApiError::new(
            ErrorKind::NotFound,
            format!("there is no version {version} of such a problem"),
        )
    })?;
    tracing::info!(
        problem = short_name, version, token.id = %caller.token_id,
        "activated a version of a package"
    );
    Ok(axum::Json(activated))
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
