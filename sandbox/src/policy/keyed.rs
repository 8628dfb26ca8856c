//! A filter that is there before the program is.
//!
//! To install a filter takes the kernel longer than anything else about a run.
//! So the process that runs descend from installs it once, and what it and
//! they have to do before the exec passes by a key: a random number in the
//! register of the sixth argument, which none of these calls has.
//!
//! The program does not know the key: exec clears the registers and the memory,
//! the filter can't be read without privileges, and nobody who holds the key can be
//! traced or looked at by the program's user. It can't be found out piece by piece
//! either: both halves are compared at once.

use crate::sys::calls::NUMBERS;
use crate::sys::seccomp::Program;
use libc::{BPF_ABS, BPF_ALU, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_MISC, BPF_OR, BPF_RET};
use libc::{BPF_TAX, BPF_W, BPF_X, BPF_XOR};

#[cfg(target_arch = "x86_64")]
const ARCH: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCH: u32 = 0xc000_00b7;

/// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCH_OF_CALL: u32 = 4;
const SIXTH_LOW: u32 = 56;
const SIXTH_HIGH: u32 = 60;

/// `program` with a way around it for who knows the key. The kernel still works out
/// in advance what is answered by the number alone: only the calls that
/// have the way around are looked at each time.
pub(super) fn keyed(program: &Program, key: u64) -> Result<Program, String> {
    let (low, high) = halves(key);
    let check = [
        statement(BPF_LD | BPF_W | BPF_ABS, SIXTH_LOW),
        statement(BPF_ALU | BPF_XOR | BPF_K, low),
        statement(BPF_MISC | BPF_TAX, 0),
        statement(BPF_LD | BPF_W | BPF_ABS, SIXTH_HIGH),
        statement(BPF_ALU | BPF_XOR | BPF_K, high),
        statement(BPF_ALU | BPF_OR | BPF_X, 0),
        jump(0, 0, 1),
        statement(BPF_RET | BPF_K, libc::SECCOMP_RET_ALLOW),
    ];
    // Jumps are counted from the next instruction.
    let to_policy = |left: usize| u8::try_from(left + check.len()).map_err(text);
    let mut way = vec![
        statement(BPF_LD | BPF_W | BPF_ABS, ARCH_OF_CALL),
        jump(ARCH, 0, to_policy(1 + NUMBERS.len())?),
        statement(BPF_LD | BPF_W | BPF_ABS, NUMBER),
    ];
    for (index, number) in NUMBERS.into_iter().enumerate() {
        let left = NUMBERS.len() - 1 - index;
        let otherwise = if left == 0 { to_policy(0)? } else { 0 };
        let number = u32::try_from(number).map_err(text)?;
        way.push(jump(number, u8::try_from(left).map_err(text)?, otherwise));
    }
    way.extend(check);
    Ok(program.after(way))
}

fn halves(key: u64) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = key.to_le_bytes();
    (
        u32::from_le_bytes([a, b, c, d]),
        u32::from_le_bytes([e, f, g, h]),
    )
}

fn statement(code: u32, k: u32) -> libc::sock_filter {
    instruction(code, 0, 0, k)
}

/// If the accumulator is `k`, over `equal` instructions, else over `otherwise`.
fn jump(k: u32, equal: u8, otherwise: u8) -> libc::sock_filter {
    instruction(BPF_JMP | BPF_JEQ | BPF_K, equal, otherwise, k)
}

fn instruction(code: u32, jt: u8, jf: u8, k: u32) -> libc::sock_filter {
    // Codes are of 16 bits.
    let code = u16::try_from(code).unwrap_or_default();
    libc::sock_filter { code, jt, jf, k }
}

fn text(error: std::num::TryFromIntError) -> String {
    error.to_string()
}
