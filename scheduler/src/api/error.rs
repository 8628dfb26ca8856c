//! Errors as clients see them: RFC 9457, always, with a stable type.

use std::fmt;

use assize_common::api::ProblemDetails;
use assize_common::telemetry::error_chain;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::blob::BlobError;
use crate::pressure::Refusal;
use crate::store::StoreError;

/// For what passes by itself.
const SOON_SECONDS: u16 = 2;
/// For what waits for workers or admins.
const LATER_SECONDS: u16 = 10;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $status:ident, $slug:literal, $title:literal;)*) => {
        /// The kinds of errors. Their slugs are part of the API: clients decide by them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum ErrorKind {
            $($(#[$doc])* $kind,)*
        }

        impl ErrorKind {
            const fn parts(self) -> (StatusCode, &'static str, &'static str) {
                match self {
                    $(Self::$kind => (StatusCode::$status, $slug, $title),)*
                }
            }
        }
    };
}

kinds! {
    MalformedJson = BAD_REQUEST, "malformed-json", "The body is not JSON";
    InvalidQuery = BAD_REQUEST, "invalid-query", "A query parameter is not valid";
    InvalidId = BAD_REQUEST, "invalid-id", "The path holds no valid id";
    UnreadableBody = BAD_REQUEST, "unreadable-body", "The body could not be read";
    MissingToken = UNAUTHORIZED, "missing-token", "A token is needed";
    InvalidToken = UNAUTHORIZED, "invalid-token", "The token is not valid";
    InsufficientScope = FORBIDDEN, "insufficient-scope", "The token does not allow this";
    NotFound = NOT_FOUND, "not-found", "There is no such thing";
    MethodNotAllowed = METHOD_NOT_ALLOWED, "method-not-allowed", "This path does not take the method";
    IdempotencyKeyReused = CONFLICT, "idempotency-key-reused", "The idempotency key belongs to another request";
    AlreadyDecided = CONFLICT, "already-decided", "It was decided before";
    SubmissionsTaken = CONFLICT, "submissions-taken", "Other rejudgings have these submissions";
    RejudgingUnfinished = CONFLICT, "rejudging-unfinished", "Not everything is judged";
    RejudgingClosed = CONFLICT, "rejudging-closed", "The rejudging is not open any more";
    RejudgingSuperseded = CONFLICT, "rejudging-superseded", "Later rejudgings build on this one";
    NothingSelected = CONFLICT, "nothing-selected", "No submission is meant";
    BodyTooLarge = PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large";
    SourceTooLarge = PAYLOAD_TOO_LARGE, "source-too-large", "The source files are too large";
    WrongContentType = UNSUPPORTED_MEDIA_TYPE, "wrong-content-type", "The content type is not supported";
    InvalidShape = UNPROCESSABLE_ENTITY, "invalid-shape", "The JSON is not of the expected shape";
    InvalidField = UNPROCESSABLE_ENTITY, "invalid-field", "A field is not valid";
    UnknownLanguage = UNPROCESSABLE_ENTITY, "unknown-language", "The language is not enabled";
    UnknownProblem = UNPROCESSABLE_ENTITY, "unknown-problem", "There is no such problem";
    InvalidPackage = UNPROCESSABLE_ENTITY, "invalid-package", "The problem package is not valid";
    DamagedBlob = INTERNAL_SERVER_ERROR, "damaged-blob", "The stored bytes are damaged";
    Internal = INTERNAL_SERVER_ERROR, "internal", "Internal error";
    DatabaseUnavailable = SERVICE_UNAVAILABLE, "database-unavailable", "The database does not answer";
    StorageUnavailable = SERVICE_UNAVAILABLE, "storage-unavailable", "The blob store does not answer";
    Overloaded = SERVICE_UNAVAILABLE, "overloaded", "Too many submissions wait";
    TeamWaits = TOO_MANY_REQUESTS, "team-waits", "Too many submissions of the team wait";
    Timeout = SERVICE_UNAVAILABLE, "timeout", "The request took too long";
    StorageFull = INSUFFICIENT_STORAGE, "storage-full", "The server's disk is full";
}

impl ErrorKind {
    /// When to come again; nothing for what will be refused again.
    const fn retry_after_seconds(self) -> Option<u16> {
        match self {
            Self::DatabaseUnavailable | Self::StorageUnavailable | Self::Timeout => {
                Some(SOON_SECONDS)
            }
            Self::Overloaded | Self::TeamWaits | Self::StorageFull => Some(LATER_SECONDS),
            _ => None,
        }
    }
}

/// An error answer.
#[derive(Debug)]
pub(crate) struct ApiError {
    kind: ErrorKind,
    detail: String,
    field: Option<String>,
}

impl ApiError {
    /// An error with what is wrong with this request and how to mend it.
    pub(crate) fn new(kind: ErrorKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            field: None,
        }
    }

    /// The same, naming the field of the request that is at fault.
    pub(crate) fn in_field(self, field: impl Into<String>) -> Self {
        Self {
            field: Some(field.into()),
            ..self
        }
    }

    /// Something that is our fault and nobody's business: logged here, in full,
    /// and hidden from the client.
    pub(crate) fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = %error_chain(error), "a request failed");
        Self::new(
            ErrorKind::Internal,
            "the cause is in the server's log, under the id in this answer's x-request-id header",
        )
    }

    /// No such thing under this path.
    pub(crate) fn not_found(what: &str, id: impl fmt::Display) -> Self {
        Self::new(
            ErrorKind::NotFound,
            format!("there is no {what} with id {id}"),
        )
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        if !error.is_transient() {
            return Self::internal(&error);
        }
        tracing::warn!(error = %error_chain(&error), "the database did not answer a request");
        Self::new(
            ErrorKind::DatabaseUnavailable,
            // The connection may have broken after the commit and before its answer.
            "the scheduler can't use its database at the moment; what was asked for may be stored or not: \
             ask again, with the same Idempotency-Key where there was one",
        )
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Waiting => Self::new(
                ErrorKind::Overloaded,
                "more submissions wait than workers can judge soon; nothing was stored, try again later",
            ),
            Refusal::Team => Self::new(
                ErrorKind::TeamWaits,
                "too many submissions of this team wait already; nothing was stored, try again later",
            ),
            Refusal::Disk => Self::storage_full(),
        }
    }
}

impl From<BlobError> for ApiError {
    fn from(error: BlobError) -> Self {
        tracing::error!(error = %error_chain(&error), "the blob store failed a request");
        if error.is_full() {
            return Self::storage_full();
        }
        if matches!(
            error,
            BlobError::Damaged { .. } | BlobError::Unreadable { .. }
        ) {
            return Self::new(ErrorKind::DamagedBlob, error.to_string());
        }
        Self::new(
            ErrorKind::StorageUnavailable,
            "the scheduler can't use its blob store: the server's admin finds the cause in its log; \
             nothing was stored, try again",
        )
    }
}

impl ApiError {
    /// No space left on the server.
    pub(crate) fn storage_full() -> Self {
        Self::new(
            ErrorKind::StorageFull,
            "the disk of the scheduler's data directory is full: its admin has to make room; \
             nothing was stored, try again",
        )
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, slug, title) = self.kind.parts();
        let problem = ProblemDetails {
            kind: slug.to_owned(),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: self.detail,
            field: self.field,
        };
        let mut response = (status, axum::Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.kind.retry_after_seconds() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
