//! Secrets from the environment or from a file, never from a command line that
//! any user of the host can read.

use std::fmt;
use std::path::{Path, PathBuf};

/// A text that shows only where it is used.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Why a secret can't be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Neither a value nor a file.
    #[error("{variable} is not set: set it, or {variable}_FILE to a file that holds it")]
    Missing {
        /// The environment variable.
        variable: &'static str,
    },
    /// The file can't be read.
    #[error("cannot read {path}, named by {variable}_FILE")]
    Read {
        /// The environment variable.
        variable: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

impl Secret {
    /// Takes `value`, else the trimmed content of `file`; `variable` is named in errors.
    ///
    /// # Errors
    /// When there is neither, or the file can't be read.
    pub fn load(
        variable: &'static str,
        value: Option<Self>,
        file: Option<&Path>,
    ) -> Result<Self, SecretError> {
        match (value, file) {
            (Some(secret), _) => Ok(secret),
            (None, Some(path)) => std::fs::read_to_string(path)
                .map(|text| Self(text.trim().to_owned()))
                .map_err(|source| SecretError::Read {
                    variable,
                    path: path.to_owned(),
                    source,
                }),
            (None, None) => Err(SecretError::Missing { variable }),
        }
    }

    /// Takes it from the environment: the value of `variable`, else the content
    /// of the file that `file_variable` (`variable` with `_FILE`) names.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn from_environment(
        variable: &'static str,
        file_variable: &'static str,
    ) -> Result<Self, SecretError> {
        let value = std::env::var(variable)
            .ok()
            .filter(|value| !value.is_empty());
        let file = std::env::var_os(file_variable).map(PathBuf::from);
        Self::load(variable, value.as_deref().map(Self::from), file.as_deref())
    }

    /// The text itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_wins_over_the_file_and_both_over_nothing() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "from file\n").unwrap();
        let load = |value: Option<&str>, path| Secret::load("X", value.map(Secret::from), path);
        assert_eq!(
            load(Some("given"), Some(file.path())).unwrap().reveal(),
            "given"
        );
        assert_eq!(load(None, Some(file.path())).unwrap().reveal(), "from file");
        assert_eq!(
            load(None, None).unwrap_err().to_string(),
            "X is not set: set it, or X_FILE to a file that holds it"
        );
        assert_eq!(format!("{:?}", Secret::from("hunter2")), "(hidden)");
    }
}
