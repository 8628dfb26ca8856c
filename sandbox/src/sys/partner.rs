//! A second process in this memory, of which always one stands still.

use super::calls::{Calls, Stack};
use super::check;
use super::raw::{clone, outcome};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};

/// A process with the memory and the descriptors of this one, that works while
/// this one waits for it. What a system call does to a process, as a filter
/// or a name space, it does to the partner alone.
#[derive(Debug)]
pub(crate) struct Partner {
    pidfd: OwnedFd,
    /// Says to the partner that there is work, and that it is done.
    work: EventFd,
    done: EventFd,
    desk: Box<Desk>,
    _stack: Stack,
}

/// What the partner looks at.
#[derive(Debug)]
struct Desk {
    ends: Ends,
    task: Option<Task>,
}

/// What never changes.
#[derive(Clone, Copy, Debug)]
struct Ends {
    calls: Calls,
    work: RawFd,
    done: RawFd,
}

/// A pointer to the caller's reference to a closure.
#[derive(Clone, Copy, Debug)]
struct Task(*mut libc::c_void);

impl Partner {
    /// Starts it. It makes system calls with this key, and is killed with us.
    pub(crate) fn start(calls: Calls) -> io::Result<Self> {
        let make = || EventFd::from_flags(EfdFlags::EFD_CLOEXEC);
        let (work, done) = (make()?, make()?);
        let mut desk = Box::new(Desk {
            ends: Ends {
                calls,
                work: work.as_fd().as_raw_fd(),
                done: done.as_fd().as_raw_fd(),
            },
            task: None,
        });
        let mut stack = Stack::new();
        let flags = libc::CLONE_VM | libc::CLONE_FILES | libc::CLONE_PIDFD | libc::SIGCHLD;
        let mut pidfd: libc::c_int = -1;
        // SAFETY: desk and stack live in memory that does not move and, as
        // `self`, until the process ends: see `drop`. The partner touches
        // nothing else before it is given work, and `run` says why that is
        // sound; `live` never returns.
        let result = unsafe {
            clone(
                0,
                flags,
                stack.top(),
                &raw mut pidfd,
                std::ptr::null_mut(),
                live,
                (&raw mut *desk).cast(),
            )
        };
        outcome(result)?;
        check(pidfd.into())?;
        Ok(Self {
            // SAFETY: CLONE_PIDFD made the kernel store a fresh descriptor
            // there, which nobody else owns.
            pidfd: unsafe { OwnedFd::from_raw_fd(pidfd) },
            work,
            done,
            desk,
            _stack: stack,
        })
    }

    /// Has the partner do `task`, and stands still until that is done.
    ///
    /// # Errors
    /// When the partner has been killed or could not be spoken to. Then no
    /// memory is sound any more, and the only thing to do is to end.
    pub(crate) fn run(&mut self, mut task: &mut dyn FnMut()) -> io::Result<()> {
        self.desk.task = Some(Task((&raw mut task).cast()));
        self.work.write(1)?;
        let input = PollFlags::POLLIN;
        loop {
            let mut both = [
                PollFd::new(self.done.as_fd(), input),
                PollFd::new(self.pidfd.as_fd(), input),
            ];
            match poll(&mut both, PollTimeout::NONE) {
                Err(Errno::EINTR) => continue,
                other => other?,
            };
            let [done, ended] = both.map(|one| one.revents().is_some_and(|got| !got.is_empty()));
            if done {
                self.done.read()?;
                return Ok(());
            }
            if ended {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
        }
    }
}

impl Drop for Partner {
    /// Its stack and its desk are ours.
    fn drop(&mut self) {
        let killed = super::process::signal(self.pidfd.as_fd(), nix::sys::signal::SIGKILL);
        let waited = killed.and_then(|()| super::process::wait(None));
        if waited.is_err() {
            super::process::exit_now(1);
        }
    }
}

extern "C" fn live(argument: *mut libc::c_void) -> ! {
    let desk = argument.cast::<Desk>();
    // SAFETY: the desk outlives this process, and nobody writes to this field.
    let Ends { calls, work, done } = unsafe { (*desk).ends };
    if calls.die_with_parent().is_err() {
        calls.exit(1);
    }
    loop {
        if calls.take_event(work).is_err() {
            calls.exit(1);
        }
        // SAFETY: `run` has stored it before it raised the event, and waits.
        let Some(Task(task)) = (unsafe { (*desk).task }) else {
            calls.exit(1);
        };
        // SAFETY: a pointer to the reference that `run` holds. Its caller stands
        // still until `done` is raised, so that this process is alone in the
        // memory, as if `run` had called the closure itself.
        let task = unsafe { &mut *task.cast::<&mut dyn FnMut()>() };
        task();
        if calls.raise_event(done).is_err() {
            calls.exit(1);
        }
    }
}
