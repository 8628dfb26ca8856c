//! The validated model of a problem package: what judging needs to know.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;

use super::expectation::Expectation;
use crate::ContentHash;

/// A problem package, read and checked. Paths point into the directory it was
/// read from, which must outlive it.
#[derive(Debug, Clone)]
pub struct Package {
    /// The problem's name: English if there is one, else the first language's.
    pub name: String,
    /// The version of the package format.
    pub format: FormatVersion,
    /// Limits on submissions and jury programs.
    pub limits: Limits,
    /// How submissions are run.
    pub kind: Kind,
    /// Test cases in the order they are judged in: samples first.
    pub testcases: Vec<Testcase>,
    /// What decides whether an output is right.
    pub output_validator: OutputValidator,
    /// Programs that check the inputs, not used when judging.
    pub input_validators: Vec<Program>,
    /// Language codes that submissions may be written in; all if `None`.
    pub languages: Option<Vec<String>>,
    /// Files added to every submission of a language before compiling, by
    /// language code; `default` is for languages that have no entry of their own.
    pub include: BTreeMap<String, Vec<File>>,
    /// The jury's example submissions with what is expected of each.
    pub submissions: Vec<Submission>,
    /// The hash of the paths and contents of all files, by which versions of a
    /// package are told apart.
    pub content_hash: ContentHash,
    /// What was ignored or looks unintended.
    pub warnings: Vec<String>,
}

/// A version of the package format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormatVersion {
    /// `legacy`, also meant when no version is stated.
    Legacy,
    /// `legacy-icpc`, a subset of `legacy`.
    LegacyIcpc,
    /// `2025-09`.
    V2025_09,
}

/// How submissions are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The submission reads the input and writes an output, which is validated.
    PassFail,
    /// The submission talks to the output validator, as pass-fail.
    Interactive,
}

/// Limits of a problem. Those on submissions are exact; those on compiling and
/// validating are what the package may rely on.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// CPU time per test case.
    pub time_limit: Duration,
    /// Memory of a submission.
    pub memory: ByteSize,
    /// Standard output and standard error of a submission together.
    pub output: ByteSize,
    /// Source files of a submission together.
    pub code: ByteSize,
    /// CPU time to compile a submission or jury program.
    pub compilation_time: Duration,
    /// Memory to compile a submission or jury program.
    pub compilation_memory: ByteSize,
    /// CPU time of the output validator.
    pub validation_time: Duration,
    /// Memory of the output validator.
    pub validation_memory: ByteSize,
    /// Standard output, standard error and feedback files of the output validator.
    pub validation_output: ByteSize,
}

/// One test case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Testcase {
    /// The path below `data/` without the ending, such as `secret/01-small`.
    pub name: String,
    /// The input file.
    pub input: PathBuf,
    /// The answer file.
    pub answer: PathBuf,
    /// Command-line arguments of the submission.
    pub args: Vec<String>,
    /// Command-line arguments of the output validator.
    pub output_validator_args: Vec<String>,
}

impl Testcase {
    /// Whether it is one of the samples that teams see.
    #[must_use]
    pub fn is_sample(&self) -> bool {
        self.name.starts_with("sample/")
    }
}

/// What decides whether an output is right.
#[derive(Debug, Clone)]
pub enum OutputValidator {
    /// The token comparison that the format specifies.
    Default,
    /// A program of the jury.
    Custom(Program),
}

/// A program as it comes: one or more source files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The path of its file or directory within the package.
    pub name: String,
    /// Its files, sorted by name.
    pub files: Vec<File>,
    /// The language code, when the package states one.
    pub language: Option<String>,
    /// The entry point, when the package states one.
    pub entry_point: Option<String>,
}

/// A file of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The path relative to the program's directory.
    pub name: String,
    /// Where its content is.
    pub path: PathBuf,
}

/// An example submission.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The program; its name begins with `submissions/`.
    pub program: Program,
    /// What the jury expects of it.
    pub expectation: Expectation,
}
