//! Transactions that nobody waits for any more.

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::store::Store;

/// Whoever has the connection next is in no transaction, or what is stored by it and told to others would
/// be lost. There is one connection only.
#[sqlx::test(migrations = "../migrations")]
async fn whoever_gives_up_beginning_leaves_no_transaction(
    options: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let pool = options.max_connections(1).connect_with(connect).await;
    let pool = pool.unwrap();
    let store = Store::from_pool(pool.clone());
    for looks in 0..100 {
        let giving_up = async {
            for _ in 0..looks % 10 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            begun = store.begin_dispatch() => drop(begun.unwrap()),
            () = giving_up => {}
        }
        let savepoint = sqlx::raw_sql("SAVEPOINT seen").execute(&pool).await;
        assert!(
            savepoint.is_err(),
            "in a transaction, given up after {looks} looks"
        );
    }
}
