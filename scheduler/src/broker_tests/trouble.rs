//! Tasks and reports when something is not.

use super::*;

#[sqlx::test(migrations = "../migrations")]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn a_task_that_vanished_comes_again(pool: PgPool) {
    let settings = Settings {
        lost_task_age: Duration::from_millis(400),
        ..SETTINGS
    };
    let installation = Installation::new(pool, settings).await;
    let stop = CancellationToken::new();
    let scheduler = installation.scheduler(&stop);
    let mut worker = installation.worker().await;
    let (id, _) = installation.fixture.submit().await;
    let lost = worker.take().await;
    let again = worker.take().await;
    assert_eq!(
        (again.judgement_id, again.attempt),
        (lost.judgement_id, lost.attempt + 1)
    );
    worker.start(&again).await;
    worker.finish(&again).await;
    assert_eq!(
        installation.ended(id).await.summary.state,
        JudgementState::Done
    );
    stopped(stop, scheduler).await;
}

#[sqlx::test(migrations = "../migrations")]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn a_worker_that_falls_silent_loses_its_judgements(pool: PgPool) {
    let settings = Settings {
        lease: Duration::from_millis(500),
        retry: crate::store::RetryPolicy {
            max_failures: 2,
            first_delay: Duration::from_millis(10),
        },
        ..SETTINGS
    };
    let installation = Installation::new(pool, settings).await;
    let stop = CancellationToken::new();
    let scheduler = installation.scheduler(&stop);
    let mut worker = installation.worker().await;
    let (id, _) = installation.fixture.submit().await;
    for attempt in 1..=2 {
        let task = worker.take().await;
        assert_eq!(task.attempt, attempt);
        worker.start(&task).await;
    }
    let judgement = installation.ended(id).await;
    assert_eq!(judgement.summary.state, JudgementState::Error);
    stopped(stop, scheduler).await;
}

#[sqlx::test(migrations = "../migrations")]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn what_nobody_can_read_goes_to_the_dead_letters(pool: PgPool) {
    let installation = Installation::new(pool, SETTINGS).await;
    let stop = CancellationToken::new();
    let scheduler = installation.scheduler(&stop);
    let mut worker = installation.worker().await;
    let (id, _) = installation.fixture.submit().await;
    let task = worker.take().await;
    let mut impossible = finished(worker.id, held(&task), Verdict::Ac);
    if let Report::Finished(finished) = &mut impossible.report
        && let message::Judged::Verdict { runs, .. } = &mut finished.outcome
    {
        runs[0].memory_bytes = u64::MAX;
    }
    let garbage = [
        b"\xff\x00".to_vec(),
        b"{\"v\":99}".to_vec(),
        worker.encode(impossible),
    ];
    for message in &garbage {
        let publishing = worker.publisher.publish(&worker.reports, message);
        publishing.await.unwrap();
    }
    worker.finish(&task).await;
    let store = &installation.fixture.store;
    let first = dead_letters(store, garbage.len()).await;
    let mut reasons: Vec<&str> = first.iter().map(|dead| dead.reason.as_str()).collect();
    reasons.sort_unstable();
    assert!(reasons[0].contains("version 99"), "{reasons:?}");
    assert_eq!(reasons[1], "the database refused it");
    assert!(reasons[2].contains("not JSON"), "{reasons:?}");
    assert!(first.iter().all(|dead| dead.queue == worker.reports));
    // What is still unreadable comes to nothing a second time.
    let again = first.iter().find(|dead| dead.reason == reasons[2]).unwrap();
    let admin = make_token(store, &[Scope::Admin]).await.id();
    let decided = store.dead_letter_decide(again.id, DeadLetterState::Retrying, admin);
    assert_eq!(decided.await.unwrap(), Some(DeadLetterState::Retrying));
    let second = dead_letters(store, garbage.len()).await;
    assert_eq!(second[0].reason, again.reason);
    assert!(second[0].id > first[0].id);
    assert_eq!(
        installation.ended(id).await.summary.verdict,
        Some(Verdict::Ac)
    );
    stopped(stop, scheduler).await;
}

/// Or whoever has such a message would send it for ever.
#[sqlx::test(migrations = "../migrations")]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn a_message_that_the_broker_refuses_is_told_from_a_lost_connection(pool: PgPool) {
    let installation = Installation::new(pool, SETTINGS).await;
    let (url, topology) = (&installation.url, &installation.topology);
    let connection = Connection::open(url, "test", topology, Role::Scheduler).await;
    let connection = connection.unwrap();
    let publisher = connection.publisher().await.unwrap();
    // More than RabbitMQ takes unless it is told otherwise, whatever its version.
    let message = vec![b'x'; 200 << 20];
    let queue = installation.topology.reports();
    let refused = publisher.publish(&queue, &message).await.unwrap_err();
    assert!(refused.is_refusal_of_message(), "{refused:?}");
    let publisher = connection.publisher().await.unwrap();
    connection.close().await.unwrap();
    let lost = publisher.publish(&queue, b"{}").await.unwrap_err();
    assert!(!lost.is_refusal_of_message(), "{lost:?}");
}

/// The dead letters that nobody has decided about, once there are so many; the latest first.
async fn dead_letters(store: &Store, number: usize) -> Vec<DeadLetterInfo> {
    let waiting = async {
        loop {
            let mut found = store.dead_letter_list(false, 10).await.unwrap();
            found.retain(|dead| dead.state == DeadLetterState::Waiting);
            if found.len() >= number {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .expect("the dead letters come")
}

#[sqlx::test(migrations = "../migrations")]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn breaking_database_connections_lose_nothing(pool: PgPool) {
    let installation = Installation::new(pool.clone(), SETTINGS).await;
    let stop = CancellationToken::new();
    let scheduler = installation.scheduler(&stop);
    let mut worker = installation.worker().await;
    let breaking = tokio::spawn(async move {
        // Often enough to break every kind of statement, and then no more.
        for _ in 0..30 {
            sqlx::query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND application_name = 'assize-scheduler'",
            )
            .execute(&pool)
            .await
            .unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let mut submitted = Vec::new();
    for _ in 0..40 {
        submitted.push(installation.fixture.submit().await.0);
    }
    // A broken commit may have published a task without noting it: it comes twice.
    let mut finished = std::collections::HashSet::new();
    while finished.len() < submitted.len() {
        let task = worker.take().await;
        worker.start(&task).await;
        worker.finish(&task).await;
        finished.insert(task.judgement_id);
    }
    breaking.await.unwrap();
    for id in submitted {
        let judgement = installation.ended(id).await;
        assert_eq!(judgement.summary.verdict, Some(Verdict::Ac));
        assert_eq!(judgement.runs.len(), 2);
    }
    stopped(stop, scheduler).await;
}

/// A package without its validator, say, of which no team knows.
#[sqlx::test(migrations = "../migrations")]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn what_judging_fails_on_waits_and_all_else_is_judged(pool: PgPool) {
    let installation = Installation::new(pool, SETTINGS).await;
    let stop = CancellationToken::new();
    let scheduler = installation.scheduler(&stop);
    let mut worker = installation.worker().await;
    let repaired = Arc::new(AtomicBool::new(false));
    let is_repaired = repaired.clone();
    let judging = tokio::spawn(async move {
        loop {
            let task = worker.take().await;
            worker.start(&task).await;
            if task.language == "java" || is_repaired.load(Ordering::Relaxed) {
                worker.finish(&task).await;
            } else {
                worker.report(judging_error(worker.id, held(&task))).await;
            }
        }
    });
    let store = &installation.fixture.store;
    let submit = async |team: &str, language: &str| {
        let mut new = installation.fixture.new_submission().await;
        new.team = Some(team.to_owned());
        new.language = language.to_owned();
        installation.fixture.stored(&new).await
    };
    let mut failing = Vec::new();
    for team in ["a", "b", "c"] {
        failing.push(submit(team, "cpp20").await);
    }
    let paused = async {
        while store.pause_list().await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, paused)
        .await
        .expect("the culprit is paused");
    let late = submit("d", "cpp20").await;
    let other = submit("d", "java").await;
    let judgement = installation.ended(other).await;
    assert_eq!(judgement.summary.verdict, Some(Verdict::Ac));
    assert_eq!(installation.fixture.held(late).await.attempt, 1);
    assert_eq!(installation.state(late).await, JudgementState::Queued);

    repaired.store(true, Ordering::Relaxed);
    let by = installation.fixture.token_id;
    let ended = store.pause_end(Some("sum"), Some("cpp20"), by).await;
    assert!(ended.unwrap());
    let judgement = installation.ended(late).await;
    assert_eq!(
        (judgement.summary.verdict, judgement.summary.attempt),
        (Some(Verdict::Ac), 1)
    );
    for id in failing {
        installation.ended(id).await;
    }
    judging.abort();
    stopped(stop, scheduler).await;
}
