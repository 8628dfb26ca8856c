//! Descriptors: taking ownership, placing and closing them by number.

use super::check;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Takes ownership of descriptors that `recvmsg` has just installed.
pub(crate) fn adopt(received: &[RawFd]) -> Vec<OwnedFd> {
    received
        .iter()
        .map(|raw| {
            // SAFETY: SCM_RIGHTS installed this descriptor for us alone, and
            // the caller hands each list over once.
            unsafe { OwnedFd::from_raw_fd(*raw) }
        })
        .collect()
}

/// Owns the descriptor that this process was given as standard input.
pub(crate) fn take_stdin() -> OwnedFd {
    // SAFETY: called once, at the start of assize-jail, whose standard input
    // is the worker's socket; nothing else in the process uses it.
    unsafe { OwnedFd::from_raw_fd(0) }
}

/// Makes descriptor number `target` a copy of `source`, inherited by exec.
pub(crate) fn place(source: BorrowedFd<'_>, target: RawFd) -> io::Result<()> {
    // SAFETY: the caller runs between clone and exec and owns the whole
    // descriptor table; what was open at `target` is not used any more.
    let result = unsafe { libc::dup2(source.as_raw_fd(), target) };
    check(result.into()).map(drop)
}

/// Closes every descriptor from `first` on.
pub(crate) fn close_from(first: libc::c_uint) -> io::Result<()> {
    // SAFETY: the caller uses none of these descriptors afterwards; it ends by
    // exec or `exit` without running their destructors.
    let result = unsafe { libc::close_range(first, libc::c_uint::MAX, 0) };
    check(result.into()).map(drop)
}

/// Closes every descriptor in `first..=last`.
pub(crate) fn close_between(first: libc::c_uint, last: libc::c_uint) -> io::Result<()> {
    if first > last {
        return Ok(());
    }
    // SAFETY: as for `close_from`.
    let result = unsafe { libc::close_range(first, last, 0) };
    check(result.into()).map(drop)
}
