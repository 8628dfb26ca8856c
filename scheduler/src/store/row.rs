//! From the types of columns to ours and back.

use std::error::Error;
use std::str::FromStr;
use std::time::Duration;

use assize_common::ContentHash;
use serde::de::DeserializeOwned;

use super::StoreError;

/// A text column that holds a name of `T`.
pub(super) fn named<T>(what: &'static str, text: &str) -> Result<T, StoreError>
where
    T: FromStr<Err: Error + Send + Sync + 'static>,
{
    text.parse()
        .map_err(|error: T::Err| StoreError::unreadable(what, error))
}

/// A column of 32 bytes that is a hash.
pub(super) fn hash(what: &'static str, bytes: Vec<u8>) -> Result<ContentHash, StoreError> {
    <[u8; 32]>::try_from(bytes)
        .map(ContentHash::from)
        .map_err(|bytes| {
            StoreError::unreadable(what, format!("{} bytes are not a hash", bytes.len()))
        })
}

/// A number column that is never negative.
pub(super) fn count<T, C>(what: &'static str, value: C) -> Result<T, StoreError>
where
    T: TryFrom<C, Error: Error + Send + Sync + 'static>,
{
    T::try_from(value).map_err(|error| StoreError::unreadable(what, error))
}

/// A column of JSON, or one whose name in JSON is that of the database.
pub(super) fn json<T: DeserializeOwned>(
    what: &'static str,
    value: Option<serde_json::Value>,
) -> Result<Option<T>, StoreError> {
    value
        .map(serde_json::from_value)
        .transpose()
        .map_err(|error| StoreError::unreadable(what, error))
}

/// A number on its way into a column.
pub(super) fn column<C, T>(what: &'static str, value: T) -> Result<C, StoreError>
where
    C: TryFrom<T>,
{
    C::try_from(value).map_err(|_| StoreError::TooLarge { what })
}

/// A duration on its way into a column of microseconds.
pub(super) fn microseconds(what: &'static str, value: Duration) -> Result<i64, StoreError> {
    column(what, value.as_micros())
}

/// A text on its way into a column: Postgres takes every character but NUL,
/// which programs under judgement do print.
pub(super) fn text(value: &str) -> String {
    value.replace('\0', "\u{fffd}")
}
