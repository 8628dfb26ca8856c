//! The worker's binary with a real RabbitMQ, a scheduler that only pretends,
//! and real jails. Needs root, Python, and `ASSIZE_TEST_AMQP_URL`; so the tests
//! are run with `--ignored`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail by panicking"
)]

mod audits;
mod broker;
mod canaries;
mod control;
mod fixture;
mod judging;
mod outputs;
mod proxy;
mod scheduler;
mod start;
mod stopping;
mod trouble;
mod worker;
