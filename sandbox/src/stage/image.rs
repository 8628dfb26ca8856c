//! How much memory a program's image asks for before it runs.
//!
//! A program with an array too large to be mapped is killed by the kernel
//! inside `execve`, with a signal like any other. Its ELF headers tell.

use super::collect::open_regular;
use crate::protocol::Order;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::Path;

const LOAD: u32 = 1;

/// Whether the segments to be loaded are larger than the memory limit. What
/// is not a 64-bit ELF file is not, nor what is reached by links only: the program may have
/// put anything in its own place, and none of the system's is so large.
pub(super) fn exceeds_memory(order: &Order, executable: Option<&OwnedFd>) -> bool {
    let file = match executable {
        Some(executable) => executable.try_clone().ok().map(File::from),
        None => by_name(order),
    };
    file.and_then(|file| loaded_size(&file))
        .is_some_and(|size| size > order.limits.memory.as_u64())
}

fn by_name(order: &Order) -> Option<File> {
    let opened = open_regular(Path::new(order.args.first()?)).ok()?;
    opened.map(|(file, _)| file.into())
}

fn loaded_size(file: &File) -> Option<u64> {
    let header: [u8; 64] = read(file, 0)?;
    if !header.starts_with(b"\x7fELF\x02") {
        return None;
    }
    let offset = u64_at(&header, 32)?;
    let entry_size = u64::from(u16_at(&header, 54)?);
    let entries = u64::from(u16_at(&header, 56)?);
    let mut size = 0_u64;
    for index in 0..entries {
        let entry: [u8; 56] = read(file, offset.checked_add(index * entry_size)?)?;
        if u32_at(&entry, 0)? == LOAD {
            size = size.saturating_add(u64_at(&entry, 40)?);
        }
    }
    Some(size)
}

fn read<const N: usize>(file: &File, offset: u64) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact_at(&mut bytes, offset).ok()?;
    Some(bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes
        .get(at..)?
        .first_chunk()
        .copied()
        .map(u16::from_ne_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk()
        .copied()
        .map(u32::from_ne_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes
        .get(at..)?
        .first_chunk()
        .copied()
        .map(u64::from_ne_bytes)
}
