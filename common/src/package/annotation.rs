//! DOMjudge's annotations in the source of example submissions.

use std::collections::BTreeSet;

use super::error::PackageError;
use super::model::Program;
use crate::{Score, Verdict};

pub(super) const RESULTS: &str = "@EXPECTED_RESULTS@:";
const SCORE: &str = "@EXPECTED_SCORE@:";

/// What a submission says of itself.
#[derive(Debug, Default)]
pub(super) struct Annotation {
    /// The verdicts of which it gets one.
    pub(super) verdicts: Option<BTreeSet<Verdict>>,
    /// The score it gets.
    pub(super) score: Option<Score>,
}

impl Annotation {
    /// Looks into all files of the program, upper and lower case alike.
    pub(super) fn find(program: &Program) -> Result<Self, PackageError> {
        let mut found = Self::default();
        for file in &program.files {
            let content =
                std::fs::read(&file.path).map_err(PackageError::io("read", &file.path))?;
            let text = String::from_utf8_lossy(&content).to_ascii_uppercase();
            for line in lines_after(&text, RESULTS) {
                let verdicts = verdicts(program, line)?;
                set_once(&mut found.verdicts, verdicts, program, RESULTS)?;
            }
            for line in lines_after(&text, SCORE) {
                // The end of a comment may follow on the line.
                let word = line.split_whitespace().next().unwrap_or_default();
                let score = word.parse().map_err(|_| {
                    let problem = format!("expected a number, not {word:?}");
                    PackageError::invalid(&program.name, SCORE, problem)
                })?;
                set_once(&mut found.score, score, program, SCORE)?;
            }
        }
        Ok(found)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.verdicts.is_none() && self.score.is_none()
    }
}

/// What follows the mark, up to the end of its line, wherever the mark is.
fn lines_after<'a>(text: &'a str, mark: &str) -> impl Iterator<Item = &'a str> {
    text.match_indices(mark)
        .map(|(at, mark)| text[at + mark.len()..].lines().next().unwrap_or_default())
}

fn set_once<T>(
    place: &mut Option<T>,
    value: T,
    program: &Program,
    mark: &str,
) -> Result<(), PackageError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(PackageError::invalid(
            &program.name,
            mark,
            "given more than once",
        )),
    }
}

fn verdicts(program: &Program, line: &str) -> Result<BTreeSet<Verdict>, PackageError> {
    let mut verdicts = BTreeSet::new();
    for name in line.split(',') {
        // The end of a comment may follow on the line.
        let name = name.split_whitespace().next().unwrap_or_default();
        let stands_for = of_annotation(name).ok_or_else(|| {
            let problem =
                format!("unknown verdict {name:?}: expected names such as WRONG-ANSWER, TIMELIMIT");
            PackageError::invalid(&program.name, RESULTS, problem)
        })?;
        verdicts.extend(stands_for);
    }
    Ok(verdicts)
}

/// DOMjudge's names. It reports exhausted memory as a run-time error, so its
/// name for that covers both, and has no output limit of the validator's kind:
/// without output there is a wrong answer.
fn of_annotation(name: &str) -> Option<&'static [Verdict]> {
    use Verdict::{Ac, Ce, Mle, Ole, Pe, Rte, Sv, Tle, Wa};
    Some(match name.replace('_', "-").as_str() {
        "CORRECT" | "ACCEPTED" | "AC" => &[Ac],
        "WRONG-ANSWER" | "WA" | "NO-OUTPUT" => &[Wa, Pe],
        "PRESENTATION-ERROR" | "PE" => &[Pe],
        "TIMELIMIT" | "TIME-LIMIT" | "TIME-LIMIT-EXCEEDED" | "TLE" => &[Tle],
        "RUN-ERROR" | "RUN-TIME-ERROR" | "RUNTIME-ERROR" | "RTE" => &[Rte, Mle, Sv],
        "MEMORY-LIMIT" | "MEMORYLIMIT" | "MEMORY-LIMIT-EXCEEDED" | "MLE" => &[Mle],
        "OUTPUT-LIMIT" | "OUTPUTLIMIT" | "OUTPUT-LIMIT-EXCEEDED" | "OLE" => &[Ole],
        "SECURITY-VIOLATION" | "SV" => &[Sv],
        "COMPILER-ERROR" | "COMPILE-ERROR" | "CE" => &[Ce],
        _ => return None,
    })
}
