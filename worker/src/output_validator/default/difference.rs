//! The first difference between an output and the answer, in words and in parts.

use std::fmt;

use assize_common::message;

/// Bytes of a token that are shown.
const EXCERPT: usize = 60;

/// The first place where an output is wrong.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Difference {
    pub(super) line: u64,
    pub(super) offset: u64,
    pub(super) problem: Problem,
}

/// What is wrong there.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Problem {
    Token {
        expected: String,
        got: String,
    },
    NotANumber {
        expected: String,
        got: String,
    },
    Inexact {
        expected: String,
        got: String,
        error: f64,
    },
    Space,
    Missing {
        expected: String,
    },
    Surplus {
        got: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {} (byte {}) of the output: ",
            self.line, self.offset
        )?;
        match &self.problem {
            Problem::Token { expected, got } => write!(f, "expected {expected}, got {got}"),
            Problem::NotANumber { expected, got } => {
                write!(f, "expected a number near {expected}, got {got}")
            }
            Problem::Inexact {
                expected,
                got,
                error,
            } => {
                write!(
                    f,
                    "expected a number near {expected}, got {got}, which is off by {error:.3e}"
                )
            }
            Problem::Space => write!(f, "different white space"),
            Problem::Missing { expected } => write!(f, "the output ends, expected {expected}"),
            Problem::Surplus { got } => write!(f, "expected the end of the output, got {got}"),
        }
    }
}

impl Difference {
    /// The same in parts, for reports.
    pub(crate) fn report(&self) -> message::Difference {
        let (expected, got) = match &self.problem {
            Problem::Token { expected, got }
            | Problem::NotANumber { expected, got }
            | Problem::Inexact { expected, got, .. } => (Some(expected), Some(got)),
            Problem::Space => (None, None),
            Problem::Missing { expected } => (Some(expected), None),
            Problem::Surplus { got } => (None, Some(got)),
        };
        message::Difference {
            line: self.line,
            offset_bytes: self.offset,
            expected: expected.cloned(),
            got: got.cloned(),
        }
    }
}

/// The start of a token in quotes, with what can't be shown escaped.
pub(super) fn excerpt(token: &[u8]) -> String {
    let shown = &token[..token.len().min(EXCERPT)];
    let more = if token.len() > EXCERPT { "…" } else { "" };
    format!("\"{}{more}\"", shown.escape_ascii())
}
