//! The tracer of `Mode::Ptrace`: init itself, so that it shares the program's
//! namespaces and its death is the program's.
//!
//! The filter decides which calls stop, and by which rule; what depends on
//! history or paths is decided here. Everything else runs at full speed.

mod address;
mod arguments;
mod births;
mod charge;
mod decide;
mod freeze;
mod memory;
mod resolve;
mod tasks;
mod turns;

pub(crate) use arguments::{UNDECIDED, path_calls};
pub(crate) use charge::Charge;

use crate::affinity::stay_on_core;
use crate::audit::{AuditLevel, Entry, Space};
use crate::policy::{Effective, History};
use crate::protocol::{Failure, Order};
use crate::sys::process::{self, Waited};
use crate::sys::ptrace;
use assize_policy::Access;
use nix::errno::Errno;
use nix::sched::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use resolve::Resolver;
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Instant;
use tasks::{Task, Tasks};
use turns::Turns;

/// Traces one program with all its threads and descendants.
#[derive(Debug)]
pub(crate) struct Tracer<'a> {
    main: Pid,
    policy: &'a Effective,
    level: AuditLevel,
    observe: bool,
    history: History,
    resolver: Resolver,
    tasks: Tasks,
    space: Space,
    charge: Charge,
    /// At how many stops it is measured anew.
    measured_next: u64,
    /// When the program was executed; before, every call is our own.
    began: Option<Instant>,
    /// Set when the main program has ended.
    ended: Option<Waited>,
    /// The call that the run was killed for.
    forbidden: Option<String>,
    /// Stops that came while others had to wait.
    waiting: VecDeque<Waited>,
    turns: Turns,
    /// Whether somebody can have been killed before he told of a child.
    births_untold: bool,
    /// Whether the kernel says what in it a thread sleeps in.
    tells_places: bool,
}

impl<'a> Tracer<'a> {
    /// Traces a child that has not installed its filter yet.
    pub(crate) fn attach(
        main: Pid,
        order: &Order,
        policy: &'a Effective,
        audit: &OwnedFd,
        charge: &Charge,
    ) -> Result<Self, Failure> {
        let restricted = !policy.paths.are_none();
        ptrace::seize(main, restricted).map_err(Failure::step("trace the program"))?;
        prctl::set_dumpable(false).map_err(Failure::step("forbid tracing"))?;
        let scratches = order.scratch.iter().map(|scratch| scratch.target.as_path());
        let changing = scratches
            .chain([Path::new("/tmp")])
            .map(|path| path.as_os_str().as_bytes().to_vec());
        let space =
            Space::map(audit.as_fd(), order.audit).map_err(Failure::step("map the audit"))?;
        space.set_charge(charge.per_stop);
        Ok(Self {
            main,
            policy,
            level: order.audit,
            observe: order.observe,
            history: History::default(),
            resolver: Resolver::new(changing).map_err(Failure::step("open the root"))?,
            tasks: Tasks::default(),
            space,
            charge: charge.clone(),
            measured_next: charge::FIRST_STOPS,
            began: None,
            ended: None,
            forbidden: None,
            waiting: VecDeque::new(),
            turns: Turns::default(),
            births_untold: false,
            tells_places: false,
        })
    }

    /// Follows until the program stands at the start of its own code, or has
    /// ended on the way there.
    pub(crate) fn until_executed(&mut self) -> Result<(), Failure> {
        self.tasks.get(self.main).running = true;
        self.follow(|tracer| tracer.began.is_some())
    }

    /// Follows until the main program has ended.
    pub(crate) fn until_ended(&mut self) -> Result<Waited, Failure> {
        if self.ended.is_none() {
            self.began = Some(Instant::now());
            self.resume(self.main, 0)?;
        }
        self.follow(|_| false)?;
        self.release()?;
        self.ended.ok_or_else(nothing_left)
    }

    /// Lets die who has stopped and had no turn before the program ended: the
    /// kernel does not tell of such a stop again.
    fn release(&mut self) -> Result<(), Failure> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        kill_everybody()?;
        let stopped = |waited: &Waited| waited.stop().is_some();
        for waited in self.waiting.drain(..).filter(stopped) {
            let_die(waited.pid)?;
        }
        Ok(())
    }

    /// The call that the run was killed for.
    pub(crate) fn forbidden(self) -> Option<String> {
        self.forbidden
    }

    fn follow(&mut self, until: impl Fn(&Self) -> bool) -> Result<(), Failure> {
        while self.ended.is_none() && !until(self) {
            let waited = self.next_in_turn()?;
            self.take(waited)?;
        }
        Ok(())
    }

    fn take(&mut self, waited: Waited) -> Result<(), Failure> {
        let thread = waited.pid;
        let Some(stop) = waited.stop() else {
            self.gone(thread);
            if thread == self.main {
                self.ended = Some(waited);
            }
            return Ok(());
        };
        self.tasks.get(thread).running = false;
        if self.began.is_some() {
            self.count_stop()?;
        }
        if self.forbidden.is_some() {
            // Dying: it does no more than end, which it may have stopped for.
            return self.resume(thread, 0);
        }
        match stop.event {
            libc::PTRACE_EVENT_SECCOMP => {
                self.decide(thread)?;
                self.turns.thaw();
                return Ok(());
            }
            libc::PTRACE_EVENT_STOP => match stop.signal {
                libc::SIGSTOP | libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU => {
                    return alive(ptrace::listen(thread), "leave a thread stopped").map(drop);
                }
                _ => {}
            },
            libc::PTRACE_EVENT_EXEC => return self.executed(thread),
            libc::PTRACE_EVENT_VFORK => self.tasks.get(thread).held = true,
            libc::PTRACE_EVENT_EXIT => {
                self.tasks.get(thread).ending = true;
                self.births_untold = true;
            }
            libc::PTRACE_EVENT_VFORK_DONE => self.tasks.get(thread).held = false,
            0 if stop.signal == ptrace::CALL_STOP => self.returned(thread)?,
            0 => return self.resume(thread, stop.signal),
            _ => {}
        }
        self.resume(thread, 0)
    }

    /// Lets a thread go on to its next stop; also to the end of its call if
    /// that is waited for.
    fn resume(&mut self, thread: Pid, signal: libc::c_int) -> Result<(), Failure> {
        let task = self.tasks.get(thread);
        task.running = true;
        let resumed = if task.call.is_some() {
            ptrace::resume_to_return(thread, signal)
        } else {
            ptrace::resume(thread, signal)
        };
        alive(resumed, "resume a thread").map(drop)
    }

    /// Nothing more is heard of a thread.
    fn gone(&mut self, thread: Pid) {
        if let Some(call) = self.tasks.remove(thread).and_then(|task| task.call) {
            self.record(&call);
        }
    }

    fn executed(&mut self, thread: Pid) -> Result<(), Failure> {
        if self.began.is_none() {
            stay_with_tracer(thread)?;
            self.note_whether_places_are_told(thread);
            self.began = Some(Instant::now());
            return Ok(());
        }
        self.renumber(thread)?;
        if self.policy.paths.restrict(Access::Exec) {
            self.check_images(thread)?;
            if self.forbidden.is_some() {
                return Ok(());
            }
        }
        self.resume(thread, 0)
    }

    /// Whichever thread has executed something has the first one's number now.
    fn renumber(&mut self, thread: Pid) -> Result<(), Failure> {
        let former = ptrace::event_message(thread, libc::PTRACE_EVENT_EXEC);
        let former = alive(former, "look at an exec")?;
        // None of that number if this has been seen before.
        let former = former.and_then(|former| self.tasks.remove(former));
        if let Some(task) = former {
            *self.tasks.get(thread) = Task {
                call: task.call,
                ..Task::default()
            };
        }
        Ok(())
    }

    /// A call that was let through has returned, or the next one begins, which the filter
    /// has not been asked about yet.
    fn returned(&mut self, thread: Pid) -> Result<(), Failure> {
        let Some(mut call) = self.tasks.get(thread).call.take() else {
            return Ok(());
        };
        let result = alive(ptrace::result(thread), "look at a result")?.flatten();
        if result.is_some_and(is_interrupted)
            && let Some(number) = decide::native(&call)
        {
            self.policy.take_back(&mut self.history, number);
        }
        if self.level >= AuditLevel::Decisions {
            call.result = result;
        }
        self.record(&call);
        Ok(())
    }

    /// Counts a stop of the program, which stands still.
    fn count_stop(&mut self) -> Result<(), Failure> {
        if self.space.count_stop() < self.measured_next {
            return Ok(());
        }
        self.measured_next *= charge::NEXT_TIMES;
        self.charge.measure()?;
        self.space.set_charge(self.charge.per_stop);
        Ok(())
    }

    fn record(&mut self, call: &Entry) {
        if call
            .result
            .is_some_and(|result| (-4095..0).contains(&result))
        {
            self.space.count_failure(decide::native(call));
        }
        if self.level >= AuditLevel::Decisions {
            self.space.record(call);
        }
    }
}

/// Whether a signal has kept a call from doing anything (`ERESTARTSYS`, `ERESTARTNOINTR`,
/// `ERESTARTNOHAND`, which only tracers see): it is made again, or fails with `EINTR`. What
/// fails with `ERESTART_RESTARTBLOCK` goes on by another call, `restart_syscall`.
fn is_interrupted(result: i64) -> bool {
    (-514..=-512).contains(&result)
}

/// Kills all of the run. A call is not made any more by a thread with a deadly
/// signal.
fn kill_everybody() -> Result<(), Failure> {
    match kill(Pid::from_raw(-1), Signal::SIGKILL) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(errno) => Err(Failure::step("kill all of the run")(errno)),
    }
}

/// Lets a thread go on that has been killed.
pub(crate) fn let_die(thread: Pid) -> Result<(), Failure> {
    alive(ptrace::resume(thread, 0), "let a thread die").map(drop)
}

/// Makes this process fit to fork a program and trace it.
pub(crate) fn prepare() -> Result<(), Failure> {
    // What it starts is in its memory at first, which belongs to the host's user
    // namespace: only who is in memory marked so may be traced from inside the jail.
    prctl::set_dumpable(true).map_err(Failure::step("allow tracing"))?;
    process::no_signal_for_stops().map_err(Failure::step("be told of stops by waiting only"))?;
    stay_on_one_core()
}

/// Each stop wakes the tracer and then the program, which costs ten times as
/// much across cores.
fn stay_on_one_core() -> Result<(), Failure> {
    let this = Pid::from_raw(0);
    let pin = || -> io::Result<()> {
        let allowed = sched_getaffinity(this)?;
        let cores = (0..CpuSet::count()).filter(|core| allowed.is_set(*core) == Ok(true));
        if cores.count() > 1 {
            stay_on_core(sched_getcpu()?)?;
        }
        Ok(())
    };
    pin().map_err(Failure::step("stay on one core"))
}

/// Has the program stay on the tracer's core. Before Linux 6.2, entering a control
/// group that has the `cpuset` controller frees a process for all cores again.
fn stay_with_tracer(program: Pid) -> Result<(), Failure> {
    let stay =
        sched_getaffinity(Pid::from_raw(0)).and_then(|core| sched_setaffinity(program, &core));
    stay.map_err(Failure::step("keep the program on the tracer's core"))
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
