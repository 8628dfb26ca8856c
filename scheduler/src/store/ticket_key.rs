//! The key that tickets are made with.

use super::{Store, StoreError, row};
use crate::ticket::TicketKey;

impl Store {
    /// The key of this installation.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub(crate) async fn ticket_key_read(&self) -> Result<TicketKey, StoreError> {
        let attempt = "read the key of tickets";
        let key = sqlx::query_scalar!("SELECT key FROM ticket_key")
            .fetch_one(&self.pool)
            .await
            .map_err(StoreError::on(attempt))?;
        row::hash("the key of tickets", key).map(|key| TicketKey::new(*key.as_bytes()))
    }
}
