//! The report for a browser: one file that needs no other and runs no script.

use assize_common::message::RunReport;
use assize_worker::verify::VerifiedSubmission;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::cells::{self, Group};
use super::report::{self, Grouped, Report};
use crate::{columns, transcript};

const STYLE: &str = include_str!("style.css");

/// Lines that are shown of the start and of the end of what was said in a run.
const SAID: usize = 100;

/// Nothing is loaded, whatever a package put into its names and messages.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The page. All text is escaped.
#[must_use]
pub fn page(report: &Report) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (report.name) ": verification" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (report.name) }
                p.conclusion.fine[report.is_fine].bad[!report.is_fine] { (report.conclusion()) }
                @if let Some(time_limit) = report.time_limit() {
                    p { (time_limit) }
                }
                (findings(&report.grouped()))
                h2 { "Submissions" }
                (matrix(report))
                (conversations(report))
                footer {
                    "Package " code { (report.package) } ", content "
                    code { (report.content_hash) } ". Verified by Assize."
                }
            }
        }
    }
}

fn findings(findings: &[Grouped<'_>]) -> Markup {
    html! {
        h2 { "Findings" }
        @if findings.is_empty() {
            p { "None." }
        } @else {
            table.findings {
                thead { tr { th { "severity" } th { "about" } th { "finding" } th { "fix" } } }
                tbody {
                    @for finding in findings {
                        @let severity = report::severity(finding.severity);
                        tr {
                            td class=(severity) { (severity) }
                            td { code { (finding.about) } }
                            td.text { (finding.problem) }
                            td { (finding.fix) }
                        }
                    }
                }
            }
        }
    }
}

fn matrix(report: &Report) -> Markup {
    let verification = &report.verification;
    let groups = cells::groups(verification);
    let scores = cells::gives_scores(verification);
    html! {
        div.scroll {
            table.matrix {
                thead {
                    tr {
                        th rowspan="2" { "submission" }
                        th rowspan="2" { "expected" }
                        th rowspan="2" { "verdict" }
                        th rowspan="2" { "time" }
                        @if scores { th rowspan="2" { "score" } }
                        @for group in &groups {
                            th.group colspan=(group.testcases.len()) { (group.name) }
                        }
                    }
                    tr {
                        @for group in &groups {
                            @for testcase in &group.testcases {
                                th.test title=(testcase) { span { (base(testcase)) } }
                            }
                        }
                    }
                }
                tbody {
                    @for submission in &verification.submissions {
                        (row(submission, &groups, scores))
                    }
                }
            }
        }
        p.hint { "Point at a cell for times, memory and the validator's message." }
    }
}

/// What was said in the runs of interactive problems that were not accepted.
fn conversations(report: &Report) -> Markup {
    let submissions = report.verification.submissions.iter();
    let runs: Vec<(&str, &RunReport)> = submissions
        .flat_map(|submission| {
            let runs = submission.runs.iter();
            runs.map(|run| (submission.name.as_str(), run))
        })
        .filter(|(_, run)| !run.transcripts.is_empty())
        .collect();
    html! {
        @if !runs.is_empty() {
            h2 { "What was said" }
            @for (submission, run) in runs {
                details {
                    summary { code { (submission) } " on " (run.testcase) ": " (run.verdict) }
                    pre.scroll { (transcript::lines(run, SAID).join("\n")) }
                }
            }
        }
    }
}

fn row(submission: &VerifiedSubmission, groups: &[Group<'_>], scores: bool) -> Markup {
    let runs = cells::runs(submission);
    html! {
        tr {
            th.name { code { (submission.name) } }
            td { (columns::verdicts(submission.expected.iter().copied())) }
            td.fine[submission.as_expected].bad[!submission.as_expected] {
                (if submission.as_expected { "✓ " } else { "✗ " }) (cells::verdict(submission))
            }
            td.number { (columns::time(cells::slowest(submission))) }
            @if scores {
                td.number title=(group_scores(submission)) {
                    @if let Some(score) = &submission.score { (score) }
                }
            }
            @for testcase in groups.iter().flat_map(|group| &group.testcases) {
                @match runs.get(testcase) {
                    Some(run) => {
                        td.run.(run.verdict) title=(details(run)) { (run.verdict) }
                    }
                    None => { td.run title=(format!("{testcase}: not run")) { "–" } }
                }
            }
        }
    }
}

fn base(testcase: &str) -> &str {
    testcase.rsplit_once('/').map_or(testcase, |(_, base)| base)
}

fn details(run: &RunReport) -> String {
    let message = run.message.as_deref().unwrap_or_default();
    format!(
        "{}: {}\nCPU {} ms, wall {} ms, {}\n{message}",
        run.testcase,
        run.verdict,
        run.cpu_time_ms,
        run.wall_time_ms,
        columns::memory(Some(run.memory_bytes)),
    )
}

fn group_scores(submission: &VerifiedSubmission) -> String {
    let groups = submission.groups.iter();
    let lines: Vec<String> = groups
        .map(|group| format!("{}: {}", group.name, group.score))
        .collect();
    lines.join("\n")
}
