//! Texts that people give as one line: reasons, and what a setting is about.

use super::error::{ApiError, ErrorKind};

const MAX_CHARACTERS: usize = 500;

/// Refuses a text that is empty, too long or more than one line.
pub(super) fn check_line(field: &str, text: &str) -> Result<(), ApiError> {
    let fits = (1..=MAX_CHARACTERS).contains(&text.chars().count());
    if fits && !text.contains(char::is_control) {
        return Ok(());
    }
    Err(ApiError::new(
        ErrorKind::InvalidField,
        format!("{field}: expected 1 to {MAX_CHARACTERS} characters on one line"),
    )
    .in_field(field))
}
