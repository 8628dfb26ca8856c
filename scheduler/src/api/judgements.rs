//! Judgements.

use assize_common::api::{Judgement, ProblemDetails};
use assize_common::id::{JudgementId, SubmissionId};
use axum::extract::State;

use super::Api;
use super::auth::{Caller, MayRead};
use super::error::ApiError;
use super::extract::Id;

/// Read a judgement with its runs
#[utoipa::path(
    get, path = "/api/v1/judgements/{id}", tag = "judgements",
    params(("id" = JudgementId, Path, description = "The judgement's id")),
    responses(
        (status = OK, description = "The judgement", body = Judgement),
        (status = NOT_FOUND, description = "There is none of this id", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Another error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn read_judgement(
    State(api): State<Api>,
    _: Caller<MayRead>,
    Id(id): Id<JudgementId>,
) -> Result<axum::Json<Judgement>, ApiError> {
    let judgement = api.store.judgement_read(id).await?;
    judgement
        .map(axum::Json)
        .ok_or_else(|| ApiError::not_found("judgement", id))
}

/// Read the judgement of a submission that counts, with its runs
#[utoipa::path(
    get, path = "/api/v1/submissions/{id}/judgement", tag = "judgements",
    params(("id" = SubmissionId, Path, description = "The submission's id")),
    responses(
        (status = OK, description = "The judgement", body = Judgement),
        (status = NOT_FOUND, description = "There is no such submission", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Another error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn read_current_judgement(
    State(api): State<Api>,
    _: Caller<MayRead>,
    Id(id): Id<SubmissionId>,
) -> Result<axum::Json<Judgement>, ApiError> {
    let judgement = api.store.judgement_read_current(id).await?;
    judgement
        .map(axum::Json)
        .ok_or_else(|| ApiError::not_found("submission", id))
}
