//! What can go wrong, by name.

mod name;

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    Worker(WorkerMoment, Deed),
    /// Mid-run; one that is stopped goes on after a moment.
    Jail(Deed),
    /// Of the one worker; another one must be able to judge.
    WorkerDiskFull,
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
    /// In an installation with a bucket.
    SchedulerBucket,
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
    /// With packages: nothing is there, and nothing can be written.
    Unmounted,
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
    /// All that can be wrong with a link.
    pub(super) fn all_of(link: Link) -> [Self; 9] {
        [
            Trouble::Cut,
            Trouble::Reset,
            Trouble::CutInFrame,
            Trouble::SilentToServer,
            Trouble::SilentToClient,
            Trouble::SilentBothWays,
            Trouble::Flapping,
            Trouble::Slow,
            Trouble::Refused,
        ]
        .map(|trouble| Self::Network(link, trouble))
    }

    /// All of them, but those of a bucket.
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
        all.extend([
            Self::Jail(Deed::Kill),
            Self::Jail(Deed::Stop),
            Self::WorkerDiskFull,
        ]);
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
            all.extend(Self::all_of(link));
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
        all.extend(
            [
                Files::Damaged,
                Files::Missing,
                Files::Garbled,
                Files::Unmounted,
            ]
            .map(Self::Files),
        );
        for clock in [Clock::Worker, Clock::Scheduler, Clock::Database] {
            all.extend([Way::Ahead, Way::Back].map(|way| Self::Clock(clock, way)));
        }
        all
    }
}
