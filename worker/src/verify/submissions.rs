//! The example submissions against what the jury expects of them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use assize_common::message::{KillCause, RunReport};
use assize_common::package::{Package, Submission};
use assize_common::sandbox_choice::{SandboxFactors, choose_sandbox};
use assize_common::{Stop, Verdict};

use super::{Step, VerifiedSubmission, Verifier, is_fault_of_package, words};
use crate::cancel::Cancel;
use crate::judge::{Judge, Judged, Request};
use crate::judging_error::JudgingError;
use crate::look::USUAL;
use crate::outputs::Outputs;
use crate::reuse::{Earlier, kept_as};
use crate::slot::Slot;

/// What to do about results that change.
const STEADY: &str =
    "make it deterministic, or give it more distance to the limits if it is close to one";

/// What judging a submission came to.
struct Attempt {
    first: Result<Judged, JudgingError>,
    /// Only after a first success that the clock did not end, and if asked for.
    again: Option<Result<Judged, JudgingError>>,
    /// A test case for which it wrote something else then.
    unsteady: Option<String>,
}

impl Verifier<'_> {
    /// Judges all submissions on all test cases.
    pub(super) fn judge_submissions(&mut self) -> Result<Vec<VerifiedSubmission>, JudgingError> {
        let submissions = self.package.submissions.clone();
        let mut verified = Vec::with_capacity(submissions.len());
        for (submission, attempt) in submissions.iter().zip(self.attempts(&submissions)) {
            let name = &submission.program.name;
            let judged = self.blame(name, attempt.first)?;
            if let Some(judged) = &judged {
                self.compare_with_expectation(submission, judged);
            }
            if let (Some(judged), Some(again)) = (&judged, attempt.again)
                && let Some(again) = self.blame(name, again)?
            {
                self.compare_with_second(name, judged, &again, attempt.unsteady);
            }
            verified.push(describe(submission, judged));
        }
        let accepted = |submission: &Submission| {
            let expected = submission.expectation.verdicts();
            expected.len() == 1 && expected.contains(&Verdict::Ac)
        };
        if !submissions.iter().any(accepted) {
            let fix = words::NO_ACCEPTED.to(&self.package);
            self.error("submissions", "no accepted submission", fix);
        }
        Ok(verified)
    }

    /// Judges on all slots at once; the attempts are in the order of the submissions
    /// and end early only after an error that is no fault of the package.
    fn attempts(&mut self, submissions: &[Submission]) -> Vec<Attempt> {
        let (judge, cancel, twice) = (self.judge, self.cancel, self.options.twice);
        let (package, progress) = (&self.package, &mut self.progress);
        let next = AtomicUsize::new(0);
        let (sender, receiver) = mpsc::channel();
        let mut attempts = BTreeMap::new();
        std::thread::scope(|scope| {
            for slot in std::iter::once(&mut *self.slot).chain(self.others.iter_mut()) {
                let (sender, next) = (sender.clone(), &next);
                scope.spawn(move || {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(submission) = submissions.get(index) else {
                            break;
                        };
                        let told = sender.send((index, None));
                        let attempt = Attempt::new(twice, || {
                            let earlier = twice.then(Earlier::nothing);
                            let earlier = earlier.as_ref();
                            judge_on(judge, slot, package, submission, earlier, cancel)
                        });
                        if attempt.is_ours() {
                            next.store(submissions.len(), Ordering::Relaxed);
                        }
                        if told.is_err() || sender.send((index, Some(attempt))).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(sender);
            for (index, attempt) in receiver {
                match (attempt, submissions.get(index)) {
                    (Some(attempt), _) => drop(attempts.insert(index, attempt)),
                    (None, Some(submission)) => {
                        progress(Step::Submission(&submission.program.name));
                    }
                    (None, None) => {}
                }
            }
        });
        attempts.into_values().collect()
    }

    fn compare_with_expectation(&mut self, submission: &Submission, judged: &Judged) {
        let name = &submission.program.name;
        if submission.is_model && judged.verdict != Verdict::Ac {
            self.error(
                name,
                format!("the model solution gets {}", judged.verdict),
                words::WRONG_MODEL.to(&self.package),
            );
        }
        let testcases = &self.package.testcases;
        let names: Vec<&str> = testcases.iter().map(|one| one.name.as_str()).collect();
        if let Some(contradiction) = submission.expectation.contradiction(&names) {
            self.error(
                name,
                format!("it can't get what is expected: {contradiction}"),
                "correct the entries of submissions.yaml that match it",
            );
        } else if let Some(offence) = judged.offence(&submission.expectation) {
            let score = judged.score.as_ref();
            let score = score.map_or_else(String::new, |score| format!(" with {score} points"));
            let detail = match judged.verdict {
                Verdict::Ce => format!(": {}", judged.compile.output),
                _ => String::new(),
            };
            let problem = format!("got {}{score}, {offence}{detail}", judged.verdict);
            let fix = words::NOT_AS_EXPECTED.to(&self.package);
            self.error(name, problem, fix);
        }
        if submission.expectation.is_empty() {
            let fix = words::NOTHING_EXPECTED.to(&self.package);
            self.warn(name, "nothing is expected of it", fix);
        }
    }

    fn compare_with_second(
        &mut self,
        name: &str,
        judged: &Judged,
        again: &Judged,
        unsteady: Option<String>,
    ) {
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
            self.warn(name, problem, STEADY);
        } else if judged.score != again.score {
            self.warn(name, "gets another score when run again", STEADY);
        } else if let Some(testcase) = unsteady {
            let problem =
                format!("writes something else on {testcase} when run again, judged alike");
            self.warn(name, problem, STEADY);
        }
    }

    /// A test case on which nothing wrong fails shows nothing.
    pub(super) fn find_useless_testcases(&mut self, submissions: &[VerifiedSubmission]) {
        let failing = submissions
            .iter()
            .filter(|submission| submission.runs.iter().any(|run| run.verdict != Verdict::Ac));
        let failing: Vec<&VerifiedSubmission> = failing.collect();
        if failing.is_empty() {
            let fix = words::NO_WRONG.to(&self.package);
            let problem = "none fails on any test case: what the test cases find is not known";
            self.warn("submissions", problem, fix);
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
            self.warn(
                name,
                "no example submission fails on it",
                "remove it, or add a wrong submission that it is there for",
            );
        }
    }
}

/// The first test case of which both outputs are kept and differ.
fn find_other_output(runs: &[RunReport], before: &Outputs, after: &Outputs) -> Option<String> {
    let differs = |run: &&RunReport| {
        let key = run
            .key_parts
            .map(|parts| kept_as(parts.program, &run.testcase));
        let outputs = key.and_then(|key| Some((before.get(key)?, after.get(key)?)));
        outputs.is_some_and(|(one, other)| one != other)
    };
    let found = runs.iter().find(differs);
    found.map(|run| run.testcase.clone())
}

/// Whether judging it again takes no longer than it computes: one that waits does
/// so until the clock ends it, on every test case, and proves nothing by that.
fn is_quick(judged: &Judged) -> bool {
    let waited =
        |run: &RunReport| matches!(run.kill_cause, Some(KillCause::WallTime | KillCause::Idle));
    !judged.runs.iter().any(waited)
}

/// Judges a submission on all test cases of `package`.
pub(super) fn judge_on(
    judge: &Judge,
    slot: &mut Slot,
    package: &Package,
    submission: &Submission,
    earlier: Option<&Earlier>,
    cancel: &Cancel,
) -> Result<Judged, JudgingError> {
    let language = package.submission_language(&submission.program, judge.languages())?;
    let request = Request {
        package,
        program: &submission.program,
        language,
        sandbox: choose_sandbox(SandboxFactors {
            problem_has_rules: package.policy.is_some(),
            ..SandboxFactors::default()
        })
        .mode,
        look: &USUAL,
        earlier,
        stop: Stop::End,
    };
    judge.judge(slot, request, &mut |_| (), cancel)
}

impl Attempt {
    /// Judges once, or twice if it is asked for and takes no longer than the program computes.
    /// The outputs are compared and not kept.
    fn new(twice: bool, mut judge: impl FnMut() -> Result<Judged, JudgingError>) -> Self {
        let mut first = judge();
        let mut again = (twice && first.as_ref().is_ok_and(is_quick)).then(&mut judge);
        let mut unsteady = None;
        if let Ok(judged) = &mut first {
            let before = std::mem::take(&mut judged.outputs);
            if let Some(Ok(again)) = &mut again {
                let after = std::mem::take(&mut again.outputs);
                unsteady = find_other_output(&judged.runs, &before, &after);
            }
        }
        Self {
            first,
            again,
            unsteady,
        }
    }

    /// Whether going on is useless.
    fn is_ours(&self) -> bool {
        let results = std::iter::once(&self.first).chain(&self.again);
        results
            .filter_map(|result| result.as_ref().err())
            .any(|error| !is_fault_of_package(error))
    }
}

fn describe(submission: &Submission, judged: Option<Judged>) -> VerifiedSubmission {
    let as_expected = judged
        .as_ref()
        .is_some_and(|judged| judged.offence(&submission.expectation).is_none());
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
