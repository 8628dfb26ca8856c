//! What goes wrong with blobs.

use std::io;
use std::path::PathBuf;

use assize_common::ContentHash;
use rustix::io::Errno;

/// Why a blob can't be written or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// A directory of the store can't be used.
    #[error("cannot {attempt} {}: is it on a writable disk, and does it belong to this user?", path.display())]
    Directory {
        /// What was attempted.
        attempt: &'static str,
        /// On which directory or file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// There is a directory, but not the one that blobs were written to.
    #[error(
        "the blobs are not in {}: is its disk mounted? if they are lost for good, make an empty file {} and import all packages again",
        mark.parent().unwrap_or(mark).display(), mark.display()
    )]
    Missing {
        /// The file that marks the directory.
        mark: PathBuf,
    },
    /// The store refused, or did not answer.
    #[error("cannot {attempt} {object}: {advice}")]
    Store {
        /// What was attempted.
        attempt: &'static str,
        /// On what: a file, or a key with its bucket.
        object: String,
        /// What an admin looks at.
        advice: &'static str,
        /// The cause.
        #[source]
        source: Box<object_store::Error>,
    },
    /// The disk does not give this one, although it takes others.
    #[error("cannot read blob {hash}: is its disk sound, and does the file belong to this user?")]
    Unreadable {
        /// The blob.
        hash: ContentHash,
        /// The cause.
        #[source]
        source: Box<object_store::Error>,
    },
    /// The settings of the bucket are no good.
    #[error("cannot make a client for {bucket}: look at the variables AWS_*")]
    Settings {
        /// The bucket.
        bucket: String,
        /// The cause.
        #[source]
        source: Box<object_store::Error>,
    },
    /// The bucket gives other bytes than it was given.
    #[error("{object} does not have the bytes that were just written: is that a server of S3?")]
    Untrue {
        /// The key with its bucket.
        object: String,
    },
    /// The file that should become a blob can't be read.
    #[error("cannot read the file that becomes blob {hash}")]
    Source {
        /// The blob.
        hash: ContentHash,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The stored bytes are not those that were written.
    #[error(
        "blob {hash} is damaged: restore it from a backup, or import its package or submit its source again"
    )]
    Damaged {
        /// The blob.
        hash: ContentHash,
    },
}

impl BlobError {
    /// Whether there is no space left.
    #[must_use]
    pub fn is_full(&self) -> bool {
        is_disk_full(self)
    }

    /// Whether the same may succeed later without anybody's doing.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        use object_store::Error::{NotFound, PermissionDenied, Unauthenticated};
        match self {
            Self::Store { source, .. } => !matches!(
                **source,
                NotFound { .. } | PermissionDenied { .. } | Unauthenticated { .. }
            ),
            _ => false,
        }
    }
}

/// Whether a full disk or an exhausted quota is among the causes of an error.
#[must_use]
pub fn is_disk_full(error: &(dyn std::error::Error + 'static)) -> bool {
    system_errors(error).any(|error| {
        matches!(
            error.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        )
    })
}

/// Whether a file's own state may be among the causes: it is somebody else's, or its part of the
/// disk can't be read.
pub(super) fn is_of_one_file(error: &(dyn std::error::Error + 'static)) -> bool {
    system_errors(error).any(|error| {
        matches!(
            Errno::from_io_error(error),
            Some(Errno::ACCESS | Errno::PERM | Errno::IO | Errno::STALE | Errno::UCLEAN)
        )
    })
}

fn system_errors<'e>(
    error: &'e (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'e io::Error> {
    std::iter::successors(Some(error), |error| error.source())
        .filter_map(|error| error.downcast_ref::<io::Error>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_recognized_below_other_errors() {
        let full = BlobError::Source {
            hash: ContentHash::of(b""),
            source: io::Error::from(io::ErrorKind::StorageFull),
        };
        assert!(full.is_full());
        let other = BlobError::Damaged {
            hash: ContentHash::of(b""),
        };
        assert!(!other.is_full());
    }

    #[test]
    fn a_bad_file_is_told_from_a_bad_store() {
        let of = |errno: Errno| object_store::Error::Generic {
            store: "LocalFileSystem",
            source: Box::new(io::Error::from(errno)),
        };
        assert!(is_of_one_file(&of(Errno::IO)));
        assert!(!is_of_one_file(&of(Errno::MFILE)), "others fare the same");
    }
}
