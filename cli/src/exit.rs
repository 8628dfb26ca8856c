//! Exit codes, part of the interface that scripts rely on.

use std::process::ExitCode;

use crate::client::ClientError;

/// All went well; for `judge`, every verdict is an expected one.
pub const OK: u8 = 0;
/// It ran, and something is not as it should be, such as an unexpected verdict.
pub const FAILURE: u8 = 1;
/// Wrong arguments or a broken problem package.
pub const USAGE: u8 = 2;
/// A judging error, or a host that can't judge.
pub const JUDGING_ERROR: u8 = 3;
/// A signal to stop came before the end. (128 + SIGINT, as of shells)
pub const INTERRUPTED: u8 = 130;
/// Whoever read the output went away, such as `head`. (128 + SIGPIPE, as of shells)
pub const OUTPUT_CLOSED: u8 = 141;
/// Try again later: a server can't be reached. (`EX_TEMPFAIL` of sysexits.h)
pub const TEMPORARY: u8 = 75;

/// An error that chose its exit code.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    code: u8,
    message: String,
    #[source]
    source: Option<anyhow::Error>,
}

impl Failure {
    /// A failure that ends the program with `code`.
    pub fn new(code: u8, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            source: None,
        }
    }

    /// The same with its cause.
    #[must_use]
    pub fn because(self, source: impl Into<anyhow::Error>) -> Self {
        Self {
            source: Some(source.into()),
            ..self
        }
    }
}

/// Nobody reads the results any more, which they need not be told.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads the results")]
pub struct OutputClosed;

/// Whether an error says no more than that the output is closed.
#[must_use]
pub fn is_output_closed(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(<dyn std::error::Error>::is::<OutputClosed>)
}

/// The exit code for an error: the one that the first [`Failure`] or
/// [`ClientError`] in its chain chose, or [`FAILURE`].
#[must_use]
pub fn code_of(error: &anyhow::Error) -> ExitCode {
    let chosen = |cause: &(dyn std::error::Error + 'static)| {
        let failure = cause.downcast_ref::<Failure>().map(|failure| failure.code);
        failure.or_else(|| {
            cause
                .downcast_ref::<ClientError>()
                .map(ClientError::exit_code)
        })
    };
    ExitCode::from(error.chain().find_map(chosen).unwrap_or(FAILURE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn the_chosen_code_survives_context() {
        let error = Err::<(), _>(Failure::new(TEMPORARY, "no server"))
            .context("submitting")
            .unwrap_err();
        assert_eq!(
            format!("{:?}", code_of(&error)),
            format!("{:?}", ExitCode::from(TEMPORARY))
        );
        assert_eq!(format!("{error:#}"), "submitting: no server");
    }
}
