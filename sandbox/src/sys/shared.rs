//! Memory shared with another process.

use std::io;
use std::num::NonZeroUsize;
use std::os::fd::BorrowedFd;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

/// A mapped file.
#[derive(Debug)]
pub(crate) struct Shared {
    start: NonNull<AtomicU64>,
    words: usize,
}

impl Shared {
    /// Maps the first `bytes` of a file, which must be that long.
    pub(crate) fn map(file: BorrowedFd<'_>, bytes: usize) -> io::Result<Self> {
        let size = nix::sys::stat::fstat(file)?.st_size;
        let length = NonZeroUsize::new(bytes).ok_or(io::ErrorKind::InvalidInput)?;
        if usize::try_from(size).map_or(true, |size| size < bytes) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice overlaps
        // nothing of ours; it is only ever accessed by atomic operations.
        let start = unsafe { mmap(None, length, protection, MapFlags::MAP_SHARED, file, 0) }?;
        Ok(Self {
            start: start.cast(),
            words: bytes / size_of::<AtomicU64>(),
        })
    }

    pub(crate) fn words(&self) -> &[AtomicU64] {
        // SAFETY: the mapping is that long, page-aligned, initialised by the
        // kernel, and mapped as long as `self` is there; others who write to it can only change
        // values, which atomics allow. The file is not made shorter: it is
        // sealed against that.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.words) }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let bytes = self.words * size_of::<AtomicU64>();
        // SAFETY: the mapping is ours, that long (up to its last page, which the
        // kernel rounds up to), and every use of it borrows `self`.
        let unmapped = unsafe { munmap(self.start.cast(), bytes) };
        debug_assert!(unmapped.is_ok(), "{unmapped:?}");
    }
}
