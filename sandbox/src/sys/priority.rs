//! Who goes first on a core.

use super::check;
use std::io;

/// What the kernel starts the first process with, in nanoseconds.
pub(crate) const TIMER_SLACK: usize = 50_000;

/// Whether the calling process goes first.
fn is_first() -> io::Result<bool> {
    // SAFETY: a plain number.
    let policy = unsafe { libc::sched_getscheduler(0) };
    Ok(check(policy.into())? == libc::c_long::from(libc::SCHED_FIFO))
}

/// Takes this priority if the one that was inherited is a real-time priority, and does
/// nothing otherwise.
pub(crate) fn go_behind(priority: libc::c_int) -> io::Result<()> {
    if is_first()? {
        go_first(priority)?;
    }
    Ok(())
}

/// Takes turns with everybody else who is not urgent.
pub(crate) fn take_turns() -> io::Result<()> {
    let priority = libc::sched_param { sched_priority: 0 };
    // SAFETY: `priority` outlives the call, which only reads it.
    let result = unsafe { libc::sched_setscheduler(0, libc::SCHED_OTHER, &raw const priority) };
    check(result.into()).map(drop)
}

/// Has this process, and all that it starts from here, run as soon as it is
/// woken, before everybody without a real-time priority and everybody with a
/// lower one than this (from 1).
///
/// # Errors
/// Without the right to, as in most containers and for ordinary users.
pub(crate) fn go_first(priority: libc::c_int) -> io::Result<()> {
    let priority = libc::sched_param {
        sched_priority: priority,
    };
    // SAFETY: `priority` outlives the call, which only reads it.
    let result = unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const priority) };
    check(result.into()).map(drop)
}
