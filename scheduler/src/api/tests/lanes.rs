//! Pausing and resuming lanes.

use assize_common::Lane;
use assize_common::api::{LaneInfo, LaneList};
use reqwest::Method;
use serde_json::json;
use sqlx::PgPool;

use super::{Server, problem, right, summary};

async fn lane(server: &Server, lane: Lane) -> LaneInfo {
    let list: LaneList = server.get("/api/v1/lanes").await.json().await.unwrap();
    let mut lanes = list.lanes.into_iter();
    lanes.find(|info| info.lane == lane).unwrap()
}

#[sqlx::test(migrations = "../migrations")]
async fn a_lane_is_paused_and_resumed(pool: PgPool) {
    let server = Server::start(pool).await;
    server.submit(&right()).await;
    let live = lane(&server, Lane::Live).await;
    assert_eq!((live.queued, live.running, live.paused), (1, 0, None));

    let pause = async |path: &str, reason: &str| {
        let request = server.request(Method::PUT, path);
        let request = request.json(&json!({ "reason": reason }));
        request.send().await.unwrap()
    };
    let path = "/api/v1/lanes/rejudge/pause";
    assert_eq!(pause(path, "the finals").await.status(), 204);
    assert_eq!(pause(path, "again").await.status(), 204);
    let paused = lane(&server, Lane::Rejudge).await.paused.unwrap();
    assert_eq!(paused.reason, "the finals");
    assert_eq!(lane(&server, Lane::Live).await.paused, None);

    let resumed = server.request(Method::DELETE, path).send().await.unwrap();
    assert_eq!(resumed.status(), 204);
    assert_eq!(lane(&server, Lane::Rejudge).await.paused, None);

    let refused = problem(pause(path, " ").await).await;
    assert_eq!(summary(&refused), (422, "invalid-field", Some("reason")));
    let refused = problem(pause("/api/v1/lanes/slow/pause", "why").await).await;
    assert_eq!(summary(&refused), (400, "invalid-id", None));
    assert!(refused.detail.contains("quarantine"), "{}", refused.detail);
}
