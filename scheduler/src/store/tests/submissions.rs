//! Submissions: stored whole and once.

use std::sync::Arc;

use assize_common::api::JudgementState;
use assize_common::id::WorkerId;
use assize_common::{ContentHash, Verdict};
use sqlx::PgPool;
use tokio::sync::Barrier;

use crate::fixture::{Fixture, SETTINGS, finished};
use crate::reports::apply_batch;
use crate::store::{Created, SubmissionFilter};

#[sqlx::test(migrations = "../migrations")]
async fn a_key_makes_one_submission_however_many_try(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let mut new = fixture.new_submission().await;
    new.idempotency = Some(("key".into(), ContentHash::of(b"request")));
    let new = Arc::new(new);
    let barrier = Arc::new(Barrier::new(4));
    let rivals: Vec<_> = (0..4)
        .map(|_| {
            let (store, new, barrier) = (fixture.store.clone(), new.clone(), barrier.clone());
            tokio::spawn(async move {
                barrier.wait().await;
                store.submission_create(&new).await.unwrap()
            })
        })
        .collect();
    let mut stored = Vec::new();
    for rival in rivals {
        if let Created::Stored(id, _) = rival.await.unwrap() {
            stored.push(id);
        }
    }
    let [id] = stored.try_into().unwrap();
    let found = fixture
        .store
        .submission_find_by_key(fixture.token_id, "key")
        .await
        .unwrap();
    assert_eq!(found, Some((id, ContentHash::of(b"request"))));
    for table in [
        "SELECT count(*) FROM submissions",
        "SELECT count(*) FROM submission_files",
        "SELECT count(*) FROM judgements",
        "SELECT count(*) FROM outbox",
    ] {
        assert_eq!(fixture.count(table).await, 1, "{table}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn pages_hold_every_submission_once(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let mut expected = Vec::new();
    for _ in 0..7 {
        expected.insert(0, fixture.submit().await.0);
    }
    let filter = SubmissionFilter::default();
    let (mut listed, mut cursor) = (Vec::new(), None);
    loop {
        let page = fixture
            .store
            .submission_list(&filter, cursor, 3)
            .await
            .unwrap();
        listed.extend(page.submissions.iter().map(|submission| submission.id));
        match page.next {
            Some(next) => cursor = Some(next.parse().unwrap()),
            None => break,
        }
    }
    assert_eq!(listed, expected);
}

#[sqlx::test(migrations = "../migrations")]
async fn filters_select(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (right, held) = fixture.submit().await;
    let report = finished(WorkerId::generate(), held, Verdict::Ac);
    apply_batch(&fixture.store, &[&report], SETTINGS)
        .await
        .unwrap();
    fixture.submit().await;
    let none = SubmissionFilter::default;
    let text = |text: &str| Some(text.to_owned());
    for (filter, count) in [
        (none(), 2),
        (
            SubmissionFilter {
                problem: text("sum"),
                ..none()
            },
            2,
        ),
        (
            SubmissionFilter {
                problem: text("other"),
                ..none()
            },
            0,
        ),
        (
            SubmissionFilter {
                contest: text("finals"),
                ..none()
            },
            2,
        ),
        (
            SubmissionFilter {
                team: text("Otters"),
                ..none()
            },
            0,
        ),
        (
            SubmissionFilter {
                language: text("cpp20"),
                ..none()
            },
            2,
        ),
        (
            SubmissionFilter {
                verdict: Some(Verdict::Ac),
                ..none()
            },
            1,
        ),
        (
            SubmissionFilter {
                verdict: Some(Verdict::Wa),
                ..none()
            },
            0,
        ),
        (
            SubmissionFilter {
                state: Some(JudgementState::Queued),
                ..none()
            },
            1,
        ),
    ] {
        let page = fixture
            .store
            .submission_list(&filter, None, 10)
            .await
            .unwrap();
        assert_eq!(page.submissions.len(), count, "{filter:?}");
    }
    let submission = fixture.store.submission_read(right).await.unwrap().unwrap();
    assert_eq!(submission.judgement.verdict, Some(Verdict::Ac));
    assert_eq!(submission.files, ["a.cpp"]);
}
