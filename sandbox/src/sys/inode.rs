//! What `stat` does not tell of a file.

use super::check;
use serde::{Deserialize, Serialize};
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

/// Which file, of which mount. It stands for that as long as the file is open.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    device: [u32; 2],
    inode: u64,
    mount: u64,
}

/// What a descriptor stands for, and whether that is a directory.
pub(crate) fn identify(file: BorrowedFd<'_>) -> io::Result<(Identity, bool)> {
    // SAFETY: all fields are numbers, for which zero is valid.
    let mut found: libc::statx = unsafe { std::mem::zeroed() };
    let wanted = libc::STATX_TYPE | libc::STATX_INO | libc::STATX_MNT_ID;
    // SAFETY: the empty path is a C string; the kernel writes to `found`, which
    // outlives the call.
    let result = unsafe {
        libc::statx(
            file.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            wanted,
            &raw mut found,
        )
    };
    check(result.into())?;
    let identity = Identity {
        device: [found.stx_dev_major, found.stx_dev_minor],
        inode: found.stx_ino,
        mount: found.stx_mnt_id,
    };
    let kind = libc::mode_t::from(found.stx_mode) & libc::S_IFMT;
    Ok((identity, kind == libc::S_IFDIR))
}
