//! A second wall, of Landlock, where the kernel has it: what mounts, namespaces
//! and the filter forbid is forbidden once more, and a few things that they do
//! not. It knows files, not mounts: whoever finds a writable mount, or turns a
//! descriptor of `/proc/self/fd` into another file, stands before it.

use crate::protocol::{Descriptors, Failure, Order};
use crate::sys::landlock::{self, Handled};
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

const EXECUTE: u64 = 1;
const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_DIRECTORY: u64 = 1 << 3;
const MAKE_CHARACTER_DEVICE: u64 = 1 << 6;
const MAKE_BLOCK_DEVICE: u64 = 1 << 11;
const REFER: u64 = 1 << 13;
const TRUNCATE: u64 = 1 << 14;
const IOCTL_DEVICE: u64 = 1 << 15;

/// Binding and connecting TCP sockets; no rule allows any.
const TCP: u64 = 3;
/// Abstract sockets and signals of processes outside.
const SCOPES: u64 = 3;

/// Before, renaming from one directory to another could not be allowed.
pub(crate) const FIRST_VERSION: u32 = 2;

/// The ruleset of one run; none where the kernel has no Landlock.
#[derive(Debug)]
pub(super) struct Wall(Option<OwnedFd>);

impl Wall {
    /// Everything may be read and executed; written only devices and scratches;
    /// and each file that is given, as it is given. All mounts must be there.
    pub(super) fn build(order: &Order, descriptors: &Descriptors) -> Result<Self, Failure> {
        let version = landlock::version();
        if version < FIRST_VERSION {
            return Ok(Self(None));
        }
        let handled = handled(version);
        let build = || -> io::Result<OwnedFd> {
            let ruleset = landlock::create(handled)?;
            let allow = |place: BorrowedFd<'_>, rights: u64| {
                landlock::allow(ruleset.as_fd(), place, rights & handled.files)
            };
            allow(
                directory("/")?.as_fd(),
                READ_FILE | READ_DIRECTORY | EXECUTE,
            )?;
            allow(directory("/dev")?.as_fd(), WRITE_FILE | TRUNCATE)?;
            let scratches = order.scratch.iter().map(|scratch| scratch.target.as_path());
            let forbidden = MAKE_CHARACTER_DEVICE | MAKE_BLOCK_DEVICE | IOCTL_DEVICE;
            for scratch in scratches.chain([Path::new("/tmp")]) {
                allow(directory(scratch)?.as_fd(), !forbidden)?;
            }
            let given = [
                (&descriptors.executable, EXECUTE | READ_FILE),
                (&descriptors.stdin, READ_FILE),
                (&descriptors.stdout, WRITE_FILE | TRUNCATE),
                (&descriptors.stderr, WRITE_FILE | TRUNCATE),
            ];
            for (descriptor, rights) in given {
                let Some(descriptor) = descriptor else {
                    continue;
                };
                match allow(descriptor.as_fd(), rights) {
                    // A pipe, socket or memfd: Landlock has no say in them.
                    Err(error) if error.raw_os_error() == Some(libc::EBADFD) => {}
                    other => other?,
                }
            }
            Ok(ruleset)
        };
        build()
            .map(|ruleset| Self(Some(ruleset)))
            .map_err(Failure::step("make the Landlock ruleset"))
    }

    /// What puts a process and all it starts behind the wall.
    pub(super) fn ruleset(self) -> Option<OwnedFd> {
        self.0
    }
}

/// All that the kernel's version can forbid.
fn handled(version: u32) -> Handled {
    let files = match version {
        ..=2 => (REFER << 1) - 1,
        3 | 4 => (TRUNCATE << 1) - 1,
        _ => (IOCTL_DEVICE << 1) - 1,
    };
    Handled {
        files,
        network: if version >= 4 { TCP } else { 0 },
        scopes: if version >= 6 { SCOPES } else { 0 },
    }
}

fn directory(path: impl AsRef<Path>) -> io::Result<OwnedFd> {
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    open(path.as_ref(), flags, Mode::empty()).map_err(Into::into)
}
