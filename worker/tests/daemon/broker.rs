//! The test's own connection to RabbitMQ.

use std::time::Duration;

use assize_common::Lane;
use assize_common::amqp::{AmqpUrl, Connection, Consumer, Publisher, Role, Topology};
use assize_common::id::WorkerId;
use assize_common::message::{self, Control, Finished, Report, Task, WorkerReport};

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Broker {
    pub(crate) url: AmqpUrl,
    pub(crate) prefix: String,
    pub(crate) topology: Topology,
    pub(crate) connection: Connection,
    publisher: Publisher,
    reports: Consumer,
    /// The worker whose report came last.
    pub(crate) latest: WorkerId,
}

impl Broker {
    pub(crate) async fn connect() -> Self {
        let url: AmqpUrl = std::env::var("ASSIZE_TEST_AMQP_URL")
            .expect("ASSIZE_TEST_AMQP_URL names a RabbitMQ to test with")
            .parse()
            .unwrap();
        let prefix = format!("test-{}", uuid::Uuid::now_v7().simple());
        let topology = Topology::new(&prefix);
        let connection = Connection::open(&url, "test", &topology, Role::Scheduler)
            .await
            .unwrap();
        Self {
            publisher: connection.publisher().await.unwrap(),
            reports: connection.consume(&topology.reports(), 100).await.unwrap(),
            latest: WorkerId::generate(),
            url,
            prefix,
            topology,
            connection,
        }
    }

    pub(crate) async fn publish(&self, task: &Task) {
        self.publish_raw(task.lane, &message::encode(task).unwrap())
            .await;
    }

    pub(crate) async fn publish_raw(&self, lane: Lane, message: &[u8]) {
        self.publisher
            .publish(&self.topology.lane(lane), message)
            .await
            .unwrap();
    }

    /// Tells the workers something.
    pub(crate) async fn tell(&self, control: &Control) {
        let message = message::encode(control).unwrap();
        self.publisher.broadcast(&message).await.unwrap();
    }

    /// Tasks that nobody has taken.
    pub(crate) async fn waiting(&self, lane: Lane) -> u32 {
        self.connection
            .waiting_messages(&self.topology.lane(lane))
            .await
            .unwrap()
    }

    /// The next report of any kind.
    pub(crate) async fn report(&mut self) -> Report {
        let delivery = tokio::time::timeout(PATIENCE, self.reports.next())
            .await
            .expect("a report comes")
            .expect("the queue is there");
        let report: WorkerReport = message::decode(delivery.body()).unwrap();
        delivery.ack().await.unwrap();
        self.latest = report.worker_id;
        report.report
    }

    /// The next report that `wanted` picks.
    pub(crate) async fn report_of<T>(&mut self, wanted: impl Fn(Report) -> Option<T>) -> T {
        loop {
            if let Some(report) = wanted(self.report().await) {
                return report;
            }
        }
    }

    pub(crate) async fn registered(&mut self) -> message::Registered {
        self.report_of(|report| match report {
            Report::Registered(registered) => Some(registered),
            _ => None,
        })
        .await
    }

    pub(crate) async fn started(&mut self) -> message::Started {
        self.report_of(|report| match report {
            Report::Started(started) => Some(started),
            _ => None,
        })
        .await
    }

    /// The next task that is given back; none must be judged before.
    pub(crate) async fn handed_back(&mut self) -> message::HandedBack {
        self.report_of(|report| match report {
            Report::HandedBack(handed_back) => Some(handed_back),
            Report::Finished(finished) => panic!("finished: {finished:?}"),
            _ => None,
        })
        .await
    }

    pub(crate) async fn finished(&mut self) -> Finished {
        self.report_of(|report| match report {
            Report::Finished(finished) => Some(*finished),
            _ => None,
        })
        .await
    }

    /// All reports until the worker says good-bye.
    pub(crate) async fn until_stopped(&mut self) -> Vec<Report> {
        let mut reports = Vec::new();
        loop {
            match self.report().await {
                Report::Stopped => return reports,
                report => reports.push(report),
            }
        }
    }
}
