//! Input validators on every input of the package.

use std::fs::File;
use std::path::{Path, PathBuf};

use assize_common::package::{
    File as PackageFile, FormatVersion, InputValidatorArgs, Limits, Program, ValidatorTest,
    ValidatorTestKind,
};
use assize_sandbox::{Facts, Input, KillCause, Outcome};

use super::{Step, Verifier, words};
use crate::judging_error::JudgingError;
use crate::output_validator::JuryValidator;
use crate::output_validator::capture;
use crate::output_validator::feedback::{Meaning, Scores};
use crate::slot::Role;
use crate::toolchain::read_start;

/// The exit code that says that an input is valid.
const fn valid(format: FormatVersion) -> i32 {
    match format {
        // Validators of testlib.
        FormatVersion::Polygon => 0,
        _ => 42,
    }
}

/// What a validator prints is quoted up to this size.
const QUOTED: u64 = 500;

/// An input with what is expected of it.
struct Checked {
    name: String,
    input: PathBuf,
    /// What a submission finds in its directory.
    files: Vec<PackageFile>,
    args: Vec<String>,
    validator_args: InputValidatorArgs,
    valid: bool,
}

/// A file of the program that one of a test case would replace.
fn collision<'a>(program: &'a Program, files: &[PackageFile]) -> Option<&'a str> {
    let mut names = program.files.iter().map(|file| file.name.as_str());
    names.find(|name| files.iter().any(|file| file.name == *name))
}

/// What a validator made of an input.
#[derive(Debug, PartialEq, Eq)]
enum Opinion {
    Accepted,
    /// With what it printed, or its exit code.
    Rejected(String),
    /// It did not end by itself: how it was ended.
    Failed(String),
}

impl Verifier<'_> {
    /// Runs all input validators on all inputs.
    pub(super) fn check_inputs(&mut self) -> Result<(), JudgingError> {
        let programs = self.package.input_validators.clone();
        let unsupported = self.package.unsupported_input_validators.clone();
        for program in &unsupported {
            self.error(
                &program.name,
                format!(
                    "can't be run, so that it checks no input: {}",
                    program.reason
                ),
                "offer the same check as a C, C++ or Python 3 program",
            );
        }
        if programs.is_empty() && unsupported.is_empty() {
            self.warn(
                "input validators",
                "there is none: inputs are not checked",
                words::NO_INPUT_VALIDATOR.to(&self.package),
            );
        }
        let mut validators = Vec::new();
        for program in &programs {
            let compiled = self
                .judge
                .jury_program(self.slot, &self.package, program, self.cancel);
            if let Some(validator) = self.blame(&program.name, compiled)? {
                let limits = validator.limits.clone().for_input_validators();
                validators.push((
                    JuryValidator {
                        limits,
                        ..validator
                    },
                    program,
                ));
            }
        }
        let all_run = validators.len() == programs.len() + unsupported.len();
        for input in self.inputs() {
            (self.progress)(Step::Input(&input.name));
            self.check_input(&input, &validators, all_run)?;
        }
        Ok(())
    }

    /// Runs them on one input; `all_run` says whether they are all that there are.
    fn check_input(
        &mut self,
        input: &Checked,
        validators: &[(JuryValidator, &Program)],
        all_run: bool,
    ) -> Result<(), JudgingError> {
        let (mut rejected, mut has_failed) = (Vec::new(), false);
        for (validator, program) in validators {
            if let Some(name) = collision(program, &input.files) {
                let problem = format!(
                    "its file {name} has the name of one of {}.files/",
                    input.name
                );
                self.error(
                    &program.name,
                    problem,
                    "rename one: the validator gets both in one directory",
                );
                continue;
            }
            let mut args = input.validator_args.of(program).to_vec();
            args.extend(input.args.iter().cloned());
            let opinion = self.ask(validator, input, &args)?;
            if self.options.twice {
                let again = self.ask(validator, input, &args)?;
                if std::mem::discriminant(&again) != std::mem::discriminant(&opinion) {
                    let problem = format!("answers differently when run again on {}", input.name);
                    self.error(
                        &program.name,
                        problem,
                        "its answer must depend on the input alone: no clock, no unseeded randomness",
                    );
                }
            }
            match opinion {
                Opinion::Accepted => {}
                Opinion::Rejected(printed) => rejected.push((program.name.clone(), printed)),
                Opinion::Failed(how) => {
                    has_failed = true;
                    self.error(
                        &input.name,
                        format!("{} gives no answer: {how}", program.name),
                        "correct the validator: it must exit by itself, whatever the input is",
                    );
                }
            }
        }
        if input.valid {
            for (validator, printed) in rejected {
                self.error(
                    &input.name,
                    format!("{validator} rejects the input: {printed}"),
                    "correct the input, or the validator if the statement allows this input",
                );
            }
        } else if rejected.is_empty() && !has_failed {
            let (problem, fix) = if validators.is_empty() {
                (
                    "not checked: there is no input validator that can be run",
                    "add an input validator that rejects it",
                )
            } else if all_run {
                (
                    "no input validator rejects this invalid input",
                    "make a validator check what is wrong with it, or move it if it is valid",
                )
            } else {
                (
                    "no input validator that can be run rejects this invalid input",
                    "make one that can be run check what is wrong with it",
                )
            };
            self.error(&input.name, problem, fix);
        }
        Ok(())
    }

    fn inputs(&self) -> Vec<Checked> {
        let testcases = self.package.testcases.iter().map(|testcase| Checked {
            name: testcase.name.clone(),
            input: testcase.input.clone(),
            files: testcase.files.clone(),
            args: testcase.args.clone(),
            validator_args: testcase.input_validator_args.clone(),
            valid: true,
        });
        // Those of a checker of Polygon need not be inputs of the problem.
        let is_input = |test: &&ValidatorTest| {
            let of_output = matches!(test.of, ValidatorTestKind::Output { .. });
            !of_output || self.package.format != FormatVersion::Polygon
        };
        let tests = self.package.validator_tests.iter();
        let tests = tests.filter(is_input).map(|test| Checked {
            name: test.name.clone(),
            input: test.input.clone(),
            files: test.files.clone(),
            args: test.args.clone(),
            validator_args: test.input_validator_args.clone(),
            valid: test.of != ValidatorTestKind::InvalidInput,
        });
        testcases.chain(tests).collect()
    }

    /// What the validator makes of the input.
    fn ask(
        &mut self,
        validator: &JuryValidator,
        checked: &Checked,
        args: &[String],
    ) -> Result<Opinion, JudgingError> {
        let scratch = self.judge.scratch();
        let input =
            File::open(&checked.input).map_err(JudgingError::disk("open", &checked.input))?;
        let printed = tempfile::tempfile_in(scratch)
            .map_err(JudgingError::disk("create a file in", scratch))?;
        let meaning = Meaning {
            scores: Scores::None,
            multi_pass: false,
        };
        let mut spec = validator.program_spec(
            args,
            meaning,
            Input::Fd(input.into()),
            capture(&printed, Path::new("validator's output"))?,
            &printed,
        )?;
        if !checked.files.is_empty() {
            validator.add_files(&mut spec, &checked.files)?;
        }
        let activity = format!("running {} on {}", validator.name, checked.name);
        let Facts { outcome, .. } = self.slot.run(Role::Jury, spec, &activity, self.cancel)?;
        let printed = read_start(printed, QUOTED).unwrap_or_default();
        let printed = printed.trim_end();
        Ok(match outcome {
            Outcome::Exited { code } if code == valid(self.package.format) => Opinion::Accepted,
            Outcome::Exited { code } if printed.is_empty() => {
                Opinion::Rejected(format!("exit code {code}, without a message"))
            }
            Outcome::Exited { .. } => Opinion::Rejected(printed.to_owned()),
            Outcome::Signalled { signal } => {
                Opinion::Failed(said(format!("ended by signal {signal}"), printed))
            }
            Outcome::Killed { cause } => {
                Opinion::Failed(said(how_killed(&cause, &validator.limits), printed))
            }
        })
    }
}

fn said(how: String, printed: &str) -> String {
    if printed.is_empty() {
        how
    } else {
        format!("{how}; it printed: {printed}")
    }
}

/// How a validator was ended, in the words of who has to mend it.
fn how_killed(cause: &KillCause, limits: &Limits) -> String {
    match cause {
        KillCause::CpuTime => format!("took more than {:?} of CPU time", limits.validation_time),
        KillCause::WallTime => "did not end in time".to_owned(),
        KillCause::Idle => "did nothing any more".to_owned(),
        KillCause::Memory => format!("took more than {} of memory", limits.validation_memory),
        KillCause::Output => format!("wrote more than {}", limits.validation_output),
        KillCause::Processes => "started too many processes".to_owned(),
        KillCause::Policy { .. } => "made a forbidden system call".to_owned(),
        KillCause::Cancelled => "was cancelled".to_owned(),
    }
}
