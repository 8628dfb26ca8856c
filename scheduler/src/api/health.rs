//! Health, readiness and metrics. Open to all: they hold nothing of contests.

use std::time::Duration;

use assize_common::api::Readiness;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use super::Api;
use crate::store::StoreError;

/// Probes are impatient: better a "no" in time than an answer too late.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// What the database answers, if it does in time.
async fn probe<T>(asking: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
    tokio::time::timeout(PROBE_TIMEOUT, asking).await.ok()?.ok()
}

/// Tell that the process runs
#[utoipa::path(
    get, path = "/healthz", tag = "operation", security(()),
    responses((status = OK, description = "It runs", body = String))
)]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Tell whether submissions are taken
///
/// Without the broker they are taken and wait, so that the answer is still yes.
#[utoipa::path(
    get, path = "/readyz", tag = "operation", security(()),
    responses(
        (status = OK, description = "Submissions are taken", body = Readiness),
        (status = SERVICE_UNAVAILABLE, description = "They are not", body = Readiness),
    )
)]
pub(super) async fn readyz(State(api): State<Api>) -> impl IntoResponse {
    let database = probe(api.store.ping()).await.is_some();
    let missing = probe(api.store.language_list_missing(api.lease)).await;
    let unmanned = probe(api.store.lane_list_missing(api.lease)).await;
    let pauses = probe(api.store.pause_count()).await;
    let readiness = Readiness {
        ready: database,
        database,
        broker: *api.broker.borrow(),
        languages_missing: missing.unwrap_or_default().into_keys().collect(),
        lanes_missing: unmanned.unwrap_or_default().into_keys().collect(),
        pauses: pauses.unwrap_or_default(),
    };
    let status = if readiness.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, axum::Json(readiness))
}

/// Show metrics for Prometheus
#[utoipa::path(
    get, path = "/metrics", tag = "operation", security(()),
    responses((status = OK, description = "Prometheus' text format", body = String))
)]
pub(super) async fn metrics(State(api): State<Api>) -> impl IntoResponse {
    // Counted when asked for; without an answer the last numbers stay, and two tell so.
    let answers = probe(api.store.ping()).await.is_some();
    metrics::gauge!("assize_database_up").set(f64::from(u8::from(answers)));
    let backlog = probe(api.store.backlog_count()).await;
    metrics::gauge!("assize_backlog_known").set(f64::from(u8::from(backlog.is_some())));
    if let Some(backlog) = backlog {
        backlog.record();
    }
    let count = |missing: u64| u32::try_from(missing).map_or(f64::INFINITY, f64::from);
    if let Some(missing) = probe(api.store.language_list_missing(api.lease)).await {
        metrics::gauge!("assize_languageless_jobs").set(count(missing.into_values().sum()));
    }
    if let Some(unmanned) = probe(api.store.lane_list_missing(api.lease)).await {
        metrics::gauge!("assize_workerless_jobs").set(count(unmanned.into_values().sum()));
    }
    if let Some(pauses) = probe(api.store.pause_count()).await {
        metrics::gauge!("assize_pauses").set(f64::from(pauses));
    }
    (
        [(CONTENT_TYPE, "text/plain; version=0.0.4")],
        (api.metrics)(),
    )
}
