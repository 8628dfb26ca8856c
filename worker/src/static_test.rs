//! One test case of the static validator: a program of the jury reads the sources.

use std::path::Path;

use assize_common::Verdict;
use assize_common::package::StaticTest;
use assize_sandbox::{Input, Sink};
use bytesize::ByteSize;

use crate::cancel::Cancel;
use crate::executable::Executable;
use crate::judging_error::JudgingError;
use crate::output_validator::feedback::{DIRECTORY, Meaning};
use crate::output_validator::{JuryValidator, SUBMISSION};
use crate::report::run_report;
use crate::slot::{Role, Slot};
use crate::testcase_run::Ran;

/// All that one of them depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StaticTestRun<'a> {
    pub(crate) test: &'a StaticTest,
    /// What it is called in reports.
    pub(crate) name: &'a str,
    /// The submission.
    pub(crate) executable: &'a Executable,
    pub(crate) validator: &'a JuryValidator,
    pub(crate) meaning: Meaning,
    pub(crate) scratch: &'a Path,
    pub(crate) cancel: &'a Cancel,
}

impl StaticTestRun<'_> {
    /// Asks the validator. The times in the report are its own.
    pub(crate) fn execute(self, slot: &mut Slot) -> Result<Ran, JudgingError> {
        let stderr = tempfile::tempfile_in(self.scratch)
            .map_err(JudgingError::disk("create a file in", self.scratch))?;
        let mut args = vec![
            self.executable.language.code.clone(),
            self.executable.main(),
            DIRECTORY.to_owned(),
        ];
        args.extend(self.test.args.iter().cloned());
        let mut spec =
            self.validator
                .program_spec(&args, self.meaning, Input::Null, Sink::Null, &stderr)?;
        spec.directory = SUBMISSION.into();
        self.executable
            .copy(&mut spec, Path::new(SUBMISSION), &[], ByteSize(0))?;
        let activity = format!("running {} on {}", self.validator.name, self.name);
        let facts = slot.run(Role::Jury, spec, &activity, self.cancel)?;
        let report = run_report(self.name, Verdict::Ac, &facts, None);
        let validated = self
            .validator
            .answer(self.name, self.meaning, facts, stderr)?;
        Ok(validated.into_run(report))
    }
}
