//! Binding to one core.

use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use std::io;

/// Binds the calling thread to a core: that of a jail whose programs it serves, say, because
/// to wake somebody on another core takes ten times as long.
///
/// # Errors
/// When the core is not there, or not allowed to this process.
pub fn stay_on_core(core: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(core)?;
    sched_setaffinity(Pid::from_raw(0), &set)?;
    Ok(())
}
