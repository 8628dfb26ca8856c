//! The tracer of `Mode::Ptrace`: init itself, so that it shares the program's
//! namespaces and its death is the program's.
//!
//! The filter decides which calls stop and says what is to be done; see
//! `policy`. Everything else runs at full speed.

mod calls;
mod record;

use crate::audit::{Audit, Decision, Refused};
use crate::policy::TracedAction;
use crate::protocol::Failure;
use crate::sys::process::{self, Waited};
use crate::sys::ptrace::{self, StoppedCall};
use nix::errno::Errno;
use nix::sched::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use record::Record;
use std::io;

/// Traces one program with all its threads and descendants.
#[derive(Debug)]
pub(crate) struct Tracer {
    main: Pid,
    /// The program has been executed; before, every call is our own.
    begun: bool,
    /// Set when the main program has ended.
    ended: Option<Waited>,
    /// The call that the run was killed for.
    forbidden: Option<String>,
    record: Record,
}

impl Tracer {
    /// Traces a child that has not installed its filter yet.
    pub(crate) fn attach(main: Pid) -> Result<Self, Failure> {
        ptrace::seize(main).map_err(Failure::step("trace the program"))?;
        prctl::set_dumpable(false).map_err(Failure::step("forbid tracing"))?;
        Ok(Self {
            main,
            begun: false,
            ended: None,
            forbidden: None,
            record: Record::default(),
        })
    }

    /// Follows until the program stands at the start of its own code, or has
    /// ended on the way there.
    pub(crate) fn until_executed(&mut self) -> Result<(), Failure> {
        self.follow(|tracer| tracer.begun)
    }

    /// Follows until the main program has ended.
    pub(crate) fn until_ended(&mut self) -> Result<Waited, Failure> {
        if self.ended.is_none() {
            self.resume(self.main, 0)?;
        }
        self.follow(|_| false)?;
        self.ended.ok_or_else(nothing_left)
    }

    /// What was seen, and the call that the run was killed for.
    pub(crate) fn finish(self) -> (Audit, Option<String>) {
        (self.record.into_audit(), self.forbidden)
    }

    fn follow(&mut self, until: impl Fn(&Self) -> bool) -> Result<(), Failure> {
        while self.ended.is_none() && !until(self) {
            let waited = process::wait(None).map_err(Failure::step("wait for the program"))?;
            self.take(waited.ok_or_else(nothing_left)?)?;
        }
        Ok(())
    }

    fn take(&mut self, waited: Waited) -> Result<(), Failure> {
        let Some(stop) = waited.stop() else {
            if waited.pid == self.main {
                self.ended = Some(waited);
            }
            return Ok(());
        };
        if self.forbidden.is_some() {
            // Dying; whatever it was about to do is not done any more.
            return Ok(());
        }
        match stop.event {
            libc::PTRACE_EVENT_SECCOMP => self.decide(waited.pid),
            libc::PTRACE_EVENT_STOP => match stop.signal {
                libc::SIGSTOP | libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU => {
                    alive(ptrace::listen(waited.pid), "leave a thread stopped").map(drop)
                }
                _ => self.resume(waited.pid, 0),
            },
            libc::PTRACE_EVENT_EXEC if !self.begun => {
                self.begun = true;
                Ok(())
            }
            0 => self.resume(waited.pid, stop.signal),
            _ => self.resume(waited.pid, 0),
        }
    }

    fn resume(&self, pid: Pid, signal: libc::c_int) -> Result<(), Failure> {
        alive(ptrace::resume(pid, signal), "resume a thread").map(drop)
    }

    /// Does with a stopped call what the filter says.
    fn decide(&mut self, thread: Pid) -> Result<(), Failure> {
        let Some(call) = alive(ptrace::stopped_call(thread), "look at a system call")? else {
            return Ok(());
        };
        if !self.begun {
            return self.resume(thread, 0);
        }
        let action = TracedAction::decode(call.data.into());
        self.record.count(&call);
        match action {
            TracedAction::Allow => self.keep_traced(thread, &call)?,
            TracedAction::Deny(errno) => {
                self.refuse(thread, &call, Decision::Deny { errno });
                alive(ptrace::refuse(thread, errno), "refuse a system call")?;
            }
            TracedAction::Kill => {
                self.refuse(thread, &call, Decision::Kill);
                self.forbidden = Some(calls::name(&call));
                // A call is not made any more by a thread with a deadly signal.
                return match kill(Pid::from_raw(-1), Signal::SIGKILL) {
                    Ok(()) | Err(Errno::ESRCH) => Ok(()),
                    Err(errno) => Err(Failure::step("kill for a system call")(errno)),
                };
            }
        }
        self.resume(thread, 0)
    }

    fn refuse(&mut self, thread: Pid, call: &StoppedCall, decision: Decision) {
        self.record.refused(Refused {
            thread: thread.as_raw(),
            syscall: calls::name(call),
            arguments: call.arguments,
            decision,
        });
    }

    /// A clone may ask for a child that is not traced. It gets a traced one:
    /// without a tracer, half of the child's calls would fail.
    fn keep_traced(&self, thread: Pid, call: &StoppedCall) -> Result<(), Failure> {
        let untraced = u64::from(libc::CLONE_UNTRACED.cast_unsigned());
        if !calls::is_clone(call) || call.arguments[0] & untraced == 0 {
            return Ok(());
        }
        let flags = call.arguments[0] & !untraced;
        let changed = ptrace::set_first_argument(thread, flags);
        alive(changed, "have a child traced").map(drop)
    }
}

/// Makes this process fit to fork a program and trace it.
pub(crate) fn prepare() -> Result<(), Failure> {
    // What it forks has a copy of its memory, which belongs to the host's user
    // namespace: only memory marked so may be traced from inside the jail.
    prctl::set_dumpable(true).map_err(Failure::step("allow tracing"))?;
    stay_on_one_core()
}

/// Each stop wakes the tracer and then the program, which costs ten times as
/// much across cores.
fn stay_on_one_core() -> Result<(), Failure> {
    let this = Pid::from_raw(0);
    let pin = || -> nix::Result<()> {
        let allowed = sched_getaffinity(this)?;
        let cores = (0..CpuSet::count()).filter(|core| allowed.is_set(*core) == Ok(true));
        if cores.count() > 1 {
            let mut one = CpuSet::new();
            one.set(sched_getcpu()?)?;
            sched_setaffinity(this, &one)?;
        }
        Ok(())
    };
    pin().map_err(Failure::step("stay on one core"))
}

/// A tracee can be killed at any time, also while it is stopped; then it is
/// gone for us, and its end is reported in its turn.
fn alive<T>(result: io::Result<T>, attempt: &str) -> Result<Option<T>, Failure> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(None),
        Err(error) => Err(Failure::step(attempt)(error)),
    }
}

fn nothing_left() -> Failure {
    Failure::Step {
        step: "wait for the program".to_owned(),
        errno: libc::ECHILD,
    }
}
