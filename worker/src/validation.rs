//! Validating one output: by the package's validator, or by the default one.

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, Write as _};
use std::path::Path;

use assize_common::Award;
use assize_common::message::{RunReport, ValidatedAgain};
use assize_common::package::{
    DefaultValidatorOptions, DmojChecker, OutputValidator, Package, Testcase,
};

use crate::cancel::Cancel;
use crate::judging_error::JudgingError;
use crate::output_validator::default::Difference;
use crate::output_validator::feedback::Meaning;
use crate::output_validator::{
    Call, Feedback, JuryValidator, Submitted, Validated, custom, default, dmoj,
};
use crate::slot::Slot;
use crate::testcase_run::Ran;
use crate::verdict::Answer;

/// All that a validator's answer depends on, but for the output and the input.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Validation<'a> {
    pub(crate) package: &'a Package,
    pub(crate) testcase: &'a Testcase,
    /// The default one without it.
    pub(crate) validator: Option<&'a JuryValidator>,
    /// Whose output it is.
    pub(crate) submitted: Submitted<'a>,
    pub(crate) scratch: &'a Path,
    pub(crate) cancel: &'a Cancel,
}

impl Validation<'_> {
    /// What the validator says of an output, which is read from its start. `input` is
    /// what the program was given, `state` what the pass before left.
    pub(crate) fn of(
        self,
        slot: &mut Slot,
        mut output: File,
        input: &File,
        state: Option<File>,
    ) -> Result<Validated, JudgingError> {
        let Some(validator) = self.validator else {
            output
                .rewind()
                .map_err(JudgingError::disk("rewind the output in", self.scratch))?;
            return compare(self.package, self.testcase, output);
        };
        let call = Call {
            testcase: self.testcase,
            submitted: self.submitted,
            input,
            state,
            meaning: Meaning::on(self.package, self.testcase),
        };
        custom::validate(validator, slot, &call, output, self.scratch, self.cancel)
    }

    /// The run of which `before` is the report, had its output been validated now.
    pub(crate) fn again(
        self,
        slot: &mut Slot,
        output: &[u8],
        before: &RunReport,
        why: ValidatedAgain,
    ) -> Result<Ran, JudgingError> {
        let path = &self.testcase.input;
        let input = File::open(path).map_err(JudgingError::disk("open", path))?;
        let written = tempfile::tempfile_in(self.scratch)
            .and_then(|mut file| file.write_all(output).map(|()| file))
            .map_err(JudgingError::disk("write an output in", self.scratch))?;
        let validated = self.of(slot, written, &input, None)?;
        Ok(validated.into_run(RunReport {
            testcase: self.testcase.name.clone(),
            reused_from: None,
            validated_again: Some(why),
            ..before.clone()
        }))
    }
}

impl Validated {
    /// The run of a program that did nothing wrong, of which `measured` says what it took.
    pub(crate) fn into_run(self, measured: RunReport) -> Ran {
        let feedback = self.feedback;
        Ran {
            report: RunReport {
                verdict: self.answer.verdict(),
                message: feedback.judge_message,
                team_message: feedback.team_message,
                award: feedback.award.as_ref().map(Award::rounded),
                difference: feedback.difference,
                ..measured
            },
            audits: Vec::new(),
            award: feedback.award,
        }
    }
}

/// What the default validator says of an output that is read from where it is.
fn compare(
    package: &Package,
    testcase: &Testcase,
    output: File,
) -> Result<Validated, JudgingError> {
    if let OutputValidator::Dmoj(checker) = package.output_validator {
        return compare_as_dmoj(checker, testcase, output);
    }
    let options = DefaultValidatorOptions::parse(&testcase.output_validator_args)
        .map_err(|problem| JudgingError::Package { problem })?;
    let options = DefaultValidatorOptions {
        ieee_numbers: package.format.is_legacy(),
        ..options
    };
    let answer = &testcase.answer;
    let answer_file = File::open(answer).map_err(JudgingError::disk("open", answer))?;
    let difference = default::compare(output, BufReader::new(answer_file), options)
        .map_err(JudgingError::disk("compare the output with", answer))?;
    Ok(Validated {
        answer: if difference.is_none() {
            Answer::Accepted
        } else {
            Answer::Wrong
        },
        feedback: Feedback {
            judge_message: difference.as_ref().map(ToString::to_string),
            difference: difference.as_ref().map(Difference::report),
            ..Feedback::default()
        },
    })
}

fn compare_as_dmoj(
    checker: DmojChecker,
    testcase: &Testcase,
    mut output: File,
) -> Result<Validated, JudgingError> {
    let path = &testcase.answer;
    let answer = std::fs::read(path).map_err(JudgingError::disk("read", path))?;
    let mut bytes = Vec::new();
    output
        .read_to_end(&mut bytes)
        .map_err(JudgingError::disk("compare the output with", path))?;
    let (answer, judge_message) = dmoj::check(checker, &bytes, &answer);
    Ok(Validated {
        answer,
        feedback: Feedback {
            judge_message,
            ..Feedback::default()
        },
    })
}
