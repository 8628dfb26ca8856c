//! How much of what counts as output is in files.

use crate::limits::Limits;
use crate::protocol::Failure;
use crate::stage;
use std::os::fd::OwnedFd;

/// The scratches of a stage whose files count as output.
#[derive(Debug)]
pub(super) struct Room {
    /// Open, to be asked how full their file systems are.
    directories: Vec<OwnedFd>,
    /// Bytes in them that were copied in.
    before: u64,
}

impl Room {
    pub(super) fn new(directories: Vec<OwnedFd>, before: u64) -> Self {
        Self {
            directories,
            before,
        }
    }

    /// Bytes of the run's own in them now, in whole pages.
    pub(super) fn written(&self) -> Result<u64, Failure> {
        let mut used = 0;
        for directory in &self.directories {
            used += stage::used(directory).map_err(Failure::step("look at a scratch"))?;
        }
        Ok(self.of_the_run(used))
    }

    /// What of so many bytes in them the program has written.
    pub(super) fn of_the_run(&self, used: u64) -> u64 {
        used.saturating_sub(self.before)
    }
}

impl Limits {
    /// Whether so much in streams, and in whole pages of files, is more than may be written.
    pub(super) fn output_is_over(&self, streams: u64, files: u64) -> bool {
        streams > self.output.as_u64() || streams.saturating_add(files) > self.file_room()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytesize::ByteSize;

    #[test]
    fn files_count_as_pages_and_a_full_one_is_not_over() {
        let page = Limits::page();
        let limits = Limits {
            output: ByteSize::b(page + 1),
            ..Limits::of_tests()
        };
        assert!(!limits.output_is_over(page + 1, 0));
        assert!(limits.output_is_over(page + 2, 0));
        assert!(!limits.output_is_over(0, 2 * page));
        assert!(limits.output_is_over(0, 3 * page));
        assert!(!limits.output_is_over(page, page));
        assert!(limits.output_is_over(page + 1, page));
    }
}
