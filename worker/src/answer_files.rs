//! Submit-answer problems: the submission consists of the outputs themselves.
//!
//! The format leaves open how the files are called. Here the output for the test
//! case `secret/01` is the submitted file `01.out`, `01.ans`, `01.txt` or `01`, in
//! the directory `secret/` or in none. With one test case alone, a single file may
//! have any name.

use std::fs::File;
use std::path::Path;

use assize_common::Verdict;
use assize_common::message::{Exit, RunReport};
use assize_common::package::{File as SubmittedFile, Package, Testcase};

use crate::cancel::Cancel;
use crate::judging_error::JudgingError;
use crate::output_validator::{Feedback, JuryValidator, Submitted, Validated};
use crate::slot::Slot;
use crate::testcase_run::Ran;
use crate::validation::Validation;
use crate::verdict::Answer;

/// All that the verdict on one of them depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AnswerRun<'a> {
    pub(crate) package: &'a Package,
    pub(crate) testcase: &'a Testcase,
    /// What was submitted.
    pub(crate) files: &'a [SubmittedFile],
    pub(crate) validator: Option<&'a JuryValidator>,
    pub(crate) submitted: Submitted<'a>,
    pub(crate) scratch: &'a Path,
    pub(crate) cancel: &'a Cancel,
}

impl AnswerRun<'_> {
    /// Validates the output.
    pub(crate) fn execute(self, slot: &mut Slot) -> Result<Ran, JudgingError> {
        let only = self.package.testcases.len() == 1;
        let validated = match find(self.files, self.testcase, only) {
            Some(file) => self.validate(slot, file)?,
            None => Validated {
                answer: Answer::Wrong,
                feedback: Feedback {
                    judge_message: Some("nothing was submitted for this test case".to_owned()),
                    ..Feedback::default()
                },
            },
        };
        Ok(validated.into_run(RunReport {
            testcase: self.testcase.name.clone(),
            verdict: Verdict::Ac,
            cpu_time_ms: 0,
            wall_time_ms: 0,
            memory_bytes: 0,
            exit: Exit::Exited { code: 0 },
            kill_cause: None,
            message: None,
            team_message: None,
            award: None,
            failure: None,
            difference: None,
            transcripts: Vec::new(),
            key: None,
            reused_from: None,
            key_parts: None,
            validated_again: None,
        }))
    }

    fn validate(self, slot: &mut Slot, file: &SubmittedFile) -> Result<Validated, JudgingError> {
        let open = |path: &Path| File::open(path).map_err(JudgingError::disk("open", path));
        let (output, input) = (open(&file.path)?, open(&self.testcase.input)?);
        let validation = Validation {
            package: self.package,
            testcase: self.testcase,
            validator: self.validator,
            submitted: self.submitted,
            scratch: self.scratch,
            cancel: self.cancel,
        };
        validation.of(slot, output, &input, None)
    }
}

/// The output for a test case, out of the submitted files.
pub(crate) fn find<'a>(
    files: &'a [SubmittedFile],
    testcase: &Testcase,
    is_only_testcase: bool,
) -> Option<&'a SubmittedFile> {
    if let ([only], true) = (files, is_only_testcase) {
        return Some(only);
    }
    let base = testcase.name.rsplit('/').next().unwrap_or(&testcase.name);
    let names = [testcase.name.as_str(), base]
        .into_iter()
        .flat_map(|name| ["out", "ans", "txt", ""].map(|ending| (name, ending)));
    let mut names = names.map(|(name, ending)| match ending {
        "" => name.to_owned(),
        ending => format!("{name}.{ending}"),
    });
    names.find_map(|name| files.iter().find(|file| file.name == name))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn found(names: &[&str], testcase: &str, only: bool) -> Option<String> {
        let files: Vec<_> = names
            .iter()
            .map(|name| SubmittedFile {
                name: (*name).to_owned(),
                path: PathBuf::new(),
            })
            .collect();
        let testcase = Testcase::new(testcase.to_owned(), PathBuf::new(), PathBuf::new());
        find(&files, &testcase, only).map(|file| file.name.clone())
    }

    #[test]
    fn outputs_are_found_by_the_name_of_the_test_case() {
        let names = ["01.out", "02", "secret/03.txt", "secret/01.ans"];
        for (testcase, expected) in [
            ("secret/01", Some("secret/01.ans")),
            ("sample/01", Some("01.out")),
            ("secret/02", Some("02")),
            ("secret/03", Some("secret/03.txt")),
            ("secret/04", None),
        ] {
            assert_eq!(
                found(&names, testcase, false).as_deref(),
                expected,
                "{testcase}"
            );
        }
        assert_eq!(found(&["mine"], "secret/1", true).as_deref(), Some("mine"));
        assert_eq!(found(&["mine"], "secret/1", false), None);
    }
}
