//! Dead letters as admins see them.

use assize_common::api::{DeadLetter, DeadLetterList, DeadLetterState};
use reqwest::Method;
use sqlx::PgPool;

use super::{Server, problem, summary};
use crate::store::DeadMessage;

async fn keep(server: &Server, message: &[u8]) {
    let dead = DeadMessage {
        queue: "assize.v1.live".into(),
        reason: "the message is not JSON".into(),
        message: message.to_vec(),
    };
    server.fixture.store.dead_letter_keep(&dead).await.unwrap();
}

async fn list(server: &Server, query: &str) -> Vec<(i64, DeadLetterState)> {
    let path = format!("/api/v1/dead-letters{query}");
    let list: DeadLetterList = server.get(&path).await.json().await.unwrap();
    let letters = list.dead_letters.into_iter();
    letters.map(|dead| (dead.id, dead.state)).collect()
}

#[sqlx::test(migrations = "../migrations")]
async fn dead_letters_wait_until_somebody_decides(pool: PgPool) {
    let server = Server::start(pool).await;
    keep(&server, b"first \xff").await;
    keep(&server, b"second").await;
    let waiting = list(&server, "").await;
    let [(second, _), (first, _)] = waiting[..] else {
        panic!("{waiting:?}");
    };
    let path = |id: i64| format!("/api/v1/dead-letters/{id}");
    let dead: DeadLetter = server.get(&path(first)).await.json().await.unwrap();
    assert_eq!(dead.message, "first \u{fffd}");
    assert_eq!(dead.info.size_bytes, 7);

    let decide =
        async |method: Method, path: String| server.request(method, &path).send().await.unwrap();
    let dropped = decide(Method::DELETE, path(first)).await;
    assert_eq!(dropped.status(), 204);
    let retry = |id| format!("{}/retry", path(id));
    assert_eq!(decide(Method::POST, retry(second)).await.status(), 204);
    assert_eq!(decide(Method::POST, retry(second)).await.status(), 204);
    assert_eq!(
        list(&server, "").await,
        [(second, DeadLetterState::Retrying)]
    );
    // One that its queue does not take is in nobody's way, and can be dropped.
    let store = &server.fixture.store;
    keep(&server, b"third").await;
    let third = list(&server, "").await[0].0;
    assert_eq!(decide(Method::POST, retry(third)).await.status(), 204);
    let after_second = store.dead_letter_next_retry(second).await.unwrap();
    assert_eq!(after_second.unwrap().0, third);
    assert_eq!(decide(Method::DELETE, path(third)).await.status(), 204);
    let after_second = store.dead_letter_next_retry(second).await.unwrap();
    assert!(after_second.is_none());

    let (next, dead) = store.dead_letter_next_retry(0).await.unwrap().unwrap();
    assert_eq!((next, dead.message.as_slice()), (second, &b"second"[..]));
    server
        .fixture
        .store
        .dead_letter_retried(next)
        .await
        .unwrap();
    assert_eq!(list(&server, "").await, []);
    assert_eq!(
        list(&server, "?decided=true").await,
        [
            (third, DeadLetterState::Dropped),
            (second, DeadLetterState::Retried),
            (first, DeadLetterState::Dropped)
        ]
    );

    let refused = problem(decide(Method::POST, retry(first)).await).await;
    assert_eq!(summary(&refused), (409, "already-decided", None));
    let refused = problem(decide(Method::DELETE, path(4711)).await).await;
    assert_eq!(summary(&refused), (404, "not-found", None));
}
