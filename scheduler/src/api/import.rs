//! Importing a package: received, unpacked and checked in a directory of its
//! own, and only then stored. Whatever goes wrong before, nothing stays.

use std::path::{Path, PathBuf};

use assize_common::ContentHash;
use assize_common::api::ImportedPackage;
use assize_common::content_hash::ContentHasher;
use assize_common::id::TokenId;
use assize_common::package::{Package, PackageError, UnpackLimits};
use assize_common::telemetry::error_chain;
use axum::body::Body;
use bytesize::ByteSize;
use futures_util::StreamExt as _;
use tokio::io::AsyncWriteExt as _;

use super::Api;
use super::error::{ApiError, ErrorKind};
use crate::blob::is_disk_full;
use crate::store::NewPackage;

/// What goes wrong on our side while a package is received and unpacked.
#[derive(Debug, thiserror::Error)]
#[error("cannot {attempt} an incoming package below {}", path.display())]
struct Workspace {
    attempt: &'static str,
    path: PathBuf,
    #[source]
    source: std::io::Error,
}

pub(super) async fn import(
    api: &Api,
    short_name: &str,
    body: Body,
    imported_by: TokenId,
) -> Result<ImportedPackage, ApiError> {
    if api.pressure.disk_is_low() {
        return Err(ApiError::storage_full());
    }
    let incoming = api.blobs.incoming();
    let directory =
        tempfile::tempdir_in(incoming).map_err(|source| unusable("receive", incoming, source))?;
    let archive = directory.path().join("package.zip");
    let (archive_sha256, archive_size) = receive(body, &archive, api.max_package).await?;

    // Named after the problem, since a package without a name is called by its directory's.
    let unpacked = directory.path().join(short_name);
    let package = {
        let archive = archive.clone();
        tokio::task::spawn_blocking(move || read(&archive, &unpacked))
            .await
            .map_err(|error| ApiError::internal(&error))??
    };

    api.blobs.put_file(&archive, archive_sha256).await?;
    let new = NewPackage {
        content_hash: package.content_hash,
        archive_sha256,
        archive_size,
        name: package.name,
        time_limit: package.limits.time_limit,
        memory_limit: package.limits.memory,
        code_limit: package.limits.code,
        testcases: package.testcases.len(),
        language_codes: package.languages,
    };
    let imported = api
        .store
        .problem_import(short_name, &new, imported_by)
        .await?;
    tracing::info!(
        problem = short_name,
        version = imported.problem.version,
        unchanged = imported.unchanged,
        "imported a package"
    );
    // Outside of the runtime's threads: a package can have many files.
    tokio::task::spawn_blocking(move || directory.close())
        .await
        .map_err(|error| ApiError::internal(&error))?
        .map_err(|source| unusable("clean up after", incoming, source))?;
    Ok(ImportedPackage {
        problem: imported.problem,
        unchanged: imported.unchanged,
        warnings: package.warnings,
    })
}

/// Writes the body to a file.
async fn receive(
    body: Body,
    path: &Path,
    limit: ByteSize,
) -> Result<(ContentHash, ByteSize), ApiError> {
    let failed = |source| unusable("write", path, source);
    let mut file = tokio::fs::File::create_new(path).await.map_err(failed)?;
    let mut hasher = ContentHasher::default();
    let mut size = 0_u64;
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| {
            ApiError::new(
                ErrorKind::UnreadableBody,
                format!("the upload broke off after {size} bytes: {error}"),
            )
        })?;
        size += piece.len() as u64;
        if size > limit.as_u64() {
            return Err(ApiError::new(
                ErrorKind::BodyTooLarge,
                format!(
                    "the archive is larger than {}, the limit of this server (--max-package)",
                    limit.display()
                ),
            ));
        }
        hasher.update(&piece);
        file.write_all(&piece).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    Ok((hasher.finish(), ByteSize(size)))
}

fn read(archive: &Path, target: &Path) -> Result<Package, ApiError> {
    std::fs::create_dir(target).map_err(|source| unusable("unpack", target, source))?;
    let file = std::fs::File::open(archive).map_err(|source| unusable("read", archive, source))?;
    let root = Package::unpack(
        std::io::BufReader::new(file),
        target,
        &UnpackLimits::default(),
    )
    .map_err(|error| explain(&error))?;
    Package::read(&root).map_err(|error| explain(&error))
}

fn explain(error: &PackageError) -> ApiError {
    if error.is_fault_of_package() {
        return ApiError::new(ErrorKind::InvalidPackage, error_chain(error));
    }
    unusable_because(error)
}

fn unusable(attempt: &'static str, path: &Path, source: std::io::Error) -> ApiError {
    unusable_because(&Workspace {
        attempt,
        path: path.to_owned(),
        source,
    })
}

fn unusable_because(error: &(dyn std::error::Error + 'static)) -> ApiError {
    tracing::error!(error = %error_chain(error), "a package can't be imported");
    if is_disk_full(error) {
        return ApiError::storage_full();
    }
    ApiError::new(
        ErrorKind::StorageUnavailable,
        "the scheduler can't use its data directory: its admin finds the cause in the log; nothing was stored",
    )
}
