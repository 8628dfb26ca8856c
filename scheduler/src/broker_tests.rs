//! Whole schedulers with a real RabbitMQ and workers that only pretend to judge.
//!
//! They need `ASSIZE_TEST_AMQP_URL` and so are run with `--run-ignored`; the
//! `tests` crate runs the same paths with real workers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use assize_common::Verdict;
use assize_common::amqp::{AmqpUrl, Connection, Consumer, Publisher, Role, Topology};
use assize_common::api::{DeadLetterInfo, DeadLetterState, Judgement, JudgementState, Scope};
use assize_common::id::{SubmissionId, WorkerId};
use assize_common::language::LanguageTable;
use assize_common::message::{
    self, Control, HandedBack, HeldJudgement, Report, Started, Task, Ticket, TicketedReport,
    WorkerReport,
};
use bytesize::ByteSize;
use chrono::Utc;
use sqlx::PgPool;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::blob::BlobStore;
use crate::fixture::{Fixture, SETTINGS, finished, judging_error, make_token};
use crate::serve::{Config, ServeError, serve};
use crate::settings::Settings;
use crate::store::{FEWEST_CONNECTIONS, Store};

const PATIENCE: Duration = Duration::from_secs(20);

struct Installation {
    fixture: Fixture,
    topology: Topology,
    url: AmqpUrl,
    config: Config,
    _data: TempDir,
}

impl Installation {
    async fn new(pool: PgPool, settings: Settings) -> Self {
        let url: AmqpUrl = std::env::var("ASSIZE_TEST_AMQP_URL")
            .expect("ASSIZE_TEST_AMQP_URL names a RabbitMQ to test with")
            .parse()
            .unwrap();
        let data = tempfile::tempdir().unwrap();
        // As it is where there are packages.
        BlobStore::open(data.path()).unwrap();
        let prefix = format!("test-{}", uuid::Uuid::now_v7().simple());
        let config = Config {
            database: pool.connect_options().as_ref().clone().into(),
            database_connections: FEWEST_CONNECTIONS,
            database_wait: Duration::from_secs(5),
            amqp: url.clone(),
            amqp_prefix: prefix.clone(),
            listen: "127.0.0.1:0".parse().unwrap(),
            address_file: None,
            data_directory: data.path().to_owned(),
            bucket: None,
            languages: LanguageTable::embedded().unwrap(),
            suspicion: crate::suspicion::SuspicionRules::load(None).unwrap(),
            max_package: ByteSize::mib(1),
            team_feedback: Vec::new(),
            settings,
        };
        Self {
            fixture: Fixture::new(pool).await,
            topology: Topology::new(&prefix),
            url,
            config,
            _data: data,
        }
    }

    fn scheduler(&self, stop: &CancellationToken) -> JoinHandle<Result<(), ServeError>> {
        tokio::spawn(serve(
            self.config.clone(),
            Arc::new(String::new),
            stop.clone(),
        ))
    }

    async fn worker(&self) -> Worker {
        let connection = Connection::open(&self.url, "test", &self.topology, Role::Scheduler)
            .await
            .unwrap();
        Worker {
            id: WorkerId::generate(),
            tasks: connection
                .consume(&self.topology.lane(assize_common::Lane::Live), 10)
                .await
                .unwrap(),
            publisher: connection.publisher().await.unwrap(),
            reports: self.topology.reports(),
            tickets: Mutex::default(),
            connection,
        }
    }

    async fn state(&self, id: SubmissionId) -> JudgementState {
        let judgement = self.fixture.store.judgement_read_current(id).await;
        judgement.unwrap().unwrap().summary.state
    }

    async fn ended(&self, id: SubmissionId) -> Judgement {
        let waiting = async {
            loop {
                let judgement = self.fixture.store.judgement_read_current(id).await;
                let judgement = judgement.unwrap().unwrap();
                if judgement.summary.state.is_final() {
                    return judgement;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .expect("the judgement ends")
    }
}

struct Worker {
    id: WorkerId,
    tasks: Consumer,
    publisher: Publisher,
    reports: String,
    /// Of all tasks that it took.
    tickets: Mutex<Vec<Ticket>>,
    connection: Connection,
}

impl Worker {
    /// The next task, acknowledged at once, as no worker of ours would.
    async fn take(&mut self) -> Task {
        let delivery = tokio::time::timeout(PATIENCE, self.tasks.next())
            .await
            .expect("a task comes")
            .expect("the queue is there");
        let task: Task = message::decode(delivery.body()).unwrap();
        delivery.ack().await.unwrap();
        self.tickets.lock().unwrap().extend(task.ticket.clone());
        task
    }

    fn encode(&self, report: WorkerReport) -> Vec<u8> {
        let tickets = self.tickets.lock().unwrap().clone();
        message::encode(&TicketedReport { report, tickets }).unwrap()
    }

    async fn report(&self, report: WorkerReport) {
        let message = self.encode(report);
        self.publisher
            .publish(&self.reports, &message)
            .await
            .unwrap();
    }

    async fn start(&self, task: &Task) {
        let judgement = held(task);
        let at = Utc::now();
        self.report(WorkerReport {
            worker_id: self.id,
            report: Report::Started(Started { judgement, at }),
        })
        .await;
    }

    async fn lack_language(&self, task: &Task) {
        self.report(WorkerReport {
            worker_id: self.id,
            report: Report::HandedBack(HandedBack {
                judgement: held(task),
                reason: "no such language here".to_owned(),
                earlier_deliveries: 0,
                unsuited: true,
            }),
        })
        .await;
    }

    async fn finish(&self, task: &Task) {
        self.report(finished(self.id, held(task), Verdict::Ac))
            .await;
    }
}

fn held(task: &Task) -> HeldJudgement {
    HeldJudgement {
        judgement_id: task.judgement_id,
        attempt: task.attempt,
    }
}

async fn stopped(stop: CancellationToken, scheduler: JoinHandle<Result<(), ServeError>>) {
    stop.cancel();
    tokio::time::timeout(PATIENCE, scheduler)
        .await
        .expect("it stops")
        .unwrap()
        .unwrap();
}

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
