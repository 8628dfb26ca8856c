//! A real supervisor, spoken to past everything that would keep requests
//! right.

use crate::descriptors::Given;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::EventFd;
use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, recv, sendmsg, socketpair,
};
use serde_json::Value;
use std::fs::File;
use std::io::{IoSlice, Read, Seek};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// After this the run is cancelled: what is asked may well take for ever.
const PATIENCE: Duration = Duration::from_secs(4);
/// Longer than any of the jail's own patience.
const SILENCE: Duration = Duration::from_secs(120);

pub(crate) struct Peer {
    socket: OwnedFd,
    cancel: EventFd,
    process: Child,
    complaints: File,
}

#[derive(Debug)]
pub(crate) enum Answer {
    Said(Value),
    /// The socket is closed.
    Gone,
    Silence,
}

impl Answer {
    /// Whether the jail must be good for another run.
    pub(crate) fn spares_jail(&self) -> bool {
        matches!(
            self.kind().as_str(),
            "exited" | "signalled" | "killed" | "InvalidSpec" | "Exec"
        )
    }

    pub(crate) fn kind(&self) -> String {
        let of_failure = |failure: &Value| failure.as_object()?.keys().next().cloned();
        match self {
            Self::Gone => "gone".to_owned(),
            Self::Silence => "silence".to_owned(),
            Self::Said(report) => report["Done"]["facts"]["outcome"]["outcome"]
                .as_str()
                .map(str::to_owned)
                .or_else(|| of_failure(&report["Failed"]))
                .unwrap_or_else(|| report.to_string()),
        }
    }
}

impl Peer {
    pub(crate) fn start() -> Self {
        let (socket, theirs) = socketpair(
            AddressFamily::Unix,
            SockType::SeqPacket,
            None,
            SockFlag::SOCK_CLOEXEC,
        )
        .unwrap();
        let complaints = tempfile::tempfile().unwrap();
        let binary = std::env::var_os("ASSIZE_JAIL");
        let binary = binary.unwrap_or_else(|| env!("CARGO_BIN_EXE_assize-jail").into());
        let process = Command::new(binary)
            .env_clear()
            .stdin(theirs)
            .stdout(Stdio::null())
            .stderr(complaints.try_clone().unwrap())
            .spawn()
            .unwrap();
        let cancel = EventFd::new().unwrap();
        let peer = Self {
            socket,
            cancel,
            process,
            complaints,
        };
        let request = br#"{"SetUp":{"slot":0,"core":null,"trees":[]}}"#;
        assert!(peer.send(request, &[peer.cancel.as_fd()]));
        let answer = peer.hear(SILENCE);
        assert_eq!(answer.kind(), r#""Ready""#, "{answer:?}");
        peer
    }

    pub(crate) fn ask(&mut self, text: &[u8], given: &Given) -> Answer {
        let descriptors: Vec<_> = given.0.iter().map(AsFd::as_fd).collect();
        if !self.send(text, &descriptors) {
            return Answer::Gone;
        }
        match self.hear(PATIENCE) {
            Answer::Silence => {
                self.cancel.write(1).unwrap();
                let answer = self.hear(SILENCE);
                self.cancel.read().unwrap();
                answer
            }
            answer => answer,
        }
    }

    /// Closes the socket and waits; what is wrong with how the process ended.
    pub(crate) fn end(self) -> Option<String> {
        let Self {
            socket,
            mut process,
            mut complaints,
            ..
        } = self;
        drop(socket);
        let status = process.wait().unwrap();
        let mut text = String::new();
        complaints.rewind().unwrap();
        complaints.read_to_string(&mut text).unwrap();
        let orderly = matches!(status.code(), Some(0..=2)) && !text.contains("panicked");
        (!orderly).then(|| format!("the supervisor ended with {status}, saying {text:?}"))
    }

    fn send(&self, text: &[u8], descriptors: &[BorrowedFd<'_>]) -> bool {
        let raw: Vec<RawFd> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
        let rights = [ControlMessage::ScmRights(&raw)];
        let control = if raw.is_empty() { &[] } else { &rights[..] };
        let flags = MsgFlags::MSG_NOSIGNAL;
        sendmsg::<()>(
            self.socket.as_raw_fd(),
            &[IoSlice::new(text)],
            control,
            flags,
            None,
        )
        .is_ok()
    }

    fn hear(&self, patience: Duration) -> Answer {
        let mut set = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
        let timeout = PollTimeout::try_from(patience).unwrap();
        if poll(&mut set, timeout).unwrap() == 0 {
            return Answer::Silence;
        }
        let mut text = vec![0; 1 << 16];
        // Descriptors that come along are closed by the kernel.
        match recv(self.socket.as_raw_fd(), &mut text, MsgFlags::empty()) {
            Ok(0) | Err(_) => Answer::Gone,
            Ok(length) => match serde_json::from_slice(&text[..length]) {
                Ok(report) => Answer::Said(report),
                // A large report is in a descriptor beside this.
                Err(_) if text[..length] == *b"+" => Answer::Gone,
                Err(error) => panic!("{error}: {:?}", String::from_utf8_lossy(&text[..length])),
            },
        }
    }
}
