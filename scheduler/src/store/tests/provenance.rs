//! What a judgement depends on is kept, and what is asked for reaches the worker.

use assize_common::api::{JudgementState, NewRejudging, Overrides, Selection};
use assize_common::id::{JudgementId, WorkerId};
use assize_common::message::{
    Changed, Judged, KeyParts, LimitOverrides, Provenance, Report, Task, ValidatedAgain,
};
use assize_common::{ContentHash, Lane, Stop, Verdict};
use sqlx::PgPool;

use crate::bell::Bells;
use crate::feeder::feed;
use crate::filter::{Filter, Scope};
use crate::fixture::{Fixture, SETTINGS, finished, package, provenance};
use crate::reports::apply_batch;
use crate::store::{CreatedRejudging, NewStoredRejudging, Selected, outbox_claim};

#[sqlx::test(migrations = "../migrations")]
async fn a_judgement_can_be_had_again_by_what_is_kept_of_it(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (_, waiting) = fixture.submit().await;
    let read = fixture.store.provenance_read(waiting.judgement_id).await;
    let read = read.unwrap().unwrap();
    assert_eq!(read.reported, None, "it is not judged yet");
    assert_eq!(read.steps.len(), 1);

    let id = fixture.judged("a", Verdict::Wa).await;
    let held = fixture.held(id).await;
    let read = fixture.store.provenance_read(held.judgement_id).await;
    let read = read.unwrap().unwrap();
    let readable = Some("g++ 12\u{fffd}".to_owned());
    let expected = Provenance {
        compiler_version: readable.clone(),
        ..provenance()
    };
    assert_eq!(read.reported, Some(expected));
    assert_eq!(
        (
            read.problem.as_str(),
            read.package_version,
            read.package_archive
        ),
        ("sum", 1, package(1).archive_sha256)
    );
    assert_eq!(read.files, fixture.new_submission().await.files);
    assert_eq!(read.language, "cpp20");
    let states: Vec<_> = read.steps.iter().map(|step| step.state).collect();
    assert_eq!(states, [JudgementState::Queued, JudgementState::Done]);
    let compiler: Option<String> =
        sqlx::query_scalar("SELECT compiler_version FROM judgements WHERE id = $1")
            .bind(held.judgement_id.as_uuid())
            .fetch_one(&fixture.pool)
            .await
            .unwrap();
    assert_eq!(compiler, readable);
    let none = uuid::Uuid::nil().into();
    assert_eq!(fixture.store.provenance_read(none).await.unwrap(), None);
}

/// The task of the first judgement of a rejudging with these overrides.
async fn task_of_rejudging(fixture: &Fixture, overrides: Overrides) -> Task {
    let new = NewStoredRejudging {
        new: NewRejudging {
            reason: "limit too low".into(),
            selection: Selection::default(),
            overrides,
            skip_taken: false,
        },
        selected: Selected {
            filter: Filter::parse("team = a", Scope::Submissions).unwrap(),
            submissions: Vec::new(),
        },
        created_by: fixture.token_id,
        idempotency: None,
    };
    let created = fixture.store.rejudging_create(&new).await.unwrap();
    let CreatedRejudging::Stored(id) = created else {
        panic!("{created:?}");
    };
    feed(&fixture.store, &Bells::default()).await.unwrap();
    let mut transaction = fixture.store.begin().await.unwrap();
    let claimed = outbox_claim(&mut transaction, Lane::Rejudge, 1, None, SETTINGS.lease)
        .await
        .unwrap();
    let task = claimed.into_iter().next().unwrap().task.unwrap();
    transaction.rollback().await.unwrap();
    let read = fixture.store.provenance_read(task.judgement_id).await;
    let read = read.unwrap().unwrap();
    assert_eq!(
        (&read.language, read.limits),
        (&task.language, task.limits),
        "what is told is what was asked for"
    );
    let cancelled = fixture.store.rejudging_cancel(id, fixture.token_id);
    cancelled.await.unwrap().unwrap();
    task
}

#[sqlx::test(migrations = "../migrations")]
async fn what_a_rejudging_asks_for_reaches_the_worker(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    fixture.judged("a", Verdict::Tle).await;
    let task = task_of_rejudging(&fixture, Overrides::default()).await;
    assert_eq!(
        (task.language.as_str(), task.limits.is_none(), task.stop),
        ("cpp20", true, None)
    );
    let limits = LimitOverrides {
        time_ms: Some(3000),
        memory_bytes: Some(1 << 30),
    };
    let overrides = Overrides {
        limits,
        language: Some("cpp23".into()),
        judge_all: true,
        ..Overrides::default()
    };
    let task = task_of_rejudging(&fixture, overrides).await;
    assert_eq!(
        (task.language.as_str(), task.limits, task.stop),
        ("cpp23", limits, Some(Stop::End))
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn runs_are_kept_with_their_keys_and_where_they_were_made(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (id, held) = fixture.submit().await;
    let mut report = finished(WorkerId::generate(), held, Verdict::Ac);
    let earlier = JudgementId::generate();
    let Report::Finished(attempt) = &mut report.report else {
        panic!("{report:?}")
    };
    let Judged::Verdict { runs, outputs, .. } = &mut attempt.outcome else {
        panic!("{attempt:?}")
    };
    let [own, other] = [&b"own"[..], b"other"].map(ContentHash::of);
    *outputs = vec![own, other];
    runs[0].key_parts = Some(KeyParts {
        program: ContentHash::of(b"program"),
        validator: ContentHash::of(b"validator"),
    });
    runs[0].validated_again = Some(ValidatedAgain {
        output_from: earlier,
        changed: Changed::Validator,
    });
    runs[1].key = Some(ContentHash::of(b"key"));
    runs[1].reused_from = Some(earlier);
    let expected = runs.clone();
    apply_batch(&fixture.store, &[&report], SETTINGS)
        .await
        .unwrap();
    let read = fixture.store.reusable_read(held.judgement_id).await;
    let read = read.unwrap().unwrap();
    assert_eq!(read.runs, expected);
    assert_eq!(read.outputs, [own, other]);
    assert!(read.compile.is_some() && read.provenance.is_some());
    let shown = fixture.store.judgement_read_current(id).await.unwrap();
    assert_eq!(shown.unwrap().runs, expected);
}
