//! The outbox: any number of relays, each task once.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use assize_common::Lane;
use assize_common::id::{JudgementId, SubmissionId, WorkerId};
use assize_common::message::{
    HandedBack, LanguageVersion, Registered, Report, Started, Task, WorkerMode, WorkerReport,
};
use chrono::Utc;
use sqlx::PgPool;
use tokio::sync::Barrier;

use crate::fixture::{Fixture, SETTINGS, judging_error};
use crate::reports::apply_batch;
use crate::store::{
    LaneLoad, NewStoredSubmission, OUTBOX_CHANNEL, Store, lane_languages, lane_load, outbox_claim,
    outbox_remove,
};

#[sqlx::test(migrations = "../migrations")]
async fn a_task_carries_what_the_worker_needs(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (id, held) = fixture.submit().await;
    let mut transaction = fixture.store.begin().await.unwrap();
    let claimed = outbox_claim(&mut transaction, Lane::Live, 10, None, SETTINGS.lease)
        .await
        .unwrap();
    let [claimed] = claimed.as_slice() else {
        panic!("{claimed:?}")
    };
    let task = claimed.task.as_ref().unwrap();
    assert_eq!((task.judgement_id, task.attempt), (held.judgement_id, 1));
    assert_eq!(task.submission_id, id);
    assert_eq!(
        task.package,
        crate::fixture::package(1).archive_sha256,
        "the blob, not the content"
    );
    assert_eq!(task.files, fixture.new_submission().await.files);
    outbox_remove(&mut transaction, &[claimed.id])
        .await
        .unwrap();
    Store::commit(transaction).await.unwrap();
    assert_eq!(fixture.count("SELECT count(*) FROM outbox").await, 0);
    let dispatched = "SELECT count(*) FROM judgements WHERE dispatched_at IS NOT NULL";
    assert_eq!(fixture.count(dispatched).await, 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn relays_side_by_side_never_take_the_same_task(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    for _ in 0..30 {
        fixture.submit().await;
    }
    let barrier = Arc::new(Barrier::new(3));
    let relays: Vec<_> = (0..3)
        .map(|_| {
            let (store, barrier) = (fixture.store.clone(), barrier.clone());
            tokio::spawn(async move {
                let mut transaction = store.begin().await.unwrap();
                let claimed = outbox_claim(&mut transaction, Lane::Live, 10, None, SETTINGS.lease)
                    .await
                    .unwrap();
                // Nobody is done before everybody has taken.
                barrier.wait().await;
                let ids: Vec<i64> = claimed.iter().map(|claimed| claimed.id).collect();
                outbox_remove(&mut transaction, &ids).await.unwrap();
                Store::commit(transaction).await.unwrap();
                ids
            })
        })
        .collect();
    let mut seen = HashSet::new();
    for relay in relays {
        for id in relay.await.unwrap() {
            assert!(seen.insert(id), "{id} was taken twice");
        }
    }
    assert_eq!(seen.len(), 30);
    assert_eq!(fixture.count("SELECT count(*) FROM outbox").await, 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_relay_that_dies_leaves_its_tasks_to_others(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    fixture.submit().await;
    let mut transaction = fixture.store.begin().await.unwrap();
    let claimed = outbox_claim(&mut transaction, Lane::Live, 10, None, SETTINGS.lease)
        .await
        .unwrap();
    outbox_remove(&mut transaction, &[claimed[0].id])
        .await
        .unwrap();
    // Waited for, unlike a drop: until then the row is locked and skipped.
    transaction.rollback().await.unwrap();
    let mut transaction = fixture.store.begin().await.unwrap();
    let again = outbox_claim(&mut transaction, Lane::Live, 10, None, SETTINGS.lease)
        .await
        .unwrap();
    assert_eq!(again.len(), 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn tasks_wait_for_their_time_and_their_lane(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (id, held) = fixture.submit().await;
    let worker = WorkerId::generate();
    apply_batch(&fixture.store, &[&judging_error(worker, held)], SETTINGS)
        .await
        .unwrap();
    let mut transaction = fixture.store.begin().await.unwrap();
    let claimed = outbox_claim(&mut transaction, Lane::Live, 10, None, SETTINGS.lease)
        .await
        .unwrap();
    // The first attempt's row is there, but nobody wants it any more.
    assert_eq!(claimed.len(), 1);
    assert!(claimed[0].task.is_none());
    let other = outbox_claim(&mut transaction, Lane::Rejudge, 10, None, SETTINGS.lease)
        .await
        .unwrap();
    assert!(other.is_empty());
    transaction.rollback().await.unwrap();

    fixture
        .execute("UPDATE outbox SET not_before = now()")
        .await
        .unwrap();
    let mut transaction = fixture.store.begin().await.unwrap();
    let claimed = outbox_claim(&mut transaction, Lane::Live, 10, None, SETTINGS.lease)
        .await
        .unwrap();
    let tasks: Vec<_> = claimed
        .iter()
        .filter_map(|claimed| claimed.task.as_ref())
        .collect();
    assert_eq!(tasks.len(), 1);
    assert_eq!(tasks[0].attempt, fixture.held(id).await.attempt);
    assert_eq!(
        tasks[0].files.len(),
        1,
        "though the first row has them, too"
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn the_bell_rings_for_new_attempts(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let mut listener = fixture.store.listen(OUTBOX_CHANNEL).await.unwrap();
    // Who submits wakes the relay without Postgres.
    let (_, held) = fixture.submit().await;
    let handed_back = WorkerReport {
        worker_id: WorkerId::generate(),
        report: Report::HandedBack(HandedBack {
            judgement: held,
            reason: "draining".into(),
            earlier_deliveries: 0,
            unsuited: false,
        }),
    };
    apply_batch(&fixture.store, &[&handed_back], SETTINGS)
        .await
        .unwrap();
    assert_eq!(listener.next().await.unwrap().payload(), "live");
}

/// Submits for teams in this order, one by one and again all together but the first
/// one, and returns the orders of their turns.
async fn orders_of_turns(fixture: &Fixture, teams: &[(&str, Option<&str>)]) -> [Vec<String>; 2] {
    let mut all = Vec::new();
    for (contest, team) in teams {
        let mut new = fixture.new_submission().await;
        new.contest = Some((*contest).to_owned()).filter(|contest| !contest.is_empty());
        new.team = team.map(Into::into);
        fixture.stored(&new).await;
        all.push(new);
    }
    let one_by_one = claimed_names(fixture, &all).await;
    fixture.execute("DELETE FROM outbox").await.unwrap();
    for new in &mut all {
        new.id = SubmissionId::generate();
        new.judgement_id = JudgementId::generate();
    }
    fixture.stored(&all[0]).await;
    let together = fixture.store.submission_list_create(&all[1..]).await;
    together.unwrap();
    [one_by_one, claimed_names(fixture, &all).await]
}

/// Contest, team and number of those that were submitted, in the order of their turns.
async fn claimed_names(fixture: &Fixture, submitted: &[NewStoredSubmission]) -> Vec<String> {
    let mut transaction = fixture.store.begin().await.unwrap();
    let claimed = outbox_claim(&mut transaction, Lane::Live, 1000, None, SETTINGS.lease)
        .await
        .unwrap();
    let tasks = claimed.into_iter().filter_map(|claimed| claimed.task);
    let name = |task: Task| {
        let of_task = |new: &NewStoredSubmission| new.judgement_id == task.judgement_id;
        let index = submitted.iter().position(of_task).unwrap();
        let (contest, team) = (&submitted[index].contest, &submitted[index].team);
        let contest = contest.as_deref().unwrap_or_default();
        format!("{contest} {} {index}", team.as_deref().unwrap_or("-"))
    };
    tasks.map(name).collect()
}

#[sqlx::test(migrations = "../migrations")]
async fn a_team_that_has_much_waiting_waits_more(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let teams = ["flood", "flood", "flood", "seals", "seals", "owls"];
    let orders = orders_of_turns(&fixture, &teams.map(|team| ("finals", Some(team)))).await;
    for order in orders {
        assert_eq!(
            order,
            [
                "finals flood 0",
                "finals seals 3",
                "finals owls 5",
                "finals flood 1",
                "finals seals 4",
                "finals flood 2"
            ]
        );
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_contest_that_has_much_waiting_waits_more(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let names: Vec<String> = (0..40).map(|team| format!("team {team}")).collect();
    let mut teams: Vec<_> = names
        .iter()
        .map(|team| ("large", Some(team.as_str())))
        .collect();
    teams.push(("small", Some("seals")));
    // Of no contest and no team: nobody's turn but its own.
    teams.push(("", None));
    teams.push(("", None));
    for order in orders_of_turns(&fixture, &teams).await {
        let place = |name: &str| order.iter().position(|other| other == name).unwrap();
        assert!(place("small seals 40") < 20, "{order:?}");
        assert!(place(" - 42") < 20, "{order:?}");
        let large: Vec<_> = order
            .iter()
            .filter(|name| name.starts_with("large"))
            .collect();
        let number = |name: &str| name.rsplit(' ').next().unwrap().parse::<u32>().unwrap();
        assert!(large.is_sorted_by_key(|name| number(name)));
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_new_attempt_has_its_turn_at_once(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (_, first) = fixture.submit().await;
    for _ in 0..3 {
        fixture.submit().await;
    }
    let handed_back = WorkerReport {
        worker_id: WorkerId::generate(),
        report: Report::HandedBack(HandedBack {
            judgement: first,
            reason: "draining".into(),
            earlier_deliveries: 0,
            unsuited: false,
        }),
    };
    apply_batch(&fixture.store, &[&handed_back], SETTINGS)
        .await
        .unwrap();
    let mut transaction = fixture.store.begin().await.unwrap();
    let claimed = outbox_claim(&mut transaction, Lane::Live, 10, None, SETTINGS.lease)
        .await
        .unwrap();
    let tasks: Vec<_> = claimed
        .iter()
        .filter_map(|claimed| claimed.task.as_ref())
        .collect();
    assert_eq!(
        (tasks[0].judgement_id, tasks[0].attempt),
        (first.judgement_id, 2)
    );
}

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
    };
    assert_eq!(load(Lane::Live).await, idle);
    let (_, held) = fixture.submit().await;
    assert_eq!(
        load(Lane::Rejudge).await,
        LaneLoad {
            live_waits: true,
            ..idle
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
            ..idle
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
async fn a_long_wait_alone_does_not_make_a_task_lost(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let age = Duration::from_secs(60);
    let list = async || {
        fixture
            .store
            .judgement_list_undispatched(Lane::Live, age, 10)
            .await
            .unwrap()
    };
    let (_, old) = fixture.submit().await;
    fixture
        .execute("UPDATE judgements SET queued_at = now() - interval '5 min', dispatched_at = NULL")
        .await
        .unwrap();
    assert!(list().await.is_empty(), "it is still in the outbox");
    fixture.execute("DELETE FROM outbox").await.unwrap();
    fixture
        .execute("UPDATE judgements SET dispatched_at = now() - interval '4 min'")
        .await
        .unwrap();
    let [waiting] = list().await.try_into().unwrap();
    assert_eq!((waiting.held, waiting.overtaken), (old, false));

    // A task published much later that a worker took up.
    fixture.submit().await;
    fixture
        .execute(
            "UPDATE judgements SET state = 'running', dispatched_at = now(), started_at = now(), worker_id = id,
                 lease_until = now() + interval '1 min'
             WHERE dispatched_at IS NULL",
        )
        .await
        .unwrap();
    let [lost] = list().await.try_into().unwrap();
    assert_eq!((lost.held, lost.overtaken), (old, true));
}

#[sqlx::test(migrations = "../migrations")]
async fn what_waits_is_counted(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    for _ in 0..3 {
        fixture.submit().await;
    }
    let backlog = fixture.store.backlog_count().await.unwrap();
    assert_eq!(backlog.outbox_unsent, 3);
    assert_eq!(
        (backlog.lanes[0].lane, backlog.lanes[0].queued),
        (Lane::Live, 3)
    );
    assert!(backlog.outbox_oldest_seconds >= 0.0);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_task_waits_for_a_worker_that_has_its_language(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let claimed = async || {
        let mut transaction = fixture.store.begin().await.unwrap();
        let languages = lane_languages(&mut transaction, Lane::Live, SETTINGS.lease)
            .await
            .unwrap();
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
