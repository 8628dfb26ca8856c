//! Copying what a program writes, and counting it.

use crate::protocol::Failure;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A pipe's capacity: what one read can get at most.
const CHUNK: usize = 64 * 1024;

/// Room for a chunk, used by all pumps of a jail.
#[derive(Debug)]
pub(super) struct Buffer(Vec<u8>);

impl Buffer {
    pub(super) fn new() -> Self {
        Self(vec![0; CHUNK])
    }
}

/// From a pipe to a file, up to a number of bytes; the rest is only counted.
#[derive(Debug)]
pub(super) struct Pump {
    pipe: Option<File>,
    to: File,
    keep: u64,
}

impl Pump {
    pub(super) fn new(pipe: OwnedFd, to: OwnedFd, keep: u64) -> Result<Self, Failure> {
        fcntl(&pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
            .map_err(Failure::step("make a pipe non-blocking"))?;
        Ok(Self {
            pipe: Some(pipe.into()),
            to: to.into(),
            keep,
        })
    }

    /// The pipe, until its end.
    pub(super) fn source(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// Moves what is there now, one buffer at most; returns its size.
    pub(super) fn pump(&mut self, buffer: &mut Buffer) -> Result<u64, Failure> {
        let Some(pipe) = &mut self.pipe else {
            return Ok(0);
        };
        let length = match pipe.read(&mut buffer.0) {
            Ok(length) => length,
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                return Ok(0);
            }
            Err(error) => return Err(Failure::step("read captured output")(error)),
        };
        if length == 0 {
            self.pipe = None;
            return Ok(0);
        }
        let read = u64::try_from(length).unwrap_or(u64::MAX);
        let kept = usize::try_from(self.keep.min(read)).unwrap_or(length);
        self.to
            .write_all(buffer.0.get(..kept).unwrap_or_default())
            .map_err(Failure::step("write captured output"))?;
        self.keep = self.keep.saturating_sub(read);
        Ok(read)
    }

    /// Moves what is left after every writer is dead.
    pub(super) fn drain(&mut self, buffer: &mut Buffer) -> Result<u64, Failure> {
        let mut total = 0;
        loop {
            let moved = self.pump(buffer)?;
            if moved == 0 {
                return Ok(total);
            }
            total += moved;
        }
    }
}
