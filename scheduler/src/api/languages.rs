//! Languages.

use assize_common::api::{LanguageList, ProblemDetails};
use axum::extract::State;

use super::Api;
use super::auth::{Caller, MayRead};
use super::error::ApiError;

/// List the languages that may be submitted
#[utoipa::path(
    get, path = "/api/v1/languages", tag = "languages",
    responses(
        (status = OK, description = "In the order of the language table", body = LanguageList),
        (status = "default", description = "An error", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list_languages(
    State(api): State<Api>,
    _: Caller<MayRead>,
) -> Result<axum::Json<LanguageList>, ApiError> {
    let languages = api.store.language_list().await?;
    Ok(axum::Json(LanguageList { languages }))
}
