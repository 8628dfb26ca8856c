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

/// Memory for the calls between a vfork and its exec.
const STACK: usize = 256 * 1024;

/// Starts a child in new namespaces that runs `work` in the memory of the
/// calling process, which stands still until the child has executed a program
/// or ended. When `work` returns, the child ends with the code it returns.
///
/// Nothing is copied: a fork of the same process takes many times as long. What
/// `work` writes to its variables, the caller reads; what it leaves allocated
/// stays so; and if it is killed inside an allocation, the caller's memory is
/// not sound any more.
pub(crate) fn vfork_into(namespaces: CloneFlags, mut work: impl FnMut() -> i32) -> io::Result<Pid> {
    extern "C" fn child(argument: *mut libc::c_void) -> libc::c_int {
        let work = argument.cast::<&mut dyn FnMut() -> i32>();
        // SAFETY: the argument is the pointer made below, and its target lives
        // in the frame of the caller, who stands still meanwhile.
        let work = unsafe { &mut *work };
        work()
    }
    // Not filled with zeros, which would cost more than the child does.
    let mut stack = Vec::<u128>::with_capacity(STACK / size_of::<u128>());
    let mut work: &mut dyn FnMut() -> i32 = &mut work;
    let flags = namespaces.bits() | libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    let top = stack.spare_capacity_mut().as_mut_ptr_range().end;
    // SAFETY: the stack grows down from its aligned end and outlives the child's
    // use of it, as `work` does, because CLONE_VFORK holds the caller until the
    // child has a memory of its own or is dead. Every caller is
    // single-threaded, so the child is alone in the shared memory. It never
    // returns into a frame of the caller: `child` ends it.
    let result = unsafe { libc::clone(child, top.cast(), flags, (&raw mut work).cast()) };
    check(result.into()).map(|_| Pid::from_raw(result))
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
