//! Lanes: what waits, pausing and resuming.

use assize_common::Lane;
use assize_common::api::{LaneInfo, LaneList, PauseLane, ProblemDetails};
use axum::extract::State;
use axum::http::StatusCode;

use super::Api;
use super::auth::{Caller, MayAdminister, MayRead};
use super::error::{ApiError, ErrorKind};
use super::extract::{Id, Json};

const MAX_REASON_CHARACTERS: usize = 500;

/// List the lanes and what waits in them
#[utoipa::path(
    get, path = "/api/v1/lanes", tag = "lanes",
    responses(
        (status = OK, description = "The most urgent first", body = LaneList),
        (status = "default", description = "An error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list_lanes(
    State(api): State<Api>,
    _: Caller<MayRead>,
) -> Result<axum::Json<LaneList>, ApiError> {
    let mut paused = api.store.lane_list_paused().await?;
    let backlog = api.store.backlog_count().await?;
    let lanes = backlog.lanes.into_iter().map(|lane| LaneInfo {
        lane: lane.lane,
        queued: lane.queued,
        running: lane.running,
        paused: paused
            .extract_if(.., |(paused, _)| *paused == lane.lane)
            .next()
            .map(|(_, paused)| paused),
    });
    Ok(axum::Json(LaneList {
        lanes: lanes.collect(),
    }))
}

/// Pause a lane
///
/// Its waiting tasks stay where they are; what workers have or is on its way to them is judged.
#[utoipa::path(
    put, path = "/api/v1/lanes/{lane}/pause", tag = "lanes",
    params(("lane" = Lane, Path, description = "Which lane")),
    request_body = PauseLane,
    responses(
        (status = NO_CONTENT, description = "It is paused"),
        (status = "default", description = "An error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn pause_lane(
    State(api): State<Api>,
    caller: Caller<MayAdminister>,
    Id(lane): Id<Lane>,
    Json(pause): Json<PauseLane>,
) -> Result<StatusCode, ApiError> {
    let reason = pause.reason.trim();
    if reason.is_empty() || reason.chars().count() > MAX_REASON_CHARACTERS {
        return Err(ApiError::new(
            ErrorKind::InvalidField,
            format!(
                "reason: expected 1 to {MAX_REASON_CHARACTERS} characters that tell other admins why"
            ),
        )
        .in_field("reason"));
    }
    api.store.lane_pause(lane, reason, caller.token_id).await?;
    tracing::warn!(%lane, reason, token.id = %caller.token_id, "paused a lane");
    Ok(StatusCode::NO_CONTENT)
}

/// Resume a lane
#[utoipa::path(
    delete, path = "/api/v1/lanes/{lane}/pause", tag = "lanes",
    params(("lane" = Lane, Path, description = "Which lane")),
    responses(
        (status = NO_CONTENT, description = "It is not paused"),
        (status = "default", description = "An error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn resume_lane(
    State(api): State<Api>,
    caller: Caller<MayAdminister>,
    Id(lane): Id<Lane>,
) -> Result<StatusCode, ApiError> {
    api.store.lane_resume(lane).await?;
    tracing::info!(%lane, token.id = %caller.token_id, "resumed a lane");
    Ok(StatusCode::NO_CONTENT)
}
