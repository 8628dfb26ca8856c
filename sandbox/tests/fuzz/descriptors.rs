//! What is sent beside a request: as many descriptors as it announces, or any.

use crate::random::Random;
use nix::fcntl::{OFlag, open};
use nix::sys::eventfd::EventFd;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::stat::Mode;
use serde_json::Value;
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

/// Descriptors to be sent.
#[derive(Debug)]
pub(crate) struct Given(pub(crate) Vec<OwnedFd>);

impl Given {
    /// One for each that an order announces, mostly of a kind that fits.
    pub(crate) fn fitting(order: &Value, random: &mut Random) -> Self {
        let order = &order["Run"];
        let mut all = Vec::new();
        let mut add = |fitting: fn() -> OwnedFd| {
            all.push(if random.one_in(6) {
                any(random)
            } else {
                fitting()
            });
        };
        if order["executable"] == true {
            add(program);
        }
        if order["stdin"] == true {
            add(null);
        }
        for stream in ["stdout", "stderr"] {
            if order[stream] != "Null" {
                add(file);
            }
        }
        if order["mode"] == "ptrace" {
            add(audit);
        }
        let count = |key: &str| order[key].as_array().map_or(0, Vec::len).min(250);
        (0..count("mounts")).for_each(|_| add(directory));
        (0..count("files")).for_each(|_| add(file));
        all.truncate(253);
        Self(all)
    }

    pub(crate) fn arbitrary(random: &mut Random) -> Self {
        let count = *random.one(&[0, 1, 2, 5, 253]);
        Self((0..count).map(|_| any(random)).collect())
    }
}

fn any(random: &mut Random) -> OwnedFd {
    random.one(&[
        null,
        file,
        program,
        directory,
        path,
        audit,
        pipe_reader,
        pipe_writer,
        socket,
        event,
        sealed,
        device,
    ])()
}

fn null() -> OwnedFd {
    File::open("/dev/null").unwrap().into()
}

fn device() -> OwnedFd {
    File::open("/dev/zero").unwrap().into()
}

fn file() -> OwnedFd {
    let mut file = File::from(memfd_create(c"fuzz", MFdFlags::MFD_CLOEXEC).unwrap());
    file.write_all(b"some text\n").unwrap();
    file.into()
}

fn program() -> OwnedFd {
    File::open("/bin/true").unwrap().into()
}

fn directory() -> OwnedFd {
    File::open("/usr/share").unwrap().into()
}

fn path() -> OwnedFd {
    open(
        "/usr/bin/env",
        OFlag::O_PATH | OFlag::O_CLOEXEC,
        Mode::empty(),
    )
    .unwrap()
}

/// As large as the largest, of which only what is written takes memory.
fn audit() -> OwnedFd {
    let file = File::from(memfd_create(c"audit", MFdFlags::MFD_CLOEXEC).unwrap());
    file.set_len(64 << 20).unwrap();
    file.into()
}

fn pipe_reader() -> OwnedFd {
    std::io::pipe().unwrap().0.into()
}

fn pipe_writer() -> OwnedFd {
    std::io::pipe().unwrap().1.into()
}

fn socket() -> OwnedFd {
    UnixStream::pair().unwrap().0.into()
}

fn event() -> OwnedFd {
    EventFd::new().unwrap().into()
}

fn sealed() -> OwnedFd {
    use nix::fcntl::{FcntlArg, SealFlag, fcntl};
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    let file = memfd_create(c"sealed", flags).unwrap();
    fcntl(&file, FcntlArg::F_ADD_SEALS(SealFlag::all())).unwrap();
    file
}
