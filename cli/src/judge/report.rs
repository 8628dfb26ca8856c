//! What came of one submission: the object that `--json` prints, and whether it
//! was expected.

use std::collections::BTreeSet;

use assize_common::message::{CompileReport, RunReport};
use assize_common::{GroupScore, SandboxChoice, Score, Verdict};
use assize_worker::judge::Judged;
use assize_worker::judging_error::JudgingError;
use serde::Serialize;

use super::selection::Selected;

/// One line of `--json`: part of the interface.
#[derive(Debug, Serialize)]
pub struct Report {
    /// As given, or its path within the package.
    pub submission: String,
    /// The id of the language table's entry; `none` for outputs.
    pub language: String,
    /// None when judging failed.
    pub verdict: Option<Verdict>,
    /// The verdicts of which the package expects one.
    pub expected: BTreeSet<Verdict>,
    /// Whether all that the package expects has come true.
    pub as_expected: bool,
    /// What has not, in words that follow the verdict; only there when something has not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offence: Option<String>,
    /// Rounded to the places that scores are stored with; none for problems
    /// without scoring.
    pub score: Option<Score>,
    /// The scores of groups, the outermost one last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupScore>,
    /// The largest of its runs.
    pub cpu_time_ms: Option<u64>,
    /// The largest of its runs.
    pub wall_time_ms: Option<u64>,
    /// The largest of its runs.
    pub memory_bytes: Option<u64>,
    /// The sandbox and why.
    pub sandbox: SandboxChoice,
    /// None when judging failed.
    pub compile: Option<CompileReport>,
    /// In the order of the test cases.
    pub runs: Vec<RunReport>,
    /// Why judging failed; only there when it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judging_error: Option<String>,
}

impl Report {
    /// The report of a submission that was judged, or was not.
    #[must_use]
    pub fn new(
        selected: &Selected,
        result: Result<Judged, JudgingError>,
        sandbox: &SandboxChoice,
    ) -> Self {
        let report = Self {
            submission: selected.name.clone(),
            language: selected.language_id().to_owned(),
            verdict: None,
            expected: selected.expectation.verdicts(),
            as_expected: false,
            offence: None,
            score: None,
            groups: Vec::new(),
            cpu_time_ms: None,
            wall_time_ms: None,
            memory_bytes: None,
            sandbox: sandbox.clone(),
            compile: None,
            runs: Vec::new(),
            judging_error: None,
        };
        match result {
            Ok(judged) => {
                let offence = judged.offence(&selected.expectation);
                Self {
                    verdict: Some(judged.verdict),
                    as_expected: offence.is_none(),
                    offence,
                    score: judged.score.as_ref().map(Score::rounded),
                    groups: judged.groups,
                    cpu_time_ms: judged.runs.iter().map(|run| run.cpu_time_ms).max(),
                    wall_time_ms: judged.runs.iter().map(|run| run.wall_time_ms).max(),
                    memory_bytes: judged.runs.iter().map(|run| run.memory_bytes).max(),
                    compile: Some(judged.compile),
                    runs: judged.runs,
                    ..report
                }
            }
            Err(error) => Self {
                judging_error: Some(format!("{:#}", anyhow::Error::from(error))),
                ..report
            },
        }
    }

    /// The first run that was not accepted.
    #[must_use]
    pub fn failed_run(&self) -> Option<&RunReport> {
        self.runs.iter().find(|run| run.verdict != Verdict::Ac)
    }
}
