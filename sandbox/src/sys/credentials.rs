//! Giving up capabilities for good.

use super::check;
use std::io;

/// `_LINUX_CAPABILITY_VERSION_3`.
const CAPABILITY_VERSION: u32 = 0x2008_0522;
/// Capabilities are numbered below this in every kernel so far.
const CAPABILITY_END: libc::c_ulong = 64;

/// What `capset` is given to leave nothing: version 3 has two data structures.
pub(super) const NO_CAPABILITIES: (Header, [Data; 2]) = (
    Header {
        version: CAPABILITY_VERSION,
        pid: 0,
    },
    [Data {
        effective: 0,
        permitted: 0,
        inheritable: 0,
    }; 2],
);

#[repr(C)]
pub(super) struct Header {
    version: u32,
    pid: libc::c_int,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Data {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Empties the bounding and the ambient set. Needs `CAP_SETPCAP`, so it comes
/// before the change of user.
pub(crate) fn drop_bounding_set() -> io::Result<()> {
    for capability in 0..CAPABILITY_END {
        // SAFETY: PR_CAPBSET_DROP takes plain numbers and touches no memory.
        let result = unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) };
        if let Err(error) = check(result.into()) {
            // The first number that this kernel does not know ends the list.
            if error.raw_os_error() == Some(libc::EINVAL) && capability > 0 {
                break;
            }
            return Err(error);
        }
    }
    // SAFETY: PR_CAP_AMBIENT_CLEAR_ALL takes plain numbers only.
    let result = unsafe {
        libc::prctl(
            libc::PR_CAP_AMBIENT,
            libc::PR_CAP_AMBIENT_CLEAR_ALL as libc::c_ulong,
            0,
            0,
            0,
        )
    };
    check(result.into()).map(drop)
}

/// Leaves the keys of whoever started this process behind, in a new and empty
/// session keyring. A kernel without keys has none to leave.
pub(crate) fn join_new_keyring() -> io::Result<()> {
    const JOIN_SESSION_KEYRING: libc::c_int = 1;
    // SAFETY: a null name makes an anonymous keyring; no memory is touched.
    let result = unsafe {
        libc::syscall(
            libc::SYS_keyctl,
            JOIN_SESSION_KEYRING,
            std::ptr::null::<libc::c_char>(),
        )
    };
    match check(result) {
        Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => Ok(()),
        other => other.map(drop),
    }
}
