//! What a stop costs the program.
//!
//! The kernel charges the way into a stop and out of it to the thread that
//! stops. So that a program has the same CPU time in both modes, this is
//! measured once per jail and taken off again.

use crate::policy::{Effective, Policies};
use crate::protocol::Failure;
use crate::sys::calls::Calls;
use crate::sys::clone::{Cloned, fork_into};
use crate::sys::process;
use crate::sys::ptrace;
use nix::fcntl::OFlag;
use nix::sched::CloneFlags;
use nix::sys::prctl;
use nix::time::{ClockId, clock_gettime};
use nix::unistd::{AccessFlags, access, pipe2};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::time::Duration;

/// Calls per measurement.
const CALLS: u32 = 400;
/// Measurements: the least disturbed one counts.
const TIMES: usize = 3;

/// CPU time that one stop costs the program. Takes some 20 ms.
pub(crate) fn per_stop(policies: &mut Policies) -> Result<Duration, Failure> {
    let [untraced, traced] = policies.of_contestants()?;
    measure(&untraced, &traced).map_err(Failure::step("measure the cost of a stop"))
}

fn measure(untraced: &Effective, traced: &Effective) -> io::Result<Duration> {
    let (result, report) = pipe2(OFlag::O_CLOEXEC)?;
    // A process of its own, since it stays on one core and may be traced.
    let Cloned::Parent { pid, .. } = fork_into(CloneFlags::empty())? else {
        drop(result);
        let told = super::prepare()
            .map_err(|_| io::ErrorKind::Other.into())
            .and_then(|()| best(untraced, traced))
            .and_then(|cost| write_time(report, cost));
        process::exit_now(i32::from(told.is_err()))
    };
    drop(report);
    let cost = read_time(result);
    process::wait(Some(pid))?;
    cost
}

fn best(untraced: &Effective, traced: &Effective) -> io::Result<Duration> {
    let mut best = Duration::MAX;
    for _ in 0..TIMES {
        let traced = time_calls(traced, true)?;
        let untraced = time_calls(untraced, false)?;
        best = best.min(traced.saturating_sub(untraced) / CALLS);
    }
    Ok(best)
}

/// CPU time of a child that makes calls.
fn time_calls(policy: &Effective, traced: bool) -> io::Result<Duration> {
    let (result, report) = pipe2(OFlag::O_CLOEXEC)?;
    let (gate, key) = pipe2(OFlag::O_CLOEXEC)?;
    let Cloned::Parent { pid, .. } = fork_into(CloneFlags::empty())? else {
        drop((result, key));
        let told = wait_at(gate)
            .and_then(|()| {
                prctl::set_no_new_privs()?;
                policy.filter.install(Calls::new(0))?;
                make_calls()
            })
            .and_then(|used| write_time(report, used));
        process::exit_now(i32::from(told.is_err()))
    };
    drop((report, gate));
    if traced {
        ptrace::seize(pid, false)?;
    }
    drop(key);
    while let Some(waited) = process::wait(Some(pid))? {
        let Some(stop) = waited.stop() else { break };
        if stop.event == libc::PTRACE_EVENT_SECCOMP {
            ptrace::stopped_call(pid)?;
        }
        ptrace::resume(pid, 0)?;
    }
    read_time(result)
}

fn make_calls() -> io::Result<Duration> {
    let before = cpu_time()?;
    for _ in 0..CALLS {
        access("/", AccessFlags::F_OK)?;
    }
    Ok(cpu_time()?.saturating_sub(before))
}

fn cpu_time() -> io::Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)?.into())
}

fn wait_at(gate: OwnedFd) -> io::Result<()> {
    File::from(gate).read_to_end(&mut Vec::new()).map(drop)
}

fn write_time(to: OwnedFd, time: Duration) -> io::Result<()> {
    let nanoseconds = u64::try_from(time.as_nanos()).map_err(io::Error::other)?;
    File::from(to).write_all(&nanoseconds.to_ne_bytes())
}

fn read_time(from: OwnedFd) -> io::Result<Duration> {
    let mut bytes = [0; 8];
    File::from(from).read_exact(&mut bytes)?;
    Ok(Duration::from_nanos(u64::from_ne_bytes(bytes)))
}
