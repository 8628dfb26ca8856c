//! Reviews of rejudgings.

use assize_common::api::{ProblemDetails, RejudgingMemberList, RejudgingReview};
use assize_common::id::{RejudgingId, SubmissionId};
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::Api;
use super::auth::{Caller, MayAdminister};
use super::error::{ApiError, ErrorKind};
use super::extract::{Id, Query};

const DEFAULT_PAGE: u32 = 100;
const MAX_PAGE: u32 = 1000;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ReviewQuery {
    /// From when on penalties count; without it from each contest's first submission.
    contest_start: Option<DateTime<Utc>>,
}

/// See what a rejudging would change, or changed
#[utoipa::path(
    get, path = "/api/v1/rejudgings/{id}/review", tag = "rejudgings",
    params(("id" = RejudgingId, Path, description = "The rejudging's id"), ReviewQuery),
    responses(
        (status = OK, description = "What changes", body = RejudgingReview),
        (status = NOT_FOUND, description = "There is none of this id", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Another error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn review_rejudging(
    State(api): State<Api>,
    _: Caller<MayAdminister>,
    Id(id): Id<RejudgingId>,
    Query(query): Query<ReviewQuery>,
) -> Result<axum::Json<RejudgingReview>, ApiError> {
    let rejudging = api.store.rejudging_read(id).await?;
    let rejudging = rejudging.ok_or_else(|| ApiError::not_found("rejudging", id))?;
    let reviewed = api.store.rejudging_review_rows(id).await?;
    let mut workers = reviewed.workers();
    let ids: Vec<Uuid> = workers.keys().copied().collect();
    for (id, name) in api.store.worker_name_list(&ids).await? {
        if let Some(times) = workers.get_mut(&id) {
            times.worker = name;
        }
    }
    let (flaky, spread) = if rejudging.overrides.repeat > 1 {
        api.store.rejudging_list_repeated(id).await?
    } else {
        (Vec::new(), Vec::new())
    };
    Ok(axum::Json(RejudgingReview {
        submissions: reviewed.members.len() as u64,
        changed: reviewed.changed() as u64,
        matrix: reviewed.matrix(),
        contests: reviewed.contests(query.contest_start),
        workers: workers.into_values().collect(),
        flaky,
        spread,
    }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct MembersQuery {
    /// Only those whose result or score is another one.
    #[serde(default)]
    changed: bool,
    /// Only this one.
    submission: Option<SubmissionId>,
    /// The `next` of the page before.
    cursor: Option<SubmissionId>,
    /// How many at most: 1 to 1000, by default 100.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// List a rejudging's submissions, before and after
#[utoipa::path(
    get, path = "/api/v1/rejudgings/{id}/members", tag = "rejudgings",
    params(("id" = RejudgingId, Path, description = "The rejudging's id"), MembersQuery),
    responses(
        (status = OK, description = "A page", body = RejudgingMemberList),
        (status = "default", description = "An error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list_rejudging_members(
    State(api): State<Api>,
    _: Caller<MayAdminister>,
    Id(id): Id<RejudgingId>,
    Query(query): Query<MembersQuery>,
) -> Result<axum::Json<RejudgingMemberList>, ApiError> {
    let limit = query.limit.unwrap_or(DEFAULT_PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        let detail = format!("limit: expected 1 to {MAX_PAGE}");
        return Err(ApiError::new(ErrorKind::InvalidQuery, detail).in_field("limit"));
    }
    // One more than asked for tells whether there is a next page.
    let (store, only) = (&api.store, query.submission);
    let mut members = store
        .rejudging_member_list(id, query.changed, only, query.cursor, limit + 1)
        .await?;
    let more = members.len() > limit as usize;
    members.truncate(limit as usize);
    let last = members.last().map(|member| member.submission_id);
    Ok(axum::Json(RejudgingMemberList {
        next: last.filter(|_| more),
        members,
    }))
}
