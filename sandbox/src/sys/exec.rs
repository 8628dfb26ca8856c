//! Executing a program without allocating: the memory may be shared with a
//! process that goes on with it.

use super::calls::Calls;
use nix::errno::Errno;
use std::ffi::CString;
use std::os::fd::RawFd;

/// Arguments and environment in the form that the kernel takes.
#[derive(Debug)]
pub(crate) struct Image {
    args: Vec<CString>,
    /// Ends with null, as `environment` does; both point into the strings.
    arguments: Vec<*const libc::c_char>,
    environment: Vec<*const libc::c_char>,
    /// Keeps alive what `environment` points to.
    _env: Vec<CString>,
}

// SAFETY: nothing is ever written through the pointers, and what they point to lives
// as long as they do.
unsafe impl Sync for Image {}

impl Image {
    pub(crate) fn new(args: Vec<CString>, env: Vec<CString>) -> Self {
        // The strings' own memory does not move with the vectors.
        let pointers = |strings: &[CString]| {
            strings
                .iter()
                .map(|string| string.as_ptr())
                .chain([std::ptr::null()])
                .collect()
        };
        Self {
            arguments: pointers(&args),
            environment: pointers(&env),
            args,
            _env: env,
        }
    }

    /// Executes an open file, or else the path that is the first argument.
    /// Returns only the reason why not.
    pub(crate) fn execute(&self, calls: Calls, executable: Option<RawFd>) -> Errno {
        let Some(path) = self.args.first() else {
            return Errno::EINVAL;
        };
        let (directory, path, flags) = match executable {
            Some(file) => (file, c"", libc::AT_EMPTY_PATH),
            None => (libc::AT_FDCWD, path.as_c_str(), 0),
        };
        calls.execute(directory, path, &self.arguments, &self.environment, flags)
    }
}
