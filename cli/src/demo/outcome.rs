//! What became of the submissions of a demo.

use std::fmt;

use assize_common::Verdict;
use assize_common::api::{Judgement, Submission};
use assize_common::id::SubmissionId;
use assize_common::message::RunReport;
use assize_common::package::{Expectation, JudgedTestcase};

use super::Entry;
use crate::columns;
use crate::exit;

/// A judged submission against what was expected of it.
#[derive(Debug)]
pub struct Outcome {
    name: String,
    id: SubmissionId,
    language: String,
    expected: String,
    judgement: Judgement,
    as_expected: bool,
}

/// All of them. Displays as a table with a conclusion.
#[derive(Debug)]
pub struct Outcomes(Vec<Outcome>);

impl Outcome {
    /// Compares.
    #[must_use]
    pub fn new(entry: &Entry, submission: &Submission, judgement: Judgement) -> Self {
        let as_expected = judgement
            .summary
            .verdict
            .is_some_and(|verdict| is_as_expected(&entry.expectation, verdict, &judgement));
        Self {
            name: entry.name.clone(),
            id: submission.id,
            language: submission.language.clone(),
            expected: columns::verdicts(entry.expectation.verdicts()),
            judgement,
            as_expected,
        }
    }

    fn is_error(&self) -> bool {
        self.judgement.summary.verdict.is_none()
    }

    fn mark(&self) -> &'static str {
        match (self.is_error(), self.as_expected) {
            (true, _) => "!",
            (false, true) => "✓",
            (false, false) => "✗",
        }
    }

    fn explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let summary = &self.judgement.summary;
        write!(f, "{} {}: ", self.mark(), self.name)?;
        match &summary.error {
            Some(error) => writeln!(f, "{error}")?,
            None => {
                let verdict = columns::verdict(summary);
                writeln!(f, "{verdict}, expected {}", self.expected)?;
            }
        }
        let failed = |run: &&RunReport| run.verdict != Verdict::Ac;
        if let Some(run) = self.judgement.runs.iter().find(failed) {
            let message = run.message.as_deref().unwrap_or_default().trim_end();
            writeln!(f, "    {} {}: {message}", run.testcase, run.verdict)?;
        }
        writeln!(f, "    assize submission show {}", self.id)
    }
}

impl Outcomes {
    /// Collects them.
    #[must_use]
    pub const fn new(outcomes: Vec<Outcome>) -> Self {
        Self(outcomes)
    }

    /// 0 if all verdicts are expected ones, 1 if not, 3 if judging failed.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if self.0.iter().any(Outcome::is_error) {
            return exit::JUDGING_ERROR;
        }
        if self.0.iter().all(|outcome| outcome.as_expected) {
            return exit::OK;
        }
        exit::FAILURE
    }
}

impl fmt::Display for Outcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = columns::table([
            "",
            "submission",
            "language",
            "expected",
            "verdict",
            "score",
            "time",
            "memory",
            "lane",
            "sandbox and why",
        ]);
        for outcome in &self.0 {
            let summary = &outcome.judgement.summary;
            table.add_row([
                outcome.mark().to_owned(),
                outcome.name.clone(),
                outcome.language.clone(),
                outcome.expected.clone(),
                columns::verdict(summary),
                columns::score(summary.score.as_ref()),
                columns::time(summary.max_cpu_time_ms),
                columns::memory(summary.max_memory_bytes),
                summary.lane.to_string(),
                columns::sandbox(&summary.sandbox),
            ]);
        }
        columns::align_right(&mut table, [5, 6, 7]);
        columns::hide_if_empty(&mut table, 5);
        writeln!(f, "{}\n", table.trim_fmt())?;
        let odd: Vec<&Outcome> = self
            .0
            .iter()
            .filter(|outcome| !outcome.as_expected)
            .collect();
        for outcome in &odd {
            outcome.explain(f)?;
        }
        let all = self.0.len();
        if odd.is_empty() {
            write!(f, "{all} submissions, all verdicts as expected")
        } else {
            write!(f, "{all} submissions, {} not as expected", odd.len())
        }
    }
}

/// Whether the verdict is an expected one. A worker stops at the first test case
/// that fails; where that leaves the question open, the verdict as a whole decides.
fn is_as_expected(expectation: &Expectation, verdict: Verdict, judgement: &Judgement) -> bool {
    let testcases: Vec<_> = judgement.runs.iter().map(JudgedTestcase::from).collect();
    let score = judgement.summary.score.as_ref();
    let has_points = score.is_none_or(|score| expectation.are_scores_met(score, &judgement.groups));
    let has_verdict = expectation.offence(verdict, &testcases).is_none()
        || (!expectation.is_settled_by_first_failure()
            && expectation.verdicts().contains(&verdict));
    has_verdict && has_points
}
