//! Rules about when judging ends.

use assize_common::api::{ProblemDetails, StopRule, StopRuleList, StopRuleScope};
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Api;
use super::auth::{Caller, MayAdminister, MayRead};
use super::error::{ApiError, ErrorKind};
use super::extract::{Json, Query};
use super::line::check_line;

/// List the rules about when judging ends
#[utoipa::path(
    get, path = "/api/v1/stop-rules", tag = "stop rules",
    responses(
        (status = OK, description = "By scope and subject", body = StopRuleList),
        (status = "default", description = "An error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list_stop_rules(
    State(api): State<Api>,
    _: Caller<MayRead>,
) -> Result<axum::Json<StopRuleList>, ApiError> {
    let stop_rules = api.store.stop_rule_list().await?;
    Ok(axum::Json(StopRuleList { stop_rules }))
}

/// Set when judging ends for a contest or a problem
///
/// The verdict is the same in any case; what changes is which test cases are run after the first failure. A rule about the
/// contest goes before one about the problem, and without either the package's format decides. A rejudging with
/// `judge_all` judges all.
#[utoipa::path(
    put, path = "/api/v1/stop-rules", tag = "stop rules",
    request_body = StopRule,
    responses(
        (status = NO_CONTENT, description = "It is set"),
        (status = NOT_FOUND, description = "There is no such problem", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Another error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn set_stop_rule(
    State(api): State<Api>,
    caller: Caller<MayAdminister>,
    Json(rule): Json<StopRule>,
) -> Result<StatusCode, ApiError> {
    let StopRule {
        scope,
        subject,
        stop,
    } = &rule;
    check_line("subject", subject)?;
    if !api.store.stop_rule_set(&rule, caller.token_id).await? {
        return Err(ApiError::not_found("problem", subject));
    }
    tracing::info!(%scope, subject, %stop, token.id = %caller.token_id, "set when judging ends");
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct StopRuleQuery {
    /// What the rule is about.
    #[param(inline)]
    scope: StopRuleScope,
    /// The contest, or the problem's short name.
    subject: String,
}

/// Remove a rule about when judging ends
#[utoipa::path(
    delete, path = "/api/v1/stop-rules", tag = "stop rules",
    params(StopRuleQuery),
    responses(
        (status = NO_CONTENT, description = "It is gone"),
        (status = NOT_FOUND, description = "There was none", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Another error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn remove_stop_rule(
    State(api): State<Api>,
    caller: Caller<MayAdminister>,
    Query(query): Query<StopRuleQuery>,
) -> Result<StatusCode, ApiError> {
    let StopRuleQuery { scope, subject } = query;
    if !api.store.stop_rule_remove(scope, &subject).await? {
        return Err(ApiError::new(
            ErrorKind::NotFound,
            format!("there is no rule about when judging ends for this {scope}"),
        ));
    }
    tracing::info!(%scope, subject, token.id = %caller.token_id, "removed a rule about when judging ends");
    Ok(StatusCode::NO_CONTENT)
}
