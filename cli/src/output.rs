//! Results go to standard output, everything else to standard error.

use std::io::{self, Write as _};

use anyhow::Context as _;
use serde::Serialize;

/// Prints a text with a line end.
///
/// # Errors
/// When standard output is closed.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{text}").context("cannot write the results")
}

/// Prints values, one JSON object a line.
///
/// # Errors
/// When standard output is closed.
pub(crate) fn print_json<T: Serialize>(values: impl IntoIterator<Item = T>) -> anyhow::Result<()> {
    for value in values {
        print(&serde_json::to_string(&value)?)?;
    }
    Ok(())
}

/// Tells people something that is no result.
pub(crate) fn note(text: &str) {
    // News that nobody can read is no reason to fail.
    drop(writeln!(io::stderr(), "{text}"));
}
