//! Changing a call at which a tracee stands: the only code that knows the
//! machine's registers.

use nix::sys::ptrace::{getregs, setregs};
use nix::unistd::Pid;
use std::io;

/// Has the stopped call fail with `errno` instead of being made.
#[cfg(target_arch = "x86_64")]
pub(crate) fn refuse(pid: Pid, errno: i32) -> io::Result<()> {
    let mut registers = getregs(pid)?;
    registers.orig_rax = u64::MAX;
    registers.rax = i64::from(-errno).cast_unsigned();
    Ok(setregs(pid, registers)?)
}

/// Changes the first argument of the stopped call.
#[cfg(target_arch = "x86_64")]
pub(crate) fn set_first_argument(pid: Pid, value: u64) -> io::Result<()> {
    let mut registers = getregs(pid)?;
    registers.rdi = value;
    Ok(setregs(pid, registers)?)
}

/// Has the stopped call fail with `errno` instead of being made.
#[cfg(target_arch = "aarch64")]
pub(crate) fn refuse(pid: Pid, errno: i32) -> io::Result<()> {
    // The number is in a set of registers of its own.
    const NT_ARM_SYSTEM_CALL: usize = 0x404;
    let mut none: libc::c_int = -1;
    let number = libc::iovec {
        iov_base: (&raw mut none).cast(),
        iov_len: size_of::<libc::c_int>(),
    };
    // SAFETY: the kernel only reads `number` and the integer it points to,
    // which both outlive the call.
    let result = unsafe {
        libc::ptrace(
            libc::PTRACE_SETREGSET,
            pid.as_raw(),
            NT_ARM_SYSTEM_CALL as *mut libc::c_void,
            (&raw const number).cast_mut().cast::<libc::c_void>(),
        )
    };
    super::check(result)?;
    set_first_argument(pid, i64::from(-errno).cast_unsigned())
}

/// Changes the first argument of the stopped call, which is in the register of
/// its result.
#[cfg(target_arch = "aarch64")]
pub(crate) fn set_first_argument(pid: Pid, value: u64) -> io::Result<()> {
    let mut registers = getregs(pid)?;
    registers.regs[0] = value;
    Ok(setregs(pid, registers)?)
}
