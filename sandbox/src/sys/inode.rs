//! What `stat` does not tell of a file.

use super::check;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// `FS_IOC_GETFLAGS`, as `ioctl_list(2)` has it.
const GET_FLAGS: libc::Ioctl = 0x8008_6601;

/// Bytes of the names of its extended attributes.
pub(crate) fn attribute_names(file: BorrowedFd<'_>) -> io::Result<isize> {
    // SAFETY: with a size of zero the kernel writes nothing.
    let size = unsafe { libc::flistxattr(file.as_raw_fd(), std::ptr::null_mut(), 0) };
    check(size.try_into().unwrap_or(-1)).map(|_| size)
}

/// What `chattr` sets.
pub(crate) fn flags(file: BorrowedFd<'_>) -> io::Result<libc::c_long> {
    let mut flags: libc::c_long = 0;
    // SAFETY: the kernel writes an int, or a long on some file systems, to
    // `flags`, which outlives the call.
    let result = unsafe { libc::ioctl(file.as_raw_fd(), GET_FLAGS, &raw mut flags) };
    check(result.into()).map(|_| flags)
}
