//! Giving a file without telling where it is.

use crate::sys::mount::clone_tree;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// The same file, opened for reading, from its start. A program that is given
/// it as standard input or is executed from it finds `/` as its name below
/// `/proc/self`, where the name on the host would be otherwise (of the test
/// case, say). It can't be a [`crate::Mount`] or made nameless again. It costs
/// 50 µs, so what is given often is made nameless once.
///
/// # Errors
/// When the file can't be opened for reading, or the caller may not mount.
pub fn nameless(file: &File) -> io::Result<File> {
    // A mount of this file alone, which is never put into place: names are told
    // from a mount's root on.
    let alone = clone_tree(file.as_fd(), c"")?;
    File::open(format!("/proc/self/fd/{}", alone.as_raw_fd()))
}
