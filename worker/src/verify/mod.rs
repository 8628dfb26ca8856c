//! Verifying a package: everything a jury checks before a contest.
//!
//! Nothing here decides verdicts: submissions are judged as contestants' are, and
//! validators are asked as they are then.

mod duplicates;
mod inputs;
mod outputs;
mod submissions;
mod time_limit;
mod words;

use std::time::Duration;

use assize_common::message::RunReport;
use assize_common::package::Package;
use assize_common::{GroupScore, Score, Verdict};
use serde::Serialize;

use crate::cancel::Cancel;
use crate::grading::Grading;
use crate::judge::Judge;
use crate::judging_error::JudgingError;
use crate::slot::Slot;

pub use time_limit::TimeLimitFinding;

/// What came of verifying a package.
#[derive(Debug, Clone, Serialize)]
pub struct Verification {
    /// What is wrong or doubtful.
    pub findings: Vec<Finding>,
    /// The time limit, and what the submissions' times say of it.
    pub time_limit: TimeLimitFinding,
    /// The names of the test cases in the order of judging: the columns of a table
    /// whose rows are the submissions.
    pub testcases: Vec<String>,
    /// Every example submission.
    pub submissions: Vec<VerifiedSubmission>,
}

impl Verification {
    /// Whether nothing is wrong; doubts do not count.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        let wrong = |finding: &Finding| finding.severity == Severity::Error;
        !self.findings.iter().any(wrong)
    }
}

/// Something wrong or doubtful about a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The file, program or test case it is about.
    pub subject: String,
    /// What it is.
    pub problem: String,
    /// What to do about it.
    pub fix: &'static str,
}

/// How bad a [`Finding`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Look at it.
    Warning,
    /// The package must not be used so.
    Error,
}

/// An example submission with what it got.
#[derive(Debug, Clone, Serialize)]
pub struct VerifiedSubmission {
    /// The path of its file or directory within the package.
    pub name: String,
    /// The verdicts of which one is expected for the whole; none if nothing is.
    pub expected: Vec<Verdict>,
    /// Whether all expectations are met.
    pub as_expected: bool,
    /// What it got; none if it could not be judged.
    pub verdict: Option<Verdict>,
    /// Its score, in problems that give one.
    pub score: Option<Score>,
    /// The scores of groups.
    pub groups: Vec<GroupScore>,
    /// The runs, in the order of judging.
    pub runs: Vec<RunReport>,
}

/// How thoroughly to verify.
#[derive(Debug, Clone, Copy)]
pub struct VerifyOptions {
    /// Run validators and submissions twice, to find those that are not
    /// deterministic.
    pub twice: bool,
}

/// How far verifying is.
#[derive(Debug, Clone, Copy)]
pub enum Step<'a> {
    /// Input validators run on this test case.
    Input(&'a str),
    /// The output validator runs on this test of it.
    Output(&'a str),
    /// This submission is judged.
    Submission(&'a str),
}

impl Judge {
    /// Verifies `package`, which may come from [`Package::read_unfinished`]: then
    /// its time limit is found first. Submissions are judged on `slot` and `others`
    /// at once, all else happens on `slot`.
    ///
    /// # Errors
    /// [`JudgingError`] when this host fails, or somebody cancels. What is wrong
    /// with the package is among the findings.
    pub fn verify(
        &self,
        slot: &mut Slot,
        others: &mut [Slot],
        package: &Package,
        options: VerifyOptions,
        progress: &mut dyn FnMut(Step<'_>),
        cancel: &Cancel,
    ) -> Result<Verification, JudgingError> {
        let mut verifier = Verifier {
            judge: self,
            slot,
            others,
            package: package.clone(),
            options,
            progress,
            cancel,
            findings: Vec::new(),
        };
        let unsupported = &package.unsupported_input_validators;
        for warning in package.warnings.iter().chain(&package.advice) {
            let (subject, problem) = warning.split_once(": ").unwrap_or(("", warning));
            // It is an error here, which checking the inputs tells.
            if unsupported.iter().any(|program| program.name == subject) {
                continue;
            }
            let fix = "correct it, or remove it if it is not meant to count";
            verifier.warn(subject, problem, fix);
        }
        verifier.find_duplicates()?;
        verifier.check_inputs()?;
        verifier.check_outputs()?;
        verifier.find_time_limit()?;
        let submissions = verifier.judge_submissions()?;
        let time_limit = verifier.check_time_limit(&submissions)?;
        verifier.find_useless_testcases(&submissions);
        let grading = Grading::of(&verifier.package);
        let order = grading.order().into_iter();
        let testcases = order.map(|test| grading.name(test)).collect();
        let mut findings = verifier.findings;
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        Ok(Verification {
            findings,
            time_limit,
            testcases,
            submissions,
        })
    }
}

/// The context of one verification.
struct Verifier<'a> {
    judge: &'a Judge,
    slot: &'a mut Slot,
    others: &'a mut [Slot],
    /// With the time limit that is found.
    package: Package,
    options: VerifyOptions,
    progress: &'a mut dyn FnMut(Step<'_>),
    cancel: &'a Cancel,
    findings: Vec<Finding>,
}

impl Verifier<'_> {
    fn error(&mut self, subject: impl Into<String>, problem: impl Into<String>, fix: &'static str) {
        self.find(Finding {
            severity: Severity::Error,
            subject: subject.into(),
            problem: problem.into(),
            fix,
        });
    }

    fn warn(&mut self, subject: impl Into<String>, problem: impl Into<String>, fix: &'static str) {
        self.find(Finding {
            severity: Severity::Warning,
            subject: subject.into(),
            problem: problem.into(),
            fix,
        });
    }

    fn find(&mut self, finding: Finding) {
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// Turns a fault of the package into a finding about `subject`.
    fn blame<T>(
        &mut self,
        subject: &str,
        result: Result<T, JudgingError>,
    ) -> Result<Option<T>, JudgingError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if is_fault_of_package(&error) => {
                let problem = assize_common::telemetry::error_chain(&error).to_string();
                self.error(
                    subject,
                    problem,
                    "correct the package: this can't be judged",
                );
                Ok(None)
            }
            Err(ours) => Err(ours),
        }
    }
}

const fn is_fault_of_package(error: &JudgingError) -> bool {
    matches!(
        error,
        JudgingError::JuryProgram { .. }
            | JudgingError::Package { .. }
            | JudgingError::UnknownLanguage(_)
            | JudgingError::Grading(_)
    )
}

/// Seconds as people write them.
fn seconds(duration: Duration) -> String {
    format!("{:.3} s", duration.as_secs_f64())
}
