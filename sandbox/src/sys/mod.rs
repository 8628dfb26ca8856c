//! The fence: the only unsafe code of the project, one thin safe function per
//! kernel interface that nix does not offer.
#![expect(
    unsafe_code,
    reason = "these system calls have no safe binding; each block says why it is sound"
)]

pub(crate) mod beside;
pub(crate) mod calls;
pub(crate) mod clone;
pub(crate) mod credentials;
pub(crate) mod descriptor;
pub(crate) mod exec;
pub(crate) mod inode;
pub(crate) mod landlock;
pub(crate) mod mount;
pub(crate) mod partner;
pub(crate) mod pipe;
pub(crate) mod priority;
pub(crate) mod probe;
pub(crate) mod process;
pub(crate) mod ptrace;
mod raw;
pub(crate) mod registers;
pub(crate) mod seccomp;
pub(crate) mod shared;

use std::io;

/// The result of a raw system call, which is -1 with `errno` set on failure.
fn check(result: libc::c_long) -> io::Result<libc::c_long> {
    if result == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// A descriptor or pid that the kernel returned as a long.
fn narrow(value: libc::c_long) -> io::Result<i32> {
    i32::try_from(value).map_err(io::Error::other)
}
