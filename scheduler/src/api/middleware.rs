//! What surrounds every request: an id, a span, a metric, a time limit, and an
//! answer even after a panic.

use std::any::Any;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tracing::Instrument as _;
use uuid::Uuid;

use super::error::{ApiError, ErrorKind};

const REQUEST_ID: &str = "x-request-id";

/// Gives the request an id, which is in all its log lines and in its answer, and
/// measures it.
pub(super) async fn observe(request: Request, next: Next) -> Response {
    let id = Uuid::now_v7().to_string();
    // The pattern, not the path: a metric per submission would be one too many.
    let path = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    // Whoever asks may invent some.
    let method = match request.method() {
        known @ (&Method::GET
        | &Method::HEAD
        | &Method::POST
        | &Method::PUT
        | &Method::PATCH
        | &Method::DELETE) => known.to_string(),
        _ => "other".to_owned(),
    };
    let span =
        tracing::info_span!("request", request.id = %id, http.method = method, http.path = path);
    let begin = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    span.in_scope(|| {
        tracing::debug!(
            http.status = status,
            duration_ms = begin.elapsed().as_millis(),
            "answered"
        );
    });
    metrics::counter!(
        "assize_http_requests_total",
        "method" => method, "path" => path.clone(), "status" => status.to_string()
    )
    .increment(1);
    metrics::histogram!("assize_http_request_seconds", "path" => path).record(begin.elapsed());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// Gives up on a request that takes longer than `limit`.
pub(super) async fn limit_time(limit: Duration, request: Request, next: Next) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::new(
            ErrorKind::Timeout,
            format!(
                "no answer came about within {} s; what was asked for may be done or not: ask again, \
                 with the same Idempotency-Key where there was one",
                limit.as_secs()
            ),
        )
        .into_response(),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("a request handler panicked: {0}")]
struct Panicked(String);

/// Answers for a handler that panicked.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the layer calls it with a value"
)]
pub(super) fn answer_panic(panic: Box<dyn Any + Send>) -> Response {
    let message = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    ApiError::internal(&Panicked(message)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_answered_without_its_message() {
        let response = answer_panic(Box::new("secret 42"));
        assert_eq!(response.status(), 500);
        let body = axum::body::to_bytes(response.into_body(), 10_000)
            .await
            .unwrap();
        let body = String::from_utf8_lossy(&body);
        assert!(body.contains("\"internal\"") && !body.contains("secret"));
    }
}
