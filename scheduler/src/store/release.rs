//! What a connection must be when it comes back to its pool.

use sqlx::{PgConnection, Row as _};
use tokio::time::timeout;

use super::silence::ANSWER;

/// Whether a connection that comes back to the pool answers, and is in no transaction; the pool closes any other.
///
/// It answers: the pool itself would wait for that without end, and have one connection less; work that was given up
/// comes back so. That others answer proves nothing: they may be to the host that has taken over.
///
/// It is in no transaction: sqlx 0.9 forgets a `BEGIN` whose answer nobody waited for, and would lend the connection to the next
/// one in a transaction that nobody commits. What that one stores and tells others of would be lost.
pub(super) async fn is_free(connection: &mut PgConnection) -> sqlx::Result<bool> {
    // A statement sent on its own begins its own transaction, unless it is in one that was begun before.
    let free = sqlx::raw_sql("SELECT now() = statement_timestamp()");
    match timeout(ANSWER, free.fetch_one(connection)).await {
        Ok(row) => row?.try_get(0),
        Err(elapsed) => Err(sqlx::Error::Io(elapsed.into())),
    }
}
