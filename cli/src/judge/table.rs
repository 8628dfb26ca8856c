//! Reports as a table for people, with the details of what went wrong.

use std::fmt::{self, Write as _};

use assize_common::Verdict;
use assize_common::message::RunReport;
use bytesize::ByteSize;
use comfy_table::{CellAlignment, ColumnConstraint, presets};

use super::report::Report;
use crate::{columns, transcript};

/// The column of scores, which is shown if there are any.
const SCORE: usize = 5;
/// Lines of a compiler's output that are shown.
const LINES: usize = 20;
/// Lines that are shown of the start and of the end of what was said in a run.
const EXCERPT: usize = 10;

/// Collects reports; its `Display` is the table.
#[derive(Debug)]
pub struct Table {
    transcripts: bool,
    reports: Vec<Report>,
}

impl Table {
    /// One that shows all that was said in interactive problems, if `transcripts`.
    #[must_use]
    pub const fn new(transcripts: bool) -> Self {
        Self {
            transcripts,
            reports: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn add(&mut self, report: Report) {
        self.reports.push(report);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING);
        table.set_header([
            "",
            "submission",
            "language",
            "expected",
            "verdict",
            "score",
            "time",
            "memory",
        ]);
        for report in &self.reports {
            table.add_row([
                mark(report).to_owned(),
                report.submission.clone(),
                report.language.clone(),
                columns::verdicts(report.expected.iter().copied()),
                report.verdict.map_or("-", Verdict::id).to_owned(),
                report
                    .score
                    .as_ref()
                    .map_or_else(String::new, ToString::to_string),
                report
                    .cpu_time_ms
                    .map_or_else(String::new, |time| format!("{time} ms")),
                report
                    .memory_bytes
                    .map_or_else(String::new, |bytes| ByteSize(bytes).to_string()),
            ]);
        }
        for column in table.column_iter_mut().skip(SCORE) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        if self.reports.iter().all(|report| report.score.is_none())
            && let Some(score) = table.column_mut(SCORE)
        {
            score.set_constraint(ColumnConstraint::Hidden);
        }
        writeln!(f, "{}", table.trim_fmt())?;
        let is_told = |report: &&Report| self.transcripts || wants_details(report);
        for report in self.reports.iter().filter(is_told) {
            write!(f, "\n{}", details(report, self.transcripts)?)?;
        }
        write!(f, "\n{}", self.conclusion())
    }
}

impl Table {
    fn conclusion(&self) -> String {
        let count = |wanted: fn(&Report) -> bool| {
            self.reports.iter().filter(|report| wanted(report)).count()
        };
        let errors = count(|report| report.judging_error.is_some());
        let unexpected = count(|report| !report.as_expected) - errors;
        let all = self.reports.len();
        match (unexpected, errors) {
            (0, 0) => format!("all as expected: {all}"),
            (_, 0) => format!("not as expected: {unexpected} of {all}"),
            (0, _) => format!("not judged: {errors} of {all}"),
            _ => format!("not as expected: {unexpected}, not judged: {errors}, of {all}"),
        }
    }
}

fn mark(report: &Report) -> &'static str {
    match report {
        Report {
            judging_error: Some(_),
            ..
        } => "!",
        Report {
            as_expected: true, ..
        } => "✓",
        _ => "✗",
    }
}

/// What is expected needs no explanation; what nobody expected anything of does.
fn wants_details(report: &Report) -> bool {
    !report.as_expected || (report.expected.is_empty() && report.verdict != Some(Verdict::Ac))
}

/// With `whole`, all that was said in all runs.
fn details(report: &Report, whole: bool) -> Result<String, fmt::Error> {
    let mut text = String::new();
    write!(text, "{}: ", report.submission)?;
    if let Some(error) = &report.judging_error {
        writeln!(text, "not judged: {error}")?;
        return Ok(text);
    }
    let mut verdict = report.verdict.map_or("-", Verdict::id).to_owned();
    if let Some(score) = &report.score {
        write!(verdict, " with {score} points")?;
    }
    match &report.offence {
        None => writeln!(text, "{verdict}")?,
        Some(offence) => writeln!(text, "{verdict}, {offence}")?,
    }
    if let Some(compile) = report.compile.as_ref().filter(|compile| !compile.success) {
        for line in compile.output.lines().take(LINES) {
            writeln!(text, "  {line}")?;
        }
        if compile.output.lines().count() > LINES {
            writeln!(text, "  …")?;
        }
    }
    let failed = report.failed_run();
    let is_told = |run: &&RunReport| {
        failed.is_some_and(|failed| std::ptr::eq(failed, *run))
            || (whole && !run.transcripts.is_empty())
    };
    for run in report.runs.iter().filter(is_told) {
        let message = run.message.as_deref().unwrap_or_default().trim_end();
        let message = message.replace('\n', "\n    ");
        writeln!(text, "  {}: {} {message}", run.testcase, run.verdict)?;
        let most = if whole { usize::MAX } else { EXCERPT };
        for line in transcript::lines(run, most) {
            writeln!(text, "    {line}")?;
        }
    }
    Ok(text)
}
