//! The problem package: model and reader.
//!
//! [`Package::read`] takes a directory, [`Package::unpack`] an archive, both of
//! Codeforces Polygon, of DMOJ, or of the ICPC/Kattis format in its versions `legacy`, `legacy-icpc`,
//! `2023-07-draft` and `2025-09`. What a package asks for and Assize can't honour is refused with
//! file, key and reason; what it says beyond the format is a warning.

mod advice;
mod annotation;
mod archive;
#[cfg(test)]
mod archive_tests;
mod constants;
mod default_validator;
mod dmoj;
mod endings;
mod error;
mod expectation;
mod file_tree;
mod foreign;
mod glob;
mod grader_groups;
pub mod grading;
#[cfg(test)]
mod grading_tests;
mod group_scoring;
mod jury_programs;
mod language_codes;
mod limit_bounds;
mod model;
mod policy;
mod polygon;
mod problem_yaml;
mod program;
mod read;
mod rule;
mod stop;
mod submissions;
#[cfg(test)]
mod submissions_tests;
mod submissions_yaml;
mod test_config;
mod test_groups;
#[cfg(test)]
mod test_package;
mod testdata;
#[cfg(test)]
mod tests;
mod time_limit;
mod validator_tests;
mod validators;
mod yaml;
mod yaml_value;

pub use archive::UnpackLimits;
pub use constants::Constants;
pub use default_validator::DefaultValidatorOptions;
pub use error::PackageError;
pub use expectation::{Expectation, JudgedTestcase, TimeBound};
pub use model::{
    CheckerPoints, CheckerProtocol, DmojChecker, File, FloatError, FormatVersion,
    InputValidatorArgs, Kind, Limits, OutputValidator, Package, Program, ShownOutput, StaticTest,
    StaticValidator, Submission, Testcase, Timing, UnsupportedProgram, ValidatorTest,
    ValidatorTestKind,
};
pub use polygon::{Generation, GenerationStep};
pub use program::UnknownLanguage;
