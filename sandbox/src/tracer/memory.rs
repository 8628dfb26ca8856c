//! Reading the program's memory.

use nix::errno::Errno;
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;
use std::io::IoSliceMut;

/// As long as the kernel takes paths, with the zero at the end.
const PATH_MAX: usize = 4096;
const PAGE: usize = 4096;
/// Most paths are shorter.
const FIRST: usize = 256;

/// A string that ends in a zero, as the kernel would read it for a path.
pub(super) fn path(thread: Pid, address: u64) -> Result<Vec<u8>, Errno> {
    let mut address = usize::try_from(address).map_err(|_| Errno::EFAULT)?;
    let mut path = Vec::new();
    let mut most = FIRST;
    while path.len() < PATH_MAX {
        // The page behind may not be there.
        let length = (PAGE - address % PAGE).min(most).min(PATH_MAX - path.len());
        let before = path.len();
        path.resize(before + length, 0);
        let chunk = path.get_mut(before..).unwrap_or_default();
        read(thread, address, chunk)?;
        if let Some(end) = chunk.iter().position(|byte| *byte == 0) {
            path.truncate(before + end);
            return Ok(path);
        }
        address = address.checked_add(length).ok_or(Errno::EFAULT)?;
        most = PATH_MAX;
    }
    Err(Errno::ENAMETOOLONG)
}

/// One number.
pub(super) fn number(thread: Pid, address: u64) -> Result<u64, Errno> {
    let mut number = [0; 8];
    bytes(thread, address, &mut number)?;
    Ok(u64::from_ne_bytes(number))
}

/// So many bytes.
pub(super) fn bytes(thread: Pid, address: u64, into: &mut [u8]) -> Result<(), Errno> {
    let address = usize::try_from(address).map_err(|_| Errno::EFAULT)?;
    read(thread, address, into)
}

fn read(thread: Pid, address: usize, into: &mut [u8]) -> Result<(), Errno> {
    let wanted = into.len();
    let remote = [RemoteIoVec {
        base: address,
        len: wanted,
    }];
    match process_vm_readv(thread, &mut [IoSliceMut::new(into)], &remote)? {
        read if read == wanted => Ok(()),
        _ => Err(Errno::EFAULT),
    }
}
