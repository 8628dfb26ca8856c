//! One end of a SOCK_SEQPACKET pair that carries messages and descriptors.

use crate::sys::descriptor;
use nix::cmsg_space;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, recvmsg,
    sendmsg, socketpair,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read, Seek, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

/// Larger messages travel in a memfd beside an empty message, because a
/// packet can't be larger than the socket's buffer. Most are a tenth of this,
/// and receivers have a buffer of this size ready.
const INLINE_MAX: usize = 4 * 1024;
/// No request is nearly as large.
const LARGE_MAX: u64 = 16 * 1024 * 1024;
/// `SCM_MAX_FD`: more descriptors than this can't be sent at once.
pub(crate) const DESCRIPTORS_MAX: usize = 253;

/// How long a wait goes without a look at whether it goes on.
const STEP: Duration = Duration::from_secs(1);

/// A connected end.
#[derive(Debug)]
pub(crate) struct Channel {
    socket: OwnedFd,
}

impl Channel {
    pub(crate) fn new(socket: OwnedFd) -> Self {
        Self { socket }
    }

    pub(crate) fn pair() -> io::Result<(Self, OwnedFd)> {
        let (ours, theirs) = socketpair(
            AddressFamily::Unix,
            SockType::SeqPacket,
            None,
            SockFlag::SOCK_CLOEXEC,
        )?;
        Ok((Self::new(ours), theirs))
    }

    pub(crate) fn send<M: Serialize>(
        &self,
        message: &M,
        descriptors: &[BorrowedFd<'_>],
    ) -> io::Result<()> {
        let text = Self::text(message)?;
        if text.len() <= INLINE_MAX {
            return self.send_packet(&text, descriptors);
        }
        let mut large = File::from(memfd_create(c"message", MFdFlags::MFD_CLOEXEC)?);
        large.write_all(&text)?;
        let mut all = descriptors.to_vec();
        all.push(large.as_fd());
        self.send_packet(b"+", &all)
    }

    /// A message as [`Self::receive`] understands it.
    pub(crate) fn text<M: Serialize>(message: &M) -> io::Result<Vec<u8>> {
        serde_json::to_vec(message).map_err(io::Error::other)
    }

    fn send_packet(&self, text: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        if descriptors.len() > DESCRIPTORS_MAX {
            return Err(io::Error::other("more than 253 descriptors in one message"));
        }
        let raw: Vec<RawFd> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
        let rights = [ControlMessage::ScmRights(&raw)];
        let control = if raw.is_empty() { &[] } else { &rights[..] };
        loop {
            let sent = sendmsg::<()>(
                self.socket.as_raw_fd(),
                &[IoSlice::new(text)],
                control,
                MsgFlags::MSG_NOSIGNAL,
                None,
            );
            match sent {
                Err(Errno::EINTR) => {}
                other => return other.map(drop).map_err(Into::into),
            }
        }
    }

    /// The next message; None when the other end is closed. One that can't be
    /// understood is an error of the kind `InvalidData`.
    pub(crate) fn receive<M: DeserializeOwned>(&self) -> io::Result<Option<(M, Vec<OwnedFd>)>> {
        let Some((text, descriptors)) = self.receive_text()? else {
            return Ok(None);
        };
        let message = serde_json::from_slice(&text)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        Ok(Some((message, descriptors)))
    }

    /// Waits until there is something to receive, a message or the end; false when there is
    /// nothing for so long. While we are stopped ourselves no time passes.
    pub(crate) fn wait(&self, patience: Duration) -> io::Result<bool> {
        let mut left = patience;
        loop {
            let step = left.min(STEP);
            let mut socket = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
            match ppoll(&mut socket, Some(step.into()), None) {
                Err(Errno::EINTR) => {}
                Ok(0) if left > step => left -= step,
                other => return Ok(other? > 0),
            }
        }
    }

    fn receive_text(&self) -> io::Result<Option<(Vec<u8>, Vec<OwnedFd>)>> {
        let mut text = vec![0; INLINE_MAX];
        let mut control = cmsg_space!([RawFd; DESCRIPTORS_MAX]);
        let mut parts = [IoSliceMut::new(&mut text)];
        let received = loop {
            let received = recvmsg::<()>(
                self.socket.as_raw_fd(),
                &mut parts,
                Some(&mut control),
                MsgFlags::MSG_CMSG_CLOEXEC,
            );
            match received {
                // Told once, before what waits here, when the other end has left
                // messages unread; after those comes the end.
                Err(Errno::EINTR | Errno::ECONNRESET) => {}
                other => break other?,
            }
        };
        let mut descriptors = Vec::new();
        for part in received.cmsgs()? {
            if let ControlMessageOwned::ScmRights(raw) = part {
                descriptors.extend(descriptor::adopt(&raw));
            }
        }
        let (length, flags) = (received.bytes, received.flags);
        if length == 0 {
            return Ok(None);
        }
        if flags.intersects(MsgFlags::MSG_CTRUNC | MsgFlags::MSG_TRUNC) {
            return Err(io::Error::other("message was cut off by the kernel"));
        }
        text.truncate(length);
        if text == b"+" {
            let large = descriptors.pop().ok_or(io::ErrorKind::InvalidData)?;
            read_large(large.into(), &mut text)?;
        }
        Ok(Some((text, descriptors)))
    }
}

/// Reads a memfd. A device or a pipe could go on for ever.
fn read_large(mut large: File, text: &mut Vec<u8>) -> io::Result<()> {
    let metadata = large.metadata()?;
    if !metadata.is_file() || metadata.len() > LARGE_MAX {
        let problem = "not a file of at most 16 MiB";
        return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
    }
    large.rewind()?;
    text.clear();
    large.take(metadata.len()).read_to_end(text).map(drop)
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_words_are_heard_of_who_did_not_listen() {
        let (ours, theirs) = Channel::pair().unwrap();
        let theirs = Channel::new(theirs);
        ours.send(&"unread", &[]).unwrap();
        theirs.send(&"last words", &[]).unwrap();
        drop(theirs);
        let (heard, _) = ours.receive::<String>().unwrap().unwrap();
        assert_eq!(heard, "last words");
        assert!(ours.receive::<String>().unwrap().is_none());
    }
}
