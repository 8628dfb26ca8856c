//! Taking files out, after everything that could have changed them is dead.

use crate::spec::FileOut;
use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open as open_path, openat2};
use nix::sys::stat::{FileStat, Mode, fchmod, fstat};
use nix::unistd::{Gid, Uid, fchown};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// What became of the files that are wanted.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// The paths and sizes of those that are there, regular and small enough.
    pub(super) collected: Vec<(PathBuf, u64)>,
    /// The files themselves.
    pub(super) contents: Vec<OwnedFd>,
    /// The paths at which something else is.
    pub(super) unfit: Vec<PathBuf>,
}

/// # Errors
/// When the stage can't open what may be a good file.
pub(super) fn take(wanted: &[FileOut]) -> nix::Result<Taken> {
    let mut taken = Taken::default();
    for file in wanted {
        match open(file) {
            Ok(Some((content, size))) => {
                taken.collected.push((file.path.clone(), size));
                taken.contents.push(content);
            }
            Err(Errno::ENOENT) => {}
            // Links, sockets, and what is beyond or behind something odd.
            Ok(None)
            | Err(Errno::ELOOP | Errno::ENXIO | Errno::EACCES | Errno::EXDEV | Errno::ENOTDIR) => {
                taken.unfit.push(file.path.clone())
            }
            Err(errno) => return Err(errno),
        }
    }
    Ok(taken)
}

/// None of what is not regular or too large.
fn open(file: &FileOut) -> nix::Result<Option<(OwnedFd, u64)>> {
    let Some((opened, stat)) = open_regular(&file.path)? else {
        return Ok(None);
    };
    let size = u64::try_from(stat.st_size).map_err(|_| Errno::EFBIG)?;
    if size > file.max_size.as_u64() {
        return Ok(None);
    }
    // It may be given to another run of this jail, whose program must not be
    // able to open it anew for writing as its own.
    fchown(&opened, Some(Uid::from_raw(0)), Some(Gid::from_raw(0)))?;
    fchmod(&opened, Mode::from_bits_truncate(0o555 & stat.st_mode))?;
    Ok(Some((opened, size)))
}

/// Opens a file of which every name on the way was in the program's hand: no link of any
/// kind is followed, and a FIFO or device is not waited for. None if it is not regular.
///
/// # Errors
/// When it can't be opened, or the path is not absolute.
pub(super) fn open_regular(path: &Path) -> nix::Result<Option<(OwnedFd, FileStat)>> {
    let how = OpenHow::new()
        .flags(OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC)
        .resolve(
            ResolveFlag::RESOLVE_BENEATH
                | ResolveFlag::RESOLVE_NO_SYMLINKS
                | ResolveFlag::RESOLVE_NO_MAGICLINKS,
        );
    let root = open_path("/", OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty())?;
    let path = path.strip_prefix("/").map_err(|_| Errno::EINVAL)?;
    let opened = openat2(&root, path, how)?;
    let stat = fstat(&opened)?;
    let regular = stat.st_mode & libc::S_IFMT == libc::S_IFREG;
    Ok(regular.then_some((opened, stat)))
}
