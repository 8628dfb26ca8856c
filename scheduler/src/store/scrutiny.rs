//! What a flag asks for, as a column: null where it asks for nothing.

use assize_common::Scrutiny;
use serde_json::Value;

use super::{StoreError, row};

pub(super) fn column(scrutiny: &Scrutiny) -> Result<Option<Value>, StoreError> {
    if scrutiny.is_none() {
        return Ok(None);
    }
    let value = serde_json::to_value(scrutiny);
    value
        .map(Some)
        .map_err(|error| StoreError::unreadable("a flag's scrutiny", error))
}

pub(super) fn read(column: Option<Value>) -> Result<Scrutiny, StoreError> {
    row::json("a flag's scrutiny", column).map(Option::unwrap_or_default)
}
