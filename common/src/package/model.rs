//! The validated model of a problem package: what judging needs to know.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use assize_policy::PolicyLayer;
use bytesize::ByteSize;
use tempfile::TempDir;

use super::constants::Constants;
use super::expectation::Expectation;
use super::grading::Grading;
use crate::ContentHash;

/// A problem package, read and checked. Paths point into the directory it was
/// read from, which must outlive it.
#[derive(Debug, Clone)]
pub struct Package {
    /// The problem's name: English if there is one, else the first language's.
    pub name: String,
    /// The id by which the problem is told from others, if it has one.
    pub uuid: Option<String>,
    /// The version of the package format.
    pub format: FormatVersion,
    /// Limits on submissions and jury programs.
    pub limits: Limits,
    /// How the time limit relates to the running times of submissions.
    pub timing: Timing,
    /// How submissions are run.
    pub kind: Kind,
    /// How often a submission is run on one test case at most, each time with
    /// the input that the output validator made for it; 1 unless multi-pass.
    pub passes: u32,
    /// Whether submissions may write into their directory.
    pub allows_file_writing: bool,
    /// Test cases in the order they are judged in: samples first.
    pub testcases: Vec<Testcase>,
    /// How their results combine.
    pub grading: Grading,
    /// What decides whether an output is right.
    pub output_validator: OutputValidator,
    /// What decides whether a submission's source is right.
    pub static_validator: Option<StaticValidator>,
    /// Programs that check the inputs, not used when judging.
    pub input_validators: Vec<Program>,
    /// Input validators that can't be run here.
    pub unsupported_input_validators: Vec<UnsupportedProgram>,
    /// What validators must say of certain inputs and outputs, not used when
    /// judging.
    pub validator_tests: Vec<ValidatorTest>,
    /// What submissions may do less than others, as a tracer sees it.
    pub policy: Option<PolicyLayer>,
    /// Language codes that submissions may be written in; all if `None`.
    pub languages: Option<Vec<String>>,
    /// Files added to every submission of a language before compiling, by
    /// language code; `default` is for all languages. See [`Self::included`].
    pub include: BTreeMap<String, Vec<File>>,
    /// What stands for `{{name}}` in jury programs, included files and example
    /// submissions.
    pub constants: Constants,
    /// Files for teams, by their paths below `attachments/`.
    pub attachments: Vec<File>,
    /// The jury's example submissions with what is expected of each.
    pub submissions: Vec<Submission>,
    /// The hash of the paths and contents of all files, by which versions of a
    /// package are told apart.
    pub content_hash: ContentHash,
    /// What was ignored or looks unintended.
    pub warnings: Vec<String>,
    /// What is missing besides, of which judging takes no notice: a jury wants to know
    /// before a contest.
    pub advice: Vec<String>,
    /// Files of the model that are not in the package's directory, such as those
    /// of an archive within it. They live as long as this.
    pub unpacked: Option<Arc<TempDir>>,
}

impl Package {
    /// The files added to a submission in the language of this code: those for all languages,
    /// and over them those for this one.
    #[must_use]
    pub fn included(&self, code: &str) -> Vec<File> {
        let sets = ["default", code].map(|set| self.include.get(set));
        let files = sets.into_iter().flatten().flatten();
        let by_name: BTreeMap<&str, &File> = files.map(|file| (file.name.as_str(), file)).collect();
        by_name.into_values().cloned().collect()
    }

    /// A pass-fail problem in its plainest form: read, write, compare tokens.
    #[must_use]
    pub fn plain(name: String, limits: Limits, testcases: Vec<Testcase>) -> Self {
        Self {
            content_hash: ContentHash::of(name.as_bytes()),
            name,
            uuid: None,
            format: FormatVersion::V2025_09,
            limits,
            timing: Timing::default(),
            kind: Kind::PassFail,
            passes: 1,
            allows_file_writing: false,
            testcases,
            grading: Grading::PassFail,
            output_validator: OutputValidator::Default,
            static_validator: None,
            input_validators: Vec::new(),
            unsupported_input_validators: Vec::new(),
            validator_tests: Vec::new(),
            policy: None,
            languages: None,
            include: BTreeMap::new(),
            constants: Constants::default(),
            attachments: Vec::new(),
            submissions: Vec::new(),
            warnings: Vec::new(),
            advice: Vec::new(),
            unpacked: None,
        }
    }
}

/// A version of the package format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormatVersion {
    /// `legacy`, also meant when no version is stated.
    Legacy,
    /// `legacy-icpc`, a subset of `legacy`.
    LegacyIcpc,
    /// `2023-07-draft`: as `2025-09`, with nested groups and other names of keys.
    Draft2023_07,
    /// `2025-09`.
    V2025_09,
    /// A package of Codeforces Polygon.
    Polygon,
    /// A problem of DMOJ.
    Dmoj,
}

impl FormatVersion {
    /// Whether it is one of the two legacy formats.
    #[must_use]
    pub const fn is_legacy(self) -> bool {
        matches!(self, Self::Legacy | Self::LegacyIcpc)
    }
}

/// How submissions are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The submission reads the input and writes an output, which is validated.
    PassFail,
    /// The submission talks to the output validator.
    Interactive,
    /// The submission consists of the outputs themselves: nothing is run.
    SubmitAnswer,
}

/// How a time limit is found when the package states none, and what margins it
/// must keep when there is one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timing {
    /// Whether the package states a time limit.
    pub time_limit_is_stated: bool,
    /// The time limit is a multiple of this.
    pub resolution: Duration,
    /// Times the slowest accepted submission, it may not exceed the time limit.
    pub ac_to_time_limit: f64,
    /// Times the time limit, it may not exceed the fastest submission that is
    /// meant to be too slow.
    pub time_limit_to_tle: f64,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            time_limit_is_stated: true,
            resolution: Duration::from_secs(1),
            ac_to_time_limit: 2.0,
            time_limit_to_tle: 1.5,
        }
    }
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
    /// Files put into the submission's directory before it runs.
    pub files: Vec<File>,
    /// Command-line arguments of the submission.
    pub args: Vec<String>,
    /// Command-line arguments of the output validator.
    pub output_validator_args: Vec<String>,
    /// Command-line arguments of the input validators.
    pub input_validator_args: InputValidatorArgs,
    /// Whether teams may see everything about it once they fail on it.
    pub full_feedback: bool,
    /// What is shown as its output, where it is shown.
    pub shown_output: ShownOutput,
}

/// What people are shown as the output of a test case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShownOutput {
    /// The answer file, which then must be a right output.
    Answer,
    /// Another right output.
    Output(PathBuf),
    /// A text for people, of which nothing is asked; nor is it of the answer file.
    Text,
}

impl Testcase {
    /// A test case without arguments or files.
    #[must_use]
    pub fn new(name: String, input: PathBuf, answer: PathBuf) -> Self {
        Self {
            full_feedback: name.starts_with("sample/"),
            name,
            input,
            answer,
            files: Vec::new(),
            args: Vec::new(),
            output_validator_args: Vec::new(),
            input_validator_args: InputValidatorArgs::default(),
            shown_output: ShownOutput::Answer,
        }
    }

    /// Whether it is one of the samples that teams see.
    #[must_use]
    pub fn is_sample(&self) -> bool {
        self.name.starts_with("sample/")
    }
}

/// Arguments of input validators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputValidatorArgs {
    /// The same for all of them.
    All(Vec<String>),
    /// By the name of the validator; the others get none.
    ByName(BTreeMap<String, Vec<String>>),
}

impl Default for InputValidatorArgs {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

impl InputValidatorArgs {
    /// The arguments of the validator `program`, which is called by the name of
    /// its file or directory, with or without the ending.
    #[must_use]
    pub fn of(&self, program: &Program) -> &[String] {
        match self {
            Self::All(args) => args,
            Self::ByName(by_name) => {
                let name = program.name.rsplit('/').next().unwrap_or_default();
                let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
                by_name
                    .get(name)
                    .or_else(|| by_name.get(stem))
                    .map(Vec::as_slice)
                    .unwrap_or_default()
            }
        }
    }
}

/// The program that looks at the sources of submissions, with its test cases.
#[derive(Debug, Clone)]
pub struct StaticValidator {
    /// The program.
    pub program: Program,
    /// What it is asked, in the order of judging.
    pub tests: Vec<StaticTest>,
}

/// A test case of the static validator. It has neither input nor answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticTest {
    /// The group it belongs to, such as `secret/group1`.
    pub group: String,
    /// Command-line arguments of the static validator.
    pub args: Vec<String>,
}

/// What a validator must say of an input or output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidatorTest {
    /// The path below `data/` without the ending.
    pub name: String,
    /// The input file.
    pub input: PathBuf,
    /// Files of the submission's directory, which input validators get too.
    pub files: Vec<File>,
    /// Command-line arguments of submissions, which input validators get too.
    pub args: Vec<String>,
    /// Command-line arguments of the input validators.
    pub input_validator_args: InputValidatorArgs,
    /// What is tested.
    pub of: ValidatorTestKind,
}

/// What a [`ValidatorTest`] tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValidatorTestKind {
    /// Some input validator must reject the input.
    InvalidInput,
    /// All input validators must accept the input.
    ValidInput,
    /// The output validator must give an answer on an output.
    Output {
        /// The answer file.
        answer: PathBuf,
        /// The output.
        output: PathBuf,
        /// Command-line arguments of the output validator.
        args: Vec<String>,
        /// Whether it must accept the output.
        valid: bool,
    },
}

/// What decides whether an output is right.
#[derive(Debug, Clone)]
pub enum OutputValidator {
    /// The token comparison that the format specifies.
    Default,
    /// A program of the jury, as the ICPC/Kattis format has it.
    Custom(Program),
    /// Several such programs: all must accept.
    Several(Vec<Program>),
    /// A program that compares the output with the answer, called as
    /// `checker input output answer`.
    Checker {
        /// The program.
        program: Program,
        /// How it gives its answer.
        protocol: CheckerProtocol,
    },
    /// A program that talks to the submission.
    Interactor {
        /// The program.
        program: Program,
        /// How it is called and gives its answer.
        protocol: CheckerProtocol,
        /// The checker that looks at what an interactor wrote, if it accepts.
        checker: Option<Program>,
    },
    /// A checker of DMOJ that comes without a program.
    Dmoj(DmojChecker),
}

impl OutputValidator {
    /// The jury's programs that it needs.
    #[must_use]
    pub fn programs(&self) -> Vec<&Program> {
        match self {
            Self::Default | Self::Dmoj(_) => Vec::new(),
            Self::Custom(program) | Self::Checker { program, .. } => vec![program],
            Self::Several(programs) => programs.iter().collect(),
            Self::Interactor {
                program, checker, ..
            } => [program].into_iter().chain(checker).collect(),
        }
    }
}

/// How a checker or interactor gives its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckerProtocol {
    /// As testlib has it.
    Testlib(CheckerPoints),
    /// Exit code 0 for a right output, 1 for a wrong one.
    ExitCode,
}

/// A checker of DMOJ that comes without a program.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DmojChecker {
    /// The same tokens on the same lines; empty lines do not count.
    Standard,
    /// The same bytes.
    Identical {
        /// Whether an output that `Standard` accepts is a presentation error.
        tells_presentation: bool,
    },
    /// The same lines but for white space at their ends.
    Rstripped,
    /// The same characters, in any order and case, white space aside.
    Easy,
    /// The same tokens in any order.
    Unordered,
    /// The same lines in any order.
    SortedLines,
    /// As `Standard`, with numbers that may differ a little.
    Floats {
        /// By how much.
        tolerance: f64,
        /// What it is compared with.
        error: FloatError,
    },
}

/// What the tolerance of [`DmojChecker::Floats`] is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FloatError {
    /// The absolute or the relative error: one of them is enough.
    Either,
    /// The absolute error.
    Absolute,
    /// The relative error.
    Relative,
}

/// What the points of a checker are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckerPoints {
    /// Points of the test case.
    Absolute,
    /// Hundredths of what the test case can give.
    Percent,
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

/// A program that can't be run here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsupportedProgram {
    /// The path of its file or directory within the package.
    pub name: String,
    /// Why not.
    pub reason: &'static str,
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
    /// Whether the jury offers it as a model to learn from.
    pub is_model: bool,
}
