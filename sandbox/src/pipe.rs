//! What the far end of a run's pipe tells, and what is left in it.

use std::io::{self, PipeReader};
use std::os::fd::AsFd;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// Whether nobody can write into this pipe any more, so that its reader has seen
/// the end or will see it after what is still in it: every program that had the
/// other end closed it or ended.
#[must_use]
pub fn has_no_writer(pipe: &PipeReader) -> bool {
    let mut polled = [PollFd::new(pipe.as_fd(), PollFlags::empty())];
    poll(&mut polled, PollTimeout::ZERO).is_ok()
        && polled[0]
            .revents()
            .is_some_and(|events| events.contains(PollFlags::POLLHUP))
}

/// Reads and throws away what is in a pipe until its last writer is gone. Programs
/// that had this end, all dead by now, may have left it non-blocking.
///
/// # Errors
/// When the pipe can't be read.
pub fn drain(mut pipe: PipeReader) -> io::Result<()> {
    fcntl(&pipe, FcntlArg::F_SETFL(OFlag::empty()))?;
    io::copy(&mut pipe, &mut io::sink()).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_pipe_left_non_blocking_is_drained_to_its_end() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        fcntl(&reader, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
        let draining = std::thread::spawn(move || drain(reader));
        // More than fits in: nobody but a reader lets this end.
        writer.write_all(&[0; 1 << 20]).unwrap();
        drop(writer);
        draining.join().unwrap().unwrap();
    }

    #[test]
    fn the_last_writer_counts_and_what_is_left_does_not() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let other = writer.try_clone().unwrap();
        writer.write_all(b"still to be read").unwrap();
        drop(writer);
        assert!(!has_no_writer(&reader));
        drop(other);
        assert!(has_no_writer(&reader));
    }
}
