//! Process 1 of a run: prepares its mounts, starts the program as a child,
//! reaps, and when the program ends kills and outlives everything else.
//!
//! The program is not process 1 itself because the kernel treats that one
//! differently: signals without a handler are ignored there, so `abort` would
//! end in the wrong signal and a file too large in none.

mod collect;
mod files;
mod image;
mod mounts;
mod program;

use crate::policy::Filters;
use crate::protocol::{Channel, Descriptors, Failure, FromJail, Order};
use crate::sys::process::{self, Waited};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use program::Started;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

/// The program's user and group inside the jail.
const PROGRAM_ID: u32 = 1000;

/// Does one run and ends.
pub(crate) fn live(
    channel: &Channel,
    order: &Order,
    descriptors: Descriptors,
    filters: &Filters,
) -> ! {
    let (message, collected) = match run(channel, order, descriptors, filters) {
        Ok(ended) => ended,
        Err(failure) => (FromJail::Failed(failure), Vec::new()),
    };
    let borrowed: Vec<_> = collected.iter().map(AsFd::as_fd).collect();
    let sent = channel.send(&message, &borrowed);
    process::exit_now(i32::from(sent.is_err()))
}

fn run(
    channel: &Channel,
    order: &Order,
    descriptors: Descriptors,
    filters: &Filters,
) -> Result<(FromJail, Vec<OwnedFd>), Failure> {
    let skeletons = mounts::prepare(order, &descriptors.mounts)?;
    files::copy_in(order, &descriptors.files)?;
    mounts::seal(&skeletons)?;
    let started = program::start(order, &descriptors, filters)?;
    let began = Instant::now();
    channel
        .send(&FromJail::Started, &[])
        .map_err(Failure::step("announce the program's start"))?;
    let (waited, audit, forbidden) = match started {
        Started::Untraced(main) => (outlive(main)?, None, None),
        Started::Traced(mut tracer) => {
            let waited = tracer.until_ended()?;
            let (audit, forbidden) = tracer.finish();
            (waited, Some(audit), forbidden)
        }
    };
    let wall = began.elapsed();
    kill_all()?;

    let oversized = waited.term_signal().is_some() && image::exceeds_memory(order, &descriptors);
    let (collected, contents) = collect::take(&order.collect);
    Ok((
        FromJail::Ended {
            status: waited.status,
            wall_us: micros(wall),
            oversized,
            collected,
            audit,
            forbidden,
        },
        contents,
    ))
}

/// Reaps until the main program has ended.
fn outlive(main: Pid) -> Result<Waited, Failure> {
    loop {
        match process::wait(None).map_err(Failure::step("wait for the program"))? {
            Some(waited) if waited.pid == main => return Ok(waited),
            Some(_) => {}
            None => {
                return Err(Failure::Step {
                    step: "wait for the program".to_owned(),
                    errno: libc::ECHILD,
                });
            }
        }
    }
}

/// Kills everything that the program has left behind, whatever session or
/// parent it has given itself: nothing leaves the pid namespace.
fn kill_all() -> Result<(), Failure> {
    match kill(Pid::from_raw(-1), Signal::SIGKILL) {
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(error) => return Err(Failure::step("kill what is left")(error)),
    }
    while process::wait(None)
        .map_err(Failure::step("reap what is left"))?
        .is_some()
    {}
    Ok(())
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
