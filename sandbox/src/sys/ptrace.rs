//! Tracing: attaching, looking at a stopped call, resuming.

use super::check;
use nix::errno::Errno;
use nix::unistd::Pid;
use std::io;

/// The signal that a stop at the end of a call is reported with.
pub(crate) const CALL_STOP: libc::c_int = libc::SIGTRAP | 0x80;

/// Everything that the tracer is told about, and the end of a tracee whose
/// tracer is dead.
const OPTIONS: libc::c_int = libc::PTRACE_O_EXITKILL
    | libc::PTRACE_O_TRACESYSGOOD
    | libc::PTRACE_O_TRACESECCOMP
    | libc::PTRACE_O_TRACEFORK
    | libc::PTRACE_O_TRACEVFORK
    | libc::PTRACE_O_TRACECLONE
    | libc::PTRACE_O_TRACEEXEC;

/// A system call at which a tracee has stopped because its filter says so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StoppedCall {
    /// As in `AUDIT_ARCH_*`: which table `number` is of.
    pub(crate) arch: u32,
    pub(crate) number: u64,
    pub(crate) arguments: [u64; 6],
    /// The 16 bits that the filter returned with `SECCOMP_RET_TRACE`.
    pub(crate) data: u32,
}

/// Traces `pid` and all its future threads and children, without stopping it.
/// With `ends`, also tells when one is about to end and when one goes on that
/// has waited for the child of its vfork.
pub(crate) fn seize(pid: Pid, ends: bool) -> io::Result<()> {
    let more = if ends {
        libc::PTRACE_O_TRACEEXIT | libc::PTRACE_O_TRACEVFORKDONE
    } else {
        0
    };
    request(libc::PTRACE_SEIZE, pid, (OPTIONS | more).into()).map(drop)
}

/// A stop that has nothing to do with a call is that before a tracee's end: whoever stood at a
/// call and was killed by somebody else's exec, say, has gone on to there.
fn call_info(pid: Pid) -> io::Result<libc::ptrace_syscall_info> {
    let info = nix::sys::ptrace::syscall_info(pid)?;
    if info.op == libc::PTRACE_SYSCALL_INFO_NONE {
        return Err(Errno::ESRCH.into());
    }
    Ok(info)
}

/// Has a running tracee stop.
pub(crate) fn interrupt(pid: Pid) -> io::Result<()> {
    request(libc::PTRACE_INTERRUPT, pid, 0).map(drop)
}

/// Lets a tracee that has stopped at a call go on until the call returns.
pub(crate) fn resume_to_return(pid: Pid, signal: libc::c_int) -> io::Result<()> {
    request(libc::PTRACE_SYSCALL, pid, signal.into()).map(drop)
}

/// The process or thread that this event of a tracee is about. `ESRCH` when the tracee has
/// been killed since: it stands at its end, and what it tells is of that.
pub(crate) fn event_message(pid: Pid, event: libc::c_int) -> io::Result<Pid> {
    let message = nix::sys::ptrace::getevent(pid)?;
    // If it is at the event still, it was when it was asked.
    if nix::sys::ptrace::getsiginfo(pid)?.si_code != libc::SIGTRAP | event << 8 {
        return Err(Errno::ESRCH.into());
    }
    super::narrow(message).map(Pid::from_raw)
}

/// What a call has returned, at the end of it: a negative error number if it
/// has failed. None at the beginning of the next call: the kernel does not stop at the end of
/// one that it emulates, as those of the vsyscall page. `ESRCH` when the tracee has been killed
/// since.
pub(crate) fn result(pid: Pid) -> io::Result<Option<i64>> {
    let info = call_info(pid)?;
    match info.op {
        libc::PTRACE_SYSCALL_INFO_EXIT => {
            // SAFETY: `op` says that the kernel has filled in this variant.
            let exit = unsafe { info.u.exit };
            Ok(Some(exit.sval))
        }
        libc::PTRACE_SYSCALL_INFO_ENTRY => Ok(None),
        _ => Err(io::Error::other("not at the end of a call")),
    }
}

/// Lets a stopped tracee go on, with this signal if it is not 0.
pub(crate) fn resume(pid: Pid, signal: libc::c_int) -> io::Result<()> {
    request(libc::PTRACE_CONT, pid, signal.into()).map(drop)
}

/// Leaves a tracee in its group stop until something like SIGCONT comes. `ESRCH` when it has
/// been killed since.
pub(crate) fn listen(pid: Pid) -> io::Result<()> {
    let listening = request(libc::PTRACE_LISTEN, pid, 0).map(drop);
    listening.map_err(|error| match error.raw_os_error() {
        // In no group stop any more.
        Some(libc::EIO) => Errno::ESRCH.into(),
        _ => error,
    })
}

/// The call at which a tracee stands, in a seccomp stop. `ESRCH` when it has been killed since.
pub(crate) fn stopped_call(pid: Pid) -> io::Result<StoppedCall> {
    let info = call_info(pid)?;
    if info.op != libc::PTRACE_SYSCALL_INFO_SECCOMP {
        return Err(io::Error::other("not in a seccomp stop"));
    }
    // SAFETY: `op` says that the kernel has filled in this variant.
    let call = unsafe { info.u.seccomp };
    Ok(StoppedCall {
        arch: info.arch,
        number: call.nr,
        arguments: call.args,
        data: call.ret_data,
    })
}

fn request(request: libc::c_uint, pid: Pid, data: libc::c_long) -> io::Result<libc::c_long> {
    let none = std::ptr::null_mut::<libc::c_void>();
    // SAFETY: the callers make requests whose address is unused and whose data
    // is a number; nothing of ours is read or written.
    let result = unsafe { libc::ptrace(request, pid.as_raw(), none, data) };
    check(result)
}
