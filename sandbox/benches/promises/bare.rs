//! A program without any sandbox around it, to compare with.

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Starts a program by vfork and exec, waits for its end, and tells the CPU time
/// that it took.
pub(crate) fn run(program: &Path, args: &[&str]) -> Duration {
    let before = cpu_time_of_children();
    let status = Command::new(program)
        .args(args)
        .env_clear()
        .stdin(Stdio::inherit())
        .status()
        .unwrap();
    assert!(status.success(), "{}: {status}", program.display());
    cpu_time_of_children() - before
}

fn cpu_time_of_children() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(micros.unsigned_abs())
}
