//! Judgements.

use assize_common::api::{
    Feedback, Judgement, JudgementProvenance, ProblemDetails, ReusableJudgement,
};
use assize_common::id::{JudgementId, SubmissionId};
use axum::extract::State;

use super::Api;
use super::auth::{Caller, MayAdminister, MayFetchBlobs, MayRead, MaySubmit};
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

/// Read what a judgement depends on
#[utoipa::path(
    get, path = "/api/v1/judgements/{id}/provenance", tag = "judgements",
    params(("id" = JudgementId, Path, description = "The judgement's id")),
    responses(
        (status = OK, description = "All that its verdict depends on, and what became of it", body = JudgementProvenance),
        (status = NOT_FOUND, description = "There is none of this id", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Another error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn read_provenance(
    State(api): State<Api>,
    _: Caller<MayAdminister>,
    Id(id): Id<JudgementId>,
) -> Result<axum::Json<JudgementProvenance>, ApiError> {
    let provenance = api.store.provenance_read(id).await?;
    provenance
        .map(axum::Json)
        .ok_or_else(|| ApiError::not_found("judgement", id))
}

/// Read what of a judgement may be taken over
///
/// For workers that judge its submission again.
#[utoipa::path(
    get, path = "/api/v1/judgements/{id}/reusable", tag = "judgements",
    params(("id" = JudgementId, Path, description = "The judgement's id")),
    responses(
        (status = OK, description = "How compiling went, and the runs with their keys", body = ReusableJudgement),
        (status = NOT_FOUND, description = "There is none of this id", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Another error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn read_reusable(
    State(api): State<Api>,
    _: Caller<MayFetchBlobs>,
    Id(id): Id<JudgementId>,
) -> Result<axum::Json<ReusableJudgement>, ApiError> {
    let reusable = api.store.reusable_read(id).await?;
    reusable
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

/// Read what the team may see of its submission
///
/// For whoever sent it: the token must be the one that the submission was sent with, or an administrator's.
#[utoipa::path(
    get, path = "/api/v1/submissions/{id}/feedback", tag = "judgements",
    params(("id" = SubmissionId, Path, description = "The submission's id")),
    responses(
        (status = OK, description = "What the scheduler's settings let teams see", body = Feedback),
        (status = NOT_FOUND, description = "There is no such submission, or another token sent it", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Another error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn read_feedback(
    State(api): State<Api>,
    caller: Caller<MaySubmit>,
    Id(id): Id<SubmissionId>,
) -> Result<axum::Json<Feedback>, ApiError> {
    let unknown = || ApiError::not_found("submission", id);
    let sender = api.store.submission_sender(id).await?.ok_or_else(unknown)?;
    if sender != caller.token_id && !caller.is_admin() {
        return Err(unknown());
    }
    let judgement = api.store.judgement_read_current(id).await?;
    let judgement = judgement.ok_or_else(unknown)?;
    Ok(axum::Json(Feedback::of(judgement, &api.team_feedback)))
}
