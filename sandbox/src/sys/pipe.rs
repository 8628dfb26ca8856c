//! What is in a pipe.

use super::check;
use std::io::{self, PipeReader};
use std::os::fd::AsRawFd;

/// How many bytes can be read from it now.
pub(crate) fn bytes_in(pipe: &PipeReader) -> io::Result<usize> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: of a pipe, the kernel writes an int to `bytes`, which outlives the call.
    let result = unsafe { libc::ioctl(pipe.as_raw_fd(), libc::FIONREAD, &raw mut bytes) };
    check(result.into())?;
    usize::try_from(bytes).map_err(io::Error::other)
}
