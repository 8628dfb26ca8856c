//! Lanes: what they hold, and which workers take it.

use std::collections::BTreeMap;

use assize_common::Lane;
use assize_common::id::WorkerId;
use assize_common::message::{
    LanguageVersion, Registered, Report, Started, WorkerMode, WorkerReport,
};
use chrono::Utc;
use sqlx::PgPool;

use crate::fixture::{Fixture, SETTINGS};
use crate::reports::apply_batch;
use crate::store::{LaneLoad, Store, lane_languages, lane_load, outbox_claim, outbox_remove};

#[sqlx::test(migrations = "../migrations")]
async fn a_lane_is_as_loaded_as_its_workers_and_tasks_say(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let load = async |lane| {
        let mut transaction = fixture.store.begin().await.unwrap();
        lane_load(&mut transaction, lane, SETTINGS.lease, None)
            .await
            .unwrap()
    };
    let idle = LaneLoad {
        paused: false,
        published: 0,
        slots: 0,
        live_waits: false,
        languages: None,
    };
    assert_eq!(load(Lane::Live).await, idle);
    let (_, held) = fixture.submit().await;
    assert_eq!(
        load(Lane::Rejudge).await,
        LaneLoad {
            live_waits: true,
            ..idle.clone()
        }
    );

    let mut transaction = fixture.store.begin().await.unwrap();
    let claimed = outbox_claim(&mut transaction, Lane::Live, 10, None, SETTINGS.lease)
        .await
        .unwrap();
    outbox_remove(&mut transaction, &[claimed[0].id])
        .await
        .unwrap();
    Store::commit(transaction).await.unwrap();
    assert_eq!(
        load(Lane::Live).await,
        LaneLoad {
            published: 1,
            ..idle.clone()
        }
    );

    let worker = WorkerId::generate();
    let registered = Report::Registered(Registered {
        name: "w1".into(),
        version: "0".into(),
        slots: 6,
        lanes: vec!["live".into(), "flagged".into()],
        languages: Vec::new(),
    });
    let report = async |report| {
        let report = WorkerReport {
            worker_id: worker,
            report,
        };
        apply_batch(&fixture.store, &[&report], SETTINGS)
            .await
            .unwrap();
    };
    report(registered).await;
    assert_eq!(load(Lane::Live).await.slots, 6);
    assert_eq!(load(Lane::Rejudge).await.slots, 0);
    report(Report::Started(Started {
        judgement: held,
        at: Utc::now(),
    }))
    .await;
    assert_eq!(load(Lane::Live).await.published, 0, "taken up");
    report(Report::Stopped).await;
    assert_eq!(load(Lane::Live).await.slots, 0);

    fixture
        .store
        .lane_pause(Lane::Live, "lunch", fixture.token_id)
        .await
        .unwrap();
    assert!(load(Lane::Live).await.paused);
    fixture.store.lane_resume(Lane::Live).await.unwrap();
    assert_eq!(load(Lane::Live).await, idle);

    // Registered before claims had bounds: more than can be counted.
    fixture
        .execute(
            "INSERT INTO workers (id, name, version, slots, lanes, languages)
             SELECT gen_random_uuid(), 'forged', '0', 2147483647, ARRAY['live'], '[]' FROM generate_series(1, 5)",
        )
        .await
        .unwrap();
    assert_eq!(load(Lane::Live).await.slots, u32::MAX);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_task_waits_for_a_worker_that_has_its_language(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let claimed = async || {
        let mut transaction = fixture.store.begin().await.unwrap();
        let load = lane_load(&mut transaction, Lane::Live, SETTINGS.lease, None);
        let languages = load.await.unwrap().languages;
        outbox_claim(
            &mut transaction,
            Lane::Live,
            10,
            languages.as_deref(),
            SETTINGS.lease,
        )
        .await
        .unwrap()
        .len()
    };
    let missing = async || {
        let missing = fixture.store.language_list_missing(SETTINGS.lease);
        missing.await.unwrap().into_iter().collect::<Vec<_>>()
    };
    let register = async |languages: &[&str]| {
        let report = Report::Registered(Registered {
            name: "w".into(),
            version: "0".into(),
            slots: 1,
            lanes: vec!["live".into()],
            languages: languages
                .iter()
                .map(|id| LanguageVersion {
                    id: (*id).to_owned(),
                    version: String::new(),
                })
                .collect(),
        });
        let report = WorkerReport {
            worker_id: WorkerId::generate(),
            report,
        };
        apply_batch(&fixture.store, &[&report], SETTINGS)
            .await
            .unwrap();
    };
    let live_waits = async || {
        let mut transaction = fixture.store.begin().await.unwrap();
        let live = lane_languages(&mut transaction, Lane::Live, SETTINGS.lease);
        let live = live.await.unwrap();
        let load = lane_load(
            &mut transaction,
            Lane::Rejudge,
            SETTINGS.lease,
            live.as_deref(),
        );
        load.await.unwrap().live_waits
    };
    fixture.submit().await;
    assert_eq!(claimed().await, 1, "no worker yet, of whatever languages");
    register(&["c", "python3"]).await;
    assert_eq!(claimed().await, 0);
    assert_eq!(missing().await, [("cpp20".to_owned(), 1)]);
    assert!(
        !live_waits().await,
        "no rejudging waits for what nobody can judge"
    );
    register(&["cpp20"]).await;
    assert_eq!((claimed().await, missing().await.len()), (1, 0));
    assert!(live_waits().await);
    let drain = "UPDATE workers SET mode = 'drain' WHERE languages @> '[{\"id\": \"cpp20\"}]'";
    fixture.execute(drain).await.unwrap();
    assert_eq!((claimed().await, missing().await.len()), (0, 1));
    let (cancelled, _) = fixture.submit().await;
    assert_eq!(
        (claimed().await, missing().await),
        (0, vec![("cpp20".to_owned(), 2)])
    );
    fixture
        .store
        .submission_cancel(cancelled, "a mistake")
        .await
        .unwrap();
    assert_eq!(claimed().await, 1, "to be removed");
    assert_eq!(missing().await, [("cpp20".to_owned(), 1)]);
    // One of a release that says nothing of its languages may have all.
    register(&[]).await;
    assert_eq!((claimed().await, missing().await.len()), (2, 0));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_lane_that_no_worker_takes_is_told(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let missing = async || {
        fixture
            .store
            .lane_list_missing(SETTINGS.lease)
            .await
            .unwrap()
    };
    assert_eq!(missing().await, BTreeMap::new(), "nothing waits");
    fixture.submit().await;
    assert_eq!(missing().await, BTreeMap::from([(Lane::Live, 1)]));
    let mode = async |worker: WorkerId, mode| {
        assert!(fixture.store.worker_set_mode(worker, mode).await.unwrap());
    };
    let mut workers = Vec::new();
    for lane in ["rejudge", "live"] {
        let worker_id = WorkerId::generate();
        let report = Report::Registered(Registered {
            name: lane.into(),
            version: "0".into(),
            slots: 1,
            lanes: vec![lane.into()],
            languages: Vec::new(),
        });
        let report = WorkerReport { worker_id, report };
        apply_batch(&fixture.store, &[&report], SETTINGS)
            .await
            .unwrap();
        assert_eq!(missing().await.is_empty(), lane == "live");
        workers.push(worker_id);
    }
    mode(workers[1], WorkerMode::Cordon).await;
    assert_eq!(missing().await, BTreeMap::from([(Lane::Live, 1)]));
}
