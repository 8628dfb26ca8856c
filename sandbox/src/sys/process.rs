//! Waiting, signalling, default signal actions.

use super::check;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// A process that has ended (or, with a tracer, stopped).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waited {
    pub(crate) pid: Pid,
    /// As `waitpid` tells it.
    pub(crate) status: libc::c_int,
}

/// A stop of a traced thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stop {
    /// One of `PTRACE_EVENT_*`, or 0 when a signal is about to be delivered.
    pub(crate) event: libc::c_int,
    pub(crate) signal: libc::c_int,
}

impl Waited {
    /// How it stopped, if it is a traced one that has not ended.
    pub(crate) fn stop(self) -> Option<Stop> {
        libc::WIFSTOPPED(self.status).then(|| Stop {
            event: self.status >> 16,
            signal: libc::WSTOPSIG(self.status),
        })
    }

    pub(crate) fn term_signal(self) -> Option<i32> {
        libc::WIFSIGNALED(self.status).then(|| libc::WTERMSIG(self.status))
    }
}

/// Waits for `pid`, or for any child when there is none given. None when
/// there is no child left.
pub(crate) fn wait(pid: Option<Pid>) -> io::Result<Option<Waited>> {
    loop {
        let mut status = 0;
        let target = pid.map_or(-1, Pid::as_raw);
        // SAFETY: `status` outlives the call.
        let result = unsafe { libc::waitpid(target, &raw mut status, libc::__WALL) };
        match check(result.into()) {
            Ok(_) => {
                return Ok(Some(Waited {
                    pid: Pid::from_raw(result),
                    status,
                }));
            }
            Err(error) => match error.raw_os_error() {
                Some(libc::EINTR) => {}
                Some(libc::ECHILD) => return Ok(None),
                _ => return Err(error),
            },
        }
    }
}

/// What has happened to a traced thread, or to any when none is given, if
/// anything has.
pub(crate) fn wait_now(pid: Option<Pid>) -> io::Result<Option<Waited>> {
    let mut status = 0;
    let target = pid.map_or(-1, Pid::as_raw);
    // SAFETY: `status` outlives the call.
    let result = unsafe { libc::waitpid(target, &raw mut status, libc::__WALL | libc::WNOHANG) };
    match check(result.into()) {
        Ok(found) => Ok((found != 0).then_some(Waited {
            pid: Pid::from_raw(result),
            status,
        })),
        Err(error) if error.raw_os_error() == Some(libc::ECHILD) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether `wait` for this traced thread would return at once.
pub(crate) fn has_news(pid: Pid) -> io::Result<bool> {
    // SAFETY: all fields are numbers or padding, for which zero is valid.
    let mut found: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let which = pid.as_raw().unsigned_abs();
    let flags = libc::WNOHANG | libc::WNOWAIT | libc::WEXITED | libc::WSTOPPED | libc::__WALL;
    // SAFETY: `found` outlives the call.
    let result = unsafe { libc::waitid(libc::P_PID, which, &raw mut found, flags) };
    match check(result.into()) {
        // SAFETY: the kernel has filled it in for a child, or left it zero.
        Ok(_) => Ok(unsafe { found.si_pid() } != 0),
        // Reaped already.
        Err(error) if error.raw_os_error() == Some(libc::ECHILD) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Sends a signal to the process a pidfd stands for.
pub(crate) fn signal(pidfd: BorrowedFd<'_>, signal: Signal) -> io::Result<()> {
    // SAFETY: the signal information may be null; the rest are numbers.
    let result = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_raw_fd(),
            signal as libc::c_int,
            std::ptr::null::<libc::siginfo_t>(),
            0,
        )
    };
    check(result).map(drop)
}

/// Gives this process the usual scheduling policy, priority and class of I/O, whatever
/// was inherited.
pub(crate) fn schedule_normally() -> io::Result<()> {
    /// `IOPRIO_WHO_PROCESS`, and the class that follows the nice value.
    const OF_PROCESS: libc::c_int = 1;
    const NO_CLASS: libc::c_int = 0;
    super::priority::take_turns()?;
    // SAFETY: plain numbers.
    let result = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 0) };
    check(result.into())?;
    // SAFETY: plain numbers.
    let result = unsafe { libc::syscall(libc::SYS_ioprio_set, OF_PROCESS, 0, NO_CLASS) };
    check(result).map(drop)
}

/// Has the kernel merge no pages of this process and its descendants with equal ones of
/// others, which would tell by the time of a write that there are some.
pub(crate) fn merge_no_pages() -> io::Result<()> {
    /// `PR_SET_MEMORY_MERGE`.
    const SET_MEMORY_MERGE: libc::c_int = 67;
    // SAFETY: plain numbers.
    let result = unsafe { libc::prctl(SET_MEMORY_MERGE, 0, 0, 0, 0) };
    match check(result.into()) {
        // Before Linux 6.4 it can't be inherited.
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(()),
        other => other.map(drop),
    }
}

/// Sets the NIS domain name of the calling process's UTS namespace.
pub(crate) fn set_domain_name(name: &str) -> io::Result<()> {
    // SAFETY: the pointer and length are those of `name`, which is only read.
    let result = unsafe { libc::setdomainname(name.as_ptr().cast(), name.len()) };
    check(result.into()).map(drop)
}

/// Has a write to a closed pipe fail instead of ending this process.
pub(crate) fn ignore_pipe_signal() -> io::Result<()> {
    ignore(libc::SIGPIPE)
}

/// Has children end without being waited for.
pub(crate) fn ignore_children() -> io::Result<()> {
    ignore(libc::SIGCHLD)
}

fn ignore(signal: libc::c_int) -> io::Result<()> {
    // SAFETY: SIG_IGN runs no code of ours.
    let previous = unsafe { libc::signal(signal, libc::SIG_IGN) };
    if previous == libc::SIG_ERR {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Has the kernel send no signal when a child stops: a tracer waits, and the
/// signal would only be worked out to be ignored.
pub(crate) fn no_signal_for_stops() -> io::Result<()> {
    // SAFETY: all fields are numbers, for which zero is valid: the default
    // action, which runs no code, and an empty mask.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_flags = libc::SA_NOCLDSTOP;
    // SAFETY: `action` lives through the call; what was before is not asked for.
    let result = unsafe { libc::sigaction(libc::SIGCHLD, &raw const action, std::ptr::null_mut()) };
    check(result.into()).map(drop)
}

/// Gives every signal its default action, whatever was inherited. Past libc,
/// which keeps 32 and 33 to itself and would leave them ignored for programs.
pub(crate) fn default_signals() -> io::Result<()> {
    /// The kernel's `struct sigaction`, with the default action as zero.
    #[repr(C)]
    struct Action {
        handler: usize,
        flags: libc::c_ulong,
        restorer: usize,
        mask: u64,
    }
    let action = Action {
        handler: libc::SIG_DFL,
        flags: 0,
        restorer: 0,
        mask: 0,
    };
    for number in (1..=64).filter(|number| !matches!(*number, libc::SIGKILL | libc::SIGSTOP)) {
        // SAFETY: `action` lives through the call and has the kernel's layout,
        // with a mask of the size passed; the default action runs no code.
        let result = unsafe {
            libc::syscall(
                libc::SYS_rt_sigaction,
                number,
                &raw const action,
                std::ptr::null_mut::<Action>(),
                size_of::<u64>(),
            )
        };
        check(result)?;
    }
    Ok(())
}

/// Ends the calling process at once: no destructor, no buffer is run, which
/// would act on state copied from the parent.
pub(crate) fn exit_now(code: libc::c_int) -> ! {
    // SAFETY: _exit never returns and touches no memory of ours.
    unsafe { libc::_exit(code) }
}
