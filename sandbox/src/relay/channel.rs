//! One direction of a conversation.

use std::io::{self, ErrorKind, PipeReader, PipeWriter, Read, Write};
use std::ops::Range;
use std::os::fd::AsFd;
use std::thread;

use nix::fcntl::{FcntlArg, OFlag, SpliceFFlags, fcntl, splice};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::transcript::{Scribe, Speaker};
use crate::sys::pipe::bytes_in;

/// What one read gets at most; of more, part may be left unread.
const CHUNK: usize = 16 << 10;
/// From so much on, what is there is worth a question how much it is.
const LONG: usize = 4 << 10;
/// What pipes hold if they may: the less often the sides must take turns, the faster are
/// large pieces. An unprivileged user may have so much for 64 conversations at once.
const PIPE: i32 = 256 << 10;

/// Copies from a pipe into another.
#[derive(Debug)]
pub(super) struct Channel {
    speaker: Speaker,
    from: PipeReader,
    /// None where the reader has been told of the end.
    to: Option<PipeWriter>,
    state: State,
    buffer: Vec<u8>,
    /// What was read and is still to be written.
    waiting: Range<usize>,
    /// Bytes that are there and to be passed on unread, before anything else.
    unread: usize,
    /// Whether there may be much more after what was read.
    is_long: bool,
    /// Bytes that were said so far.
    pub(super) count: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Copies.
    Open,
    /// Reads, for nobody.
    Discards,
    /// Waits for the end of the last writer.
    Holds,
    Ended,
}

impl Channel {
    pub(super) fn new(speaker: Speaker, from: PipeReader, to: PipeWriter) -> io::Result<Self> {
        for pipe in [from.as_fd(), to.as_fd()] {
            fcntl(pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
            // Where memory for pipes is short, they are as large as they are.
            fcntl(pipe, FcntlArg::F_SETPIPE_SZ(PIPE)).ok();
        }
        Ok(Self {
            speaker,
            from,
            to: Some(to),
            state: State::Open,
            buffer: vec![0; CHUNK],
            waiting: 0..0,
            unread: 0,
            is_long: false,
            count: 0,
        })
    }

    /// What to wait for, of the pipe that is read and of the one that is written. Errors
    /// and ends are told in any case.
    pub(super) fn interest(&self) -> [Option<PollFd<'_>>; 2] {
        let from = |flags| Some(PollFd::new(self.from.as_fd(), flags));
        let to = |flags| Some(PollFd::new(self.to.as_ref()?.as_fd(), flags));
        match self.state {
            // The end of the last writer stays told, and would be for as long as what
            // it left is not read. That of the reader shows when it is written to.
            State::Open if self.owes() => [None, to(PollFlags::POLLOUT)],
            State::Open | State::Discards => [from(PollFlags::POLLIN), None],
            State::Holds => [from(PollFlags::empty()), None],
            State::Ended => [None, None],
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// Whether whoever is spoken to may still listen.
    pub(super) fn is_heard(&self) -> bool {
        self.to.as_ref().is_some_and(|to| {
            let mut asked = [PollFd::new(to.as_fd(), PollFlags::empty())];
            poll(&mut asked, PollTimeout::ZERO).is_ok()
                && !asked[0]
                    .revents()
                    .is_some_and(|told| told.contains(PollFlags::POLLERR))
        })
    }

    /// Whether the speaker has ended its words and whoever listens does not know yet.
    pub(super) fn is_silent(&self) -> bool {
        self.has_ended() && self.to.is_some()
    }

    /// Lets whoever listens find the end of the words.
    pub(super) fn tell_end(&mut self) {
        self.to = None;
    }

    /// Copies nothing more, and reads nothing either.
    pub(super) fn hold(&mut self) {
        if !self.has_ended() {
            self.state = State::Holds;
        }
    }

    /// Does what can be done now.
    pub(super) fn proceed(
        &mut self,
        [from, to]: [PollFlags; 2],
        scribe: &mut Scribe,
    ) -> io::Result<()> {
        match self.state {
            State::Open if to.contains(PollFlags::POLLERR) => self.lose_reader(),
            State::Open if !to.is_empty() => self.pass_on(scribe)?,
            State::Open | State::Discards if !from.is_empty() => {
                self.listen(scribe)?;
                let was_long = self.unread > 0;
                self.pass_on(scribe)?;
                if was_long && !self.owes() {
                    // The rest of it is there, and is to be written down.
                    self.listen(scribe)?;
                    self.pass_on(scribe)?;
                }
            }
            State::Holds if from.contains(PollFlags::POLLHUP) => self.end(),
            _ => {}
        }
        Ok(())
    }

    /// Whether there is something that is to be passed on before more is read.
    fn owes(&self) -> bool {
        self.unread > 0 || !self.waiting.is_empty()
    }

    fn listen(&mut self, scribe: &mut Scribe) -> io::Result<()> {
        if self.is_long && self.state == State::Open {
            // On the core of all three, whoever is woken first may be this one: for the
            // first page of many. After the others, all of a pipe can be moved at once.
            thread::yield_now();
            self.unread = scribe.unneeded(bytes_in(&self.from)?);
        }
        if self.unread > 0 {
            return Ok(());
        }
        let length = match self.from.read(&mut self.buffer) {
            Ok(0) => {
                self.end();
                return Ok(());
            }
            Ok(length) => length,
            Err(error) if is_passing(&error) => return Ok(()),
            Err(error) => return Err(error),
        };
        self.is_long = length >= LONG;
        self.count += length as u64;
        scribe.hear(self.speaker, &self.buffer[..length]);
        if self.state == State::Open {
            self.waiting = 0..length;
        }
        Ok(())
    }

    fn pass_on(&mut self, scribe: &mut Scribe) -> io::Result<()> {
        let Some(mut to) = self.to.as_ref().filter(|_| self.owes()) else {
            return Ok(());
        };
        let passed = if self.unread > 0 {
            let flags = SpliceFFlags::SPLICE_F_NONBLOCK;
            splice(&self.from, None, to, None, self.unread, flags).map_err(io::Error::from)
        } else {
            to.write(&self.buffer[self.waiting.clone()])
        };
        match passed {
            // Somebody else has read what was there.
            Ok(0) => self.unread = 0,
            Ok(length) if self.unread > 0 => {
                self.unread -= length;
                self.count += length as u64;
                scribe.skip(length);
            }
            Ok(length) => self.waiting.start += length,
            Err(error) if is_passing(&error) => {}
            Err(error) if error.kind() == ErrorKind::BrokenPipe => self.lose_reader(),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// The program finds nobody who reads, as if it had the pipe itself. Its partner
    /// must not notice.
    fn lose_reader(&mut self) {
        (self.waiting, self.unread) = (0..0, 0);
        self.state = match self.speaker {
            Speaker::Program => State::Holds,
            Speaker::Partner => State::Discards,
        };
    }

    /// The partner is told at once that the program says nothing more. The program may only
    /// learn that of its partner when nobody reads what it says, or the partner lives on.
    fn end(&mut self) {
        self.state = State::Ended;
        if self.speaker == Speaker::Program {
            self.to = None;
        }
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
