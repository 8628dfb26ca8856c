//! The directory for uploads that are not checked yet.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::BlobError;

/// An upload takes minutes at most; what is older was left behind by a crash.
const AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Makes the directory below `data_directory`, if need be, and removes what a crash left in it.
pub(super) fn incoming(data_directory: &Path) -> Result<PathBuf, BlobError> {
    let incoming = data_directory.join("incoming");
    create(&incoming)?;
    remove(&incoming)?;
    Ok(incoming)
}

pub(super) fn create(directory: &Path) -> Result<(), BlobError> {
    std::fs::create_dir_all(directory).map_err(failed("create", directory))
}

fn remove(incoming: &Path) -> Result<(), BlobError> {
    let entries = std::fs::read_dir(incoming).map_err(failed("list", incoming))?;
    for entry in entries {
        let path = entry.map_err(failed("list", incoming))?.path();
        let metadata = std::fs::symlink_metadata(&path).map_err(failed("look at", &path))?;
        let age = metadata
            .modified()
            .ok()
            .and_then(|time| time.elapsed().ok());
        if age.is_none_or(|age| age < AGE) {
            continue;
        }
        if metadata.is_dir() {
            std::fs::remove_dir_all(&path)
        } else {
            std::fs::remove_file(&path)
        }
        .map_err(failed("remove", &path))?;
    }
    Ok(())
}

fn failed(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BlobError + use<> {
    let path = path.to_owned();
    move |source| BlobError::Directory {
        attempt,
        path,
        source,
    }
}
