//! Transactions that nobody waits for any more.

use sqlx::PgPool;

use crate::store::{FEWEST_CONNECTIONS, Store};

/// Whoever has the connection next is in no transaction, or what is stored by it and told to others would
/// be lost.
#[sqlx::test(migrations = "../migrations")]
async fn whoever_gives_up_beginning_leaves_no_transaction(pool: PgPool) {
    let url = pool.connect_options().as_ref().clone().into();
    let store = Store::new(&url, FEWEST_CONNECTIONS);
    for looks in 0..200 {
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
        let savepoint = sqlx::raw_sql("SAVEPOINT seen").execute(&store.dispatch);
        assert!(
            savepoint.await.is_err(),
            "in a transaction, given up after {looks} looks"
        );
    }
}
