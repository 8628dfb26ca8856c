//! The greatest limits that are honoured. What asks for more is refused: no host could
//! give it, and a limit that is never reached bounds nothing. They are far from what packages
//! that are judged anywhere ask for: these must not fail after an upgrade.

use bytesize::ByteSize;

use super::error::PackageError;

/// Memory of submissions, compilers and programs of the jury.
pub(super) const MEMORY: ByteSize = ByteSize(64 * bytesize::GIB);
/// What a program may write.
pub(super) const OUTPUT: ByteSize = ByteSize(16 * bytesize::GIB);
/// Source code of a submission; a request carries less.
pub(super) const CODE: ByteSize = ByteSize(bytesize::GIB);
/// Any time, in seconds: a day.
pub(super) const SECONDS: f64 = 24.0 * 3600.0;

/// `size`, which `key` of `file` states as `written`, if it is not beyond `most`.
pub(super) fn within(
    file: &str,
    key: &str,
    written: &str,
    size: ByteSize,
    most: ByteSize,
) -> Result<ByteSize, PackageError> {
    if size <= most {
        return Ok(size);
    }
    let problem = format!("{written} is more than can be honoured: state {most} at most");
    Err(PackageError::invalid(file, key, problem))
}
