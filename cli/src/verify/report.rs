//! What came of verifying: the object that `--json` prints.

use std::path::Path;

use assize_common::ContentHash;
use assize_common::package::{Kind, Package};
use assize_worker::verify::{Finding, Severity, Verification};
use serde::Serialize;

/// Up to so many findings with the same words are shown each by itself.
const SAID_EACH: usize = 3;

/// The object of `--json`: part of the interface.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The package's place, as given.
    pub package: String,
    /// The problem's name.
    pub name: String,
    /// By which versions of a package are told apart.
    pub content_hash: ContentHash,
    /// Whether there are no errors; warnings do not count.
    pub is_fine: bool,
    /// Whether submissions are run at all, so that a time limit means something.
    #[serde(skip)]
    runs_programs: bool,
    /// Findings, time limit, test cases and submissions.
    #[serde(flatten)]
    pub verification: Verification,
}

impl Report {
    /// The report on a package, which was read from `path`.
    #[must_use]
    pub fn new(path: &Path, package: &Package, mut verification: Verification) -> Self {
        for submission in &mut verification.submissions {
            submission.score = submission.score.as_ref().map(assize_common::Score::rounded);
            for group in &mut submission.groups {
                group.score = group.score.rounded();
            }
        }
        Self {
            package: path.display().to_string(),
            name: package.name.clone(),
            content_hash: package.content_hash,
            is_fine: verification.is_fine(),
            runs_programs: package.kind != Kind::SubmitAnswer,
            verification,
        }
    }

    /// The findings for people: what is said of many is said once.
    pub(super) fn grouped(&self) -> Vec<Grouped<'_>> {
        let mut groups: Vec<(&Finding, Vec<&str>)> = Vec::new();
        for finding in &self.verification.findings {
            let same = |(first, _): &&mut (&Finding, Vec<&str>)| {
                (first.severity, &first.problem, first.fix)
                    == (finding.severity, &finding.problem, finding.fix)
            };
            match groups.iter_mut().find(same) {
                Some((_, subjects)) => subjects.push(&finding.subject),
                None => groups.push((finding, vec![&finding.subject])),
            }
        }
        let grouped = groups.into_iter().flat_map(|(first, subjects)| {
            let several = subjects.len() > SAID_EACH;
            let parts: Vec<Vec<&str>> = if several {
                vec![subjects]
            } else {
                subjects.into_iter().map(|subject| vec![subject]).collect()
            };
            parts.into_iter().map(|subjects| Grouped {
                severity: first.severity,
                about: about(&subjects),
                problem: &first.problem,
                fix: first.fix,
            })
        });
        grouped.collect()
    }

    /// The last word.
    #[must_use]
    pub fn conclusion(&self) -> String {
        let count = |severity: Severity| {
            let findings = self.verification.findings.iter();
            findings
                .filter(|finding| finding.severity == severity)
                .count()
        };
        match (count(Severity::Error), count(Severity::Warning)) {
            (0, 0) => "fine: nothing found".to_owned(),
            (0, warnings) => format!("fine: no errors, warnings: {warnings}"),
            (errors, warnings) => format!("not fine: errors: {errors}, warnings: {warnings}"),
        }
    }

    /// What is known of the time limit, as a sentence; none where nothing is run.
    #[must_use]
    pub fn time_limit(&self) -> Option<String> {
        if !self.runs_programs {
            return None;
        }
        let limit = self.verification.time_limit;
        if !limit.is_stated && limit.slowest_accepted_ms.is_none() {
            return Some(format!(
                "time limit: none is stated and none was found; submissions had {} ms",
                limit.time_limit_ms
            ));
        }
        let origin = if limit.is_stated {
            "stated by the package"
        } else {
            "found by running the submissions"
        };
        let margins = match (limit.slowest_accepted_ms, limit.at_least_ms) {
            (Some(slowest), Some(least)) => format!(
                "; the slowest run that must pass took {slowest} ms, which asks for {least} ms at least"
            ),
            _ => String::new(),
        };
        let slow_ones = match limit.slow_ones_keep_the_margin {
            Some(true) => "; what must be too slow is so with the margin",
            Some(false) => "; what must be too slow is not so with the margin",
            None => "",
        };
        Some(format!(
            "time limit: {} ms, {origin}{margins}{slow_ones}",
            limit.time_limit_ms
        ))
    }
}

/// A finding about one or many.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Grouped<'a> {
    pub(super) severity: Severity,
    /// The subject, or how many there are and the first of them.
    pub(super) about: String,
    pub(super) problem: &'a str,
    pub(super) fix: &'static str,
}

fn about(subjects: &[&str]) -> String {
    if let [only] = subjects {
        return (*only).to_owned();
    }
    let first = subjects[..subjects.len().min(SAID_EACH)].join(", ");
    format!("{} times ({first}, …)", subjects.len())
}

/// As people read it.
pub(super) const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}
