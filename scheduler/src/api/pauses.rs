//! What is not judged since judging of it failed.

use assize_common::api::{PauseList, ProblemDetails};
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Api;
use super::auth::{Caller, MayAdminister, MayRead};
use super::error::{ApiError, ErrorKind};
use super::extract::Query;

/// List what is paused since judging of it failed
#[utoipa::path(
    get, path = "/api/v1/pauses", tag = "pauses",
    responses(
        (status = OK, description = "The earliest first", body = PauseList),
        (status = "default", description = "An error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list_pauses(
    State(api): State<Api>,
    _: Caller<MayRead>,
) -> Result<axum::Json<PauseList>, ApiError> {
    let pauses = api.store.pause_list().await?;
    Ok(axum::Json(PauseList { pauses }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PauseQuery {
    /// The problem's short name, if the pause is of one.
    problem: Option<String>,
    /// The language's id, if the pause is of one.
    language: Option<String>,
}

/// End a pause
///
/// What waited is judged. Submissions that ended in a judging error before the pause stay so; rejudge them.
#[utoipa::path(
    delete, path = "/api/v1/pauses", tag = "pauses",
    params(PauseQuery),
    responses(
        (status = NO_CONTENT, description = "It is ended"),
        (status = NOT_FOUND, description = "There was none", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Another error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn end_pause(
    State(api): State<Api>,
    caller: Caller<MayAdminister>,
    Query(query): Query<PauseQuery>,
) -> Result<StatusCode, ApiError> {
    let (problem, language) = (query.problem.as_deref(), query.language.as_deref());
    let by = caller.token_id;
    if !api.store.pause_end(problem, language, by).await? {
        return Err(ApiError::new(
            ErrorKind::NotFound,
            "no pause is of exactly that problem and language",
        ));
    }
    tracing::info!(problem, language, token.id = %by, "ended a pause");
    Ok(StatusCode::NO_CONTENT)
}
