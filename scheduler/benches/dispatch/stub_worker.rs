//! A worker that says that it started and, at once, that it is done.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use assize_common::amqp::{Connection, Consumer, Delivery, Publisher, Role};
use assize_common::id::{SubmissionId, WorkerId};
use assize_common::message::{
    self, CompileReport, Exit, Finished, HeldJudgement, Judged, Registered, Report, RunReport,
    Started, Task, Ticket, TicketedReport, WorkerReport,
};
use assize_common::{Lane, Verdict};
use chrono::Utc;

use crate::installation::Installation;

pub(crate) struct StubWorker(Arc<Shared>);

struct Shared {
    id: WorkerId,
    publisher: Publisher,
    reports: String,
    taken: Mutex<HashMap<SubmissionId, Instant>>,
    expected: Mutex<HashMap<SubmissionId, Instant>>,
    rejudged: AtomicU32,
    _connection: Connection,
}

impl StubWorker {
    pub(crate) async fn start(installation: &Installation, slots: u16) -> Self {
        let topology = &installation.topology;
        let connection =
            Connection::open(&installation.amqp, "stub worker", topology, Role::Scheduler)
                .await
                .unwrap();
        let mut consumers = Vec::new();
        for lane in [Lane::Live, Lane::Rejudge] {
            let queue = topology.lane(lane);
            consumers.push(connection.consume(&queue, slots).await.unwrap());
        }
        let shared = Arc::new(Shared {
            id: WorkerId::generate(),
            publisher: connection.publisher().await.unwrap(),
            reports: topology.reports(),
            taken: Mutex::default(),
            expected: Mutex::default(),
            rejudged: AtomicU32::new(0),
            _connection: connection,
        });
        let registered = Report::Registered(Registered {
            name: "stub".into(),
            version: "0".into(),
            slots: slots.into(),
            lanes: vec!["live".into(), "rejudge".into()],
            languages: Vec::new(),
        });
        shared.report(registered, Vec::new()).await;
        for consumer in consumers {
            tokio::spawn(shared.clone().work(consumer));
        }
        Self(shared)
    }

    /// Tells when a submission was sent.
    pub(crate) fn expect(&self, id: SubmissionId, sent_at: Instant) {
        self.0.expected.lock().unwrap().insert(id, sent_at);
    }

    /// Waits until that many of the expected ones came and returns how long each took.
    pub(crate) async fn delays(&self, number: usize) -> Vec<Duration> {
        loop {
            {
                let (expected, taken) = (
                    self.0.expected.lock().unwrap(),
                    self.0.taken.lock().unwrap(),
                );
                let delays: Vec<_> = expected
                    .iter()
                    .filter_map(|(id, sent)| Some(taken.get(id)?.duration_since(*sent)))
                    .collect();
                if delays.len() >= number {
                    return delays;
                }
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    pub(crate) fn rejudged(&self) -> u32 {
        self.0.rejudged.load(Ordering::Relaxed)
    }
}

impl Shared {
    async fn work(self: Arc<Self>, mut consumer: Consumer) {
        while let Some(delivery) = consumer.next().await {
            let task: Task = message::decode(delivery.body()).unwrap();
            if task.lane == Lane::Live {
                let mut taken = self.taken.lock().unwrap();
                taken.entry(task.submission_id).or_insert_with(Instant::now);
            } else {
                self.rejudged.fetch_add(1, Ordering::Relaxed);
            }
            tokio::spawn(self.clone().judge(task, delivery));
        }
    }

    async fn judge(self: Arc<Self>, task: Task, delivery: Delivery) {
        let judgement = HeldJudgement {
            judgement_id: task.judgement_id,
            attempt: task.attempt,
        };
        let at = Utc::now();
        let started = Report::Started(Started { judgement, at });
        let finished = Report::Finished(Box::new(Finished {
            judgement,
            started_at: at,
            finished_at: at,
            outcome: Judged::Verdict {
                verdict: Verdict::Ac,
                compile: CompileReport {
                    success: true,
                    cached: true,
                    cpu_time_ms: 0,
                    wall_time_ms: 0,
                    memory_bytes: 0,
                    output: String::new(),
                },
                runs: (0..10).map(run).collect(),
                score: None,
                groups: Vec::new(),
                audit: None,
                provenance: None,
                outputs: Vec::new(),
            },
        }));
        let tickets = || task.ticket.iter().cloned().collect();
        tokio::join!(
            self.report(started, tickets()),
            self.report(finished, tickets())
        );
        delivery.ack().await.unwrap();
    }

    async fn report(&self, report: Report, tickets: Vec<Ticket>) {
        let message = message::encode(&TicketedReport {
            report: WorkerReport {
                worker_id: self.id,
                report,
            },
            tickets,
        })
        .unwrap();
        let publishing = self.publisher.publish(&self.reports, &message);
        publishing.await.unwrap();
    }
}

fn run(number: u32) -> RunReport {
    RunReport {
        testcase: format!("secret/{number:02}"),
        verdict: Verdict::Ac,
        cpu_time_ms: 10,
        wall_time_ms: 10,
        memory_bytes: 1_000_000,
        exit: Exit::Exited { code: 0 },
        kill_cause: None,
        message: None,
        team_message: None,
        award: None,
        failure: None,
        difference: None,
        transcripts: Vec::new(),
        key: None,
        reused_from: None,
        key_parts: None,
        validated_again: None,
    }
}
