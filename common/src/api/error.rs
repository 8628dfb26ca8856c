//! Errors as the API answers them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An error answer as of RFC 9457, sent as `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProblemDetails {
    /// A stable slug that names the kind of error, such as `unknown-language`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of error in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong with this request and how to mend it.
    pub detail: String,
    /// The field of the request that is at fault, if one is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub field: Option<String>,
}
