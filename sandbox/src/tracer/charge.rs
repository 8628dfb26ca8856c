//! What a stop costs the program.
//!
//! The kernel charges the way into a stop and out of it to the thread that
//! stops. So that a program has the same CPU time in both modes, this is
//! measured and taken off again: at a jail's first traced run, and anew within a
//! run that stops so often that a small error would count, because what it costs
//! changes with the clock of the core and with what else the machine does.

use crate::policy::{Effective, Policies};
use crate::protocol::Failure;
use crate::sys::calls::Calls;
use crate::sys::clone::{Cloned, fork_into};
use crate::sys::{priority, process, ptrace};
use nix::fcntl::OFlag;
use nix::sched::CloneFlags;
use nix::sys::prctl;
use nix::time::{ClockId, clock_gettime};
use nix::unistd::{AccessFlags, access, pipe2};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

/// Calls per measurement.
const CALLS: u32 = 100;
/// Measurements, an odd number: the middle one counts. The least would always err
/// to the disadvantage of programs, the mean be moved by one interruption.
const TIMES: usize = 9;
/// After how many stops of a run it is measured anew, and then after how many
/// times as many: never for more than a part of what the stops have cost.
pub(super) const FIRST_STOPS: u64 = 4096;
pub(super) const NEXT_TIMES: u64 = 8;

/// What a stop costs, and what it takes to measure that anew.
#[derive(Clone, Debug)]
pub(crate) struct Charge {
    /// CPU time that one stop costs the program.
    pub(super) per_stop: Duration,
    untraced: Arc<Effective>,
    traced: Arc<Effective>,
}

impl Charge {
    /// Takes some 20 ms.
    pub(crate) fn new(policies: &mut Policies) -> Result<Self, Failure> {
        let [untraced, traced] = policies.of_contestants()?;
        let mut charge = Self {
            per_stop: Duration::ZERO,
            untraced,
            traced,
        };
        charge.measure()?;
        Ok(charge)
    }

    /// Measures anew, on the core that this process is on.
    pub(super) fn measure(&mut self) -> Result<(), Failure> {
        self.per_stop = measure(&self.untraced, &self.traced)
            .map_err(Failure::step("measure the cost of a stop"))?;
        Ok(())
    }
}

fn measure(untraced: &Effective, traced: &Effective) -> io::Result<Duration> {
    let (result, report) = pipe2(OFlag::O_CLOEXEC)?;
    // A process of its own, since it stays on one core and may be traced.
    let Cloned::Parent { pid, .. } = fork_into(CloneFlags::empty())? else {
        drop(result);
        // As in a run, where a tracer and its program take turns.
        let told = priority::take_turns()
            .and_then(|()| super::prepare().map_err(|_| io::ErrorKind::Other.into()))
            .and_then(|()| typical(untraced, traced))
            .and_then(|cost| write_time(report, cost));
        process::exit_now(i32::from(told.is_err()))
    };
    drop(report);
    let cost = read_time(result);
    process::wait(Some(pid))?;
    cost
}

fn typical(untraced: &Effective, traced: &Effective) -> io::Result<Duration> {
    let mut costs = [Duration::ZERO; TIMES];
    for cost in &mut costs {
        let traced = time_calls(traced, true)?;
        let untraced = time_calls(untraced, false)?;
        *cost = traced.saturating_sub(untraced) / CALLS;
    }
    costs.sort_unstable();
    Ok(costs[TIMES / 2])
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
