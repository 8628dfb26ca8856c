//! The HTTP API under `/api/v1`, with health, metrics and its own description.
//!
//! Handlers parse, ask the store and answer; rules are in modules of their own.
//! Every answer that is not a success is a problem document (RFC 9457).

mod audits;
mod auth;
mod blobs;
mod changes;
mod dead_letters;
mod error;
mod extract;
mod flags;
mod health;
mod idempotency;
mod import;
mod judgements;
mod lanes;
mod languages;
mod line;
mod middleware;
mod outputs;
mod pauses;
mod problems;
mod receive;
mod rejudging_error;
mod rejudgings;
mod review;
mod stop_rules;
mod submission_check;
mod submissions;
mod workers;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use assize_common::api::FeedbackPart;
use assize_common::language::LanguageTable;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Uri};
use bytesize::ByteSize;
use tokio::sync::watch;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::error::{ApiError, ErrorKind};
use crate::bell::Bells;
use crate::blob::BlobStore;
use crate::intake::Intake;
use crate::pressure::Pressure;
use crate::store::Store;
use crate::suspicion::SuspicionRules;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Packages are large and lines may be slow.
const IMPORT_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// What handlers work with.
#[derive(Clone)]
pub struct Api {
    /// The database.
    pub store: Store,
    /// What every submission asks it.
    pub intake: Intake,
    /// Wake the relays.
    pub bells: Bells,
    /// Whether too much waits already.
    pub pressure: Pressure,
    /// Packages and sources.
    pub blobs: BlobStore,
    /// What the tracer saw of runs.
    pub audits: BlobStore,
    /// What programs wrote, for rejudging.
    pub outputs: BlobStore,
    /// What in a source is worth a closer look.
    pub suspicion: Arc<SuspicionRules>,
    /// The languages that may be submitted.
    pub languages: Arc<LanguageTable>,
    /// How large an imported package's archive may be.
    pub max_package: ByteSize,
    /// What teams may see of their submissions beside the verdict.
    pub team_feedback: Arc<[FeedbackPart]>,
    /// Whether the broker is connected.
    pub broker: watch::Receiver<bool>,
    /// How long a worker counts that is not heard of.
    pub lease: Duration,
    /// Writes all metrics in Prometheus' text format.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api")
            .field("max_package", &self.max_package)
            .finish_non_exhaustive()
    }
}

/// Bytes as they are, in descriptions.
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "it stands for bodies that are streamed")]
struct Bytes(Vec<u8>);

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Assize",
        description = "Judging of programming contests: problems, submissions, judgements.\n\n\
            Errors are problem documents as of RFC 9457; their `type` is a stable slug.",
    ),
    components(schemas(assize_common::api::ProblemDetails)),
    security(("token" = []))
)]
struct Description;

fn routes() -> OpenApiRouter<Api> {
    let import = OpenApiRouter::new()
        .routes(routes!(problems::import_problem))
        .layer(DefaultBodyLimit::disable())
        .layer(axum::middleware::from_fn(|request, next| {
            middleware::limit_time(IMPORT_TIMEOUT, request, next)
        }));
    let of_workers = OpenApiRouter::new()
        .routes(routes!(audits::store_audit, audits::fetch_audit))
        .routes(routes!(outputs::store_outputs, outputs::fetch_outputs))
        .layer(DefaultBodyLimit::disable())
        .layer(axum::middleware::from_fn(|request, next| {
            middleware::limit_time(REQUEST_TIMEOUT, request, next)
        }));
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(problems::list_problems))
        .routes(routes!(problems::list_problem_versions))
        .routes(routes!(problems::activate_problem_version))
        .routes(routes!(
            submissions::create_submission,
            submissions::list_submissions
        ))
        .routes(routes!(submissions::read_submission))
        .routes(routes!(submissions::cancel_submission))
        .routes(routes!(judgements::read_current_judgement))
        .routes(routes!(judgements::read_feedback))
        .routes(routes!(judgements::read_judgement))
        .routes(routes!(judgements::read_provenance))
        .routes(routes!(judgements::read_reusable))
        .routes(routes!(languages::list_languages))
        .routes(routes!(lanes::list_lanes))
        .routes(routes!(lanes::pause_lane, lanes::resume_lane))
        .routes(routes!(rejudgings::preview_rejudging))
        .routes(routes!(
            rejudgings::create_rejudging,
            rejudgings::list_rejudgings
        ))
        .routes(routes!(rejudgings::read_rejudging))
        .routes(routes!(review::review_rejudging))
        .routes(routes!(review::list_rejudging_members))
        .routes(routes!(rejudgings::apply_rejudging))
        .routes(routes!(rejudgings::cancel_rejudging))
        .routes(routes!(rejudgings::undo_rejudging))
        .routes(routes!(
            rejudgings::pause_rejudging,
            rejudgings::resume_rejudging
        ))
        .routes(routes!(changes::list_result_changes))
        .routes(routes!(changes::list_admin_actions))
        .routes(routes!(workers::list_workers))
        .routes(routes!(workers::set_worker_mode))
        .routes(routes!(dead_letters::list_dead_letters))
        .routes(routes!(
            dead_letters::read_dead_letter,
            dead_letters::drop_dead_letter
        ))
        .routes(routes!(dead_letters::retry_dead_letter))
        .routes(routes!(blobs::fetch_blob))
        .routes(routes!(audits::read_judgement_audit))
        .routes(routes!(
            flags::set_flag,
            flags::remove_flag,
            flags::list_flags
        ))
        .routes(routes!(flags::list_escalations))
        .routes(routes!(
            stop_rules::set_stop_rule,
            stop_rules::remove_stop_rule,
            stop_rules::list_stop_rules
        ))
        .routes(routes!(pauses::list_pauses, pauses::end_pause))
        .routes(routes!(audits::search_audits))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
        .layer(DefaultBodyLimit::max(bytes_of(submissions::MAX_BODY)))
        .layer(axum::middleware::from_fn(|request, next| {
            middleware::limit_time(REQUEST_TIMEOUT, request, next)
        }))
        .merge(import)
        .merge(of_workers)
}

/// The API's description as of OpenAPI 3.1.
#[must_use]
pub fn description() -> utoipa::openapi::OpenApi {
    let mut description = routes().into_openapi();
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "A token as `assize-scheduler token create` prints it.",
        ))
        .build();
    let components = description.components.get_or_insert_default();
    components.add_security_scheme("token", SecurityScheme::Http(token));
    description
}

/// The server.
pub fn router(api: Api) -> Router {
    let description = Arc::new(description());
    let (router, _) = routes().split_for_parts();
    router
        .route(
            "/openapi.json",
            axum::routing::get(move || std::future::ready(axum::Json(description.clone()))),
        )
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(CatchPanicLayer::custom(middleware::answer_panic))
        .layer(axum::middleware::from_fn(middleware::observe))
        .with_state(api)
}

async fn no_such_path(uri: Uri) -> ApiError {
    let path: String = uri.path().chars().take(200).collect();
    ApiError::new(
        ErrorKind::NotFound,
        format!("there is nothing under {path}; /openapi.json describes what there is"),
    )
}

async fn no_such_method(method: Method) -> ApiError {
    ApiError::new(
        ErrorKind::MethodNotAllowed,
        format!("{method} is not among the methods that the Allow header lists"),
    )
}

fn bytes_of(size: ByteSize) -> usize {
    usize::try_from(size.as_u64()).unwrap_or(usize::MAX)
}
