//! Workers.

use std::time::Duration;

use assize_common::api::{ProblemDetails, WorkerList};
use axum::extract::State;

use super::Api;
use super::auth::{Caller, MayRead};
use super::error::ApiError;

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
