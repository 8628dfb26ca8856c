//! What is paused since judging of it failed.

use assize_common::api::{PauseList, Readiness};
use reqwest::Method;
use sqlx::PgPool;

use super::{Server, problem, summary};

const PATH: &str = "/api/v1/pauses";

#[sqlx::test(migrations = "../migrations")]
async fn what_is_paused_is_told_and_ended_by_its_name(pool: PgPool) {
    let server = Server::start(pool).await;
    let end = async |query: &[(&str, &str)]| {
        let request = server.request(Method::DELETE, PATH).query(query);
        request.send().await.unwrap()
    };
    for made in [
        "INSERT INTO pauses (package_id, reason) SELECT id, 'no validator' FROM packages",
        "INSERT INTO pauses (language_id, reason) VALUES ('java', 'no room')",
    ] {
        server.fixture.execute(made).await.unwrap();
    }
    let ready: Readiness = server.get("/readyz").await.json().await.unwrap();
    assert_eq!((ready.ready, ready.pauses), (true, 2));
    let list: PauseList = server.get(PATH).await.json().await.unwrap();
    let [of_problem, of_language] = list.pauses.try_into().unwrap();
    assert_eq!(of_problem.problem.as_deref(), Some("sum"));
    assert_eq!((of_problem.version, of_problem.language), (Some(1), None));
    assert_eq!(of_problem.reason, "no validator");
    assert_eq!(of_language.language.as_deref(), Some("java"));
    assert_eq!((of_language.problem, of_language.version), (None, None));

    let neither = problem(end(&[]).await).await;
    assert_eq!(summary(&neither), (404, "not-found", None));
    let both = problem(end(&[("problem", "sum"), ("language", "java")]).await).await;
    assert_eq!(summary(&both), (404, "not-found", None));
    assert_eq!(end(&[("problem", "sum")]).await.status(), 204);
    assert_eq!(end(&[("problem", "sum")]).await.status(), 404);
    assert_eq!(end(&[("language", "java")]).await.status(), 204);
    let list: PauseList = server.get(PATH).await.json().await.unwrap();
    assert_eq!(list.pauses, []);
}
