//! Rejudging through the API.

use assize_common::Verdict;
use assize_common::api::{
    AdminActionList, Rejudging, RejudgingList, RejudgingMemberList, RejudgingPreview,
    RejudgingReview, RejudgingState, ResultChangeList,
};
use assize_common::message::HeldJudgement;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{Server, problem, summary};
use crate::bell::Bells;
use crate::feeder::feed;

const ROOT: &str = "/api/v1/rejudgings";

async fn post(server: &Server, path: &str, body: Value) -> Response {
    let request = server.request(Method::POST, &format!("{ROOT}{path}"));
    request.json(&body).send().await.unwrap()
}

fn asked(filter: &str) -> Value {
    json!({"reason": "wrong answer file", "selection": {"filter": filter}})
}

#[sqlx::test(migrations = "../migrations")]
async fn from_the_preview_to_the_undoing(pool: PgPool) {
    let server = Server::start(pool).await;
    let id = server.fixture.judged("Seals", Verdict::Wa).await;
    let preview = post(&server, "/preview", json!({"filter": "team = Seals"})).await;
    let preview: RejudgingPreview = preview.json().await.unwrap();
    assert_eq!((preview.submissions, preview.taken.len()), (1, 0));

    let create = async || {
        let request = server.request(Method::POST, ROOT);
        let request = request.header("idempotency-key", "once");
        let answer = request.json(&asked("team = Seals")).send().await.unwrap();
        assert_eq!(answer.status(), 201);
        answer.json::<Rejudging>().await.unwrap()
    };
    let rejudging = create().await;
    assert_eq!(create().await.id, rejudging.id, "the same request");
    let path = format!("/{}", rejudging.id);

    let refused = post(&server, &format!("{path}/apply"), json!({})).await;
    let refused = problem(refused).await;
    assert_eq!(summary(&refused), (409, "rejudging-unfinished", None));
    let refused = problem(post(&server, "", asked("all")).await).await;
    assert_eq!(summary(&refused), (409, "submissions-taken", None));
    assert!(
        refused.detail.contains("wrong answer file"),
        "{}",
        refused.detail
    );
    let undone = post(&server, &format!("{path}/undo"), json!({})).await;
    assert_eq!(summary(&problem(undone).await).1, "rejudging-closed");

    for method in [Method::PUT, Method::DELETE] {
        let pause = server.request(method, &format!("{ROOT}{path}/pause"));
        assert_eq!(pause.send().await.unwrap().status(), 204);
    }
    feed(&server.fixture.store, &Bells::default())
        .await
        .unwrap();
    let new: uuid::Uuid = sqlx::query_scalar("SELECT id FROM judgements WHERE NOT is_current")
        .fetch_one(&server.fixture.pool)
        .await
        .unwrap();
    let held = HeldJudgement {
        judgement_id: new.into(),
        attempt: 1,
    };
    server.fixture.report(held, Verdict::Ac).await;

    let review = server
        .get(&format!(
            "{ROOT}{path}/review?contest_start=2026-11-24T12:00:00Z"
        ))
        .await;
    let review: RejudgingReview = review.json().await.unwrap();
    assert_eq!((review.submissions, review.changed), (1, 1));
    assert_eq!(review.contests[0].teams[0].after.solved, 1);
    assert_eq!(review.workers, [], "the verdict is another one");
    let members = server
        .get(&format!("{ROOT}{path}/members?changed=true&limit=1"))
        .await;
    let members: RejudgingMemberList = members.json().await.unwrap();
    assert_eq!((members.members.len(), members.next), (1, None));
    let member = &members.members[0];
    let results = (
        member.old.result.as_str(),
        member.new.as_ref().unwrap().result.as_str(),
    );
    assert_eq!(results, ("WA", "AC"));
    let other = "0199f6a0-0000-7000-8000-000000000000";
    let none = server
        .get(&format!("{ROOT}{path}/members?submission={other}"))
        .await;
    assert_eq!(
        none.json::<RejudgingMemberList>().await.unwrap().members,
        []
    );

    for (action, state, verdict) in [
        ("apply", RejudgingState::Applied, Verdict::Ac),
        ("undo", RejudgingState::Undone, Verdict::Wa),
    ] {
        let answer = post(&server, &format!("{path}/{action}"), json!({})).await;
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(
            (&answer["switched"], &answer["changed"]),
            (&json!(1), &json!(1))
        );
        let read: Rejudging = server
            .get(&format!("{ROOT}{path}"))
            .await
            .json()
            .await
            .unwrap();
        assert_eq!(read.state, state);
        let submission = server.fixture.store.submission_read(id).await.unwrap();
        assert_eq!(submission.unwrap().judgement.verdict, Some(verdict));
    }
    let listed: RejudgingList = server
        .get(&format!("{ROOT}?state=undone"))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(listed.rejudgings.len(), 1);
    let changes = server.get("/api/v1/result-changes?after=1").await;
    let changes: ResultChangeList = changes.json().await.unwrap();
    assert_eq!((changes.changes.len(), changes.last), (1, 2));
    assert_eq!(changes.changes[0].new_result, "WA");
    let actions = server
        .get(&format!("/api/v1/admin-actions?subject={}", rejudging.id))
        .await;
    let actions: AdminActionList = actions.json().await.unwrap();
    assert_eq!(actions.actions.len(), 5);
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_wrong_with_a_request_is_told(pool: PgPool) {
    let server = Server::start(pool).await;
    server.fixture.judged("Seals", Verdict::Wa).await;
    let with = |key: &str, value: Value| {
        let mut body = asked("all");
        body[key] = value;
        body
    };
    let too_long = "x".repeat(501);
    for (body, expected) in [
        (
            with("reason", json!(" ")),
            (422, "invalid-field", Some("reason")),
        ),
        (
            with("reason", json!(too_long)),
            (422, "invalid-field", Some("reason")),
        ),
        (
            with("selection", json!({})),
            (422, "invalid-field", Some("filter")),
        ),
        (
            asked("colour = red"),
            (422, "invalid-field", Some("filter")),
        ),
        (
            asked("new_verdict = AC"),
            (422, "invalid-field", Some("filter")),
        ),
        (asked("team = nobody"), (409, "nothing-selected", None)),
        (
            with("overrides", json!({"repeat": 21})),
            (422, "invalid-field", Some("repeat")),
        ),
        (
            with("overrides", json!({"limits": {"time_ms": 0}})),
            (422, "invalid-field", Some("limits.time_ms")),
        ),
        (
            with(
                "overrides",
                json!({"limits": {"memory_bytes": 1_u64 << 41}}),
            ),
            (422, "invalid-field", Some("limits.memory_bytes")),
        ),
        (
            with("overrides", json!({"limits": {"memory_mib": 64}})),
            (422, "invalid-shape", None),
        ),
        (
            with("overrides", json!({"language": "klingon"})),
            (422, "unknown-language", Some("language")),
        ),
        (
            with("overrides", json!({"package": "9"})),
            (422, "invalid-field", Some("package")),
        ),
        (
            with("overrides", json!({"package": "new"})),
            (422, "invalid-shape", None),
        ),
        (
            with("priority", json!("high")),
            (422, "invalid-shape", None),
        ),
    ] {
        let refused = problem(post(&server, "", body.clone()).await).await;
        assert_eq!(summary(&refused), expected, "{body}: {}", refused.detail);
    }
    let unknown = "/0199f6a0-0000-7000-8000-000000000000";
    for action in ["apply", "cancel", "undo"] {
        let refused = post(&server, &format!("{unknown}/{action}"), json!({})).await;
        assert_eq!(summary(&problem(refused).await).0, 404);
    }
    for path in ["?limit=0", "?limit=101", "?state=done"] {
        let refused = server.get(&format!("{ROOT}{path}")).await;
        assert_eq!(refused.status(), 400, "{path}");
    }
    let reader =
        crate::fixture::make_token(&server.fixture.store, &[assize_common::api::Scope::Read]).await;
    let request = server
        .client
        .post(format!("http://{}{ROOT}", server.address));
    let refused = request
        .bearer_auth(reader.reveal())
        .json(&asked("all"))
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 403);
}
