//! Input validators on every input of the package.

use std::fs::File;
use std::path::{Path, PathBuf};

use assize_common::package::{
    File as PackageFile, FormatVersion, InputValidatorArgs, Program, ValidatorTestKind,
};
use assize_sandbox::{Facts, Input, Outcome};

use super::{Step, Verifier};
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

impl Verifier<'_> {
    /// Runs all input validators on all inputs.
    pub(super) fn check_inputs(&mut self) -> Result<(), JudgingError> {
        let programs = self.package.input_validators.clone();
        if programs.is_empty() {
            self.warn(
                "input_validators/",
                "no input validator: inputs are not checked",
                "add a program that exits with 42 for valid inputs, else with 43",
            );
            return Ok(());
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
        for input in self.inputs() {
            (self.progress)(Step::Input(&input.name));
            let mut rejected = Vec::new();
            for (validator, program) in &validators {
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
                let (accepts, printed) = self.ask(validator, &input, &args)?;
                if self.options.twice && self.ask(validator, &input, &args)?.0 != accepts {
                    let problem = format!("answers differently when run again on {}", input.name);
                    self.error(
                        &program.name,
                        problem,
                        "its answer must depend on the input alone: no clock, no unseeded randomness",
                    );
                }
                if !accepts {
                    rejected.push((program.name.clone(), printed));
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
            } else if rejected.is_empty() && validators.len() == programs.len() {
                self.error(
                    &input.name,
                    "no input validator rejects this invalid input",
                    "make a validator check what is wrong with it, or move it if it is valid",
                );
            }
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
        let tests = self.package.validator_tests.iter().map(|test| Checked {
            name: test.name.clone(),
            input: test.input.clone(),
            files: test.files.clone(),
            args: test.args.clone(),
            validator_args: test.input_validator_args.clone(),
            valid: test.of != ValidatorTestKind::InvalidInput,
        });
        testcases.chain(tests).collect()
    }

    /// Whether the validator accepts the input, and what it printed.
    fn ask(
        &mut self,
        validator: &JuryValidator,
        checked: &Checked,
        args: &[String],
    ) -> Result<(bool, String), JudgingError> {
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
            Outcome::Exited { code } if code == valid(self.package.format) => (true, String::new()),
            Outcome::Exited { code } if printed.is_empty() => (false, format!("exit code {code}")),
            Outcome::Exited { .. } => (false, printed.to_owned()),
            other => (false, format!("{other:?} {printed}")),
        })
    }
}
