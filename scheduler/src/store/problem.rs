//! Problems and the versions of their packages.

use assize_common::ContentHash;
use assize_common::api::{Problem, ProblemVersion};
use assize_common::id::{ProblemId, TokenId};
use bytesize::ByteSize;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use std::time::Duration;
use uuid::Uuid;

use super::admin_action::admin_action_create;
use super::{Store, StoreError, row};

/// A package that was read and found right, with its archive in the blob store.
#[derive(Debug, Clone)]
pub struct NewPackage {
    /// The hash over its files.
    pub content_hash: ContentHash,
    /// The blob of its archive.
    pub archive_sha256: ContentHash,
    /// The size of the archive.
    pub archive_size: ByteSize,
    /// The name for people.
    pub name: String,
    /// CPU time per test case.
    pub time_limit: Duration,
    /// Memory of a submission.
    pub memory_limit: ByteSize,
    /// Source files of a submission together.
    pub code_limit: ByteSize,
    /// How many test cases it has.
    pub testcases: usize,
    /// Language codes that submissions may be written in; all if `None`.
    pub language_codes: Option<Vec<String>>,
    /// Whether it has rules for system calls.
    pub has_rules: bool,
    /// Whether submissions are outputs, not programs.
    pub takes_outputs: bool,
}

/// When new submissions are judged by a version that is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// From its import on.
    AtOnce,
    /// Once somebody says so, see [`Store::problem_activate`].
    Later,
}

/// What an import did.
#[derive(Debug, Clone)]
pub struct ImportedVersion {
    /// The version.
    pub version: ProblemVersion,
    /// Whether it was there and just as active before.
    pub unchanged: bool,
}

struct VersionRow {
    id: Uuid,
    short_name: String,
    name: String,
    content_hash: Vec<u8>,
    version: i32,
    time_limit_us: i64,
    memory_limit_bytes: i64,
    testcases: i32,
    takes_outputs: bool,
    imported_at: DateTime<Utc>,
    is_current: bool,
}

/// Reads versions `v` of problems `p` where the condition holds.
macro_rules! versions_query {
    ($condition:literal, $($argument:expr),*) => {
        sqlx::query_as!(
            VersionRow,
            "SELECT p.id, p.short_name, v.name, v.content_hash, v.version, v.time_limit_us, v.memory_limit_bytes,
                    v.testcases, v.takes_outputs, v.imported_at, v.is_current
             FROM problems p JOIN packages v ON v.problem_id = p.id " + $condition,
            $($argument),*
        )
    };
}

impl TryFrom<VersionRow> for ProblemVersion {
    type Error = StoreError;

    fn try_from(row: VersionRow) -> Result<Self, StoreError> {
        let is_active = row.is_current;
        let problem = Problem {
            id: row.id.into(),
            short_name: row.short_name,
            name: row.name,
            package: row::hash("a package's hash", row.content_hash)?,
            version: row::count("a package's version", row.version)?,
            time_limit_ms: row::count::<u64, _>("a time limit", row.time_limit_us)?.div_ceil(1000),
            memory_limit_bytes: row::count("a memory limit", row.memory_limit_bytes)?,
            testcases: row::count("a number of test cases", row.testcases)?,
            takes_outputs: row.takes_outputs,
            imported_at: row.imported_at,
        };
        Ok(Self { problem, is_active })
    }
}

/// Makes the version of `package_id` the one that new submissions are judged by.
async fn activate(
    transaction: &mut PgConnection,
    problem_id: Uuid,
    package_id: Uuid,
) -> Result<(), StoreError> {
    let attempt = "activate a package";
    // Submissions that are being stored by the old package are there before the
    // new one is active, and later ones look again. That takes moments.
    sqlx::query!("LOCK TABLE submissions IN SHARE MODE")
        .execute(&mut *transaction)
        .await
        .map_err(StoreError::on(attempt))?;
    sqlx::query!(
        "UPDATE packages SET is_current = false WHERE problem_id = $1 AND is_current",
        problem_id
    )
    .execute(&mut *transaction)
    .await
    .map_err(StoreError::on(attempt))?;
    sqlx::query!(
        "UPDATE packages SET is_current = true WHERE id = $1",
        package_id
    )
    .execute(transaction)
    .await
    .map_err(StoreError::on(attempt))?;
    Ok(())
}

impl Store {
    /// Makes `package` a version of the problem `short_name`, which is created if
    /// need be. The same content is never stored twice.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn problem_import(
        &self,
        short_name: &str,
        package: &NewPackage,
        activation: Activation,
        imported_by: TokenId,
    ) -> Result<ImportedVersion, StoreError> {
        let attempt = "import a package";
        let mut transaction = self.begin().await?;
        sqlx::query!(
            "INSERT INTO problems (id, short_name) VALUES ($1, $2) ON CONFLICT (short_name) DO NOTHING",
            ProblemId::generate().as_uuid(),
            short_name
        )
        .execute(&mut *transaction)
        .await
        .map_err(StoreError::on(attempt))?;
        // Imports into one problem take turns.
        let problem_id = sqlx::query_scalar!(
            "SELECT id FROM problems WHERE short_name = $1 FOR NO KEY UPDATE",
            short_name
        )
        .fetch_one(&mut *transaction)
        .await
        .map_err(StoreError::on(attempt))?;
        let known = sqlx::query!(
            "SELECT id, is_current FROM packages WHERE problem_id = $1 AND content_hash = $2",
            problem_id,
            package.content_hash.as_bytes()
        )
        .fetch_optional(&mut *transaction)
        .await
        .map_err(StoreError::on(attempt))?;
        let unchanged = known
            .as_ref()
            .is_some_and(|known| known.is_current || activation == Activation::Later);
        let package_id = match known {
            Some(known) => known.id,
            None => {
                sqlx::query_scalar!(
                    "INSERT INTO packages (id, problem_id, version, content_hash, archive_sha256, archive_bytes, name,
                         time_limit_us, memory_limit_bytes, code_limit_bytes, testcases, language_codes, is_current,
                         imported_by, has_rules, takes_outputs)
                     SELECT $1, $2, 1 + COALESCE(max(version), 0), $3, $4, $5, $6, $7, $8, $9, $10, $11, false, $12, $13, $14
                     FROM packages WHERE problem_id = $2
                     RETURNING id",
                    Uuid::now_v7(),
                    problem_id,
                    package.content_hash.as_bytes(),
                    package.archive_sha256.as_bytes(),
                    row::column::<i64, _>("the archive", package.archive_size.as_u64())?,
                    row::text(&package.name),
                    row::microseconds("the time limit", package.time_limit)?,
                    row::column::<i64, _>("the memory limit", package.memory_limit.as_u64())?,
                    row::column::<i64, _>("the code limit", package.code_limit.as_u64())?,
                    row::column::<i32, _>("the number of test cases", package.testcases)?,
                    package.language_codes.as_deref(),
                    imported_by.as_uuid(),
                    package.has_rules,
                    package.takes_outputs
                )
                .fetch_one(&mut *transaction)
                .await
                .map_err(StoreError::on(attempt))?
            }
        };
        if !unchanged && activation == Activation::AtOnce {
            activate(&mut transaction, problem_id, package_id).await?;
        }
        let version = versions_query!("WHERE v.id = $1", package_id)
            .fetch_one(&mut *transaction)
            .await
            .map_err(StoreError::on(attempt))?;
        Self::commit(transaction).await?;
        Ok(ImportedVersion {
            version: version.try_into()?,
            unchanged,
        })
    }

    /// Has new submissions to a problem judged by this version of its package, and
    /// notes who said so. None if there is no such version.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn problem_activate(
        &self,
        short_name: &str,
        version: u32,
        activated_by: TokenId,
    ) -> Result<Option<ProblemVersion>, StoreError> {
        let attempt = "activate a package";
        let Ok(number) = i32::try_from(version) else {
            return Ok(None);
        };
        let mut transaction = self.begin().await?;
        // In turn with imports into the problem.
        let found = sqlx::query!(
            "SELECT p.id AS problem_id, v.id AS package_id, v.is_current
             FROM problems p JOIN packages v ON v.problem_id = p.id
             WHERE p.short_name = $1 AND v.version = $2
             FOR NO KEY UPDATE OF p",
            short_name,
            number
        )
        .fetch_optional(&mut *transaction)
        .await
        .map_err(StoreError::on(attempt))?;
        let Some(found) = found else { return Ok(None) };
        activate(&mut transaction, found.problem_id, found.package_id).await?;
        if !found.is_current {
            let details = serde_json::json!({ "version": version });
            admin_action_create(
                &mut transaction,
                activated_by,
                "problem.activate",
                short_name,
                details,
            )
            .await?;
        }
        let version = versions_query!("WHERE v.id = $1", found.package_id)
            .fetch_one(&mut *transaction)
            .await
            .map_err(StoreError::on(attempt))?;
        Self::commit(transaction).await?;
        version.try_into().map(Some)
    }

    /// Lists the versions of a problem's package, the latest first; none if there is
    /// no such problem.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn problem_versions(
        &self,
        short_name: &str,
    ) -> Result<Vec<ProblemVersion>, StoreError> {
        let rows = versions_query!(
            "WHERE p.short_name = $1 ORDER BY v.version DESC",
            short_name
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on("list the versions of a problem"))?;
        rows.into_iter().map(ProblemVersion::try_from).collect()
    }

    /// Lists all problems that take submissions by short name.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn problem_list(&self) -> Result<Vec<Problem>, StoreError> {
        let rows = versions_query!("WHERE v.is_current ORDER BY p.short_name",)
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::on("list the problems"))?;
        rows.into_iter()
            .map(|row| ProblemVersion::try_from(row).map(|version| version.problem))
            .collect()
    }
}
