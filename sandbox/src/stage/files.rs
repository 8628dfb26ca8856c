//! Copying files into scratches, before anything hostile has run.

use super::PROGRAM_ID;
use crate::protocol::{Failure, FileRequest, Order};
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, PermissionsExt, chown, fchown};
use std::path::Path;

const CHUNK: usize = 256 * 1024;

pub(super) fn copy_in(order: &Order, contents: &[OwnedFd]) -> Result<(), Failure> {
    for (file, content) in order.files.iter().zip(contents) {
        copy(file, content).map_err(Failure::asked(format!("copy in {}", file.path.display())))?;
    }
    Ok(())
}

fn copy(file: &FileRequest, content: &OwnedFd) -> io::Result<()> {
    if let Some(parent) = file.path.parent() {
        make_directories(parent)?;
    }
    let mut target = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&file.path)?;
    let content = File::from(content.try_clone()?);
    let mut buffer = vec![0; CHUNK];
    // With an offset of our own: the descriptor's may be shared with others.
    let mut offset = 0;
    loop {
        let length = content.read_at(&mut buffer, offset)?;
        let Some(bytes) = buffer.get(..length).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        target.write_all(bytes)?;
        offset += u64::try_from(length).map_err(io::Error::other)?;
    }
    give(&target, if file.executable { 0o755 } else { 0o644 })
}

fn give(file: &File, mode: u32) -> io::Result<()> {
    fchown(file, Some(PROGRAM_ID), Some(PROGRAM_ID))?;
    file.set_permissions(Permissions::from_mode(mode))
}

fn make_directories(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_directories(parent)?;
    }
    DirBuilder::new().mode(0o755).create(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o755))?;
    chown(path, Some(PROGRAM_ID), Some(PROGRAM_ID))
}
