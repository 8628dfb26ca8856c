//! When judging ends, by contest and problem.

use assize_common::api::{StopRule, StopRuleList, StopRuleScope};
use assize_common::{Lane, Stop};
use reqwest::{Method, Response};
use serde_json::json;
use sqlx::PgPool;

use super::{Server, problem, right, summary};
use crate::fixture::SETTINGS;
use crate::store::outbox_claim;

const PATH: &str = "/api/v1/stop-rules";

async fn set(server: &Server, scope: &str, subject: &str, stop: &str) -> Response {
    let rule = json!({ "scope": scope, "subject": subject, "stop": stop });
    let request = server.request(Method::PUT, PATH).json(&rule);
    request.send().await.unwrap()
}

async fn remove(server: &Server, scope: &str, subject: &str) -> u16 {
    let request = server.request(Method::DELETE, PATH);
    let request = request.query(&[("scope", scope), ("subject", subject)]);
    request.send().await.unwrap().status().as_u16()
}

/// What the only task says.
async fn asked(server: &Server) -> Option<Stop> {
    let mut transaction = server.fixture.store.begin().await.unwrap();
    let tasks = outbox_claim(&mut transaction, Lane::Live, 10, None, SETTINGS.lease)
        .await
        .unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!(tasks.len(), 1);
    tasks.into_iter().next().unwrap().task.unwrap().stop
}

#[sqlx::test(migrations = "../migrations")]
async fn the_rule_of_the_contest_goes_before_that_of_the_problem(pool: PgPool) {
    let server = Server::start(pool).await;
    let mut new = right();
    new["contest"] = json!("finals");
    server.submit(&new).await;
    assert_eq!(asked(&server).await, None, "the format decides");
    assert_eq!(set(&server, "problem", "sum", "end").await.status(), 204);
    assert_eq!(set(&server, "contest", "other", "end").await.status(), 204);
    assert_eq!(asked(&server).await, Some(Stop::End));
    for stop in ["group-failure", "first-failure"] {
        assert_eq!(set(&server, "contest", "finals", stop).await.status(), 204);
    }
    assert_eq!(asked(&server).await, Some(Stop::FirstFailure));
    let list: StopRuleList = server.get(PATH).await.json().await.unwrap();
    let rule = |scope, subject: &str, stop| StopRule {
        scope,
        subject: subject.to_owned(),
        stop,
    };
    assert_eq!(
        list.stop_rules,
        [
            rule(StopRuleScope::Contest, "finals", Stop::FirstFailure),
            rule(StopRuleScope::Contest, "other", Stop::End),
            rule(StopRuleScope::Problem, "sum", Stop::End),
        ]
    );
    assert_eq!(remove(&server, "contest", "finals").await, 204);
    assert_eq!(remove(&server, "contest", "finals").await, 404);
    assert_eq!(asked(&server).await, Some(Stop::End));
}

#[sqlx::test(migrations = "../migrations")]
async fn rules_about_nothing_are_refused(pool: PgPool) {
    let server = Server::start(pool).await;
    let refused = problem(set(&server, "problem", "none", "end").await).await;
    assert_eq!(summary(&refused), (404, "not-found", None));
    let refused = problem(set(&server, "contest", "", "end").await).await;
    assert_eq!(summary(&refused), (422, "invalid-field", Some("subject")));
    let refused = problem(set(&server, "contest", "finals", "never").await).await;
    assert_eq!(refused.status, 422);
    assert!(refused.detail.contains("first-failure"), "{refused:?}");
}
