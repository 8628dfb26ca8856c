//! What one program writes to another, counted on its way: a program that floods
//! its partner is told from one that talks to it.

use std::io::{self, ErrorKind, PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;

use bytesize::ByteSize;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// A pipe's capacity: what one read can get at most.
const CHUNK: usize = 64 * 1024;

/// Copies from a pipe into another, both of which no program of a run has these
/// ends of.
#[derive(Debug)]
pub struct Relay {
    from: PipeReader,
    to: PipeWriter,
    stop: PipeReader,
}

/// Dropping it ends the relay, wherever that is.
#[derive(Debug)]
pub struct RelayStop {
    _writer: PipeWriter,
}

/// What is ready, of the stop and both pipes.
#[derive(Debug)]
struct Ready {
    stopped: bool,
    from: PollFlags,
    to: PollFlags,
}

impl Relay {
    /// A relay that waits to be run, and what ends it.
    ///
    /// # Errors
    /// When there are no descriptors left.
    pub fn new(from: PipeReader, to: PipeWriter) -> io::Result<(Self, RelayStop)> {
        fcntl(&from, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        fcntl(&to, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        let (stop, writer) = io::pipe()?;
        Ok((Self { from, to, stop }, RelayStop { _writer: writer }))
    }

    /// Copies until the last writer is gone and the reader has been given all, or
    /// until it is stopped; returns how much was read. Once that is more than
    /// `limit`, `on_excess` is called and nothing more is copied; and nothing is read
    /// any more when the reader is gone, as if the writer had its pipe.
    ///
    /// # Errors
    /// When a pipe can't be used.
    pub fn run(mut self, limit: ByteSize, on_excess: impl FnOnce()) -> io::Result<ByteSize> {
        let mut buffer = vec![0; CHUNK];
        let mut waiting = 0..0;
        let mut count = 0;
        let mut on_excess = Some(on_excess);
        let mut has_reader = true;
        loop {
            let copies = has_reader && on_excess.is_some();
            let ready = self.wait(copies, waiting.is_empty())?;
            if ready.stopped {
                break;
            }
            if copies && ready.to.contains(PollFlags::POLLERR) {
                has_reader = false;
            } else if !copies {
                if ready.from.contains(PollFlags::POLLHUP) {
                    break;
                }
            } else if waiting.is_empty() {
                let length = match self.from.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(length) => length,
                    Err(error) if is_passing(&error) => continue,
                    Err(error) => return Err(error),
                };
                waiting = 0..length;
                count += u64::try_from(length).unwrap_or(u64::MAX);
                if count > limit.as_u64()
                    && let Some(on_excess) = on_excess.take()
                {
                    on_excess();
                }
            } else {
                match self.to.write(&buffer[waiting.clone()]) {
                    Ok(length) => waiting.start += length,
                    Err(error) if is_passing(&error) => {}
                    Err(error) if error.kind() == ErrorKind::BrokenPipe => has_reader = false,
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(ByteSize(count))
    }

    /// Waits for the next thing to do. Where nothing is copied, that is the end of
    /// the last writer.
    fn wait(&self, copies: bool, reads: bool) -> io::Result<Ready> {
        let (from, to) = match (copies, reads) {
            (true, true) => (PollFlags::POLLIN, PollFlags::empty()),
            (true, false) => (PollFlags::empty(), PollFlags::POLLOUT),
            (false, _) => (PollFlags::empty(), PollFlags::empty()),
        };
        let mut set = vec![PollFd::new(self.stop.as_fd(), PollFlags::POLLIN)];
        let mut places = (None, None);
        // The end of the last writer stays told, and would be for as long as what
        // it left is not read; so does the end of the reader.
        if !copies || reads {
            places.0 = Some(set.len());
            set.push(PollFd::new(self.from.as_fd(), from));
        }
        if copies {
            places.1 = Some(set.len());
            set.push(PollFd::new(self.to.as_fd(), to));
        }
        while let Err(error) = poll(&mut set, PollTimeout::NONE) {
            if error != Errno::EINTR {
                return Err(error.into());
            }
        }
        let told = |place: Option<usize>| {
            place
                .and_then(|place| set.get(place))
                .and_then(PollFd::revents)
                .unwrap_or(PollFlags::empty())
        };
        Ok(Ready {
            stopped: !told(Some(0)).is_empty(),
            from: told(places.0),
            to: told(places.1),
        })
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
