//! Process 1 of a run: mounts the run's /proc, starts the program as a child,
//! reaps, and ends with the program, which ends everything else in its pid
//! namespace.
//!
//! The program is not process 1 itself because the kernel treats that one
//! differently: signals without a handler are ignored there, so `abort` would
//! end in the wrong signal and a file too large in none.
//!
//! Init works in the memory of its stage, which stands still meanwhile. Without
//! a tracer it makes no call but those of [`Calls`], because the stage's filter
//! would answer others as the policy has it, and allocates nothing.

mod program;

pub(crate) use program::Launch;

use crate::facts::Activity;
use crate::protocol::Failure;
use crate::spec::Mode;
use crate::sys::calls::{Calls, Stack};
use crate::sys::process::Waited;
use crate::tracer;
use bytesize::ByteSize;
use nix::errno::Errno;
use nix::unistd::Pid;
use program::Refused;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What a run has come to, written by its init.
#[derive(Debug, Default)]
pub(crate) struct Life {
    pub(crate) ended: Option<Ended>,
    pub(crate) failure: Option<Failure>,
    refused: Option<Refused>,
    /// Init does nothing from here but wait for what it has started, in memory that
    /// no step of its own leaves half changed.
    only_waits: AtomicBool,
}

/// How the program has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) waited: Waited,
    pub(crate) wall: Duration,
    /// A call was made for which the tracer killed the run.
    pub(crate) forbidden: Option<String>,
    pub(crate) activity: Activity,
}

/// How init tells the supervisor that the program has been executed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Announcement<'a> {
    pub(crate) socket: RawFd,
    pub(crate) text: &'a [u8],
}

/// Does one run; returns the exit code. `own` is a pidfd of this process.
pub(crate) fn live(
    calls: Calls,
    stack: &mut Stack,
    launch: &Launch<'_>,
    announcement: Announcement<'_>,
    own: RawFd,
    life: &mut Life,
) -> i32 {
    let done = prepare(calls).and_then(|()| match launch.mode() {
        Mode::Unshare => untraced(calls, stack, launch, announcement, own, life),
        Mode::Ptrace => {
            traced(calls, stack, launch, announcement, own, life);
            Ok(())
        }
    });
    if let Err(refused) = done {
        life.refused = Some(refused);
    }
    0
}

fn prepare(calls: Calls) -> Result<(), Refused> {
    calls
        .die_with_parent()
        .map_err(Refused::step("tie init's life"))?;
    calls
        .mount_proc()
        .map_err(Refused::step("mount the run's /proc"))
}

fn untraced(
    calls: Calls,
    stack: &mut Stack,
    launch: &Launch<'_>,
    announcement: Announcement<'_>,
    own: RawFd,
    life: &mut Life,
) -> Result<(), Refused> {
    let now = || calls.now().map_err(Refused::step("look at the clock"));
    // Before the start: when that returns, the program may have run for long already.
    let began = now()?;
    let mut refused = None;
    let program = calls.vfork(0, stack, &mut |_| {
        refused = Some(launch.become_program(calls));
        127
    });
    launch.close_streams(calls)?;
    let main = program.map_err(Refused::step("fork the program"))?.pid;
    if let Some(refused) = refused {
        return Err(refused);
    }
    life.only_waits.store(true, Ordering::Relaxed);
    announce(calls, announcement, own)?;
    let waited = outlive(calls, main)?;
    let wall = now()?.saturating_sub(began);
    // Whoever lost its parent is a child of ours. Without any there is nobody,
    // and the kernel need not look through all processes of the host.
    if calls
        .has_children()
        .map_err(Refused::step("look for what is left"))?
    {
        calls
            .kill_all()
            .map_err(Refused::step("kill what is left"))?;
        let reap = || calls.wait(None).map_err(Refused::step("reap what is left"));
        while reap()?.is_some() {}
    }
    life.ended = Some(Ended {
        waited,
        wall,
        forbidden: None,
        activity: activity_of_the_dead(calls)?,
    });
    Ok(())
}

fn traced(
    calls: Calls,
    stack: &mut Stack,
    launch: &Launch<'_>,
    announcement: Announcement<'_>,
    own: RawFd,
    life: &mut Life,
) {
    let mut follow = || -> Result<Ended, Failure> {
        let began = calls.now().map_err(Failure::step("look at the clock"))?;
        let started = launch.start_traced(calls, stack);
        let told = |refused: Refused| launch.explain(refused);
        launch.close_streams(calls).map_err(told)?;
        let mut tracer = started?;
        announce(calls, announcement, own).map_err(told)?;
        let waited = tracer.until_ended()?;
        let now = calls.now().map_err(Failure::step("look at the clock"))?;
        let wall = now.saturating_sub(began);
        kill_traced(calls)?;
        Ok(Ended {
            waited,
            wall,
            forbidden: tracer.forbidden(),
            activity: activity_of_the_dead(calls).map_err(told)?,
        })
    };
    match follow() {
        Ok(ended) => life.ended = Some(ended),
        Err(failure) => life.failure = Some(failure),
    }
}

/// Gives the supervisor the means to kill this init.
fn announce(calls: Calls, to: Announcement<'_>, own: RawFd) -> Result<(), Refused> {
    calls
        .send(to.socket, to.text, own)
        .map_err(Refused::step("announce the program's start"))
}

/// Reaps until the main program has ended.
fn outlive(calls: Calls, main: Pid) -> Result<Waited, Refused> {
    loop {
        match calls.wait(None) {
            Ok(Some(waited)) if waited.pid == main => return Ok(waited),
            Ok(Some(_)) => {}
            Ok(None) => return Err(Refused::Step("wait for the program", Errno::ECHILD)),
            Err(errno) => return Err(Refused::Step("wait for the program", errno)),
        }
    }
}

/// Kills everything that a traced program has left behind, whatever session or
/// parent it has given itself: nothing leaves the pid namespace.
fn kill_traced(calls: Calls) -> Result<(), Failure> {
    let failed = |errno| Failure::step("kill and reap what is left")(errno);
    if !calls.has_children().map_err(failed)? {
        return Ok(());
    }
    calls.kill_all().map_err(failed)?;
    while let Some(waited) = calls.wait(None).map_err(failed)? {
        // It stops once more on its way out.
        if waited.stop().is_some() {
            tracer::let_die(waited.pid)?;
        }
    }
    Ok(())
}

/// What was counted of everything that has been reaped, which is all there was.
fn activity_of_the_dead(calls: Calls) -> Result<Activity, Refused> {
    /// What the kernel counts disk traffic in.
    const BLOCK: u64 = 512;
    let usage = calls
        .usage_of_the_dead()
        .map_err(Refused::step("ask what the program has used"))?;
    let count = |number: libc::c_long| u64::try_from(number).unwrap_or(0);
    Ok(Activity {
        voluntary_switches: count(usage.ru_nvcsw),
        involuntary_switches: count(usage.ru_nivcsw),
        minor_faults: count(usage.ru_minflt),
        major_faults: count(usage.ru_majflt),
        // In KiB.
        resident_peak: ByteSize::kib(count(usage.ru_maxrss)),
        disk_read: ByteSize::b(count(usage.ru_inblock) * BLOCK),
        disk_written: ByteSize::b(count(usage.ru_oublock) * BLOCK),
    })
}

impl Life {
    /// Whether nothing is amiss if init was killed, but what it has written here.
    pub(crate) fn is_sound(&self) -> bool {
        self.only_waits.load(Ordering::Relaxed)
    }

    /// How the run has ended, or why it could not begin.
    pub(crate) fn conclude(self, launch: &Launch<'_>) -> Result<Ended, Failure> {
        if let Some(refused) = self.refused {
            return Err(launch.explain(refused));
        }
        match (self.failure, self.ended) {
            (Some(failure), _) => Err(failure),
            (None, Some(ended)) => Ok(ended),
            (None, None) => Err(Failure::step("learn how the program ended")(Errno::EPROTO)),
        }
    }
}
