//! A second wall, of Landlock, where the kernel has it: what mounts, namespaces
//! and the filter forbid is forbidden once more, and a few things that they do
//! not. It knows files, not mounts: whoever finds a writable mount, or turns a
//! descriptor of `/proc/self/fd` into another file, stands before it.

use crate::protocol::{Descriptors, Failure, Shape};
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

/// What every run of a stage may do; nothing to say where the kernel has no Landlock.
#[derive(Debug)]
pub(super) struct Wall(Option<Rules>);

#[derive(Debug)]
struct Rules {
    handled: Handled,
    /// Opened once, because to open them takes longer than to allow them.
    places: Vec<(OwnedFd, u64)>,
}

impl Wall {
    /// Everything may be read and executed, and only devices and scratches written.
    /// All mounts must be there: what is mounted over a place later is another.
    pub(super) fn plan(shape: &Shape) -> Result<Self, Failure> {
        let version = landlock::version();
        if version < FIRST_VERSION {
            return Ok(Self(None));
        }
        let forbidden = MAKE_CHARACTER_DEVICE | MAKE_BLOCK_DEVICE | IOCTL_DEVICE;
        let mut places = vec![
            (Path::new("/"), READ_FILE | READ_DIRECTORY | EXECUTE),
            (Path::new("/dev"), WRITE_FILE | TRUNCATE),
        ];
        let scratches = shape.scratch.iter();
        places.extend(scratches.map(|scratch| (scratch.target.as_path(), !forbidden)));
        let open =
            |(path, rights): (&Path, u64)| -> io::Result<_> { Ok((directory(path)?, rights)) };
        let places = places.into_iter().map(open).collect::<io::Result<_>>();
        Ok(Self(Some(Rules {
            handled: handled(version),
            places: places.map_err(Failure::step("open what Landlock's rules are for"))?,
        })))
    }

    /// A ruleset for one run, that has each file which is given, as it is given.
    pub(super) fn build(&self, descriptors: &Descriptors) -> Result<Option<OwnedFd>, Failure> {
        let Some(rules) = &self.0 else {
            return Ok(None);
        };
        rules
            .build(descriptors)
            .map(Some)
            .map_err(Failure::step("make the Landlock ruleset"))
    }
}

impl Rules {
    fn build(&self, descriptors: &Descriptors) -> io::Result<OwnedFd> {
        let ruleset = landlock::create(self.handled)?;
        let allow = |place: BorrowedFd<'_>, rights: u64| {
            landlock::allow(ruleset.as_fd(), place, rights & self.handled.files)
        };
        for (place, rights) in &self.places {
            allow(place.as_fd(), *rights)?;
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
