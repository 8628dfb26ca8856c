//! Who goes first on a core.

use super::check;
use std::io;

/// Has this process, and all that it starts from here, run as soon as it is
/// woken, before everybody without a real-time priority and everybody with a
/// lower one than this (from 1).
///
/// # Errors
/// Without the right to, as in most containers and for ordinary users.
pub(crate) fn go_first(priority: libc::c_int) -> io::Result<()> {
    // SAFETY: all fields are numbers, for which zero is valid.
    let mut parameters: libc::sched_param = unsafe { std::mem::zeroed() };
    parameters.sched_priority = priority;
    // SAFETY: `parameters` outlives the call, which only reads it.
    let result = unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const parameters) };
    check(result.into()).map(drop)
}
