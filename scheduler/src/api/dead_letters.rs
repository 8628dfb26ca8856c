//! Dead letters: looking at them and deciding.

use assize_common::api::{DeadLetter, DeadLetterList, DeadLetterState, ProblemDetails};
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Api;
use super::auth::{Caller, MayAdminister};
use super::error::{ApiError, ErrorKind};
use super::extract::{Id, Query};

const LISTED: u16 = 500;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Those too that somebody has decided about.
    #[serde(default)]
    decided: bool,
}

/// List dead letters, the latest first, at most 500
#[utoipa::path(
    get, path = "/api/v1/dead-letters", tag = "dead letters",
    params(ListQuery),
    responses(
        (status = OK, description = "Messages that nobody could read or finish", body = DeadLetterList),
        (status = "default", description = "An error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list_dead_letters(
    State(api): State<Api>,
    _: Caller<MayAdminister>,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<DeadLetterList>, ApiError> {
    let dead_letters = api.store.dead_letter_list(query.decided, LISTED).await?;
    Ok(axum::Json(DeadLetterList { dead_letters }))
}

/// Read a dead letter
#[utoipa::path(
    get, path = "/api/v1/dead-letters/{id}", tag = "dead letters",
    params(("id" = i64, Path, description = "Its number")),
    responses(
        (status = OK, description = "With its message", body = DeadLetter),
        (status = "default", description = "An error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn read_dead_letter(
    State(api): State<Api>,
    _: Caller<MayAdminister>,
    Id(id): Id<i64>,
) -> Result<axum::Json<DeadLetter>, ApiError> {
    let found = api.store.dead_letter_read(id).await?;
    found
        .map(axum::Json)
        .ok_or_else(|| ApiError::not_found("dead letter", id))
}

/// Put a dead letter back into its queue
#[utoipa::path(
    post, path = "/api/v1/dead-letters/{id}/retry", tag = "dead letters",
    params(("id" = i64, Path, description = "Its number")),
    responses(
        (status = NO_CONTENT, description = "It goes back soon, or has gone back"),
        (status = CONFLICT, description = "It was dropped", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "An error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn retry_dead_letter(
    State(api): State<Api>,
    caller: Caller<MayAdminister>,
    Id(id): Id<i64>,
) -> Result<StatusCode, ApiError> {
    decide(&api, &caller, id, DeadLetterState::Retrying).await
}

/// Drop a dead letter
#[utoipa::path(
    delete, path = "/api/v1/dead-letters/{id}", tag = "dead letters",
    params(("id" = i64, Path, description = "Its number")),
    responses(
        (status = NO_CONTENT, description = "It is dropped; its record stays"),
        (status = CONFLICT, description = "It was retried", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "An error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn drop_dead_letter(
    State(api): State<Api>,
    caller: Caller<MayAdminister>,
    Id(id): Id<i64>,
) -> Result<StatusCode, ApiError> {
    decide(&api, &caller, id, DeadLetterState::Dropped).await
}

async fn decide(
    api: &Api,
    caller: &Caller<MayAdminister>,
    id: i64,
    wanted: DeadLetterState,
) -> Result<StatusCode, ApiError> {
    let decided = api.store.dead_letter_decide(id, wanted, caller.token_id);
    let is = decided
        .await?
        .ok_or_else(|| ApiError::not_found("dead letter", id))?;
    let as_wanted = match wanted {
        DeadLetterState::Dropped => is == DeadLetterState::Dropped,
        _ => matches!(is, DeadLetterState::Retrying | DeadLetterState::Retried),
    };
    if !as_wanted {
        return Err(ApiError::new(
            ErrorKind::AlreadyDecided,
            format!("dead letter {id} is {is} already"),
        ));
    }
    tracing::info!(dead_letter.id = id, state = %is, token.id = %caller.token_id, "decided about a dead letter");
    Ok(StatusCode::NO_CONTENT)
}
