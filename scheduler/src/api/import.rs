//! Importing a package: received, unpacked and checked in a directory of its
//! own, and only then stored. Whatever goes wrong before, nothing stays.

use std::path::Path;

use assize_common::api::{ImportedPackage, ProblemVersion};
use assize_common::id::TokenId;
use assize_common::package::{Kind, Package, PackageError, UnpackLimits};
use assize_common::telemetry::error_chain;
use axum::body::Body;

use super::Api;
use super::error::{ApiError, ErrorKind};
use super::receive::{Most, receive, unusable, unusable_because};
use crate::store::{Activation, NewPackage};

pub(super) async fn import(
    api: &Api,
    short_name: &str,
    body: Body,
    activation: Activation,
    imported_by: TokenId,
) -> Result<ImportedPackage, ApiError> {
    if api.pressure.disk_is_low() {
        return Err(ApiError::storage_full());
    }
    let incoming = api.blobs.incoming();
    let directory =
        tempfile::tempdir_in(incoming).map_err(|source| unusable("receive", incoming, source))?;
    let archive = directory.path().join("package.zip");
    let (archive_sha256, archive_size) = receive(
        body,
        &archive,
        Most {
            size: api.max_package,
            of: "the archive",
            set_by: " of this server (--max-package)",
        },
    )
    .await?;

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
        takes_outputs: package.kind == Kind::SubmitAnswer,
        language_codes: package.languages,
        has_rules: package.policy.is_some(),
    };
    let imported = api
        .store
        .problem_import(short_name, &new, activation, imported_by)
        .await?;
    let ProblemVersion { problem, is_active } = imported.version;
    tracing::info!(
        problem = short_name,
        version = problem.version,
        is_active,
        unchanged = imported.unchanged,
        "imported a package"
    );
    // Outside of the runtime's threads: a package can have many files.
    tokio::task::spawn_blocking(move || directory.close())
        .await
        .map_err(|error| ApiError::internal(&error))?
        .map_err(|source| unusable("clean up after", incoming, source))?;
    Ok(ImportedPackage {
        problem,
        is_active,
        unchanged: imported.unchanged,
        warnings: package.warnings,
    })
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
