//! Tasks and reports when all is well.

use super::*;

#[sqlx::test(migrations = "../migrations")]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn two_schedulers_share_the_work(pool: PgPool) {
    let installation = Installation::new(pool, SETTINGS).await;
    let stop = CancellationToken::new();
    let schedulers = [installation.scheduler(&stop), installation.scheduler(&stop)];
    let mut worker = installation.worker().await;
    let mut submitted = Vec::new();
    for _ in 0..50 {
        submitted.push(installation.fixture.submit().await.0);
    }
    for _ in 0..50 {
        let task = worker.take().await;
        worker.start(&task).await;
        // Everything twice: at least once is all that anybody promises.
        worker.finish(&task).await;
        worker.finish(&task).await;
    }
    for id in submitted {
        let judgement = installation.ended(id).await;
        assert_eq!(
            (judgement.summary.verdict, judgement.summary.attempt),
            (Some(Verdict::Ac), 1)
        );
    }
    stop.cancel();
    for scheduler in schedulers {
        stopped(stop.clone(), scheduler).await;
    }
    assert_eq!(
        installation
            .fixture
            .count("SELECT count(*) FROM outbox")
            .await,
        0
    );
    assert_eq!(
        installation
            .fixture
            .count("SELECT count(*) FROM runs")
            .await,
        100
    );
}

#[sqlx::test(migrations = "../migrations")]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn a_task_comes_to_the_worker_that_has_its_language(pool: PgPool) {
    let installation = Installation::new(pool, SETTINGS).await;
    let stop = CancellationToken::new();
    let mut able = installation.worker().await;
    let mut unable = installation.worker().await;
    let scheduler = installation.scheduler(&stop);
    let mut submitted = Vec::new();
    for _ in 0..8 {
        submitted.push(installation.fixture.submit().await.0);
    }
    let detouring = tokio::spawn(async move {
        loop {
            let task = unable.take().await;
            unable.start(&task).await;
            unable.lack_language(&task).await;
        }
    });
    for _ in &submitted {
        let task = able.take().await;
        able.start(&task).await;
        able.finish(&task).await;
    }
    detouring.abort();
    for id in submitted {
        let judgement = installation.ended(id).await;
        assert_eq!(judgement.summary.verdict, Some(Verdict::Ac));
    }
    let harmed = "SELECT count(*) FROM judgements WHERE failures > 0 OR losses > 0";
    assert_eq!(installation.fixture.count(harmed).await, 0);
    let detours = "SELECT count(*) FROM judgements WHERE attempt > 1";
    assert!(installation.fixture.count(detours).await > 0);
    stopped(stop, scheduler).await;
}

#[sqlx::test(migrations = "../migrations")]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn the_broker_holds_no_more_than_a_window(pool: PgPool) {
    let installation = Installation::new(pool, SETTINGS).await;
    let stop = CancellationToken::new();
    let mut submitted = Vec::new();
    for _ in 0..40 {
        submitted.push(installation.fixture.submit().await.0);
    }
    let scheduler = installation.scheduler(&stop);
    let mut worker = installation.worker().await;
    let published =
        "SELECT count(*) FROM judgements WHERE state = 'queued' AND dispatched_at IS NOT NULL";
    // No worker has registered: sixteen may wait for the first one.
    let mut taken = Vec::new();
    for _ in 0..16 {
        taken.push(worker.take().await);
    }
    // A task may be here before its dispatch is noted.
    let noted = async {
        while installation.fixture.count(published).await < 16 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, noted).await.unwrap();
    assert_eq!(installation.fixture.count(published).await, 16);
    assert_eq!(
        installation
            .fixture
            .count("SELECT count(*) FROM outbox")
            .await,
        24
    );
    // Each one that is taken up makes room for another.
    while let Some(task) = taken.pop() {
        worker.start(&task).await;
        worker.finish(&task).await;
        if submitted.len() > 16 {
            submitted.pop();
            taken.insert(0, worker.take().await);
        }
        assert!(installation.fixture.count(published).await <= 16);
    }
    stopped(stop, scheduler).await;
    assert_eq!(
        installation
            .fixture
            .count("SELECT count(*) FROM outbox")
            .await,
        0
    );
}

#[sqlx::test(migrations = "../migrations")]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn workers_are_told_to_leave_what_is_cancelled(pool: PgPool) {
    let installation = Installation::new(pool, SETTINGS).await;
    let stop = CancellationToken::new();
    let scheduler = installation.scheduler(&stop);
    let mut worker = installation.worker().await;
    let mut told = worker.connection.listen().await.unwrap();
    let (id, judgement) = installation.fixture.submit().await;
    let task = worker.take().await;
    worker.start(&task).await;
    let store = &installation.fixture.store;
    let running = async {
        while installation.state(id).await != JudgementState::Running {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, running).await.unwrap();
    assert!(store.submission_cancel(id, "wrong problem").await.unwrap());
    assert!(!store.submission_cancel(id, "again").await.unwrap());
    let heard = tokio::time::timeout(PATIENCE, told.next()).await;
    let heard = heard.expect("the workers are told").unwrap();
    assert_eq!(
        message::decode::<Control>(heard.body()).unwrap(),
        Control::Cancel(judgement)
    );
    // What the worker says of it in the end moves nothing.
    worker.finish(&task).await;
    let judgement = installation.ended(id).await;
    assert_eq!(judgement.summary.state, JudgementState::Error);
    assert_eq!(judgement.summary.error.unwrap(), "cancelled: wrong problem");
    stopped(stop, scheduler).await;
}

/// A thief of a worker's credential knows ids of judgements, as of those that it took
/// itself or that teams see, but has no ticket for them.
#[sqlx::test(migrations = "../migrations")]
#[ignore = "needs ASSIZE_TEST_AMQP_URL"]
async fn only_the_holder_of_a_task_may_report_on_it(pool: PgPool) {
    let installation = Installation::new(pool, SETTINGS).await;
    let stop = CancellationToken::new();
    let scheduler = installation.scheduler(&stop);
    let mut worker = installation.worker().await;
    let (own, _) = installation.fixture.submit().await;
    let taken = worker.take().await;
    worker.finish(&taken).await;
    installation.ended(own).await;

    let thief = WorkerId::generate();
    let stolen = worker.tickets.lock().unwrap().clone();
    let (id, held) = installation.fixture.submit().await;
    let task = worker.take().await;
    assert_eq!(self::held(&task), held);
    let tickets = std::mem::replace(&mut *worker.tickets.lock().unwrap(), stolen);
    worker.report(finished(thief, held, Verdict::Ac)).await;
    worker.report(judging_error(thief, held)).await;
    *worker.tickets.lock().unwrap() = tickets;
    worker.report(finished(worker.id, held, Verdict::Wa)).await;
    let judgement = installation.ended(id).await;
    assert_eq!(judgement.summary.verdict, Some(Verdict::Wa));
    assert_eq!(judgement.summary.attempt, 1);
    stopped(stop, scheduler).await;

    // Unless an admin says that old workers still run.
    let mut installation = installation;
    installation.config.settings.ticketless_reports = true;
    let stop = CancellationToken::new();
    let scheduler = installation.scheduler(&stop);
    let (id, _) = installation.fixture.submit().await;
    let task = worker.take().await;
    worker.tickets.lock().unwrap().clear();
    worker.finish(&task).await;
    let judgement = installation.ended(id).await;
    assert_eq!(judgement.summary.verdict, Some(Verdict::Ac));
    stopped(stop, scheduler).await;
}
