//! Results go to standard output, everything else to standard error.

use std::io::{self, Write as _};

use serde::Serialize;

use crate::exit;

/// Prints a text with a line end.
///
/// # Errors
/// When standard output is closed.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{text}").map_err(|source| match source.kind() {
        io::ErrorKind::BrokenPipe => exit::OutputClosed.into(),
        _ => anyhow::Error::new(source).context("cannot write the results"),
    })
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
