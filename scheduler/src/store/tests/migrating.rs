//! Bringing the structure up to date while others use the database.

use sqlx::PgPool;

use crate::store::{DatabaseUrl, Store};

/// Whoever waits for a lock against everybody makes everybody wait.
#[sqlx::test(migrations = "../migrations")]
async fn a_migration_gives_up_rather_than_wait_for_a_lock_for_long(pool: PgPool) {
    let url: DatabaseUrl = pool.connect_options().as_ref().clone().into();
    // As before the release with these migrations, which may run again.
    let these =
        "DELETE FROM _sqlx_migrations WHERE version BETWEEN 20261128190000 AND 20261128190100";
    let forgotten = sqlx::query(these).execute(&pool).await.unwrap();
    assert!(forgotten.rows_affected() > 0);
    let mut reader = pool.begin().await.unwrap();
    sqlx::query("SELECT FROM runs")
        .fetch_all(&mut *reader)
        .await
        .unwrap();
    let error = tokio::time::timeout(std::time::Duration::from_secs(60), Store::migrate(&url))
        .await
        .expect("it gives up")
        .unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    reader.commit().await.unwrap();
    Store::migrate(&url).await.unwrap();
}

/// They take turns, however long the one before takes.
#[sqlx::test(migrations = "../migrations")]
async fn schedulers_that_start_together_take_turns(pool: PgPool) {
    let url: DatabaseUrl = pool.connect_options().as_ref().clone().into();
    let (first, second) = tokio::join!(Store::migrate(&url), Store::migrate(&url));
    first.and(second).unwrap();
}
