//! Rejudgings.

use std::time::Duration;

use assize_common::api::{
    ApplyRejudging, NewRejudging, Overrides, ProblemDetails, Rejudging, RejudgingList,
    RejudgingOutcome, RejudgingPreview, RejudgingState, Selection,
};
use assize_common::id::{RejudgingId, TokenId};
use assize_common::language::LanguageTable;
use assize_common::message::WorkerMode;
use assize_common::{ContentHash, Lane};
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Api;
use super::auth::{Caller, MayAdminister};
use super::error::{ApiError, ErrorKind};
use super::extract::{Id, Json, Query};
use super::idempotency::{VanishedKey, idempotency, same_request};
use super::rejudging_error::{nothing_selected, of_package, refused, taken};
use crate::filter::{Filter, Scope};
use crate::store::{CreatedRejudging, NewStoredRejudging, Selected, SwitchRefusal, Switched};

/// A worker that was heard of so lately is there.
const HEARD_OF: Duration = Duration::from_secs(60);
const MAX_REASON_CHARACTERS: usize = 500;
const MAX_REPEAT: u32 = 20;
/// An hour: no test case is worth more.
const MAX_TIME_MS: u64 = 3_600_000;
/// A tebibyte: more than any worker has.
const MAX_MEMORY_BYTES: u64 = 1 << 40;
const DEFAULT_PAGE: u32 = 20;
const MAX_PAGE: u32 = 100;

/// Count what a selection comes to
///
/// Nothing is done yet.
#[utoipa::path(
    post, path = "/api/v1/rejudgings/preview", tag = "rejudgings",
    request_body = Selection,
    responses(
        (status = OK, description = "What it comes to", body = RejudgingPreview),
        (status = UNPROCESSABLE_ENTITY, description = "The filter is wrong", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Another error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn preview_rejudging(
    State(api): State<Api>,
    _: Caller<MayAdminister>,
    Json(selection): Json<Selection>,
) -> Result<axum::Json<RejudgingPreview>, ApiError> {
    let selected = selected(&selection)?;
    Ok(axum::Json(api.store.rejudging_preview(&selected).await?))
}

/// Rejudge
///
/// New judgements are made beside those that count, which stay until the rejudging is applied. The header
/// `Idempotency-Key` makes repeating safe: the same request with the same key makes one rejudging.
#[utoipa::path(
    post, path = "/api/v1/rejudgings", tag = "rejudgings",
    params(("Idempotency-Key" = Option<String>, Header, description = "A name of the client's choice for this request")),
    request_body = NewRejudging,
    responses(
        (status = CREATED, description = "It is under way", body = Rejudging),
        (status = CONFLICT, description = "Nothing is selected, other rejudgings have some of it, or the key belongs to another request", body = ProblemDetails, content_type = "application/problem+json"),
        (status = UNPROCESSABLE_ENTITY, description = "A field is wrong; `field` names it", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Another error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn create_rejudging(
    State(api): State<Api>,
    caller: Caller<MayAdminister>,
    headers: HeaderMap,
    Json(new): Json<NewRejudging>,
) -> Result<impl IntoResponse, ApiError> {
    let idempotency = idempotency(&headers, &new)?;
    let by = caller.token_id;
    let id = match find_earlier(&api, by, idempotency.as_ref()).await? {
        Some(id) => id,
        None => {
            check_worker(&api, &new.overrides).await?;
            let new = NewStoredRejudging {
                selected: check(&new, &api.languages)?,
                new,
                created_by: by,
                idempotency,
            };
            create(&api, &new).await?
        }
    };
    let location = [(LOCATION, format!("/api/v1/rejudgings/{id}"))];
    let rejudging = axum::Json(read(&api, id).await?);
    Ok((StatusCode::CREATED, location, rejudging))
}

async fn create(api: &Api, new: &NewStoredRejudging) -> Result<RejudgingId, ApiError> {
    match api.store.rejudging_create(new).await? {
        CreatedRejudging::Stored(id) => {
            tracing::info!(rejudging.id = %id, reason = new.new.reason, token.id = %new.created_by, "made a rejudging");
            Ok(id)
        }
        CreatedRejudging::KeyTaken => find_earlier(api, new.created_by, new.idempotency.as_ref())
            .await?
            .ok_or_else(|| ApiError::internal(&VanishedKey)),
        CreatedRejudging::NothingSelected => Err(nothing_selected()),
        CreatedRejudging::Taken(others) => Err(taken(&others)),
        CreatedRejudging::Package(problem) => Err(of_package(problem)),
    }
}

async fn find_earlier(
    api: &Api,
    token: TokenId,
    idempotency: Option<&(String, ContentHash)>,
) -> Result<Option<RejudgingId>, ApiError> {
    let Some(with_key) = idempotency else {
        return Ok(None);
    };
    let found = api.store.rejudging_find_by_key(token, &with_key.0).await?;
    same_request(with_key, found)
}

fn check(new: &NewRejudging, languages: &LanguageTable) -> Result<Selected, ApiError> {
    let invalid = |field: &str, problem: String| {
        ApiError::new(ErrorKind::InvalidField, format!("{field}: {problem}")).in_field(field)
    };
    if new.reason.trim().is_empty() || new.reason.chars().count() > MAX_REASON_CHARACTERS {
        let problem =
            format!("expected 1 to {MAX_REASON_CHARACTERS} characters that tell other admins why");
        return Err(invalid("reason", problem));
    }
    if !(1..=MAX_REPEAT).contains(&new.overrides.repeat) {
        return Err(invalid("repeat", format!("expected 1 to {MAX_REPEAT}")));
    }
    let limits = new.overrides.limits;
    for (field, limit, max) in [
        ("limits.time_ms", limits.time_ms, MAX_TIME_MS),
        ("limits.memory_bytes", limits.memory_bytes, MAX_MEMORY_BYTES),
    ] {
        if limit.is_some_and(|limit| !(1..=max).contains(&limit)) {
            return Err(invalid(field, format!("expected 1 to {max}")));
        }
    }
    if let Some(language) = &new.overrides.language {
        languages.get(language).map_err(|error| {
            ApiError::new(ErrorKind::UnknownLanguage, error.to_string()).in_field("language")
        })?;
    }
    selected(&new.selection)
}

/// Whether a worker that alone is to judge would.
async fn check_worker(api: &Api, overrides: &Overrides) -> Result<(), ApiError> {
    let Some(name) = &overrides.worker else {
        return Ok(());
    };
    let workers = api.store.worker_list(HEARD_OF).await?;
    let lane = Lane::Rejudge.name();
    let takes = workers.iter().any(|worker| {
        let is_there = !worker.stopped && worker.mode == WorkerMode::Run;
        let has = |language: &String| worker.languages.iter().any(|it| it.id == *language);
        worker.name == *name
            && is_there
            && worker.lanes.iter().any(|it| it == lane)
            && overrides.language.as_ref().is_none_or(has)
    });
    if takes {
        return Ok(());
    }
    let language = overrides.language.as_ref();
    let language = language.map_or_else(String::new, |language| format!(" in {language}"));
    let detail =
        format!("worker: no worker named {name:?} takes tasks of the lane {lane}{language} now");
    Err(ApiError::new(ErrorKind::InvalidField, detail).in_field("worker"))
}

fn selected(selection: &Selection) -> Result<Selected, ApiError> {
    if selection.filter.is_none() && selection.submissions.is_empty() {
        let detail = "filter: expected a filter or a list of submissions; `all` means every one";
        return Err(ApiError::new(ErrorKind::InvalidField, detail).in_field("filter"));
    }
    Ok(Selected {
        filter: filter(selection.filter.as_deref(), Scope::Submissions)?,
        submissions: selection.submissions.clone(),
    })
}

fn filter(text: Option<&str>, scope: Scope) -> Result<Filter, ApiError> {
    let parsed = text.map(|text| Filter::parse(text, scope)).transpose()?;
    Ok(parsed.unwrap_or(Filter::All))
}

async fn read(api: &Api, id: RejudgingId) -> Result<Rejudging, ApiError> {
    let rejudging = api.store.rejudging_read(id).await?;
    rejudging.ok_or_else(|| ApiError::not_found("rejudging", id))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Only in this state.
    #[param(inline)]
    state: Option<RejudgingState>,
    /// How many at most: 1 to 100, by default 20.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// List rejudgings, the newest first
#[utoipa::path(
    get, path = "/api/v1/rejudgings", tag = "rejudgings",
    params(ListQuery),
    responses(
        (status = OK, description = "The newest ones", body = RejudgingList),
        (status = "default", description = "An error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list_rejudgings(
    State(api): State<Api>,
    _: Caller<MayAdminister>,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<RejudgingList>, ApiError> {
    let limit = query.limit.unwrap_or(DEFAULT_PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        let detail = format!("limit: expected 1 to {MAX_PAGE}");
        return Err(ApiError::new(ErrorKind::InvalidQuery, detail).in_field("limit"));
    }
    let rejudgings = api.store.rejudging_list(query.state, limit).await?;
    Ok(axum::Json(RejudgingList { rejudgings }))
}

/// Read a rejudging with its progress
#[utoipa::path(
    get, path = "/api/v1/rejudgings/{id}", tag = "rejudgings",
    params(("id" = RejudgingId, Path, description = "The rejudging's id")),
    responses(
        (status = OK, description = "The rejudging", body = Rejudging),
        (status = NOT_FOUND, description = "There is none of this id", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Another error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn read_rejudging(
    State(api): State<Api>,
    _: Caller<MayAdminister>,
    Id(id): Id<RejudgingId>,
) -> Result<axum::Json<Rejudging>, ApiError> {
    Ok(axum::Json(read(&api, id).await?))
}

/// Make a rejudging's judgements count
///
/// All at once: whoever reads sees the old results or the new ones. Repeating does nothing more.
#[utoipa::path(
    post, path = "/api/v1/rejudgings/{id}/apply", tag = "rejudgings",
    params(("id" = RejudgingId, Path, description = "The rejudging's id")),
    request_body = ApplyRejudging,
    responses(
        (status = OK, description = "They count", body = RejudgingOutcome),
        (status = CONFLICT, description = "Not everything is judged, or it is closed", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Another error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn apply_rejudging(
    State(api): State<Api>,
    caller: Caller<MayAdminister>,
    Id(id): Id<RejudgingId>,
    Json(apply): Json<ApplyRejudging>,
) -> Result<axum::Json<RejudgingOutcome>, ApiError> {
    let filter = filter(apply.filter.as_deref(), Scope::Members)?;
    let applied = api
        .store
        .rejudging_apply(id, &apply, &filter, caller.token_id)
        .await?;
    outcome(&api, id, caller.token_id, "applied", applied).await
}

/// Give up what is not applied of a rejudging
///
/// Nothing more of it is judged. Results stay as they are. Repeating does nothing more.
#[utoipa::path(
    post, path = "/api/v1/rejudgings/{id}/cancel", tag = "rejudgings",
    params(("id" = RejudgingId, Path, description = "The rejudging's id")),
    responses(
        (status = OK, description = "It is given up", body = RejudgingOutcome),
        (status = CONFLICT, description = "It is applied or undone", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Another error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn cancel_rejudging(
    State(api): State<Api>,
    caller: Caller<MayAdminister>,
    Id(id): Id<RejudgingId>,
) -> Result<axum::Json<RejudgingOutcome>, ApiError> {
    let cancelled = api.store.rejudging_cancel(id, caller.token_id).await?;
    let cancelled = cancelled.map(|()| Switched::default());
    outcome(&api, id, caller.token_id, "cancelled", cancelled).await
}

/// Make the judgements count again that a rejudging replaced
///
/// All at once, and only while nothing builds on its results. Repeating does nothing more.
#[utoipa::path(
    post, path = "/api/v1/rejudgings/{id}/undo", tag = "rejudgings",
    params(("id" = RejudgingId, Path, description = "The rejudging's id")),
    responses(
        (status = OK, description = "It is as before", body = RejudgingOutcome),
        (status = CONFLICT, description = "It was never applied, or other rejudgings build on it", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Another error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn undo_rejudging(
    State(api): State<Api>,
    caller: Caller<MayAdminister>,
    Id(id): Id<RejudgingId>,
) -> Result<axum::Json<RejudgingOutcome>, ApiError> {
    let undone = api.store.rejudging_undo(id, caller.token_id).await?;
    outcome(&api, id, caller.token_id, "undone", undone).await
}

async fn outcome(
    api: &Api,
    id: RejudgingId,
    by: TokenId,
    done: &'static str,
    result: Result<Switched, SwitchRefusal>,
) -> Result<axum::Json<RejudgingOutcome>, ApiError> {
    let switched = result.map_err(|refusal| refused(id, &refusal))?;
    tracing::info!(
        rejudging.id = %id,
        token.id = %by,
        switched = switched.switched,
        changed = switched.changed,
        "a rejudging was {done}"
    );
    Ok(axum::Json(RejudgingOutcome {
        switched: switched.switched,
        changed: switched.changed,
        rejudging: read(api, id).await?,
    }))
}

/// Hold back what workers have not taken up of a rejudging
#[utoipa::path(
    put, path = "/api/v1/rejudgings/{id}/pause", tag = "rejudgings",
    params(("id" = RejudgingId, Path, description = "The rejudging's id")),
    responses(
        (status = NO_CONTENT, description = "It is paused"),
        (status = CONFLICT, description = "It is not open", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Another error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn pause_rejudging(
    State(api): State<Api>,
    caller: Caller<MayAdminister>,
    Id(id): Id<RejudgingId>,
) -> Result<StatusCode, ApiError> {
    pause(&api, id, true, caller.token_id).await
}

/// Let a rejudging go on
#[utoipa::path(
    delete, path = "/api/v1/rejudgings/{id}/pause", tag = "rejudgings",
    params(("id" = RejudgingId, Path, description = "The rejudging's id")),
    responses(
        (status = NO_CONTENT, description = "It is not paused"),
        (status = CONFLICT, description = "It is not open", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Another error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn resume_rejudging(
    State(api): State<Api>,
    caller: Caller<MayAdminister>,
    Id(id): Id<RejudgingId>,
) -> Result<StatusCode, ApiError> {
    pause(&api, id, false, caller.token_id).await
}

async fn pause(
    api: &Api,
    id: RejudgingId,
    pause: bool,
    by: TokenId,
) -> Result<StatusCode, ApiError> {
    let paused = api.store.rejudging_pause(id, pause, by).await?;
    paused.map_err(|refusal| refused(id, &refusal))?;
    tracing::info!(rejudging.id = %id, token.id = %by, pause, "paused or resumed a rejudging");
    Ok(StatusCode::NO_CONTENT)
}
