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

mod dispatch;
mod trouble;

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
