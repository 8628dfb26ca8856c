//! What the far end of a run's pipe tells.

use std::io::PipeReader;
use std::os::fd::AsFd;

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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

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
