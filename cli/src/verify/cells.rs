//! The cells of the table of submissions and test cases, grouped by the
//! directories that the test cases are in.

use std::collections::BTreeMap;

use assize_common::Verdict;
use assize_common::message::RunReport;
use assize_worker::verify::{Verification, VerifiedSubmission};

/// Neighbouring test cases of the same directory.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Group<'a> {
    /// The directory, such as `secret/small`.
    pub(super) name: &'a str,
    /// The full names.
    pub(super) testcases: Vec<&'a str>,
}

/// The groups in the order of judging.
pub(super) fn groups(verification: &Verification) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for testcase in &verification.testcases {
        let name = testcase
            .rsplit_once('/')
            .map_or("", |(directory, _)| directory);
        match groups.last_mut().filter(|group| group.name == name) {
            Some(group) => group.testcases.push(testcase),
            None => groups.push(Group {
                name,
                testcases: vec![testcase],
            }),
        }
    }
    groups
}

/// The runs by their test cases.
pub(super) fn runs(submission: &VerifiedSubmission) -> BTreeMap<&str, &RunReport> {
    let runs = submission.runs.iter();
    runs.map(|run| (run.testcase.as_str(), run)).collect()
}

/// One letter for a run's verdict, a dot for what is accepted.
pub(super) const fn letter(verdict: Verdict) -> char {
    match verdict {
        Verdict::Ac => '.',
        Verdict::Wa => 'W',
        Verdict::Pe => 'P',
        Verdict::Tle => 'T',
        Verdict::Mle => 'M',
        Verdict::Ole => 'O',
        Verdict::Rte => 'R',
        Verdict::Sv => 'S',
        Verdict::Ce => 'C',
    }
}

/// The verdict of a submission, `-` if there is none.
pub(super) fn verdict(submission: &VerifiedSubmission) -> &'static str {
    submission.verdict.map_or("-", Verdict::id)
}

/// The longest CPU time of its runs.
pub(super) fn slowest(submission: &VerifiedSubmission) -> Option<u64> {
    submission.runs.iter().map(|run| run.cpu_time_ms).max()
}

/// Whether submissions get points.
pub(super) fn gives_scores(verification: &Verification) -> bool {
    let mut submissions = verification.submissions.iter();
    submissions.any(|submission| submission.score.is_some())
}
