//! `clone3`: a fork into new namespaces.

use super::{check, narrow};
use nix::sched::CloneFlags;
use nix::unistd::Pid;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

/// Which side of the clone we are on.
#[derive(Debug)]
pub(crate) enum Cloned {
    /// The new process.
    Child,
    /// The old one, with the child's pid as seen from here and its pidfd.
    Parent { pid: Pid, pidfd: OwnedFd },
}

/// Forks the calling process into the namespaces named by `flags`.
///
/// Every caller is single-threaded: no lock of the copied memory can be held
/// by a thread that the child lacks, so the child may allocate and go on.
pub(crate) fn fork_into(flags: CloneFlags) -> io::Result<Cloned> {
    let mut pidfd: libc::c_int = -1;
    let flags = u64::from(flags.bits().cast_unsigned()) | libc::CLONE_PIDFD.cast_unsigned() as u64;
    let arguments = libc::clone_args {
        flags,
        pidfd: (&raw mut pidfd).addr() as u64,
        child_tid: 0,
        parent_tid: 0,
        exit_signal: libc::SIGCHLD.cast_unsigned().into(),
        stack: 0,
        stack_size: 0,
        tls: 0,
        set_tid: 0,
        set_tid_size: 0,
        cgroup: 0,
    };
    // SAFETY: the structure is initialised and its size is passed with it;
    // `pidfd` outlives the call. Without CLONE_VM the child has its own copy
    // of memory and stack, so it returns here like a fork does.
    let result = unsafe {
        libc::syscall(
            libc::SYS_clone3,
            &raw const arguments,
            size_of::<libc::clone_args>(),
        )
    };
    let pid = narrow(check(result)?)?;
    if pid == 0 {
        return Ok(Cloned::Child);
    }
    // SAFETY: CLONE_PIDFD made the kernel store a fresh descriptor there,
    // which nobody else owns.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    Ok(Cloned::Parent {
        pid: Pid::from_raw(pid),
        pidfd,
    })
}
