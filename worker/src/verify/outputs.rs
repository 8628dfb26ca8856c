//! The output validator on outputs that are known to be right or wrong.

use std::fs::File;
use std::path::{Path, PathBuf};

use assize_common::package::{Kind, ShownOutput, Testcase, ValidatorTestKind};

use super::{Step, Verifier};
use crate::judging_error::JudgingError;
use crate::output_validator::{JuryValidator, Submitted, Validated};
use crate::validation::Validation;
use crate::verdict::Answer;

/// An output with what is expected of it.
struct Checked {
    testcase: Testcase,
    output: PathBuf,
    valid: bool,
}

impl Verifier<'_> {
    /// Asks the output validator about them all. Where it talks to submissions
    /// there is nothing to ask it about; of several passes they are about the first.
    pub(super) fn check_outputs(&mut self) -> Result<(), JudgingError> {
        let compiled = self
            .judge
            .output_validator(self.slot, &self.package, self.cancel);
        let Some(validator) = self.blame("output validator", compiled)? else {
            return Ok(());
        };
        if self.package.kind == Kind::Interactive {
            self.find_useless_outputs();
            return Ok(());
        }
        for checked in self.outputs() {
            let name = checked.testcase.name.clone();
            (self.progress)(Step::Output(&name));
            let result = self.validate(validator.as_ref(), &checked);
            let Some(Validated { answer, feedback }) = self.blame(&name, result)? else {
                continue;
            };
            if self.options.twice {
                let again = self.validate(validator.as_ref(), &checked);
                let again = self.blame(&name, again)?;
                if again.is_some_and(|again| again.answer != answer) {
                    self.error(
                        &name,
                        "the output validator answers differently when run again",
                        "its answer must depend on its files and arguments alone: no clock, no unseeded randomness",
                    );
                }
            }
            let words = feedback.judge_message;
            let goes_on = feedback.next_pass.is_some();
            match (checked.valid, answer) {
                (true, Answer::Wrong | Answer::Misformatted) => {
                    self.error(
                        &name,
                        rejection(words.as_deref()),
                        "correct the output or the validator (or its arguments)",
                    );
                }
                // One that is accepted in the end may have been wrong in a later pass.
                (false, Answer::Accepted) if goes_on => {
                    self.warn(
                        &name,
                        "the output validator does not reject it yet, but asks for another pass: \
                         whether it is invalid is not known",
                        "test with an output that is wrong in the first pass",
                    );
                }
                (false, Answer::Accepted) => {
                    self.error(
                        &name,
                        "the output validator accepts this invalid output",
                        "make the validator (or its arguments) stricter, or move the output if it is valid",
                    );
                }
                (true, Answer::Accepted) | (false, Answer::Wrong | Answer::Misformatted) => {}
            }
        }
        Ok(())
    }

    /// Tests that the format has for outputs of problems without a conversation only.
    fn find_useless_outputs(&mut self) {
        let tests = self.package.validator_tests.iter();
        let names: Vec<String> = tests
            .filter(|test| matches!(test.of, ValidatorTestKind::Output { .. }))
            .map(|test| test.name.clone())
            .collect();
        for name in names {
            self.warn(
                name,
                "not run: the output validator of an interactive problem reads no finished output",
                "remove it, and add a submission that says the same",
            );
        }
    }

    /// Tests of the validator, and the outputs that teams are shown where those are
    /// whole: they are not where there are several passes.
    fn outputs(&self) -> Vec<Checked> {
        let tests = self.package.validator_tests.iter().filter_map(|test| {
            let ValidatorTestKind::Output {
                answer,
                output,
                args,
                valid,
            } = &test.of
            else {
                return None;
            };
            let mut testcase = Testcase::new(test.name.clone(), test.input.clone(), answer.clone());
            testcase.output_validator_args.clone_from(args);
            Some(Checked {
                testcase,
                output: output.clone(),
                valid: *valid,
            })
        });
        let whole = self.package.passes == 1;
        let shown = self.package.testcases.iter().filter(|_| whole);
        let shown = shown.filter_map(|testcase| {
            let output = match &testcase.shown_output {
                ShownOutput::Output(output) => output.clone(),
                ShownOutput::Answer if testcase.is_sample() && !self.package.format.is_legacy() => {
                    testcase.answer.clone()
                }
                ShownOutput::Answer | ShownOutput::Text => return None,
            };
            Some(Checked {
                testcase: testcase.clone(),
                output,
                valid: true,
            })
        });
        tests.chain(shown).collect()
    }

    fn validate(
        &mut self,
        validator: Option<&JuryValidator>,
        checked: &Checked,
    ) -> Result<Validated, JudgingError> {
        let open = |path: &Path| File::open(path).map_err(JudgingError::disk("open", path));
        let output = open(&checked.output)?;
        let input = open(&checked.testcase.input)?;
        let validation = Validation {
            package: &self.package,
            testcase: &checked.testcase,
            validator,
            submitted: Submitted::Nothing,
            scratch: self.judge.scratch(),
            cancel: self.cancel,
        };
        validation.of(self.slot, output, &input, None)
    }
}

/// That an output is rejected, with the validator's words if it has some.
fn rejection(words: Option<&str>) -> String {
    match words {
        Some(words) => format!("the output validator rejects it: {words}"),
        None => "the output validator rejects it, without a message".to_owned(),
    }
}
