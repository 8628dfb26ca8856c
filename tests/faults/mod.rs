//! Everything breaks, and no submission is lost or judged twice.
//!
//! An installation of real processes with services of its own, whose every link
//! leads through a proxy, is under load all the while. Faults come one by one and
//! then mixed by a seed; afterwards the database, the queues and the host are
//! looked at. `make faults SEED=… MINUTES=…` runs it for long and prints the
//! table of docs/reliability.md; `make test` runs a few faults.

mod bucket;
mod clock;
mod daemon;
mod damage;
mod disk;
mod fault;
mod frame;
mod inject;
mod installation;
mod leftovers;
mod load;
mod matrix;
mod postgres;
mod proxy;
mod rabbitmq;
mod random;
mod rejudging;
mod service;
mod trial;

use std::time::{Duration, Instant};

use fault::{
    Broker, Clock, Database, Deed, Fault, Link, Messages, SchedulerMoment, Trouble, Way,
    WorkerMoment,
};
use random::Random;
use trial::Trial;

/// Of every kind one, those that take no time.
const FEW: [Fault; 14] = [
    Fault::Worker(WorkerMoment::Claimed, Deed::Kill),
    Fault::Worker(WorkerMoment::Running, Deed::Kill),
    Fault::Worker(WorkerMoment::VerdictUnconfirmed, Deed::Kill),
    Fault::Worker(WorkerMoment::TaskUnacknowledged, Deed::Stop),
    Fault::Jail(Deed::Kill),
    Fault::Scheduler(SchedulerMoment::InTransaction, Deed::Kill),
    Fault::Scheduler(SchedulerMoment::BeforePublishing, Deed::Kill),
    Fault::Scheduler(SchedulerMoment::ReportUnacknowledged, Deed::Kill),
    Fault::Network(Link::WorkerBroker, Trouble::CutInFrame),
    Fault::Broker(Broker::Purge),
    Fault::Database(Database::Terminate),
    Fault::Database(Database::FailOver),
    Fault::Messages(Messages::Again),
    Fault::Clock(Clock::Database, Way::Ahead),
];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the daemons, which tests/run builds"]
async fn a_few_faults_one_by_one() {
    let _turn = assize_tests::system::turn().await;
    let mut trial = Trial::start(Random::new(1)).await;
    for fault in FEW {
        trial.alone(fault).await;
    }
    trial.end().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the daemons, which tests/run builds"]
async fn a_judgement_takes_longer_than_rabbitmq_waits_for_an_acknowledgement() {
    let _turn = assize_tests::system::turn().await;
    let trial = Trial::start(Random::new(1)).await;
    trial.judge_at_length().await;
    trial.end().await;
}

/// Longer than any other exchange with RabbitMQ may take.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the daemons, which tests/run builds"]
async fn an_alarm_of_rabbitmq_is_sat_out() {
    let _turn = assize_tests::system::turn().await;
    let trial = Trial::start_in_peace(Random::new(1)).await;
    trial.sit_out_alarm(Duration::from_secs(25)).await;
    trial.end().await;
}

/// Every fault alone, or those with `ONLY` in their names, and then mixes of all until the time is over.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs time: make faults"]
async fn all_faults_of_a_seed() {
    let _turn = assize_tests::system::turn().await;
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let seed = number("SEED").unwrap_or(1);
    let minutes = number("MINUTES").unwrap_or(10);
    let end = Instant::now() + Duration::from_secs(60 * minutes);
    let only = std::env::var("ONLY").unwrap_or_default();
    let mut trial = Trial::start(Random::new(seed)).await;
    for fault in Fault::all() {
        if Instant::now() < end && fault.to_string().contains(&only) {
            trial.alone(fault).await;
        }
    }
    while Instant::now() < end {
        trial.mix().await;
    }
    trial.end().await;
}

/// The same of the ways to a bucket, each three times.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs time: make faults"]
async fn all_faults_of_a_seed_with_a_bucket() {
    let _turn = assize_tests::system::turn().await;
    let seed = std::env::var("SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    let only = std::env::var("ONLY").unwrap_or_default();
    let mut faults = Fault::all_of(Link::SchedulerBucket).to_vec();
    faults.retain(|fault| fault.to_string().contains(&only));
    if faults.is_empty() {
        return;
    }
    let mut trial = Trial::start_with_bucket(Random::new(seed.unwrap_or(1))).await;
    for fault in faults.repeat(3) {
        trial.alone(fault).await;
    }
    trial.end().await;
}
