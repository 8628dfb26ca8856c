//! Audits: stored by workers, read and searched by admins.

use assize_common::ContentHash;
use assize_common::api::{AuditHitList, JudgementAudit, ProblemDetails};
use assize_common::id::JudgementId;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::IntoResponse;
use bytesize::ByteSize;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::IntoParams;

use super::auth::{Caller, MayAdminister, MayFetchBlobs};
use super::error::{ApiError, ErrorKind};
use super::extract::{Id, Query};
use super::receive::{Most, store_blob};
use super::{Api, Bytes};
use crate::store::AuditFilter;

/// More than any audit has: workers bound them and compress them.
const LARGEST: Most = Most {
    size: ByteSize::mib(64),
    of: "the audit",
    set_by: "",
};

const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 1000;

/// Store the audit of a run
///
/// For workers, before they report the judgement that refers to it.
#[utoipa::path(
    put, path = "/api/v1/audits/{sha256}", tag = "audits",
    params(("sha256" = ContentHash, Path, description = "The SHA-256 in hexadecimal")),
    request_body(content = Bytes, content_type = "application/octet-stream", description = "The audit, encoded"),
    responses(
        (status = NO_CONTENT, description = "Stored"),
        (status = UNPROCESSABLE_ENTITY, description = "Other bytes than the hash's", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Another error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn store_audit(
    State(api): State<Api>,
    _: Caller<MayFetchBlobs>,
    Id(hash): Id<ContentHash>,
    body: Body,
) -> Result<StatusCode, ApiError> {
    store_blob(&api, &api.audits, hash, body, LARGEST).await
}

/// Fetch the audit of a run by its hash
///
/// `assize audit show` turns it into text.
#[utoipa::path(
    get, path = "/api/v1/audits/{sha256}", tag = "audits",
    params(("sha256" = ContentHash, Path, description = "The SHA-256 in hexadecimal")),
    responses(
        (status = OK, description = "The audit, encoded", body = Bytes, content_type = "application/octet-stream"),
        (status = NOT_FOUND, description = "There is none of this hash, or not any more", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Another error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn fetch_audit(
    State(api): State<Api>,
    _: Caller<MayAdminister>,
    Id(hash): Id<ContentHash>,
) -> Result<impl IntoResponse, ApiError> {
    let content = api.audits.get(hash).await?.ok_or_else(|| {
        ApiError::new(
            ErrorKind::NotFound,
            format!("there is no audit with the hash {hash}"),
        )
    })?;
    let headers = [
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (CONTENT_LENGTH, content.size_bytes.to_string()),
    ];
    Ok((headers, Body::from_stream(content.stream)))
}

/// Read what the tracer saw of a judgement
///
/// With what accepted submissions to the same problem in the same language do not do.
#[utoipa::path(
    get, path = "/api/v1/judgements/{id}/audit", tag = "audits",
    params(("id" = JudgementId, Path, description = "The judgement's id")),
    responses(
        (status = OK, description = "The audits of its runs", body = JudgementAudit),
        (status = NOT_FOUND, description = "There is no such judgement, it was not under ptrace, or its audits were removed", body = ProblemDetails, content_type = "application/problem+json"),
        (status = "default", description = "Another error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn read_judgement_audit(
    State(api): State<Api>,
    _: Caller<MayAdminister>,
    Id(id): Id<JudgementId>,
) -> Result<axum::Json<JudgementAudit>, ApiError> {
    let audit = api.store.audit_read(id).await?;
    audit.map(axum::Json).ok_or_else(|| {
        ApiError::new(
            ErrorKind::NotFound,
            format!(
                "there is no audit of judgement {id}: it did not run under ptrace, is not done, or its audits were removed (ASSIZE_AUDIT_DAYS)"
            ),
        )
    })
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SearchQuery {
    /// Only this system call, by name.
    syscall: Option<String>,
    /// Only calls with this path, or one below it.
    path: Option<String>,
    /// Only calls that were denied or killed for.
    #[serde(default)]
    refused: bool,
    /// Only what this rule decided.
    rule: Option<String>,
    /// Only of this problem, by short name.
    problem: Option<String>,
    /// Only in this language.
    language: Option<String>,
    /// Only of this team.
    team: Option<String>,
    /// Only of judgements that ended then or later.
    since: Option<DateTime<Utc>>,
    /// How many at most: 1 to 1000, by default 100.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Search the audits of all submissions, the latest first
#[utoipa::path(
    get, path = "/api/v1/audits", tag = "audits",
    params(SearchQuery),
    responses(
        (status = OK, description = "Calls, alike ones of a judgement once", body = AuditHitList),
        (status = "default", description = "An error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn search_audits(
    State(api): State<Api>,
    _: Caller<MayAdminister>,
    Query(query): Query<SearchQuery>,
) -> Result<axum::Json<AuditHitList>, ApiError> {
    let invalid = |field: &'static str, problem: &str| {
        ApiError::new(ErrorKind::InvalidQuery, format!("{field}: {problem}")).in_field(field)
    };
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(invalid("limit", &format!("expected 1 to {MAX_LIMIT}")));
    }
    let texts = [
        ("syscall", &query.syscall),
        ("path", &query.path),
        ("rule", &query.rule),
        ("problem", &query.problem),
        ("language", &query.language),
        ("team", &query.team),
    ];
    for (field, text) in texts {
        if text.as_ref().is_some_and(|text| text.contains('\0')) {
            return Err(invalid(field, "holds a NUL"));
        }
    }
    let filter = AuditFilter {
        syscall: query.syscall,
        path: query.path,
        refused: query.refused,
        rule: query.rule,
        problem: query.problem,
        language: query.language,
        team: query.team,
        since: query.since,
    };
    Ok(axum::Json(api.store.audit_search(&filter, limit).await?))
}
