//! Submissions: stored whole and once.

use std::sync::Arc;

use assize_common::api::JudgementState;
use assize_common::id::{JudgementId, SubmissionId, WorkerId};
use assize_common::message::SourceFile;
use assize_common::{ContentHash, Verdict};
use sqlx::PgPool;
use tokio::sync::Barrier;

use crate::fixture::{Fixture, SETTINGS, finished};
use crate::reports::apply_batch;
use crate::store::{Created, NewStoredSubmission, SubmissionFilter};

#[sqlx::test(migrations = "../migrations")]
async fn a_key_makes_one_submission_however_many_try(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let mut new = fixture.new_submission().await;
    new.idempotency = Some(("key".into(), ContentHash::of(b"request")));
    let barrier = Arc::new(Barrier::new(4));
    let rivals: Vec<_> = (0..4)
        .map(|_| {
            let (store, barrier) = (fixture.store.clone(), barrier.clone());
            let new = NewStoredSubmission {
                id: SubmissionId::generate(),
                judgement_id: JudgementId::generate(),
                ..new.clone()
            };
            tokio::spawn(async move {
                barrier.wait().await;
                let created = store
                    .submission_list_create(std::slice::from_ref(&new))
                    .await;
                (new.id, created.unwrap())
            })
        })
        .collect();
    let mut stored = Vec::new();
    for rival in rivals {
        let (id, created) = rival.await.unwrap();
        if matches!(created[..], [Created::Stored { .. }]) {
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
async fn what_is_stored_already_stays_as_it_is(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let new = fixture.new_submission().await;
    let first = fixture.try_store(&new).await;
    assert!(matches!(first, Created::Stored { .. }));
    assert_eq!(fixture.try_store(&new).await, first);
    let other = fixture.new_submission().await;
    let both = fixture.store.submission_list_create(&[new, other]).await;
    assert_eq!(both.unwrap()[0], first);
    assert_eq!(fixture.count("SELECT count(*) FROM outbox").await, 2);
}

#[sqlx::test(migrations = "../migrations")]
async fn each_of_many_is_stored_with_what_is_its_own(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let mut all = Vec::new();
    for number in 0..5_usize {
        let mut new = fixture.new_submission().await;
        new.team = Some(format!("team {number}"));
        let file = new.files[0].clone();
        new.files = (0..=number)
            .map(|part| SourceFile {
                name: format!("{number}_{part}.cpp"),
                ..file.clone()
            })
            .collect();
        all.push(new);
    }
    // Of an older package, among others that are right.
    all[3].package_id = uuid::Uuid::nil();
    let created = fixture.store.submission_list_create(&all).await.unwrap();
    for (new, created) in all.into_iter().zip(created) {
        let read = fixture.store.submission_read(new.id).await.unwrap();
        match created {
            Created::Stored { submitted_at } => {
                let stored = serde_json::to_value(new.stored("sum".into(), submitted_at)).unwrap();
                assert_eq!(serde_json::to_value(read).unwrap(), stored);
            }
            created => {
                assert_eq!((created, read.is_none()), (Created::PackageReplaced, true));
                assert_eq!(new.team.as_deref(), Some("team 3"));
            }
        }
    }
    for (table, rows) in [
        ("SELECT count(*) FROM submission_files", 11),
        ("SELECT count(*) FROM judgement_history", 4),
        ("SELECT count(*) FROM outbox", 4),
    ] {
        assert_eq!(fixture.count(table).await, rows, "{table}");
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
