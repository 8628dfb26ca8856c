//! The problem package: model and reader.
//!
//! [`Package::read`] takes a directory, [`Package::unpack`] an archive, both of
//! the ICPC/Kattis format in its generations `legacy` and `2025-09`. What a
//! package asks for and Assize can't honour is refused with file, key and
//! reason; what it says beyond the format is a warning.

mod archive;
#[cfg(test)]
mod archive_tests;
mod default_validator;
mod error;
mod expectation;
mod file_tree;
mod glob;
mod model;
mod problem_yaml;
mod program;
mod read;
mod submissions;
#[cfg(test)]
mod test_package;
mod testdata;
#[cfg(test)]
mod tests;
mod time_limit;
mod yaml;

pub use archive::UnpackLimits;
pub use default_validator::DefaultValidatorOptions;
pub use error::PackageError;
pub use expectation::{Expectation, JudgedTestcase};
pub use model::{
    File, FormatVersion, Kind, Limits, OutputValidator, Package, Program, Submission, Testcase,
};
pub use program::UnknownLanguage;
