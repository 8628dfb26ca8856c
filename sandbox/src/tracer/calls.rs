//! What system calls are called.

use crate::sys::ptrace::StoppedCall;
use libseccomp::{ScmpArch, ScmpSyscall};

/// `AUDIT_ARCH_X86_64` and `AUDIT_ARCH_I386`: machine, width, byte order.
const X86_64: u32 = 0xc000_003e;
const I386: u32 = 0x4000_0003;
/// Set in the numbers of the third ABI, x32.
const X32_BIT: u64 = 0x4000_0000;

/// The call's name; of another ABI than the machine's own with that before it,
/// of no known call its number.
pub(super) fn name(call: &StoppedCall) -> String {
    let (arch, prefix) = match call.arch {
        X86_64 if call.number & X32_BIT == 0 => (ScmpArch::X8664, ""),
        X86_64 => (ScmpArch::X32, "x32:"),
        I386 => (ScmpArch::X86, "i386:"),
        other => return format!("{other:#x}:{}", call.number),
    };
    let known = i32::try_from(call.number)
        .ok()
        .and_then(|number| ScmpSyscall::from(number).get_name_by_arch(arch).ok());
    match known {
        Some(name) => format!("{prefix}{name}"),
        None => format!("{prefix}{}", call.number),
    }
}

/// The machine's own call of this number, if it is one.
pub(super) fn native_number(call: &StoppedCall) -> Option<i64> {
    (call.arch == X86_64)
        .then(|| i64::try_from(call.number).ok())
        .flatten()
        .filter(|number| (0..1024).contains(number))
}

pub(super) fn is_clone(call: &StoppedCall) -> bool {
    native_number(call) == Some(libc::SYS_clone)
}
