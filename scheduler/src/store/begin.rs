//! The beginning of transactions, which nobody leaves halfway.

use sqlx::{PgPool, Postgres, Transaction};

use super::StoreError;

/// Begins a transaction by this statement. It is begun to the end even if nobody waits for that any more, and then
/// rolled back: sqlx 0.9 forgets a `BEGIN` whose answer nobody waited for, and lends the connection to the next one in
/// a transaction that nobody commits. What that one stores and tells others of is lost.
///
/// # Errors
/// When the database can't be reached.
pub(super) async fn begin(
    pool: &PgPool,
    statement: &'static str,
) -> Result<Transaction<'static, Postgres>, StoreError> {
    let pool = pool.clone();
    #[expect(clippy::disallowed_methods, reason = "here it is on its own")]
    let begun = tokio::spawn(async move { pool.begin_with(statement).await }).await;
    begun
        .unwrap_or_else(|ended| std::panic::resume_unwind(ended.into_panic()))
        .map_err(StoreError::on("begin a transaction"))
}
