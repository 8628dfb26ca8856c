//! What blobs of packages and sources are for.

use assize_common::ContentHash;

use super::{Store, StoreError, row};

impl Store {
    /// The latest package, if there is any: it must be in the blob store.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn blob_find_package(&self) -> Result<Option<ContentHash>, StoreError> {
        sqlx::query_scalar!("SELECT archive_sha256 FROM packages ORDER BY id DESC LIMIT 1")
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::on("look for a package"))?
            .map(|bytes| row::hash("an archive's hash", bytes))
            .transpose()
    }

    /// Which of these blobs are a package or a source.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn blob_list_kept(
        &self,
        blobs: &[ContentHash],
    ) -> Result<Vec<ContentHash>, StoreError> {
        let hashes: Vec<Vec<u8>> = blobs.iter().map(|hash| hash.as_bytes().to_vec()).collect();
        let rows = sqlx::query_scalar!(
            r#"SELECT archive_sha256 AS "sha256!" FROM packages WHERE archive_sha256 = ANY($1)
               UNION SELECT sha256 FROM submission_files WHERE sha256 = ANY($1)"#,
            &hashes
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on("look up what blobs are for"))?;
        rows.into_iter()
            .map(|bytes| row::hash("a blob's hash", bytes))
            .collect()
    }
}
