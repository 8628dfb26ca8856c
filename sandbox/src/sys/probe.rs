//! Finding out what the kernel offers without using it.

use std::io;

/// Whether a system call exists and is not refused as a whole.
///
/// It is made with arguments that no call takes: a bad descriptor or pointer,
/// null pointers and sizes of zero. What exists complains about those.
pub(crate) fn has_call(number: libc::c_long) -> bool {
    let bad: libc::c_long = -1;
    let none: libc::c_long = 0;
    // SAFETY: the callers' calls all check their first argument or a size
    // before anything is read or changed, and fail.
    let result = unsafe { libc::syscall(number, bad, none, none, none, none) };
    result != -1
        || !matches!(
            io::Error::last_os_error().raw_os_error(),
            Some(libc::ENOSYS | libc::EPERM)
        )
}
