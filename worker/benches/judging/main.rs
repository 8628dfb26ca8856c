//! What judging costs above the programs that are judged: a submission with many small
//! tests, the default validator, a conversation. Each beside the same programs bare,
//! everything on one core.
//!
//! `cargo bench -p assize-worker`. Needs root and g++.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement fails by panicking and prints its result"
)]

mod conversation;
mod court;
mod small_tests;
mod tokens;

use std::process::Command;
use std::time::Duration;

/// Set in the process that is bound to one core.
const BOUND: &str = "ASSIZE_BENCH_BOUND";

fn main() {
    if std::env::var_os(BOUND).is_none() {
        let this = std::env::current_exe().unwrap();
        let mut bound = Command::new("taskset");
        bound.args(["--cpu-list", "0"]).arg(this).env(BOUND, "1");
        assert!(bound.status().unwrap().success());
        // As in a daemon, whose jails and relays are bound and whose other threads are not.
        conversation::measure("conversation, worker on any core");
        conversation::measure_large();
        return;
    }
    small_tests::measure();
    tokens::measure();
    conversation::measure("conversation");
}

/// The value in the middle.
fn median(mut values: Vec<Duration>) -> Duration {
    values.sort_unstable();
    values[values.len() / 2]
}
