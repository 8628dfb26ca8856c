//! A judgement is had again from what is stored of it, and with what an admin
//! wants to be different.

use assize_common::Verdict;
use assize_common::api::{JudgementState, NewRejudging, Overrides, Selection};
use assize_common::id::JudgementId;
use assize_common::message::{LimitOverrides, Provenance};
use assize_tests::system::{PAUSE, System, patiently};
use serde_json::Value;

const PROBLEM: &str = "ledger";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs tests/with-services"]
async fn a_judgement_is_had_again_and_otherwise_if_asked_for() {
    let system = System::start(&["--workers", "1", "--slots", "1"]).await;
    let api = system.api();
    let contest = system.import_example(PROBLEM).await;
    let enabled = api.languages().await.unwrap().languages;
    let entries = contest.entries("finals", &enabled).unwrap();
    let accepted = entries.iter().find(|entry| {
        entry.new.problem == PROBLEM && entry.expectation.verdicts() == [Verdict::Ac].into()
    });
    let new = &accepted.unwrap().new;
    let submission = api.submit(new, None).await.unwrap();
    let judgement = system.ended(submission.id).await;
    assert_eq!(judgement.summary.verdict, Some(Verdict::Ac));

    let origin = api.provenance(judgement.summary.id).await.unwrap();
    let reported = origin
        .reported
        .expect("the worker says where it comes from");
    assert_eq!(reported.language, new.language);
    assert!(reported.executable.is_some() && reported.compiler.is_some());
    assert!(!reported.host.kernel.is_empty(), "{reported:?}");

    let replayed = replay(&system, judgement.summary.id).await;
    assert_eq!(replayed["same"], true, "{replayed}");
    // Not every compiler makes the same of the same source.
    let differences = replayed["differences"].as_array().unwrap();
    let others = differences.iter().filter(|it| it["what"] != "executable");
    assert_eq!(others.count(), 0, "{replayed}");
    let runs = replayed["runs"].as_array().unwrap();
    assert_eq!(runs.len(), judgement.runs.len());

    let name = origin.worker.unwrap();
    let id = judgement.summary.id.to_string();
    let said = system
        .asked(&["replay", "--json", "--worker", &name, &id])
        .await;
    let replayed: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (&replayed["same"], replayed["place"].as_str()),
        (&Value::Bool(true), Some(name.as_str())),
        "{replayed}"
    );
    assert_eq!(replayed["differences"], serde_json::json!([]));
    let counts = api.judgement(submission.id).await.unwrap();
    assert_eq!(
        counts.summary.id, judgement.summary.id,
        "nothing is applied"
    );

    let overrides = Overrides {
        limits: LimitOverrides {
            time_ms: Some(1),
            memory_bytes: None,
        },
        judge_all: true,
        ..Overrides::default()
    };
    let rejudged = rejudge(&system, overrides).await;
    let strict = api.judgement_by_id(rejudged).await.unwrap();
    let origin = api.provenance(rejudged).await.unwrap();
    let limit = |of: &Provenance| of.limits.as_ref().unwrap().cpu_time_ms;
    let strict_limit = limit(&origin.reported.unwrap());
    assert!(strict_limit < limit(&reported), "{strict_limit} ms");
    assert_eq!(strict.runs.len(), judgement.runs.len(), "all are judged");
    system.end(1).await;
}

async fn replay(system: &System, id: JudgementId) -> Value {
    let said = system.asked(&["replay", "--json", &id.to_string()]).await;
    serde_json::from_str(&said).unwrap()
}

/// Rejudges everything; the judgement of the only submission, once it is done.
async fn rejudge(system: &System, overrides: Overrides) -> JudgementId {
    let api = system.api();
    let new = NewRejudging {
        reason: "how close to the limit?".into(),
        selection: Selection {
            filter: Some("all".into()),
            submissions: Vec::new(),
        },
        overrides,
        skip_taken: false,
    };
    let rejudging = api.create_rejudging(&new, None).await.unwrap().id;
    let done = patiently(PAUSE, async || {
        let id: Option<uuid::Uuid> =
            sqlx::query_scalar("SELECT id FROM judgements WHERE rejudging_id = $1")
                .bind(rejudging.as_uuid())
                .fetch_optional(system.database())
                .await
                .unwrap();
        let summary = api.judgement_by_id(id?.into()).await.unwrap().summary;
        (summary.state == JudgementState::Done).then_some(summary.id)
    });
    let id = done.await.unwrap();
    api.cancel_rejudging(rejudging).await.unwrap();
    id
}
