//! System calls of machines, by number and name.

use crate::audit::NUMBER_END;
use libseccomp::{ScmpArch, ScmpSyscall};

/// The number of a call, if this machine has it.
pub(super) fn native(name: &str) -> Option<usize> {
    let call = ScmpSyscall::from_name(name).ok()?.as_raw_syscall();
    let number = usize::try_from(call).ok()?;
    (number < NUMBER_END).then_some(number)
}

/// The system calls of a machine, by number.
pub(super) fn of_machine(arch: ScmpArch) -> impl Iterator<Item = (u32, String)> {
    (0..).take(NUMBER_END).filter_map(move |number| {
        let name = ScmpSyscall::from(number).get_name_by_arch(arch).ok()?;
        Some((number.unsigned_abs(), name))
    })
}
