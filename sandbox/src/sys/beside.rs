//! A child that works in this memory at the same time as its parent, until it
//! executes a program. A tracer can't stand still meanwhile, as after a vfork, and to
//! copy its memory would take longer than to trace a short program.

use super::calls::{Calls, Stack};
use super::raw::{clone, outcome};
use super::{process, ptrace};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io;
use std::sync::atomic::{AtomicI32, Ordering};

/// What the child has to do, and whether it is still here.
struct Errand<'a> {
    calls: Calls,
    work: &'a (dyn Fn() -> i32 + Sync),
    /// The kernel makes it 0 when the child has executed a program or ended.
    here: AtomicI32,
}

/// Runs `work` in a child that shares the memory of this process, and at the same
/// time `meanwhile` here, which must follow the child until it has executed a program
/// or ended; a child that has not is killed. When `work` returns, the child ends with
/// the code it returns.
///
/// `work` makes system calls by [`Calls`] only and allocates nothing: a child that is
/// killed inside an allocation, or that shares the parent's `errno`, would leave the
/// parent's memory unsound.
///
/// # Errors
/// When there can be no child, or none that has not ended can be ended.
pub(crate) fn beside<T>(
    calls: Calls,
    stack: &mut Stack,
    work: &(dyn Fn() -> i32 + Sync),
    meanwhile: impl FnOnce(Pid) -> T,
) -> io::Result<T> {
    let errand = Errand {
        calls,
        work,
        here: AtomicI32::new(1),
    };
    let mut unused: libc::c_int = -1;
    let flags = libc::CLONE_VM | libc::CLONE_CHILD_CLEARTID | libc::SIGCHLD;
    // SAFETY: errand and stack outlive the child's use of them, because this function
    // does not return before `here` is 0, which the kernel makes it when the child
    // has a memory of its own or none. The child only reads what `work` refers to, which
    // is fit to be read from several threads, and `run_errand` never returns.
    let result = unsafe {
        clone(
            calls.key,
            flags,
            stack.top(),
            &raw mut unused,
            errand.here.as_ptr(),
            run_errand,
            (&raw const errand).cast_mut().cast(),
        )
    };
    outcome(result)?;
    let child = Pid::from_raw(super::narrow(result)?);
    let done = meanwhile(child);
    while errand.here.load(Ordering::Acquire) != 0 {
        if end(child).is_err() {
            // Somebody else in memory whose owner goes on: no memory is sound any more.
            process::exit_now(1);
        }
    }
    Ok(done)
}

/// Kills a child and lets it die, at whatever it has stopped.
fn end(child: Pid) -> io::Result<()> {
    kill(child, Signal::SIGKILL)?;
    let waited = process::wait(Some(child))?.ok_or(Errno::ECHILD)?;
    if waited.stop().is_some() {
        // Refused when it has died since, which the next look shows.
        ptrace::resume(child, 0).or_else(|error| match error.raw_os_error() {
            Some(libc::ESRCH) => Ok(()),
            _ => Err(error),
        })?;
    }
    Ok(())
}

extern "C" fn run_errand(argument: *mut libc::c_void) -> ! {
    // SAFETY: the argument is the pointer made in `beside`, which does not return
    // while this process is here, and nothing but `here` is ever written to.
    let errand = unsafe { &*argument.cast::<Errand<'_>>() };
    errand.calls.exit((errand.work)())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU32;

    #[test]
    fn both_work_in_one_memory_until_the_child_is_gone() {
        let seen = AtomicU32::new(0);
        let work = || {
            seen.store(1, Ordering::Release);
            7
        };
        let waited = beside(Calls::new(0), &mut Stack::new(), &work, |child| {
            process::wait(Some(child)).unwrap().unwrap()
        })
        .unwrap();
        assert_eq!(libc::WEXITSTATUS(waited.status), 7);
        assert_eq!(seen.load(Ordering::Acquire), 1);
    }

    #[test]
    fn who_is_left_is_killed() {
        let calls = Calls::new(0);
        let gate = nix::sys::eventfd::EventFd::new().unwrap();
        let number = std::os::fd::AsRawFd::as_raw_fd(&std::os::fd::AsFd::as_fd(&gate));
        let work = || i32::from(calls.take_event(number).is_err());
        let child = beside(calls, &mut Stack::new(), &work, |child| child).unwrap();
        assert_eq!(kill(child, None), Err(Errno::ESRCH));
    }
}
