//! The mount API by descriptors: a tree is cloned and made read-only where it
//! can still be seen, and put into place where it can't.

use super::{check, narrow};
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

const OPEN_TREE_CLONE: libc::c_uint = 1;
const OPEN_TREE_CLOEXEC: libc::c_uint = libc::O_CLOEXEC.cast_unsigned();
const AT_RECURSIVE: libc::c_uint = 0x8000;
const AT_EMPTY_PATH: libc::c_uint = libc::AT_EMPTY_PATH.cast_unsigned();
const MOVE_MOUNT_F_EMPTY_PATH: libc::c_uint = 4;

pub(crate) const READ_ONLY: u64 = 1;
pub(crate) const NO_SUID: u64 = 2;
pub(crate) const NO_DEVICES: u64 = 4;
pub(crate) const NO_EXEC: u64 = 8;

#[repr(C)]
struct MountAttr {
    attr_set: u64,
    attr_clr: u64,
    propagation: u64,
    userns_fd: u64,
}

/// A detached copy of the mounts at and below `directory`/`path` (or of
/// `directory` itself when `path` is empty).
pub(crate) fn clone_tree(directory: BorrowedFd<'_>, path: &CStr) -> io::Result<OwnedFd> {
    // SAFETY: `path` is a valid C string for the duration of the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_open_tree,
            directory.as_raw_fd(),
            path.as_ptr(),
            OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE,
        )
    };
    let raw = narrow(check(result)?)?;
    // SAFETY: the kernel just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

/// Sets attributes on a mount and everything below it, and makes it private.
pub(crate) fn restrict(tree: BorrowedFd<'_>, attributes: u64) -> io::Result<()> {
    set_attributes(tree, c"", AT_EMPTY_PATH | AT_RECURSIVE, attributes)
}

/// Sets attributes on the one mount at `path`.
pub(crate) fn restrict_at(path: &CStr, attributes: u64) -> io::Result<()> {
    set_attributes(nix::fcntl::AT_FDCWD, path, 0, attributes)
}

fn set_attributes(
    directory: BorrowedFd<'_>,
    path: &CStr,
    flags: libc::c_uint,
    attributes: u64,
) -> io::Result<()> {
    let attr = MountAttr {
        attr_set: attributes,
        attr_clr: 0,
        propagation: libc::MS_PRIVATE,
        userns_fd: 0,
    };
    // SAFETY: `path` and `attr` live through the call and the size passed is
    // that of `attr`; the kernel only reads them.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            directory.as_raw_fd(),
            path.as_ptr(),
            flags,
            &raw const attr,
            size_of::<MountAttr>(),
        )
    };
    check(result).map(drop)
}

/// Attaches a detached tree at `target`, which must exist.
pub(crate) fn attach(tree: BorrowedFd<'_>, target: &CStr) -> io::Result<()> {
    // SAFETY: both paths are valid C strings for the duration of the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            tree.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_FDCWD,
            target.as_ptr(),
            MOVE_MOUNT_F_EMPTY_PATH,
        )
    };
    check(result).map(drop)
}
