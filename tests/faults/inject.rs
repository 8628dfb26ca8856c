//! How each fault is brought about, and ended.

mod files;

use std::time::Duration;

use assize_common::amqp::{Connection, Role};

use super::daemon::{Daemon, send_signal};
use super::fault::{
    Broker, Clock, Database, Deed, Fault, Fleet, Link, Messages, SchedulerMoment, Trouble, Way,
    WorkerMoment,
};
use super::frame::Point;
use super::installation::{Installation, LEASE, Worker};
use super::load::Program;
use super::proxy::{Flow, Proxy, Weather};
use super::random::Random;

/// How long to wait for a point that may not come, as when others keep everything from moving.
const POINT: Duration = Duration::from_secs(6);
/// Into the half second that a slow program takes.
const INTO: Duration = Duration::from_millis(200);
/// In seconds.
const HOUR: i64 = 3_600;

impl Installation {
    /// Brings a fault about and returns when it is over.
    pub(super) async fn inject(&self, fault: Fault, random: &mut Random) {
        match fault {
            Fault::Worker(moment, deed) => self.hit_worker(moment, deed, random).await,
            Fault::Jail(deed) => {
                let worker = self.holder_of(Program::SlowToRun, random).await;
                let jails = worker.daemon.descendants();
                match deed {
                    Deed::Kill => send_signal("KILL", &jails).await,
                    Deed::Stop => {
                        send_signal("STOP", &jails).await;
                        tokio::time::sleep(random.millis(300, 3_000)).await;
                        send_signal("CONT", &jails).await;
                    }
                }
            }
            Fault::WorkerDiskFull => {
                let disk = &self.workers[0].disk;
                disk.fill();
                tokio::time::sleep(random.millis(1_000, 5_000)).await;
                disk.free();
            }
            Fault::Scheduler(moment, deed) => self.hit_scheduler(moment, deed, random).await,
            Fault::Fleet(fleet) => self.hit_fleet(fleet, random).await,
            Fault::Network(link, trouble) => {
                let proxies = self.proxies(link, random);
                disturb(&proxies, trouble, random).await;
            }
            Fault::Broker(broker) => self.hit_broker(broker, random).await,
            Fault::Database(database) => self.hit_database(database, random).await,
            Fault::Messages(messages) => self.hit_messages(messages, random).await,
            Fault::Files(files) => self.hit_files(files, random).await,
            Fault::Clock(clock, way) => {
                let clock = match clock {
                    Clock::Worker => &random.pick(&self.workers).clock,
                    Clock::Scheduler => &random.pick(&self.schedulers).clock,
                    Clock::Database => &self.postgres.clock,
                };
                clock.jump(if way == Way::Ahead { HOUR } else { -HOUR });
                tokio::time::sleep(random.millis(1_500, 6_000)).await;
                clock.jump(0);
            }
        }
    }

    async fn hit_worker(&self, moment: WorkerMoment, deed: Deed, random: &mut Random) {
        let finished = Point::ReportSent("finished");
        let points: &[Point] = match moment {
            WorkerMoment::TaskOnItsWay => &[Point::TaskDelivered],
            WorkerMoment::Claimed => &[Point::ReportSent("started")],
            WorkerMoment::VerdictUnsent => &[finished],
            WorkerMoment::VerdictUnconfirmed => &[finished, Point::Confirmed],
            WorkerMoment::TaskUnacknowledged => &[finished, Point::Acknowledged],
            WorkerMoment::Compiling | WorkerMoment::Running => {
                let slow = if moment == WorkerMoment::Compiling {
                    Program::SlowToCompile
                } else {
                    Program::SlowToRun
                };
                let worker = self.holder_of(slow, random).await;
                self.note_descendants(&worker.daemon);
                return commit(deed, &worker.daemon, random).await;
            }
        };
        let worker = random.pick(&self.workers);
        let proxy = &worker.broker;
        self.note_descendants(&worker.daemon);
        at_point(proxy, points, deed, &worker.daemon, random).await;
    }

    async fn hit_scheduler(&self, moment: SchedulerMoment, deed: Deed, random: &mut Random) {
        let scheduler = random.pick(&self.schedulers);
        let (proxy, points): (_, &[Point]) = match moment {
            SchedulerMoment::InTransaction => (&scheduler.database, &[Point::Commit]),
            SchedulerMoment::Committed => (&scheduler.database, &[Point::Committed]),
            SchedulerMoment::BeforePublishing => (&scheduler.broker, &[Point::TaskSent]),
            SchedulerMoment::TaskUnconfirmed => {
                (&scheduler.broker, &[Point::TaskSent, Point::Confirmed])
            }
            SchedulerMoment::ReportUnacknowledged => (
                &scheduler.broker,
                &[Point::ReportDelivered, Point::Acknowledged],
            ),
        };
        at_point(proxy, points, deed, &scheduler.daemon, random).await;
    }

    async fn hit_fleet(&self, fleet: Fleet, random: &mut Random) {
        match fleet {
            Fleet::DrainWorker => {
                let worker = random.pick(&self.workers);
                worker.daemon.end("TERM").await;
                worker.daemon.start().await;
            }
            Fleet::RollingRestart => {
                for daemon in self.daemons() {
                    daemon.end("TERM").await;
                    daemon.start().await;
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
            Fleet::KillSchedulers => {
                let kills = self.schedulers.iter().map(|scheduler| {
                    let pause = random.millis(0, 1_000);
                    async move { scheduler.daemon.kill(pause).await }
                });
                futures_util::future::join_all(kills.collect::<Vec<_>>()).await;
            }
            Fleet::KillEverything => {
                let services = async {
                    let second = Duration::from_secs(1);
                    tokio::join!(
                        self.postgres.restart("KILL", second),
                        self.rabbitmq.restart("KILL", second)
                    )
                };
                let daemons = self.daemons().map(|daemon| daemon.kill(Duration::ZERO));
                tokio::join!(services, futures_util::future::join_all(daemons));
            }
        }
    }

    async fn hit_broker(&self, broker: Broker, random: &mut Random) {
        let rabbitmq = &self.rabbitmq;
        match broker {
            Broker::Kill => rabbitmq.restart("KILL", random.millis(0, 1_500)).await,
            Broker::Restart => rabbitmq.restart("TERM", Duration::ZERO).await,
            Broker::Stop => {
                rabbitmq
                    .daemon
                    .stand_still(random.millis(1_000, 5_000))
                    .await
            }
            // For longer than anything may take otherwise, at times.
            Broker::MemoryAlarm => rabbitmq.alarm(random.millis(1_000, 15_000)).await,
            Broker::DiskAlarm => {
                rabbitmq.control(&["set_disk_free_limit", "999GB"]).await;
                tokio::time::sleep(random.millis(1_000, 6_000)).await;
                rabbitmq.control(&["set_disk_free_limit", "50MB"]).await;
            }
            Broker::Purge | Broker::DeleteQueues => {
                let deletes = broker == Broker::DeleteQueues;
                // It may be down already in a mix.
                let _gone = self.empty_queues(deletes).await;
            }
            Broker::CloseConnections => {
                rabbitmq.control(&["close_all_connections", "fault"]).await;
            }
        }
    }

    async fn empty_queues(&self, deletes: bool) -> Result<(), lapin::Error> {
        let url = self.rabbitmq.direct_url();
        let connection = lapin::Connection::connect(url.reveal(), Default::default()).await?;
        for queue in self.queues() {
            let channel = connection.create_channel().await?;
            // Closes the channel if there is no such queue.
            let _gone = if deletes {
                channel.queue_delete(queue.into(), Default::default()).await
            } else {
                channel.queue_purge(queue.into(), Default::default()).await
            };
        }
        connection.close(200, "done".into()).await
    }

    async fn hit_database(&self, database: Database, random: &mut Random) {
        let postgres = &self.postgres;
        match database {
            Database::Kill => postgres.restart("KILL", random.millis(0, 1_500)).await,
            Database::Restart => postgres.restart("INT", Duration::ZERO).await,
            Database::Stop => {
                postgres
                    .stand_still(LEASE + random.millis(500, 4_000))
                    .await;
            }
            Database::FailOver => postgres.fail_over(random.millis(0, 1_500)).await,
            Database::DiskFull => postgres.fill_disk(random.millis(1_000, 5_000)).await,
            Database::Locks => {
                let pause = random.millis(1_000, 5_000);
                let locking = async {
                    let mut transaction = self.database.begin().await?;
                    for table in ["judgements", "outbox", "workers"] {
                        let lock = format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
                        sqlx::query(sqlx::AssertSqlSafe(lock))
                            .execute(&mut *transaction)
                            .await?;
                    }
                    tokio::time::sleep(pause).await;
                    transaction.rollback().await
                };
                // It may be down already in a mix.
                let _gone: sqlx::Result<()> = locking.await;
            }
            Database::Terminate => {
                let terminate = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                     WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
                for _ in 0..random.between(1, 5) {
                    let _gone = sqlx::query(terminate).execute(&self.database).await;
                    tokio::time::sleep(random.millis(50, 400)).await;
                }
            }
        }
    }

    async fn hit_messages(&self, messages: Messages, random: &mut Random) {
        match messages {
            Messages::Again => {
                let workers = self.workers.iter().map(|worker| &worker.broker);
                let schedulers = self.schedulers.iter().map(|scheduler| &scheduler.broker);
                let mut sent: Vec<Vec<u8>> =
                    workers.chain(schedulers).flat_map(Proxy::sent).collect();
                sent.sort_by_cached_key(|_| random.between(0, u64::MAX));
                let messages = sent.iter().filter_map(|message| {
                    let text = String::from_utf8_lossy(message);
                    let queue = if text.contains(r#""package":"#) {
                        self.topology.lane(assize_common::Lane::Live)
                    } else if text.contains(r#""report":"#) {
                        self.topology.reports()
                    } else {
                        // What workers are told has no queue.
                        return None;
                    };
                    Some((queue, message.clone()))
                });
                self.publish(messages.collect()).await;
            }
            Messages::Unreadable => {
                let garbage: [&[u8]; 4] = [b"", b"\xff\x00", b"{\"v\":99}", b"{\"v\":1}"];
                let messages = self
                    .queues()
                    .into_iter()
                    .map(|queue| (queue, random.pick(&garbage).to_vec()));
                self.publish(messages.collect()).await;
            }
            Messages::GarbledReports => {
                let proxy = &random.pick(&self.workers).broker;
                garble(proxy, random).await;
            }
            Messages::GarbledTasks => {
                let proxy = &random.pick(&self.schedulers).broker;
                garble(proxy, random).await;
            }
        }
    }

    async fn publish(&self, messages: Vec<(String, Vec<u8>)>) {
        let publishing = async {
            let url = self.rabbitmq.direct_url();
            let connection =
                Connection::open(&url, "faults", &self.topology, Role::Scheduler).await?;
            let publisher = connection.publisher().await?;
            for (queue, message) in messages {
                publisher.publish(&queue, &message).await?;
            }
            connection.close().await
        };
        // It may be down already in a mix.
        let _gone = publishing.await;
    }

    /// One proxy of the kind, or all of them.
    fn proxies(&self, link: Link, random: &mut Random) -> Vec<Proxy> {
        let workers = self.workers.iter();
        let schedulers = self.schedulers.iter();
        let all: Vec<Proxy> = match link {
            Link::WorkerBroker => workers.map(|worker| worker.broker.clone()).collect(),
            Link::WorkerScheduler => workers.map(|worker| worker.files.clone()).collect(),
            Link::SchedulerBroker => schedulers.map(|one| one.broker.clone()).collect(),
            Link::SchedulerDatabase => schedulers.map(|one| one.database.clone()).collect(),
            Link::SchedulerBucket => schedulers.filter_map(|one| one.bucket.clone()).collect(),
        };
        if random.between(0, 3) == 0 {
            all
        } else {
            vec![random.pick(&all).clone()]
        }
    }

    /// Submits a slow program and returns the worker that is at it; any worker
    /// if none takes it up in time.
    async fn holder_of(&self, program: Program, random: &mut Random) -> Worker {
        let load = self.load.clone();
        // A request must not be given up half way.
        let submitting = tokio::spawn(async move { load.submit(program).await });
        let found = async {
            let id = submitting.await.unwrap();
            let holder = "SELECT w.name FROM judgements j JOIN workers w ON w.id = j.worker_id
                 WHERE j.submission_id = $1 AND j.state = 'running'";
            loop {
                let name: Result<Option<String>, _> = sqlx::query_scalar(holder)
                    .bind(id.as_uuid())
                    .fetch_optional(&self.database)
                    .await;
                if let Ok(Some(name)) = name {
                    let mut workers = self.workers.iter();
                    break workers.find(|worker| worker.daemon.name() == name).unwrap();
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        match tokio::time::timeout(POINT, found).await {
            Ok(worker) => {
                tokio::time::sleep(INTO).await;
                worker.clone()
            }
            Err(_) => random.pick(&self.workers).clone(),
        }
    }
}

/// Does the deed when a link is at a point, or without it if it does not come.
async fn at_point(
    proxy: &Proxy,
    points: &[Point],
    deed: Deed,
    daemon: &Daemon,
    random: &mut Random,
) {
    let sprung = tokio::time::timeout(POINT, proxy.stop_at(points))
        .await
        .ok();
    match deed {
        Deed::Kill => {
            // First the process, or it would learn that the link is gone.
            daemon.end("KILL").await;
            drop(sprung);
            tokio::time::sleep(random.millis(0, 1_000)).await;
            daemon.start().await;
        }
        Deed::Stop => {
            daemon.signal("STOP").await;
            if let Some(sprung) = sprung {
                sprung.go_on();
            }
            tokio::time::sleep(LEASE + random.millis(500, 2_500)).await;
            daemon.signal("CONT").await;
        }
    }
}

async fn commit(deed: Deed, daemon: &Daemon, random: &mut Random) {
    match deed {
        Deed::Kill => daemon.kill(random.millis(0, 1_000)).await,
        Deed::Stop => daemon.stand_still(LEASE + random.millis(500, 2_500)).await,
    }
}

async fn garble(proxy: &Proxy, random: &mut Random) {
    proxy.garble(u32::try_from(random.between(1, 6)).unwrap());
    tokio::time::sleep(random.millis(500, 2_000)).await;
    proxy.stop_garbling();
}

async fn disturb(proxies: &[Proxy], trouble: Trouble, random: &mut Random) {
    let weather = match trouble {
        Trouble::Cut | Trouble::Reset => {
            for proxy in proxies {
                proxy.cut(trouble == Trouble::Reset);
            }
            return;
        }
        Trouble::CutInFrame => {
            for proxy in proxies {
                proxy.cut_after(u32::try_from(random.between(1, 60)).unwrap());
            }
            return tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Trouble::Flapping => {
            for _ in 0..random.between(3, 10) {
                for proxy in proxies {
                    proxy.cut(random.between(0, 2) == 0);
                }
                tokio::time::sleep(random.millis(50, 600)).await;
            }
            return;
        }
        Trouble::SilentToServer => Weather {
            to_server: Flow::Held,
            ..Weather::default()
        },
        Trouble::SilentToClient => Weather {
            to_client: Flow::Held,
            ..Weather::default()
        },
        Trouble::SilentBothWays => Weather {
            to_server: Flow::Held,
            to_client: Flow::Held,
            refuses: false,
        },
        Trouble::Slow => Weather {
            to_server: Flow::Slow(random.millis(5, 40)),
            to_client: Flow::Slow(random.millis(5, 40)),
            refuses: false,
        },
        Trouble::Refused => Weather {
            refuses: true,
            ..Weather::default()
        },
    };
    for proxy in proxies {
        proxy.weather(weather);
        if trouble == Trouble::Refused {
            proxy.cut(false);
        }
    }
    // Shorter than the lease and longer.
    tokio::time::sleep(random.millis(500, 7_000)).await;
    for proxy in proxies {
        proxy.weather(Weather::default());
        // What was silent may never speak again: a middlebox has forgotten it.
        if random.between(0, 2) == 0 {
            proxy.cut(true);
        }
    }
}
