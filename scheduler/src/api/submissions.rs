//! Submissions.

use assize_common::api::{
    CancelSubmission, JudgementState, NewSubmission, ProblemDetails, Submission, SubmissionList,
};
use assize_common::id::{JudgementId, SubmissionId, TokenId};
use assize_common::language::Language;
use assize_common::message::SourceFile;
use assize_common::sandbox_choice::{SandboxFactors, choose_sandbox};
use assize_common::{ContentHash, Lane, SandboxChoice, SandboxMode, Scrutiny, Verdict};
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use bytes::Bytes;
use bytesize::ByteSize;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Api;
use super::auth::{Caller, MayAdminister, MayRead, MaySubmit};
use super::error::{ApiError, ErrorKind};
use super::extract::{Id, Json, Query};
use super::idempotency::{VanishedKey, idempotency, same_request};
use super::problems::is_short_name;
use super::submission_check::{check, check_for_problem};
use crate::store::{Admission, Created, NewStoredSubmission, Subject, SubmissionFilter};

/// The largest body: sources in base64 with room to spare.
pub(super) const MAX_BODY: ByteSize = ByteSize::mib(8);

const MAX_REASON_CHARACTERS: usize = 500;

const DEFAULT_PAGE: u32 = 50;
const MAX_PAGE: u32 = 200;

/// Submit
///
/// The header `Idempotency-Key` makes repeating safe: the same request with the same key makes one submission.
#[utoipa::path(
    post, path = "/api/v1/submissions", tag = "submissions",
    params(("Idempotency-Key" = Option<String>, Header, description = "A name of the client's choice for this request")),
    request_body = NewSubmission,
    responses(
        (status = CREATED, description = "Stored; it will be judged", body = Submission),
        (status = CONFLICT, description = "The key belongs to another request", body = ProblemDetails, content_type = "application/problem+json"),
        (status = PAYLOAD_TOO_LARGE, description = "Too large", body = ProblemDetails, content_type = "application/problem+json"),
        (status = UNPROCESSABLE_ENTITY, description = "A field is wrong; `field` names it", body = ProblemDetails, content_type = "application/problem+json"),
        (status = TOO_MANY_REQUESTS, description = "Too many of the team wait; Retry-After tells when to come again", body = ProblemDetails, content_type = "application/problem+json"),
        (status = SERVICE_UNAVAILABLE, description = "Too many wait, or the database is away; Retry-After tells when to come again", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Another error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn create_submission(
    State(api): State<Api>,
    caller: Caller<MaySubmit>,
    headers: HeaderMap,
    Json(new): Json<NewSubmission>,
) -> Result<impl IntoResponse, ApiError> {
    let idempotency = idempotency(&headers, &new)?;
    let language = check(&new, &api.languages, caller.is_admin())?;
    let submission = match find_earlier(&api, caller.token_id, idempotency.as_ref()).await? {
        Some(id) => read(&api, id).await?,
        None => {
            let (contest, team) = (new.contest.as_deref(), new.team.as_deref());
            if let Some(refusal) = api.pressure.refuses(contest, team) {
                return Err(refusal.into());
            }
            loop {
                // Again if the problem's package is replaced between the look and the store.
                let admission = admission(&api, &new).await?;
                check_for_problem(&new, language, &admission.package)?;
                let by = caller.token_id;
                let stored =
                    stored(&api, &new, language, &admission, by, idempotency.clone()).await?;
                if let Some(submission) = create(&api, &new.problem, stored).await? {
                    break submission;
                }
            }
        }
    };
    let location = [(LOCATION, format!("/api/v1/submissions/{}", submission.id))];
    Ok((StatusCode::CREATED, location, axum::Json(submission)))
}

/// End the judging of a submission
///
/// Its judgement ends in an error with the reason. A worker that is at it is told to leave it.
#[utoipa::path(
    post, path = "/api/v1/submissions/{id}/cancel", tag = "submissions",
    params(("id" = SubmissionId, Path, description = "The submission's id")),
    request_body = CancelSubmission,
    responses(
        (status = NO_CONTENT, description = "It is not judged any more"),
        (status = CONFLICT, description = "It is judged already", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "An error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn cancel_submission(
    State(api): State<Api>,
    caller: Caller<MayAdminister>,
    Id(id): Id<SubmissionId>,
    Json(cancel): Json<CancelSubmission>,
) -> Result<StatusCode, ApiError> {
    let reason = cancel.reason.trim();
    if reason.is_empty() || reason.chars().count() > MAX_REASON_CHARACTERS {
        return Err(ApiError::new(
            ErrorKind::InvalidField,
            format!(
                "reason: expected 1 to {MAX_REASON_CHARACTERS} characters that tell other admins why"
            ),
        )
        .in_field("reason"));
    }
    if !api.store.submission_cancel(id, reason).await? {
        read(&api, id).await?;
        return Err(ApiError::new(
            ErrorKind::AlreadyDecided,
            format!("submission {id} is judged already: rejudge it instead"),
        ));
    }
    tracing::warn!(submission.id = %id, reason, token.id = %caller.token_id, "cancelled the judging of a submission");
    Ok(StatusCode::NO_CONTENT)
}

/// Lane and sandbox of the first judgement.
fn choose(
    api: &Api,
    new: &NewSubmission,
    language: Option<&Language>,
    admission: &Admission,
) -> (Lane, SandboxChoice, Scrutiny) {
    let flags = &admission.flags;
    let sources = new.files.iter().map(|file| file.content.as_slice());
    // Outputs are no sources: nothing of them runs.
    let suspicion = language.and_then(|language| api.suspicion.find(&language.id, sources));
    let factors = SandboxFactors {
        requested: new.sandbox,
        escalated: None,
        flag: new.flag.as_deref(),
        team_flag: flags.team.as_deref(),
        problem_flag: flags.problem.as_deref(),
        suspicion: suspicion.as_deref(),
        flagged_lane_is_full: api.pressure.flagged_lane_is_full(),
        problem_has_rules: admission.package.has_rules,
        language: language.and_then(|language| language.sandbox),
        lane: None,
    };
    let lane = factors.first_lane();
    let factors = SandboxFactors {
        lane: Some(lane),
        ..factors
    };
    let choice = choose_sandbox(factors);
    let traced = choice.mode == SandboxMode::Ptrace;
    let scrutiny = if traced {
        flags.scrutiny.clone()
    } else {
        Scrutiny::default()
    };
    (lane, choice, scrutiny)
}

async fn admission(api: &Api, new: &NewSubmission) -> Result<Admission, ApiError> {
    let found = if is_short_name(&new.problem) {
        let subject = Subject {
            problem: new.problem.clone(),
            team: new.team.clone(),
        };
        api.intake.admissions.ask(subject).await?
    } else {
        None
    };
    found.ok_or_else(|| unknown_problem(&new.problem))
}

async fn stored(
    api: &Api,
    new: &NewSubmission,
    language: Option<&Language>,
    admission: &Admission,
    submitted_by: TokenId,
    idempotency: Option<(String, ContentHash)>,
) -> Result<NewStoredSubmission, ApiError> {
    let (lane, sandbox, scrutiny) = choose(api, new, language, admission);
    let problem = &admission.package;
    Ok(NewStoredSubmission {
        id: SubmissionId::generate(),
        judgement_id: JudgementId::generate(),
        problem_id: problem.problem_id,
        package_id: problem.package_id,
        testcases: problem.testcases,
        language: new.language.clone(),
        files: store_files(api, new).await?,
        entry_point: new.entry_point.clone(),
        contest: new.contest.clone(),
        team: new.team.clone(),
        flag: new.flag.clone(),
        lane,
        sandbox,
        scrutiny,
        submitted_by,
        idempotency,
    })
}

/// Stores it; `None` if its package is not the current one any more.
async fn create(
    api: &Api,
    problem: &str,
    stored: NewStoredSubmission,
) -> Result<Option<Submission>, ApiError> {
    match api.intake.submissions.ask(stored.clone()).await? {
        Created::Stored { submitted_at } => {
            tracing::info!(
                submission.id = %stored.id,
                judgement.id = %stored.judgement_id,
                language = stored.language,
                lane = %stored.lane,
                sandbox = %stored.sandbox.mode,
                "took a submission"
            );
            Ok(Some(stored.stored(problem.to_owned(), submitted_at)))
        }
        Created::PackageReplaced => Ok(None),
        // The same request in parallel was faster.
        Created::KeyTaken => {
            let by = stored.submitted_by;
            let earlier = find_earlier(api, by, stored.idempotency.as_ref()).await?;
            let id = earlier.ok_or_else(|| ApiError::internal(&VanishedKey))?;
            read(api, id).await.map(Some)
        }
    }
}

async fn read(api: &Api, id: SubmissionId) -> Result<Submission, ApiError> {
    let found = api.store.submission_read(id).await?;
    found.ok_or_else(|| ApiError::not_found("submission", id))
}

/// The submission of an earlier request with the same key, if there was one.
async fn find_earlier(
    api: &Api,
    token: TokenId,
    idempotency: Option<&(String, ContentHash)>,
) -> Result<Option<SubmissionId>, ApiError> {
    let Some(with_key) = idempotency else {
        return Ok(None);
    };
    let found = api.store.submission_find_by_key(token, &with_key.0).await?;
    same_request(with_key, found)
}

/// Puts the files into the blob store, before anything refers to them.
async fn store_files(api: &Api, new: &NewSubmission) -> Result<Vec<SourceFile>, ApiError> {
    let mut files = Vec::with_capacity(new.files.len());
    for file in &new.files {
        files.push(SourceFile {
            name: file.name.clone(),
            sha256: api.blobs.put(Bytes::copy_from_slice(&file.content)).await?,
            size_bytes: file.content.len() as u64,
        });
    }
    Ok(files)
}

fn unknown_problem(name: &str) -> ApiError {
    let name: String = name.chars().take(64).collect();
    ApiError::new(
        ErrorKind::UnknownProblem,
        format!(
            "there is no problem {name:?} with an active package: import or activate one first"
        ),
    )
    .in_field("problem")
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Only of this problem, by short name.
    problem: Option<String>,
    /// Only of this contest.
    contest: Option<String>,
    /// Only of this team.
    team: Option<String>,
    /// Only in this language.
    language: Option<String>,
    /// Only with this verdict.
    #[param(inline)]
    verdict: Option<Verdict>,
    /// Only in this state.
    #[param(inline)]
    state: Option<JudgementState>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// How many at most: 1 to 200, by default 50.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// List submissions, the newest first
#[utoipa::path(
    get, path = "/api/v1/submissions", tag = "submissions",
    params(ListQuery),
    responses(
        (status = OK, description = "A page", body = SubmissionList),
        (status = "default", description = "An error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list_submissions(
    State(api): State<Api>,
    _: Caller<MayRead>,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<SubmissionList>, ApiError> {
    let limit = query.limit.unwrap_or(DEFAULT_PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(ApiError::new(
            ErrorKind::InvalidQuery,
            format!("limit: expected 1 to {MAX_PAGE}"),
        )
        .in_field("limit"));
    }
    let cursor = query
        .cursor
        .map(|cursor| cursor.parse::<SubmissionId>())
        .transpose()
        .map_err(|_| {
            ApiError::new(
                ErrorKind::InvalidQuery,
                "cursor: expected the `next` of the page before",
            )
            .in_field("cursor")
        })?;
    let texts = [
        ("problem", &query.problem),
        ("contest", &query.contest),
        ("team", &query.team),
        ("language", &query.language),
    ];
    for (field, text) in texts {
        // No such text is stored, and Postgres takes offence at NUL.
        if text
            .as_ref()
            .is_some_and(|text| text.contains(char::is_control))
        {
            return Err(ApiError::new(
                ErrorKind::InvalidQuery,
                format!("{field}: holds control characters"),
            )
            .in_field(field));
        }
    }
    let filter = SubmissionFilter {
        problem: query.problem,
        contest: query.contest,
        team: query.team,
        language: query.language,
        verdict: query.verdict,
        state: query.state,
    };
    let page = api.store.submission_list(&filter, cursor, limit).await?;
    Ok(axum::Json(page))
}

/// Read a submission with the judgement that counts
#[utoipa::path(
    get, path = "/api/v1/submissions/{id}", tag = "submissions",
    params(("id" = SubmissionId, Path, description = "The submission's id")),
    responses(
        (status = OK, description = "The submission", body = Submission),
        (status = NOT_FOUND, description = "There is none of this id", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Another error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn read_submission(
    State(api): State<Api>,
    _: Caller<MayRead>,
    Id(id): Id<SubmissionId>,
) -> Result<axum::Json<Submission>, ApiError> {
    read(&api, id).await.map(axum::Json)
}
