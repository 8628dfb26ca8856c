//! The time limit against the running times of the submissions.

use std::time::Duration;

use assize_common::Verdict;
use assize_common::package::{FormatVersion, Package, Submission, TimeBound, Timing};
use serde::Serialize;

use super::submissions::judge_on;
use super::{Finding, Severity, VerifiedSubmission, Verifier, seconds, words};
use crate::judging_error::JudgingError;

/// What is known of the time limit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TimeLimitFinding {
    /// The limit: the package's, or the one that was found.
    pub time_limit_ms: u64,
    /// Whether the package states it.
    pub is_stated: bool,
    /// The slowest run that must not be too slow, in terms of languages without a
    /// time factor.
    pub slowest_accepted_ms: Option<u64>,
    /// The limit may not be below this.
    pub at_least_ms: Option<u64>,
    /// Whether what is meant to be too slow is so with the margin, too; none if
    /// nothing is meant to be.
    pub slow_ones_keep_the_margin: Option<bool>,
}

/// The smallest multiple of the resolution that keeps the margin above the slowest
/// run that must be fast enough.
fn smallest_limit(slowest: Duration, timing: Timing) -> Duration {
    // Whole numbers: 1.21 s are no more than 11 * 0.11 s.
    let least = slowest.mul_f64(timing.ac_to_time_limit).as_nanos();
    let resolution = timing.resolution.as_nanos().max(1);
    let limit = least.div_ceil(resolution).max(1).saturating_mul(resolution);
    Duration::from_nanos(u64::try_from(limit).unwrap_or(u64::MAX))
}

impl Verifier<'_> {
    /// Finds the time limit where the package states none. The package's limit is
    /// provisional until then.
    pub(super) fn find_time_limit(&mut self) -> Result<(), JudgingError> {
        if self.package.timing.time_limit_is_stated {
            return Ok(());
        }
        let package = self.package.clone();
        let mut slowest = None;
        for submission in package
            .submissions
            .iter()
            .filter(|submission| bounds_from_below(&package, submission))
        {
            let result = judge_on(
                self.judge,
                self.slot,
                &package,
                submission,
                None,
                self.cancel,
            );
            // What is wrong with it is found when it is judged for good.
            let Ok(judged) = result else { continue };
            let described = VerifiedSubmission {
                name: submission.program.name.clone(),
                expected: Vec::new(),
                as_expected: true,
                verdict: Some(judged.verdict),
                score: None,
                groups: Vec::new(),
                runs: judged.runs,
            };
            slowest = slowest.max(self.slowest(submission, &described));
        }
        match slowest {
            Some(slowest) => {
                self.package.limits.time_limit = smallest_limit(slowest, package.timing);
            }
            None => self.error(
                "time limit",
                "none is stated, and none can be found: no submission bounds it from below",
                "state a time limit, or add an accepted submission that counts: one without \
                 `use_for_time_limit: false`",
            ),
        }
        Ok(())
    }

    /// Tells of a margin that is not kept.
    fn find_margin(&mut self, subject: &str, problem: String, fix: &'static str) {
        let severity = if demands_margins(&self.package) {
            Severity::Error
        } else {
            Severity::Warning
        };
        self.find(Finding {
            severity,
            subject: subject.to_owned(),
            problem,
            fix,
        });
    }

    /// Holds the limit against the times.
    pub(super) fn check_time_limit(
        &mut self,
        verified: &[VerifiedSubmission],
    ) -> Result<TimeLimitFinding, JudgingError> {
        let package = self.package.clone();
        let limit = package.limits.time_limit;
        let slowest = package
            .submissions
            .iter()
            .zip(verified)
            .filter(|(submission, _)| bounds_from_below(&package, submission))
            .filter_map(|(submission, verified)| self.slowest(submission, verified))
            .max();
        let bounds = |submission| bounds_from_below(&package, submission);
        if demands_margins(&package)
            && package.timing.time_limit_is_stated
            && !package.submissions.iter().any(bounds)
        {
            self.error(
                "time limit",
                "no submission bounds it from below, which the format requires",
                "add an accepted submission that counts: one without `use_for_time_limit: false`",
            );
        }
        let at_least = slowest.map(|slowest| slowest.mul_f64(package.timing.ac_to_time_limit));
        if let Some(at_least) = at_least.filter(|at_least| *at_least > limit) {
            let problem = format!(
                "the limit of {} is below {} times the slowest run that must not be too slow: \
                 it should be at least {}",
                seconds(limit),
                package.timing.ac_to_time_limit,
                seconds(at_least)
            );
            self.find_margin("time limit", problem, words::LIMIT_TOO_LOW.to(&package));
        }
        Ok(TimeLimitFinding {
            time_limit_ms: milliseconds(limit),
            is_stated: package.timing.time_limit_is_stated,
            slowest_accepted_ms: slowest.map(milliseconds),
            at_least_ms: at_least.map(milliseconds),
            slow_ones_keep_the_margin: self.check_slow_ones(&package, verified)?,
        })
    }

    /// Judges what is meant to be too slow under the limit with its margin.
    fn check_slow_ones(
        &mut self,
        package: &Package,
        verified: &[VerifiedSubmission],
    ) -> Result<Option<bool>, JudgingError> {
        let mut wider = package.clone();
        let limit = package.limits.time_limit;
        wider.limits.time_limit = limit.mul_f64(package.timing.time_limit_to_tle);
        let mut all_keep_it = None;
        for (submission, verified) in package.submissions.iter().zip(verified) {
            let slow = |name: &str| {
                let bounds = submission.expectation.time_bounds(name);
                bounds.contains(&TimeBound::Upper)
            };
            let was_slow = verified
                .runs
                .iter()
                .any(|run| slow(&run.testcase) && run.verdict == Verdict::Tle);
            if !was_slow {
                continue;
            }
            let result = judge_on(self.judge, self.slot, &wider, submission, None, self.cancel);
            let Some(judged) = self.blame(&submission.program.name, result)? else {
                continue;
            };
            let keeps = judged
                .runs
                .iter()
                .any(|run| slow(&run.testcase) && run.verdict == Verdict::Tle);
            all_keep_it = Some(all_keep_it.unwrap_or(true) && keeps);
            if !keeps {
                let problem = format!(
                    "too slow for the limit of {}, but not for {} times as much",
                    seconds(limit),
                    package.timing.time_limit_to_tle
                );
                let fix = if package.timing.time_limit_is_stated {
                    "lower the time limit, or add a test case on which it takes longer"
                } else {
                    "add a test case on which it takes longer: the limit is already the lowest that \
                     the accepted submissions allow"
                };
                self.find_margin(&submission.program.name, problem, fix);
            }
        }
        Ok(all_keep_it)
    }

    /// The slowest of the runs that bound the limit from below, as if the language
    /// had no time factor.
    fn slowest(&self, submission: &Submission, verified: &VerifiedSubmission) -> Option<Duration> {
        let language = submission.program.find_language(self.judge.languages());
        let factor = language.map_or(1.0, |language| language.time_factor);
        let concerned = verified.runs.iter().filter(|run| {
            let bounds = submission.expectation.time_bounds(&run.testcase);
            bounds.contains(&TimeBound::Lower)
        });
        concerned
            .map(|run| Duration::from_millis(run.cpu_time_ms).div_f64(factor))
            .max()
    }
}

/// Whether the format demands the margins: the others have none, or leave open what
/// they mean.
const fn demands_margins(package: &Package) -> bool {
    matches!(
        package.format,
        FormatVersion::V2025_09 | FormatVersion::Draft2023_07
    )
}

/// Whether some of its runs must not be too slow.
fn bounds_from_below(package: &Package, submission: &Submission) -> bool {
    package.testcases.iter().any(|testcase| {
        let bounds = submission.expectation.time_bounds(&testcase.name);
        bounds.contains(&TimeBound::Lower)
    })
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_the_next_multiple_of_the_resolution() {
        let timing = |resolution_ms, ac_to_time_limit| Timing {
            resolution: Duration::from_millis(resolution_ms),
            ac_to_time_limit,
            ..Timing::default()
        };
        for (slowest_ms, resolution_ms, factor, expected_ms) in [
            (0, 1000, 2.0, 1000),
            (500, 1000, 2.0, 1000),
            (501, 1000, 2.0, 2000),
            (300, 100, 2.5, 800),
            (1, 100, 5.0, 100),
            (1100, 10, 1.1, 1210),
            (350, 100, 2.0, 700),
        ] {
            let limit = smallest_limit(
                Duration::from_millis(slowest_ms),
                timing(resolution_ms, factor),
            );
            assert_eq!(
                milliseconds(limit),
                expected_ms,
                "{slowest_ms} {resolution_ms}"
            );
        }
    }
}
