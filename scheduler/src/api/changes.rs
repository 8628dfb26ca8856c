//! What became of results and who did it: two logs that are only ever added to.

use assize_common::api::{AdminActionList, ProblemDetails, ResultChangeList};
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Api;
use super::auth::{Caller, MayAdminister, MayRead};
use super::error::{ApiError, ErrorKind};
use super::extract::Query;

const DEFAULT_PAGE: u32 = 100;
const MAX_PAGE: u32 = 1000;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ChangesQuery {
    /// The `last` of the page before; without it from the beginning.
    after: Option<i64>,
    /// How many at most: 1 to 1000, by default 100.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// List submissions for which another judgement counts than before
///
/// The oldest change first, in the order in which they became visible.
#[utoipa::path(
    get, path = "/api/v1/result-changes", tag = "rejudgings",
    params(ChangesQuery),
    responses(
        (status = OK, description = "A page", body = ResultChangeList),
        (status = "default", description = "An error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list_result_changes(
    State(api): State<Api>,
    _: Caller<MayRead>,
    Query(query): Query<ChangesQuery>,
) -> Result<axum::Json<ResultChangeList>, ApiError> {
    let after = query.after.unwrap_or_default();
    let changes = api
        .store
        .result_change_list(after, page(query.limit)?)
        .await?;
    let last = changes.last().map_or(after, |change| change.id);
    Ok(axum::Json(ResultChangeList { changes, last }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ActionsQuery {
    /// Only what was done to this, such as a rejudging by its id.
    subject: Option<String>,
    /// Only what was done before the action of this number.
    before: Option<i64>,
    /// How many at most: 1 to 1000, by default 100.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// List what admins did, the latest first
#[utoipa::path(
    get, path = "/api/v1/admin-actions", tag = "rejudgings",
    params(ActionsQuery),
    responses(
        (status = OK, description = "A page", body = AdminActionList),
        (status = "default", description = "An error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list_admin_actions(
    State(api): State<Api>,
    _: Caller<MayAdminister>,
    Query(query): Query<ActionsQuery>,
) -> Result<axum::Json<AdminActionList>, ApiError> {
    let subject = query.subject.as_deref();
    if subject.is_some_and(|subject| subject.contains(char::is_control)) {
        let detail = "subject: holds control characters";
        return Err(ApiError::new(ErrorKind::InvalidQuery, detail).in_field("subject"));
    }
    let limit = page(query.limit)?;
    let actions = api
        .store
        .admin_action_list(subject, query.before, limit)
        .await?;
    Ok(axum::Json(AdminActionList { actions }))
}

fn page(limit: Option<u32>) -> Result<u32, ApiError> {
    let limit = limit.unwrap_or(DEFAULT_PAGE);
    if (1..=MAX_PAGE).contains(&limit) {
        return Ok(limit);
    }
    let detail = format!("limit: expected 1 to {MAX_PAGE}");
    Err(ApiError::new(ErrorKind::InvalidQuery, detail).in_field("limit"))
}
