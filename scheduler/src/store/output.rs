//! Which blobs hold outputs of a judgement's runs, and for how long.

use std::time::Duration;

use assize_common::ContentHash;
use assize_common::id::JudgementId;
use assize_common::message::{HeldJudgement, MOST_OUTPUTS};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Store, StoreError, row};

/// Stores where outputs of judgements are. The caller has just moved them in the same
/// transaction.
///
/// # Errors
/// When the database can't be reached.
pub(super) async fn output_list_create<'r>(
    connection: &mut PgConnection,
    judgements: impl Iterator<Item = (HeldJudgement, &'r [ContentHash])>,
) -> Result<(), StoreError> {
    let (mut ids, mut ordinals, mut blobs): (Vec<Uuid>, Vec<i32>, Vec<Vec<u8>>) =
        Default::default();
    for (held, outputs) in judgements {
        for (ordinal, blob) in (0..).zip(outputs.iter().take(MOST_OUTPUTS)) {
            ids.push(held.judgement_id.as_uuid());
            ordinals.push(ordinal);
            blobs.push(blob.as_bytes().to_vec());
        }
    }
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO outputs (judgement_id, ordinal, sha256)
         SELECT * FROM UNNEST($1::uuid[], $2::integer[], $3::bytea[])",
        &ids,
        &ordinals,
        &blobs
    )
    .execute(connection)
    .await
    .map(drop)
    .map_err(StoreError::on("store where outputs are"))
}

impl Store {
    /// Lists the blobs that hold outputs of a judgement, the latest first.
    pub(super) async fn output_list(
        &self,
        judgement_id: JudgementId,
    ) -> Result<Vec<ContentHash>, StoreError> {
        let rows = sqlx::query_scalar!(
            "SELECT sha256 FROM outputs WHERE judgement_id = $1 ORDER BY ordinal",
            judgement_id.as_uuid()
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on("look up where outputs are"))?;
        rows.into_iter().map(hash).collect()
    }

    /// Forgets where outputs are of judgements that ended longer than `age` ago. Their blobs
    /// are left to [`Store::output_blob_list_kept`].
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn output_list_remove(&self, age: Duration, limit: u16) -> Result<u64, StoreError> {
        let removed = sqlx::query!(
            "DELETE FROM outputs WHERE (judgement_id, ordinal) IN (
                 SELECT judgement_id, ordinal FROM outputs
                 WHERE created_at < clock_timestamp() - make_interval(secs => $1)
                 ORDER BY created_at LIMIT $2)",
            age.as_secs_f64(),
            i64::from(limit)
        )
        .execute(&self.pool)
        .await
        .map_err(StoreError::on("forget old outputs"))?;
        Ok(removed.rows_affected())
    }

    /// Which of these blobs hold outputs that are kept.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn output_blob_list_kept(
        &self,
        blobs: &[ContentHash],
    ) -> Result<Vec<ContentHash>, StoreError> {
        let hashes: Vec<Vec<u8>> = blobs.iter().map(|hash| hash.as_bytes().to_vec()).collect();
        let rows = sqlx::query_scalar!(
            "SELECT DISTINCT sha256 FROM outputs WHERE sha256 = ANY($1)",
            &hashes
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on("look up the blobs of outputs"))?;
        rows.into_iter().map(hash).collect()
    }
}

fn hash(bytes: Vec<u8>) -> Result<ContentHash, StoreError> {
    row::hash("the hash of outputs", bytes)
}
