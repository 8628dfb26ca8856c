//! What faults are called in tables.

use std::fmt;

use super::{
    Broker, Clock, Database, Deed, Fault, Files, Fleet, Link, Messages, SchedulerMoment, Trouble,
    Way, WorkerMoment,
};

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Worker(moment, deed) => write!(f, "worker {deed} {moment}"),
            Self::Jail(Deed::Kill) => f.write_str("jail killed while a program runs"),
            Self::Jail(Deed::Stop) => f.write_str("jail stopped for a moment while a program runs"),
            Self::WorkerDiskFull => f.write_str("worker's disk full"),
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
                Files::Unmounted => "blob store's disk unmounted",
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
            Self::SchedulerBucket => "scheduler–bucket",
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
