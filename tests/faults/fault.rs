//! What can go wrong, by name.

use std::fmt;

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    Worker(WorkerMoment, Deed),
    Jail,
    Scheduler(SchedulerMoment, Deed),
    Fleet(Fleet),
    Network(Link, Trouble),
    Broker(Broker),
    Database(Database),
    Messages(Messages),
    Files(Files),
    Clock(Clock, Way),
}

/// What is done to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Deed {
    Kill,
    /// Stopped for longer than its lease, and let go on.
    Stop,
}

/// When a worker is hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum WorkerMoment {
    TaskOnItsWay,
    Claimed,
    Compiling,
    Running,
    VerdictUnsent,
    VerdictUnconfirmed,
    TaskUnacknowledged,
}

/// When a scheduler is hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SchedulerMoment {
    InTransaction,
    Committed,
    BeforePublishing,
    TaskUnconfirmed,
    ReportUnacknowledged,
}

/// What is done to several daemons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fleet {
    DrainWorker,
    RollingRestart,
    KillSchedulers,
    KillEverything,
}

/// Between whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Link {
    WorkerBroker,
    SchedulerBroker,
    SchedulerDatabase,
    WorkerScheduler,
}

/// What is wrong with a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trouble {
    Cut,
    Reset,
    CutInFrame,
    SilentToServer,
    SilentToClient,
    SilentBothWays,
    Flapping,
    Slow,
    Refused,
}

/// What is done to RabbitMQ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Broker {
    Kill,
    Restart,
    Stop,
    MemoryAlarm,
    DiskAlarm,
    Purge,
    DeleteQueues,
    CloseConnections,
}

/// What is done to Postgres.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Database {
    Kill,
    Restart,
    Stop,
    Locks,
    Terminate,
    /// To its replica, which gets one of its own.
    FailOver,
    DiskFull,
}

/// What is done with messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Messages {
    /// The latest ones once more, in another order.
    Again,
    /// Garbage in every queue.
    Unreadable,
    /// Garbled on their way from workers.
    GarbledReports,
    /// Garbled on their way from schedulers.
    GarbledTasks,
}

/// What is done to stored sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Files {
    Damaged,
    Missing,
    Garbled,
}

/// Whose clock jumps, and comes back after a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Clock {
    Worker,
    Scheduler,
    Database,
}

/// Where a clock jumps: by an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    Ahead,
    Back,
}

impl Fault {
    /// All of them.
    pub(super) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for deed in [Deed::Kill, Deed::Stop] {
            use SchedulerMoment as S;
            use WorkerMoment as W;
            let worker = [
                W::TaskOnItsWay,
                W::Claimed,
                W::Compiling,
                W::Running,
                W::VerdictUnsent,
                W::VerdictUnconfirmed,
                W::TaskUnacknowledged,
            ];
            all.extend(worker.map(|moment| Self::Worker(moment, deed)));
            let scheduler = [
                S::InTransaction,
                S::Committed,
                S::BeforePublishing,
                S::TaskUnconfirmed,
                S::ReportUnacknowledged,
            ];
            all.extend(scheduler.map(|moment| Self::Scheduler(moment, deed)));
        }
        all.push(Self::Jail);
        all.extend(
            [
                Fleet::DrainWorker,
                Fleet::RollingRestart,
                Fleet::KillSchedulers,
                Fleet::KillEverything,
            ]
            .map(Self::Fleet),
        );
        for link in [
            Link::WorkerBroker,
            Link::SchedulerBroker,
            Link::SchedulerDatabase,
            Link::WorkerScheduler,
        ] {
            let troubles = [
                Trouble::Cut,
                Trouble::Reset,
                Trouble::CutInFrame,
                Trouble::SilentToServer,
                Trouble::SilentToClient,
                Trouble::SilentBothWays,
                Trouble::Flapping,
                Trouble::Slow,
                Trouble::Refused,
            ];
            all.extend(troubles.map(|trouble| Self::Network(link, trouble)));
        }
        all.extend(
            [
                Broker::Kill,
                Broker::Restart,
                Broker::Stop,
                Broker::MemoryAlarm,
                Broker::DiskAlarm,
                Broker::Purge,
                Broker::DeleteQueues,
                Broker::CloseConnections,
            ]
            .map(Self::Broker),
        );
        all.extend(
            [
                Database::Kill,
                Database::Restart,
                Database::Stop,
                Database::Locks,
                Database::Terminate,
                Database::FailOver,
                Database::DiskFull,
            ]
            .map(Self::Database),
        );
        all.extend(
            [
                Messages::Again,
                Messages::Unreadable,
                Messages::GarbledReports,
                Messages::GarbledTasks,
            ]
            .map(Self::Messages),
        );
        all.extend([Files::Damaged, Files::Missing, Files::Garbled].map(Self::Files));
        for clock in [Clock::Worker, Clock::Scheduler, Clock::Database] {
            all.extend([Way::Ahead, Way::Back].map(|way| Self::Clock(clock, way)));
        }
        all
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Worker(moment, deed) => write!(f, "worker {deed} {moment}"),
            Self::Jail => f.write_str("jail killed while a program runs"),
            Self::Scheduler(moment, deed) => write!(f, "scheduler {deed} {moment}"),
            Self::Fleet(what) => f.write_str(match what {
                Fleet::DrainWorker => "worker told to stop, another start",
                Fleet::RollingRestart => "rolling restart of all daemons",
                Fleet::KillSchedulers => "both schedulers killed",
                Fleet::KillEverything => "all daemons and services killed at once",
            }),
            Self::Network(link, trouble) => write!(f, "{link}: {trouble}"),
            Self::Broker(what) => f.write_str(match what {
                Broker::Kill => "RabbitMQ killed",
                Broker::Restart => "RabbitMQ restarted",
                Broker::Stop => "RabbitMQ stands still",
                Broker::MemoryAlarm => "RabbitMQ short of memory",
                Broker::DiskAlarm => "RabbitMQ short of disk",
                Broker::Purge => "RabbitMQ's queues purged",
                Broker::DeleteQueues => "RabbitMQ's queues deleted",
                Broker::CloseConnections => "RabbitMQ closes all connections",
            }),
            Self::Database(what) => f.write_str(match what {
                Database::Kill => "Postgres killed",
                Database::Restart => "Postgres restarted",
                Database::Stop => "Postgres stands still",
                Database::Locks => "Postgres: tables locked",
                Database::Terminate => "Postgres ends all sessions",
                Database::FailOver => "Postgres lost, its replica promoted",
                Database::DiskFull => "Postgres's disk full",
            }),
            Self::Messages(what) => f.write_str(match what {
                Messages::Again => "messages again, late, in another order",
                Messages::Unreadable => "unreadable messages in every queue",
                Messages::GarbledReports => "reports garbled on their way",
                Messages::GarbledTasks => "tasks garbled on their way",
            }),
            Self::Files(what) => f.write_str(match what {
                Files::Damaged => "stored sources damaged",
                Files::Missing => "stored sources missing",
                Files::Garbled => "sources garbled on their way",
            }),
            Self::Clock(clock, way) => write!(f, "clock of {clock} an hour {way}"),
        }
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Worker => "a worker",
            Self::Scheduler => "a scheduler",
            Self::Database => "Postgres",
        })
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ahead => "ahead for a while",
            Self::Back => "back for a while",
        })
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kill => "killed",
            Self::Stop => "stopped beyond its lease",
        })
    }
}

impl fmt::Display for WorkerMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TaskOnItsWay => "before a task reaches it",
            Self::Claimed => "after it took a task",
            Self::Compiling => "while it compiles",
            Self::Running => "while a program runs",
            Self::VerdictUnsent => "before it sends a verdict",
            Self::VerdictUnconfirmed => "before a verdict's confirm",
            Self::TaskUnacknowledged => "after the confirm, before the acknowledgement",
        })
    }
}

impl fmt::Display for SchedulerMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InTransaction => "in a transaction",
            Self::Committed => "after a commit that it does not know of",
            Self::BeforePublishing => "between commit and publishing",
            Self::TaskUnconfirmed => "before a task's confirm",
            Self::ReportUnacknowledged => "before it acknowledges reports",
        })
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WorkerBroker => "worker–broker",
            Self::SchedulerBroker => "scheduler–broker",
            Self::SchedulerDatabase => "scheduler–database",
            Self::WorkerScheduler => "worker–scheduler",
        })
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cut => "cut",
            Self::Reset => "reset",
            Self::CutInFrame => "cut in the middle of a frame",
            Self::SilentToServer => "silent one way",
            Self::SilentToClient => "silent the other way",
            Self::SilentBothWays => "silent both ways",
            Self::Flapping => "flapping",
            Self::Slow => "slow",
            Self::Refused => "refused",
        })
    }
}
