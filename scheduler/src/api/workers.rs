//! Workers.

use std::time::Duration;

use assize_common::api::{ProblemDetails, SetWorkerMode, WorkerList};
use assize_common::id::WorkerId;
use axum::extract::State;
use axum::http::StatusCode;

use super::Api;
use super::auth::{Caller, MayAdminister, MayRead};
use super::error::ApiError;
use super::extract::{Id, Json};

/// Workers not heard of for longer are history.
const LISTED_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// List the workers of the last 24 hours
#[utoipa::path(
    get, path = "/api/v1/workers", tag = "workers",
    responses(
        (status = OK, description = "The latest heard of first", body = WorkerList),
        (status = "default", description = "An error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list_workers(
    State(api): State<Api>,
    _: Caller<MayRead>,
) -> Result<axum::Json<WorkerList>, ApiError> {
    let workers = api.store.worker_list(LISTED_FOR).await?;
    Ok(axum::Json(WorkerList { workers }))
}

/// Say how a worker is to work
///
/// `cordon`: it takes no more tasks; `drain`: it also ends when it has finished what it holds; `run`: as usual.
#[utoipa::path(
    put, path = "/api/v1/workers/{id}/mode", tag = "workers",
    params(("id" = WorkerId, Path, description = "The worker's id")),
    request_body = SetWorkerMode,
    responses(
        (status = NO_CONTENT, description = "It is told"),
        (status = "default", description = "An error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn set_worker_mode(
    State(api): State<Api>,
    caller: Caller<MayAdminister>,
    Id(id): Id<WorkerId>,
    Json(set): Json<SetWorkerMode>,
) -> Result<StatusCode, ApiError> {
    if !api.store.worker_set_mode(id, set.mode).await? {
        return Err(ApiError::not_found("worker", id));
    }
    tracing::warn!(worker.id = %id, mode = %set.mode, token.id = %caller.token_id, "a worker is to work differently");
    Ok(StatusCode::NO_CONTENT)
}
