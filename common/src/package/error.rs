//! Why a problem package can't be used.

use std::path::PathBuf;

/// Why a problem package can't be used. Each variant names the file within the
/// package (or on disk) and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// A file operation failed.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was attempted, such as `read`.
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The path is neither a directory nor a zip archive.
    #[error("{} is not a problem package: expected a directory or a zip archive that holds a problem.yaml, problem.xml or init.yml", path.display())]
    NotAPackage {
        /// What was given.
        path: PathBuf,
    },
    /// The archive can't be read as a zip.
    #[error("the archive is damaged or of a kind that is not supported (zip with deflate is)")]
    Zip(#[source] zip::result::ZipError),
    /// The archive holds something that must not be unpacked.
    #[error("the archive is refused: entry {entry:?} {problem}")]
    HostileEntry {
        /// The entry's name, shortened.
        entry: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Two entries of the archive have the same name.
    #[error("the archive is refused: it holds two entries of the same name")]
    DuplicateEntries,
    /// The archive or directory is larger than allowed.
    #[error("the package is refused: {what} exceed the limit of {limit}")]
    TooLarge {
        /// What is too large, in plural.
        what: &'static str,
        /// The limit, with its unit.
        limit: String,
    },
    /// A file of the package is not YAML.
    #[error("{file} is not valid YAML")]
    Yaml {
        /// The file, relative to the package.
        file: String,
        /// The cause, with line and column.
        #[source]
        source: Box<serde_saphyr::Error>,
    },
    /// A value that the format does not allow.
    #[error("{file}: {}{problem}", key_prefix(key))]
    Invalid {
        /// The file, relative to the package.
        file: String,
        /// The key within the file, or empty.
        key: String,
        /// What is wrong and how to mend it.
        problem: String,
    },
    /// Something the format allows and Assize can't honour: refused rather than
    /// judged wrongly.
    #[error("{file}: {}{feature} is not supported", key_prefix(key))]
    Unsupported {
        /// The file, relative to the package.
        file: String,
        /// The key within the file, or empty.
        key: String,
        /// What is not supported.
        feature: String,
    },
    /// No file states the time limit.
    #[error(
        "the package states no time limit: put `time_limit: 1.0` (seconds) under `limits:` in problem.yaml, \
         or `timelimit = 1` into domjudge-problem.ini, or the seconds alone into a file named .timelimit"
    )]
    NoTimeLimit,
    /// No test case at all.
    #[error(
        "the package has no secret test case: put pairs of NAME.in and NAME.ans into data/secret/"
    )]
    NoTestcases,
    /// A test case without its answer.
    #[error("{input} has no answer file: add {answer}")]
    MissingAnswer {
        /// The input file, relative to the package.
        input: String,
        /// The file that is missing.
        answer: String,
    },
}

fn key_prefix(key: &str) -> String {
    if key.is_empty() {
        String::new()
    } else {
        format!("`{key}`: ")
    }
}

impl PackageError {
    pub(super) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    pub(super) fn invalid(file: &str, key: &str, problem: impl Into<String>) -> Self {
        Self::Invalid {
            file: file.to_owned(),
            key: key.to_owned(),
            problem: problem.into(),
        }
    }

    pub(super) fn unsupported(file: &str, key: &str, feature: impl Into<String>) -> Self {
        Self::Unsupported {
            file: file.to_owned(),
            key: key.to_owned(),
            feature: feature.into(),
        }
    }

    /// Whether the package itself is at fault, rather than the machine that
    /// reads it.
    #[must_use]
    pub fn is_fault_of_package(&self) -> bool {
        !matches!(self, Self::Io { .. })
    }
}
