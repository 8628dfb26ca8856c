//! Proving a scratch to be as it was made.
//!
//! Everything that a program can leave in a tmpfs of its own is looked at: what
//! takes room, and what is written on the directory itself. The time of its last
//! change can't be set by anybody, so what was changed and changed back is
//! seen as well. That a file was there and is gone shows in the number of the next.

use crate::sys::inode;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{Mode, fstat};
use nix::sys::statvfs::fstatvfs;
use std::fs::{DirEntry, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// More than this takes longer to remove than a new stage takes to make.
const REMOVED_MAX: u64 = 64;

/// What a scratch is like when nothing has happened to it.
#[derive(Debug)]
pub(super) struct Proof {
    directory: File,
    clean: State,
    /// The last inode's number; the kernel counts them for each tmpfs.
    last: u64,
}

#[derive(Debug, PartialEq, Eq)]
struct State {
    free: [u64; 2],
    owner: [u32; 2],
    mode: u32,
    links: libc::nlink_t,
    size: i64,
    accessed: [i64; 2],
    modified: [i64; 2],
    changed: [i64; 2],
    attribute_names: isize,
    flags: libc::c_long,
}

impl Proof {
    /// Looks at a scratch that nobody has used yet.
    pub(super) fn record(path: &Path) -> io::Result<Self> {
        let directory = File::open(path)?;
        let last = next_inode(&directory)?;
        Ok(Self {
            clean: State::of(&directory)?,
            directory,
            last,
        })
    }

    /// Whether it is as it was then. Nothing that could change it may be alive.
    pub(super) fn holds(&mut self) -> io::Result<bool> {
        if State::of(&self.directory)? != self.clean {
            return Ok(false);
        }
        let next = next_inode(&self.directory)?;
        let follows = next == self.last + 1;
        self.last = next;
        Ok(follows)
    }

    /// Removes everything in the scratch, so that it takes no memory where it lies
    /// below another; whether that was possible. Nothing of it is followed. Not if something
    /// else is at its path by now: where it lies in another one, a program can have renamed the
    /// directories between.
    pub(super) fn empty(&self, path: &Path) -> bool {
        if !self.is_at(path).unwrap_or(false) {
            return false;
        }
        let [_, files_free] = self.clean.free;
        let count = |directory| fstatvfs(directory).map(|room| room.files_free());
        let used = count(&self.directory).map(|now| files_free.saturating_sub(now));
        if !used.is_ok_and(|used| used <= REMOVED_MAX) {
            return false;
        }
        let entries = std::fs::read_dir(path);
        entries
            .is_ok_and(|mut entries| entries.all(|entry| entry.is_ok_and(|entry| remove(&entry))))
    }

    fn is_at(&self, path: &Path) -> io::Result<bool> {
        let (own, there) = (self.directory.metadata()?, std::fs::symlink_metadata(path)?);
        Ok((own.dev(), own.ino()) == (there.dev(), there.ino()))
    }
}

impl AsFd for Proof {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }
}

impl State {
    fn of(directory: &File) -> io::Result<Self> {
        let room = fstatvfs(directory)?;
        let stat = fstat(directory)?;
        Ok(Self {
            free: [room.blocks_free(), room.files_free()],
            owner: [stat.st_uid, stat.st_gid],
            mode: stat.st_mode,
            links: stat.st_nlink,
            size: stat.st_size,
            accessed: [stat.st_atime, stat.st_atime_nsec],
            modified: [stat.st_mtime, stat.st_mtime_nsec],
            changed: [stat.st_ctime, stat.st_ctime_nsec],
            attribute_names: inode::attribute_names(directory.as_fd())?,
            flags: inode::flags(directory.as_fd())?,
        })
    }
}

/// Bytes that are in use in the file system of a scratch.
pub(crate) fn used(scratch: impl AsFd) -> io::Result<u64> {
    let room = fstatvfs(scratch)?;
    Ok((room.blocks() - room.blocks_free()) * room.fragment_size())
}

/// The number of a file without a name, made and gone again.
fn next_inode(directory: &File) -> io::Result<u64> {
    let flags = OFlag::O_TMPFILE | OFlag::O_WRONLY | OFlag::O_CLOEXEC;
    let nameless = File::from(openat(directory, ".", flags, Mode::empty())?);
    Ok(nameless.metadata()?.ino())
}

fn remove(entry: &DirEntry) -> bool {
    let removed = match entry.file_type() {
        Ok(kind) if kind.is_dir() => std::fs::remove_dir_all(entry.path()),
        _ => std::fs::remove_file(entry.path()),
    };
    removed.is_ok()
}
