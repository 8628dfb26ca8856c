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
mod wall;

use crate::facts::Activity;
use crate::policy::Effective;
use crate::protocol::{Channel, Descriptors, Failure, FromJail, Order};
use crate::sys::process::{self, Waited};
use crate::tracer;
use bytesize::ByteSize;
use nix::errno::Errno;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use program::Started;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};
pub(crate) use wall::FIRST_VERSION as LANDLOCK_FIRST;
use wall::Wall;

/// The program's user and group inside the jail.
const PROGRAM_ID: u32 = 1000;

/// Does one run; returns the exit code.
pub(crate) fn live(
    channel: &Channel,
    order: &Order,
    descriptors: &Descriptors,
    policy: &Effective,
    charge: Duration,
) -> i32 {
    let (message, collected) = match run(channel, order, descriptors, policy, charge) {
        Ok(ended) => ended,
        Err(failure) => (FromJail::Failed(failure), Vec::new()),
    };
    let borrowed: Vec<_> = collected.iter().map(AsFd::as_fd).collect();
    i32::from(channel.send(&message, &borrowed).is_err())
}

fn run(
    channel: &Channel,
    order: &Order,
    descriptors: &Descriptors,
    policy: &Effective,
    charge: Duration,
) -> Result<(FromJail, Vec<OwnedFd>), Failure> {
    announce(channel)?;
    let skeletons = mounts::prepare(order, &descriptors.mounts)?;
    files::copy_in(order, &descriptors.files)?;
    mounts::seal(&skeletons)?;
    let wall = Wall::build(order, descriptors)?;
    // Before the start: when that returns, the program may have run for long already.
    let began = Instant::now();
    let started = program::start(order, descriptors, policy, &wall, charge)?;
    channel
        .send(&FromJail::Started, &[])
        .map_err(Failure::step("announce the program's start"))?;
    let (waited, forbidden) = match started {
        Started::Untraced(main) => (outlive(main)?, None),
        Started::Traced(mut tracer) => (tracer.until_ended()?, tracer.forbidden()),
    };
    let wall = began.elapsed();
    kill_all()?;
    let activity = activity_of_the_dead()?;
    let oversized = waited.term_signal().is_some() && image::exceeds_memory(order, descriptors);
    let (collected, contents) = collect::take(&order.collect);
    Ok((
        FromJail::Ended {
            status: waited.status,
            wall_us: micros(wall),
            oversized,
            collected,
            forbidden,
            activity,
        },
        contents,
    ))
}

/// Gives the supervisor the means to kill this init.
fn announce(channel: &Channel) -> Result<(), Failure> {
    let own = process::open(Pid::this()).map_err(Failure::step("open init's pidfd"))?;
    channel
        .send(&FromJail::Born, &[own.as_fd()])
        .map_err(Failure::step("announce the run's init"))
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
    // Whoever lost its parent is a child of ours. Without any there is nobody,
    // and the kernel need not look through all processes of the host.
    if !process::has_children().map_err(Failure::step("look for what is left"))? {
        return Ok(());
    }
    match kill(Pid::from_raw(-1), Signal::SIGKILL) {
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(error) => return Err(Failure::step("kill what is left")(error)),
    }
    while let Some(waited) = process::wait(None).map_err(Failure::step("reap what is left"))? {
        // A traced one stops once more on its way out.
        if waited.stop().is_some() {
            tracer::let_die(waited.pid)?;
        }
    }
    Ok(())
}

/// What was counted of everything that has been reaped, which is all there was.
fn activity_of_the_dead() -> Result<Activity, Failure> {
    /// What the kernel counts disk traffic in.
    const BLOCK: u64 = 512;
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)
        .map_err(Failure::step("ask what the program has used"))?;
    let count = |number: libc::c_long| u64::try_from(number).unwrap_or(0);
    Ok(Activity {
        voluntary_switches: count(usage.voluntary_context_switches()),
        involuntary_switches: count(usage.involuntary_context_switches()),
        minor_faults: count(usage.minor_page_faults()),
        major_faults: count(usage.major_page_faults()),
        disk_read: ByteSize::b(count(usage.block_reads()) * BLOCK),
        disk_written: ByteSize::b(count(usage.block_writes()) * BLOCK),
    })
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
