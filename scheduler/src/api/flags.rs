//! Flags of admins, and what came of looking closer.

use assize_common::api::{EscalationList, FlagList, FlagScope, Flagged, NewFlag, ProblemDetails};
use assize_common::id::{InvalidId, SubmissionId};
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Api;
use super::auth::{Caller, MayAdminister, MayRead};
use super::error::{ApiError, ErrorKind};
use super::extract::{Id, Json, Query};
use super::line::check_line;

/// Flag a submission, a problem or a team
///
/// New submissions that a flag is on are judged under ptrace in the flagged lane. A submission that was judged without
/// is judged again so, once; its verdict stays. A flag that is set already gets the new reason.
///
/// With `scrutiny`, tracers record more, hold further rules or only observe. A submission is judged again so in any case.
#[utoipa::path(
    put, path = "/api/v1/flags", tag = "flags",
    request_body = NewFlag,
    responses(
        (status = OK, description = "It is flagged", body = Flagged),
        (status = NOT_FOUND, description = "There is no such submission", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Another error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn set_flag(
    State(api): State<Api>,
    caller: Caller<MayAdminister>,
    Json(new): Json<NewFlag>,
) -> Result<axum::Json<Flagged>, ApiError> {
    let (subject, reason) = (new.subject.trim(), new.reason.trim());
    for (field, text) in [("subject", subject), ("reason", reason)] {
        check_line(field, text)?;
    }
    let scrutiny = &new.scrutiny;
    scrutiny.check().map_err(|error| {
        ApiError::new(ErrorKind::InvalidField, error.to_string()).in_field("scrutiny.layers")
    })?;
    if scrutiny.observe && new.scope != FlagScope::Submission {
        return Err(ApiError::new(
            ErrorKind::InvalidField,
            "an observed program is not held by its policy, so its verdict must not count: flag a submission, \
             which is judged beside its verdict",
        )
        .in_field("scrutiny.observe"));
    }
    let escalation = match new.scope {
        FlagScope::Submission => {
            let id = submission(subject)?;
            let flagged = api.store.submission_flag(id, reason, scrutiny).await?;
            flagged.ok_or_else(|| ApiError::not_found("submission", id))?
        }
        scope @ (FlagScope::Problem | FlagScope::Team) => {
            api.store
                .flag_set(scope, subject, reason, scrutiny, caller.token_id)
                .await?;
            None
        }
    };
    tracing::warn!(scope = %new.scope, subject, reason, token.id = %caller.token_id, "flagged");
    Ok(axum::Json(Flagged { escalation }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct FlagQuery {
    /// What it is on.
    #[param(inline)]
    scope: FlagScope,
    /// The submission's id, the problem's short name, or the team.
    subject: String,
}

/// Take off a flag
#[utoipa::path(
    delete, path = "/api/v1/flags", tag = "flags",
    params(FlagQuery),
    responses(
        (status = NO_CONTENT, description = "It is off"),
        (status = NOT_FOUND, description = "There was none", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Another error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn remove_flag(
    State(api): State<Api>,
    caller: Caller<MayAdminister>,
    Query(query): Query<FlagQuery>,
) -> Result<StatusCode, ApiError> {
    let FlagQuery { scope, subject } = query;
    let removed = match scope {
        FlagScope::Submission => api.store.submission_unflag(submission(&subject)?).await?,
        FlagScope::Problem | FlagScope::Team => {
            // No such text is stored, and Postgres takes offence at NUL.
            !subject.contains('\0') && api.store.flag_remove(scope, &subject).await?
        }
    };
    if !removed {
        return Err(ApiError::new(
            ErrorKind::NotFound,
            format!("there is no flag on this {scope}"),
        ));
    }
    tracing::info!(%scope, subject, token.id = %caller.token_id, "took off a flag");
    Ok(StatusCode::NO_CONTENT)
}

/// List flags: all on problems and teams, and those on the latest submissions
#[utoipa::path(
    get, path = "/api/v1/flags", tag = "flags",
    responses(
        (status = OK, description = "The flags", body = FlagList),
        (status = "default", description = "An error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list_flags(
    State(api): State<Api>,
    _: Caller<MayRead>,
) -> Result<axum::Json<FlagList>, ApiError> {
    let flags = api.store.flag_list().await?;
    Ok(axum::Json(FlagList { flags }))
}

/// List the judgements under ptrace that look again at a submission
///
/// They do not count. One is made when a judgement under unshare ends by a policy kill, and when a submission is flagged.
#[utoipa::path(
    get, path = "/api/v1/submissions/{id}/escalations", tag = "flags",
    params(("id" = SubmissionId, Path, description = "The submission's id")),
    responses(
        (status = OK, description = "The first one first", body = EscalationList),
        (status = "default", description = "An error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list_escalations(
    State(api): State<Api>,
    _: Caller<MayRead>,
    Id(id): Id<SubmissionId>,
) -> Result<axum::Json<EscalationList>, ApiError> {
    let escalations = api.store.escalation_list(id).await?;
    Ok(axum::Json(EscalationList { escalations }))
}

fn submission(subject: &str) -> Result<SubmissionId, ApiError> {
    subject.parse().map_err(|error: InvalidId| {
        ApiError::new(ErrorKind::InvalidField, error.to_string()).in_field("subject")
    })
}
