//! What can go wrong between us and a scheduler, in words for people.

use assize_common::api::ProblemDetails;

use crate::exit;

/// Why a call of the API failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server's address is not one.
    #[error(
        "{url:?} is not the URL of a scheduler: expected one such as http://127.0.0.1:8420 (--url, ASSIZE_URL)"
    )]
    InvalidUrl {
        /// What was given.
        url: String,
    },
    /// The token can't be sent.
    #[error(
        "the token holds characters that no token has: expected the form asz_<id>_<secret> (ASSIZE_TOKEN)"
    )]
    InvalidToken,
    /// This host can't make HTTP requests at all.
    #[error("cannot set up an HTTP client")]
    Setup(#[source] reqwest::Error),
    /// Nobody answers.
    #[error("cannot {attempt}: the scheduler at {url} does not answer")]
    Unreachable {
        /// What was attempted.
        attempt: String,
        /// The scheduler.
        url: String,
        /// The cause.
        #[source]
        source: reqwest::Error,
    },
    /// The scheduler answers that it can't or won't.
    #[error("cannot {attempt}: {}", in_words(problem))]
    Refused {
        /// What was attempted.
        attempt: String,
        /// Its answer.
        problem: Box<ProblemDetails>,
    },
    /// An answer that no scheduler gives.
    #[error(
        "cannot {attempt}: what answers at {url} (HTTP status {status}) is not a scheduler of this version"
    )]
    Unexpected {
        /// What was attempted.
        attempt: String,
        /// The server.
        url: String,
        /// Its status.
        status: u16,
        /// What is wrong with the answer, when it was a success.
        #[source]
        source: Option<reqwest::Error>,
    },
}

impl ClientError {
    /// The exit code that tells scripts what kind of failure this is.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::InvalidUrl { .. } | Self::InvalidToken => exit::USAGE,
            Self::Unreachable { .. } => exit::TEMPORARY,
            Self::Refused { problem, .. } => match problem.status {
                400 | 413 | 422 => exit::USAGE,
                503 | 507 => exit::TEMPORARY,
                _ => exit::FAILURE,
            },
            Self::Setup(_) | Self::Unexpected { .. } => exit::FAILURE,
        }
    }

    /// Whether what was asked for may be done although there was no answer that says so.
    #[must_use]
    pub fn may_be_done(&self) -> bool {
        match self {
            Self::Unreachable { source, .. } => !source.is_connect(),
            Self::Refused { problem, .. } => {
                matches!(problem.kind.as_str(), "database-unavailable" | "timeout")
            }
            Self::Unexpected { .. } => true,
            Self::InvalidUrl { .. } | Self::InvalidToken | Self::Setup(_) => false,
        }
    }

    /// Whether the scheduler has no such thing.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { problem, .. } if problem.status == 404)
    }

    /// Whether the scheduler does not take the token.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        matches!(self, Self::Refused { problem, .. } if problem.status == 401)
    }
}

/// The detail says all there is to say; the field is named unless it is in there.
fn in_words(problem: &ProblemDetails) -> String {
    if problem.kind == "missing-token" {
        // The server tells how to make a request; we know how to make us do it.
        return "the scheduler wants a token: set ASSIZE_TOKEN, or --token-file to a file that holds it"
            .to_owned();
    }
    match &problem.field {
        Some(field) if !problem.detail.contains(field.as_str()) => {
            format!("{} (field {field})", problem.detail)
        }
        _ => problem.detail.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, field: Option<&str>) -> ClientError {
        ClientError::Refused {
            attempt: "submit a.cpp".into(),
            problem: Box::new(ProblemDetails {
                kind: "unknown-language".into(),
                title: "The language is not enabled".into(),
                status,
                detail: "unknown language \"cobol\"".into(),
                field: field.map(str::to_owned),
            }),
        }
    }

    #[test]
    fn what_a_refusal_did_is_known_unless_the_database_or_the_time_failed() {
        for (kind, may_be_done) in [
            ("database-unavailable", true),
            ("timeout", true),
            ("overloaded", false),
            ("unknown-language", false),
        ] {
            let mut error = refused(503, None);
            if let ClientError::Refused { problem, .. } = &mut error {
                problem.kind = kind.into();
            }
            assert_eq!(error.may_be_done(), may_be_done, "{kind}");
        }
    }

    #[test]
    fn the_field_is_named_once() {
        let text = refused(422, Some("language")).to_string();
        assert_eq!(text, "cannot submit a.cpp: unknown language \"cobol\"");
        let text = refused(422, Some("files[0].name")).to_string();
        assert!(text.ends_with("(field files[0].name)"), "{text}");
    }

    #[test]
    fn a_missing_token_is_told_in_our_settings() {
        let mut error = refused(401, None);
        if let ClientError::Refused { problem, .. } = &mut error {
            problem.kind = "missing-token".into();
        }
        assert!(error.to_string().contains("ASSIZE_TOKEN"), "{error}");
    }

    #[test]
    fn scripts_can_tell_failures_apart() {
        assert_eq!(refused(422, None).exit_code(), exit::USAGE);
        assert_eq!(refused(503, None).exit_code(), exit::TEMPORARY);
        assert_eq!(refused(403, None).exit_code(), exit::FAILURE);
        assert!(refused(401, None).is_unauthorized());
    }
}
