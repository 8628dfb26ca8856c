//! Taking files out, after everything that could have changed them is dead.

use crate::spec::FileOut;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::stat::{Mode, fchmod, fstat};
use nix::unistd::{Gid, Uid, fchown};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// The wanted files that are there, regular and small enough: their paths and
/// sizes, and beside them the files themselves.
pub(super) fn take(wanted: &[FileOut]) -> (Vec<(PathBuf, u64)>, Vec<OwnedFd>) {
    wanted
        .iter()
        .filter_map(|file| {
            let (content, size) = open(file)?;
            Some(((file.path.clone(), size), content))
        })
        .unzip()
}

/// Every name on the way was in the program's hand: no link of any kind is
/// followed, and a FIFO or device is not waited for.
fn open(file: &FileOut) -> Option<(OwnedFd, u64)> {
    let how = OpenHow::new()
        .flags(OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC)
        .resolve(
            ResolveFlag::RESOLVE_BENEATH
                | ResolveFlag::RESOLVE_NO_SYMLINKS
                | ResolveFlag::RESOLVE_NO_MAGICLINKS,
        );
    let root = std::fs::File::open("/").ok()?;
    let path = file.path.strip_prefix(Path::new("/")).ok()?;
    let opened = openat2(&root, path, how).ok()?;
    let stat = fstat(&opened).ok()?;
    let size = u64::try_from(stat.st_size).ok()?;
    let regular = stat.st_mode & libc::S_IFMT == libc::S_IFREG;
    if !regular || size > file.max_size.as_u64() {
        return None;
    }
    // It may be given to another run of this jail, whose program must not be
    // able to open it anew for writing as its own.
    fchown(&opened, Some(Uid::from_raw(0)), Some(Gid::from_raw(0))).ok()?;
    fchmod(&opened, Mode::from_bits_truncate(0o555 & stat.st_mode)).ok()?;
    Some((opened, size))
}
