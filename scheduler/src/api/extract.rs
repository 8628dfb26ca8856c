//! What handlers take from requests; whatever is wrong with it answers as a
//! problem document rather than as axum's plain text.

use std::str::FromStr;

use axum::extract::rejection::{BytesRejection, FailedToBufferBody, JsonRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::error::{ApiError, ErrorKind};

/// A JSON body.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        match axum::Json::from_request(request, state).await {
            Ok(axum::Json(body)) => Ok(Self(body)),
            Err(rejection) => Err(explain(&rejection)),
        }
    }
}

fn explain(rejection: &JsonRejection) -> ApiError {
    let kind = match rejection {
        JsonRejection::JsonDataError(_) => ErrorKind::InvalidShape,
        JsonRejection::JsonSyntaxError(_) => ErrorKind::MalformedJson,
        JsonRejection::MissingJsonContentType(_) => {
            return ApiError::new(
                ErrorKind::WrongContentType,
                "send JSON with the header `Content-Type: application/json`",
            );
        }
        JsonRejection::BytesRejection(BytesRejection::FailedToBufferBody(
            FailedToBufferBody::LengthLimitError(_),
        )) => {
            return ApiError::new(
                ErrorKind::BodyTooLarge,
                format!(
                    "the body is larger than {}",
                    super::submissions::MAX_BODY.display()
                ),
            );
        }
        _ => ErrorKind::UnreadableBody,
    };
    ApiError::new(kind, rejection.body_text())
}

/// Query parameters.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match axum::extract::Query::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(ApiError::new(
                ErrorKind::InvalidQuery,
                rejection.body_text(),
            )),
        }
    }
}

/// The one id or name in a path.
#[derive(Debug)]
pub(super) struct Id<T>(pub(super) T);

impl<T: FromStr<Err: std::error::Error>, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| ApiError::new(ErrorKind::InvalidId, rejection.body_text()))?;
        text.parse()
            .map(Self)
            .map_err(|error| ApiError::new(ErrorKind::InvalidId, error.to_string()))
    }
}
