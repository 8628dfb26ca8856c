//! The report for a terminal.

use std::collections::BTreeSet;
use std::fmt;

use assize_common::Verdict;
use assize_worker::verify::VerifiedSubmission;
use comfy_table::{CellAlignment, ContentArrangement, presets};

use super::cells::{self, Group};
use super::report::{self, Report};
use crate::columns;

/// Test cases in one line of a cell.
const WIDTH: usize = 60;

/// Its `Display` is the report: a row for each submission with a letter for each
/// test case, and what was found.
#[derive(Debug)]
pub struct Table<'a>(pub &'a Report);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.verification.submissions.is_empty() {
            writeln!(f, "{}", self.matrix())?;
            writeln!(f, "\n{}\n", self.legend())?;
        }
        for finding in self.0.grouped() {
            let problem = finding.problem.trim_end().replace('\n', "\n    ");
            let severity = report::severity(finding.severity);
            writeln!(f, "{severity}: {}: {problem}", finding.about)?;
            writeln!(f, "  fix: {}", finding.fix)?;
        }
        if !self.0.verification.findings.is_empty() {
            writeln!(f)?;
        }
        if let Some(time_limit) = self.0.time_limit() {
            writeln!(f, "{time_limit}")?;
        }
        write!(f, "{}", self.0.conclusion())
    }
}

impl Table<'_> {
    fn matrix(&self) -> String {
        let verification = &self.0.verification;
        let groups = cells::groups(verification);
        let scores = cells::gives_scores(verification);
        let mut header = vec!["", "submission", "expected", "verdict", "time"];
        let right = if scores { 4..6 } else { 4..5 };
        header.extend(scores.then_some("score"));
        header.extend(groups.iter().map(|group| group.name));
        let mut table = comfy_table::Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_header(header);
        for submission in &verification.submissions {
            let mark = if submission.as_expected { "✓" } else { "✗" };
            let mut row = vec![
                mark.to_owned(),
                submission.name.clone(),
                columns::verdicts(submission.expected.iter().copied()),
                cells::verdict(submission).to_owned(),
                columns::time(cells::slowest(submission)),
            ];
            let score = submission.score.as_ref().map(ToString::to_string);
            row.extend(scores.then(|| score.unwrap_or_default()));
            row.extend(groups.iter().map(|group| letters(group, submission)));
            table.add_row(row);
        }
        for index in right {
            if let Some(column) = table.column_mut(index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.trim_fmt()
    }

    /// What the letters mean, as far as there are some.
    fn legend(&self) -> String {
        let submissions = self.0.verification.submissions.iter();
        let verdicts: BTreeSet<Verdict> = submissions
            .flat_map(|submission| submission.runs.iter().map(|run| run.verdict))
            .collect();
        let letters: Vec<String> = verdicts
            .into_iter()
            .map(|verdict| format!("{} {verdict}", cells::letter(verdict)))
            .chain(["- not run".to_owned()])
            .collect();
        format!("one letter for each test case: {}", letters.join(", "))
    }
}

fn letters(group: &Group<'_>, submission: &VerifiedSubmission) -> String {
    let runs = cells::runs(submission);
    let mut text = String::new();
    for (index, testcase) in group.testcases.iter().enumerate() {
        if index > 0 && index % WIDTH == 0 {
            text.push('\n');
        }
        let run = runs.get(testcase);
        text.push(run.map_or('-', |run| cells::letter(run.verdict)));
    }
    text
}
