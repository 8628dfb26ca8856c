//! Names of error numbers that calls may fail with.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a denied call fails with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "they are the names of errno(3)")]
pub enum ErrorName {
    /// None: the call does nothing, and has not failed.
    None,
    Eacces,
    Eafnosupport,
    Einval,
    Enoent,
    Enosys,
    Eperm,
    Erofs,
}

impl ErrorName {
    /// The name, such as `EPERM`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Eacces => "EACCES",
            Self::Eafnosupport => "EAFNOSUPPORT",
            Self::Einval => "EINVAL",
            Self::Enoent => "ENOENT",
            Self::Enosys => "ENOSYS",
            Self::Eperm => "EPERM",
            Self::Erofs => "EROFS",
        }
    }
}

impl fmt::Display for ErrorName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
