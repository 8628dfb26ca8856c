//! The example submissions against what the jury expects of them.

use assize_common::package::{GroupScore, JudgedTestcase, Kind, Package, Submission};
use assize_common::{SandboxMode, Verdict};

use super::{Step, VerifiedSubmission, Verifier};
use crate::judge::{Judged, Request, Stop};
use crate::judging_error::JudgingError;

impl Verifier<'_> {
    /// Judges all submissions on all test cases.
    pub(super) fn judge_submissions(&mut self) -> Result<Vec<VerifiedSubmission>, JudgingError> {
        let submissions = self.package.submissions.clone();
        let mut verified = Vec::with_capacity(submissions.len());
        for submission in &submissions {
            let name = &submission.program.name;
            (self.progress)(Step::Submission(name));
            let package = self.package.clone();
            let result = self.judge_on(&package, submission);
            let judged = self.blame(name, result)?;
            if let Some(judged) = &judged {
                self.compare_with_expectation(submission, judged);
                if self.options.twice {
                    self.judge_again(submission, judged)?;
                }
            }
            verified.push(describe(submission, judged));
        }
        let accepted = |submission: &Submission| {
            let expected = submission.expectation.verdicts();
            expected.len() == 1 && expected.contains(&Verdict::Ac)
        };
        if !submissions.iter().any(accepted) {
            self.error("submissions/accepted", "no accepted submission");
        }
        Ok(verified)
    }

    /// Judges a submission on all test cases of `package`.
    pub(super) fn judge_on(
        &mut self,
        package: &Package,
        submission: &Submission,
    ) -> Result<Judged, JudgingError> {
        let languages = self.judge.languages();
        let language = match submission.program.find_language(languages) {
            Ok(language) => language,
            // Outputs are in none: any will do.
            Err(_) if package.kind == Kind::SubmitAnswer && languages.iter().next().is_some() => {
                languages.iter().next().ok_or_else(no_language)?
            }
            Err(error) => return Err(error.into()),
        };
        let request = Request {
            package,
            program: &submission.program,
            language,
            sandbox: SandboxMode::Unshare,
            stop: Stop::AtEnd,
        };
        self.judge
            .judge(self.slot, request, &mut |_| (), self.cancel)
    }

    fn compare_with_expectation(&mut self, submission: &Submission, judged: &Judged) {
        let name = &submission.program.name;
        if !is_as_expected(submission, judged) {
            let expected: Vec<&str> = submission
                .expectation
                .verdicts()
                .into_iter()
                .map(Verdict::id)
                .collect();
            let expected = if expected.is_empty() {
                "the rules of submissions.yaml to hold".to_owned()
            } else {
                expected.join(" or ")
            };
            let score = judged.score.as_ref();
            let score = score.map_or_else(String::new, |score| format!(" with {score} points"));
            let detail = match judged.verdict {
                Verdict::Ce => format!(": {}", judged.compile.output),
                _ => String::new(),
            };
            let problem = format!("expected {expected}, got {}{score}{detail}", judged.verdict);
            self.error(name, problem);
        }
        if submission.expectation.is_empty() {
            self.warn(name, "nothing is expected of it");
        }
    }

    fn judge_again(
        &mut self,
        submission: &Submission,
        judged: &Judged,
    ) -> Result<(), JudgingError> {
        let name = &submission.program.name;
        let package = self.package.clone();
        let result = self.judge_on(&package, submission);
        let Some(again) = self.blame(name, result)? else {
            return Ok(());
        };
        let different = judged
            .runs
            .iter()
            .zip(&again.runs)
            .find(|(first, second)| first.verdict != second.verdict);
        if let Some((first, second)) = different {
            let problem = format!(
                "gets {} on {} and {} when run again",
                first.verdict, first.testcase, second.verdict
            );
            self.warn(name, problem);
        } else if judged.score != again.score {
            self.warn(name, "gets another score when run again");
        }
        Ok(())
    }

    /// A test case on which nothing wrong fails shows nothing.
    pub(super) fn find_useless_testcases(&mut self, submissions: &[VerifiedSubmission]) {
        let failing = submissions
            .iter()
            .filter(|submission| submission.runs.iter().any(|run| run.verdict != Verdict::Ac));
        let failing: Vec<&VerifiedSubmission> = failing.collect();
        if failing.is_empty() {
            return;
        }
        let useless: Vec<String> = self
            .package
            .testcases
            .iter()
            .filter(|testcase| !testcase.is_sample())
            .filter(|testcase| {
                let fails = |submission: &&VerifiedSubmission| {
                    submission
                        .runs
                        .iter()
                        .any(|run| run.testcase == testcase.name && run.verdict != Verdict::Ac)
                };
                !failing.iter().any(fails)
            })
            .map(|testcase| testcase.name.clone())
            .collect();
        for name in useless {
            self.warn(name, "no example submission fails on it");
        }
    }
}

fn no_language() -> JudgingError {
    JudgingError::Package {
        problem: "the language table is empty".to_owned(),
    }
}

/// Whether verdicts, messages and scores are as the jury expects.
pub(super) fn is_as_expected(submission: &Submission, judged: &Judged) -> bool {
    let testcases: Vec<_> = judged
        .runs
        .iter()
        .map(|run| JudgedTestcase {
            name: &run.testcase,
            verdict: run.verdict,
            message: run.message.as_deref(),
        })
        .collect();
    let groups: Vec<_> = judged
        .groups
        .iter()
        .map(|(name, score)| GroupScore { name, score })
        .collect();
    let expectation = &submission.expectation;
    let scores_are_met = judged
        .score
        .as_ref()
        .is_none_or(|score| expectation.are_scores_met(score, &groups));
    expectation.is_met(judged.verdict, &testcases) && scores_are_met
}

fn describe(submission: &Submission, judged: Option<Judged>) -> VerifiedSubmission {
    let as_expected = judged
        .as_ref()
        .is_some_and(|judged| is_as_expected(submission, judged));
    let (verdict, score, groups, runs) = match judged {
        Some(judged) => (
            Some(judged.verdict),
            judged.score,
            judged.groups,
            judged.runs,
        ),
        None => (None, None, Vec::new(), Vec::new()),
    };
    VerifiedSubmission {
        name: submission.program.name.clone(),
        expected: submission.expectation.verdicts().into_iter().collect(),
        as_expected,
        verdict,
        score,
        groups,
        runs,
    }
}
