//! Landlock: a process gives up rights to files, ports and other processes for
//! itself and all it starts.

use super::{check, narrow};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// What a ruleset forbids unless a rule allows it: `struct landlock_ruleset_attr`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Handled {
    pub(crate) files: u64,
    pub(crate) network: u64,
    pub(crate) scopes: u64,
}

/// `struct landlock_path_beneath_attr`.
#[repr(C, packed)]
struct PathBeneath {
    allowed: u64,
    place: libc::c_int,
}

/// The version of the kernel's interface; 0 where there is none.
pub(crate) fn version() -> u32 {
    const CREATE_RULESET_VERSION: libc::c_uint = 1;
    // SAFETY: with this flag the attributes are null and of no size.
    let result = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<Handled>(),
            0_usize,
            CREATE_RULESET_VERSION,
        )
    };
    u32::try_from(result).unwrap_or(0)
}

/// A ruleset without rules. What older kernels do not know must be zero.
pub(crate) fn create(handled: Handled) -> io::Result<OwnedFd> {
    // SAFETY: the attributes outlive the call and their size is passed.
    let result = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            &raw const handled,
            size_of::<Handled>(),
            0,
        )
    };
    let raw = narrow(check(result)?)?;
    // SAFETY: the kernel just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

/// Allows this at a file, or at a directory and everything below it.
pub(crate) fn allow(
    ruleset: BorrowedFd<'_>,
    place: BorrowedFd<'_>,
    allowed: u64,
) -> io::Result<()> {
    const RULE_PATH_BENEATH: libc::c_int = 1;
    let rule = PathBeneath {
        allowed,
        place: place.as_raw_fd(),
    };
    // SAFETY: the rule outlives the call and is of the kind that is named.
    let result = unsafe {
        libc::syscall(
            libc::SYS_landlock_add_rule,
            ruleset.as_raw_fd(),
            RULE_PATH_BENEATH,
            &raw const rule,
            0,
        )
    };
    check(result).map(drop)
}
