//! System calls by their instruction, for each machine.

use nix::errno::Errno;
use std::arch::asm;

/// What the kernel has answered: an error is a negative number.
pub(super) fn outcome(answer: libc::c_long) -> Result<usize, Errno> {
    usize::try_from(answer).map_err(|_| {
        let number = i32::try_from(-answer).unwrap_or(libc::EINVAL);
        Errno::from_raw(number)
    })
}

/// A clone whose child begins with `entry(argument)` on another stack.
///
/// # Safety
/// `entry` must not return, `stack` be the aligned end of memory that nobody
/// else uses while the child lives, and `pidfd` be writable, as must be `cleared`
/// to the child's end if the flags have `CLONE_CHILD_CLEARTID`.
pub(super) unsafe fn clone(
    key: u64,
    flags: libc::c_int,
    stack: usize,
    pidfd: *mut libc::c_int,
    cleared: *mut libc::c_int,
    entry: extern "C" fn(*mut libc::c_void) -> !,
    argument: *mut libc::c_void,
) -> libc::c_long {
    let flags = flags.cast_unsigned() as usize;
    let result: libc::c_long;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the parent comes out behind the block with nothing changed but
    // what is declared; the child never does. `clone` looks at five arguments.
    unsafe {
        asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, r12",
            "call r13",
            "ud2",
            "2:",
            inlateout("rax") libc::SYS_clone => result,
            in("rdi") flags,
            in("rsi") stack,
            in("rdx") pidfd,
            in("r10") cleared,
            in("r8") 0,
            in("r9") key,
            in("r12") argument,
            in("r13") entry,
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above.
    unsafe {
        asm!(
            "svc #0",
            "cbnz x0, 2f",
            "mov x29, xzr",
            "mov x0, x20",
            "blr x21",
            "brk #1",
            "2:",
            in("x8") libc::SYS_clone,
            inlateout("x0") flags => result,
            in("x1") stack,
            in("x2") pidfd,
            in("x3") 0,
            in("x4") cleared,
            in("x5") key,
            in("x20") argument,
            in("x21") entry,
        );
    }
    result
}

/// # Safety
/// As the call itself.
pub(super) unsafe fn system_call(
    number: libc::c_long,
    arguments: [usize; 5],
    key: u64,
) -> libc::c_long {
    let [first, second, third, fourth, fifth] = arguments;
    let result: libc::c_long;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the caller's; the kernel changes no register but these.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") first,
            in("rsi") second,
            in("rdx") third,
            in("r10") fourth,
            in("r8") fifth,
            in("r9") key,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above.
    unsafe {
        asm!(
            "svc #0",
            in("x8") number,
            inlateout("x0") first => result,
            in("x1") second,
            in("x2") third,
            in("x3") fourth,
            in("x4") fifth,
            in("x5") key,
            options(nostack),
        );
    }
    result
}
