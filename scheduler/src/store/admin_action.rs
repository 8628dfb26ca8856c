//! What admins did: only ever added to.

use assize_common::api::AdminAction;
use assize_common::id::TokenId;
use sqlx::PgConnection;

use super::{Store, StoreError};

/// Notes what an admin does, in the transaction that does it.
///
/// # Errors
/// When the database can't be reached.
pub(super) async fn admin_action_create(
    connection: &mut PgConnection,
    token_id: TokenId,
    action: &str,
    subject: &str,
    details: serde_json::Value,
) -> Result<i64, StoreError> {
    sqlx::query_scalar!(
        "INSERT INTO admin_actions (token_id, action, subject, details) VALUES ($1, $2, $3, $4) RETURNING id",
        token_id.as_uuid(),
        action,
        subject,
        details
    )
    .fetch_one(connection)
    .await
    .map_err(StoreError::on("note what an admin does"))
}

impl Store {
    /// Lists what admins did, the latest first: all, or to one subject.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn admin_action_list(
        &self,
        subject: Option<&str>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AdminAction>, StoreError> {
        let rows = sqlx::query!(
            "SELECT a.id, a.at, t.id AS token_id, t.name, a.action, a.subject, a.details
             FROM admin_actions a JOIN tokens t ON t.id = a.token_id
             WHERE ($1::text IS NULL OR a.subject = $1) AND ($2::bigint IS NULL OR a.id < $2)
             ORDER BY a.id DESC LIMIT $3",
            subject,
            before,
            i64::from(limit)
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on("list what admins did"))?;
        let actions = rows.into_iter().map(|row| AdminAction {
            id: row.id,
            at: row.at,
            token_id: row.token_id.into(),
            token_name: row.name,
            action: row.action,
            subject: row.subject,
            details: row.details,
        });
        Ok(actions.collect())
    }
}
