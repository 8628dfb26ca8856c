//! What was judged, beside what comes of it elsewhere.

use std::fmt;

use assize_common::api::{Judgement, JudgementProvenance};
use assize_common::id::JudgementId;
use assize_common::message::{Provenance, RunReport};
use assize_common::{Score, Verdict};
use serde::Serialize;

use crate::columns;
use crate::provenance::{Difference, differences};

/// This machine.
pub(super) const HERE: &str = "here";

/// What came of a judgement somewhere else.
pub(super) struct Again {
    /// Where: here, or on which worker.
    pub(super) place: String,
    pub(super) verdict: Verdict,
    pub(super) score: Option<Score>,
    pub(super) runs: Vec<RunReport>,
    /// What it depends on there.
    pub(super) provenance: Option<Provenance>,
}

/// A judgement beside the same one there.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    judgement_id: JudgementId,
    /// Where "here" is: on this machine, or on which worker.
    place: String,
    /// Whether verdicts and scores are the same, of the submission and of each run.
    same: bool,
    verdict_before: Option<Verdict>,
    verdict_here: Verdict,
    score_before: Option<Score>,
    score_here: Option<Score>,
    /// What it depends on and is another way here.
    differences: Vec<Difference>,
    runs: Vec<RunPair>,
}

/// A test case before and here; what was not run is none.
#[derive(Debug, Clone, Serialize)]
struct RunPair {
    testcase: String,
    same: bool,
    before: Option<RunReport>,
    here: Option<RunReport>,
}

impl Comparison {
    pub(super) fn new(before: &Judgement, provenance: &JudgementProvenance, again: Again) -> Self {
        let runs = pairs(&before.runs, &again.runs);
        let (score_before, score_here) = (before.summary.score.clone(), again.score);
        let both = provenance.reported.as_ref().zip(again.provenance.as_ref());
        // Another stop rule judges more test cases or fewer, and changes no result.
        let stops_alike = both.is_none_or(|(before, here)| before.stop == here.stop);
        let is_fine = |run: &RunPair| {
            run.same || (!stops_alike && (run.before.is_none() || run.here.is_none()))
        };
        Self {
            judgement_id: before.summary.id,
            place: again.place,
            same: before.summary.verdict == Some(again.verdict)
                && score_before == score_here
                && runs.iter().all(is_fine),
            verdict_before: before.summary.verdict,
            verdict_here: again.verdict,
            score_before,
            score_here,
            differences: both.map_or_else(Vec::new, |(before, here)| differences(before, here)),
            runs,
        }
    }

    /// Whether verdicts and scores are the same.
    #[must_use]
    pub const fn is_same(&self) -> bool {
        self.same
    }
}

/// Runs of the same test case beside each other, in the order of judging.
fn pairs(before: &[RunReport], here: &[RunReport]) -> Vec<RunPair> {
    let find = |runs: &[RunReport], name: &str| {
        let mut runs = runs.iter();
        runs.find(|run| run.testcase == name).cloned()
    };
    let only_here = here
        .iter()
        .filter(|run| find(before, &run.testcase).is_none());
    let names = before.iter().chain(only_here);
    names
        .map(|run| {
            let testcase = run.testcase.clone();
            let (before, here) = (find(before, &testcase), find(here, &testcase));
            let result =
                |run: &Option<RunReport>| run.as_ref().map(|run| (run.verdict, run.award.clone()));
            RunPair {
                same: result(&before) == result(&here),
                testcase,
                before,
                here,
            }
        })
        .collect()
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let there = if self.place == HERE { HERE } else { "there" };
        let mut table = columns::table([
            "",
            "test case",
            "verdict",
            there,
            "time",
            there,
            "memory",
            there,
            &format!("message {there}"),
        ]);
        for run in &self.runs {
            let both = |of: fn(&RunReport) -> String| {
                [&run.before, &run.here].map(|run| run.as_ref().map_or_else(String::new, of))
            };
            let [verdict, verdict_here] = both(|run| run.verdict.id().to_owned());
            let [time, time_here] = both(|run| columns::time(Some(run.cpu_time_ms)));
            let [memory, memory_here] = both(|run| columns::memory(Some(run.memory_bytes)));
            let [_, message] = both(|run| run.message.clone().unwrap_or_default());
            table.add_row([
                if run.same { "" } else { "!" }.to_owned(),
                run.testcase.clone(),
                verdict,
                verdict_here,
                time,
                time_here,
                memory,
                memory_here,
                message.trim_end().to_owned(),
            ]);
        }
        columns::align_right(&mut table, [4, 5, 6, 7]);
        writeln!(f, "judgement {}", self.judgement_id)?;
        let verdict = |verdict: Option<Verdict>, score: &Option<Score>| {
            let verdict = verdict.map_or("none", Verdict::id);
            format!("{verdict} {}", columns::score(score.as_ref()))
        };
        let before = verdict(self.verdict_before, &self.score_before);
        let here = verdict(Some(self.verdict_here), &self.score_here);
        writeln!(f, "verdict   {}", before.trim_end())?;
        writeln!(f, "{:9} {}", self.place, here.trim_end())?;
        for difference in &self.differences {
            let Difference { what, before, here } = difference;
            writeln!(f, "{what} was {before}, {there} it is {here}")?;
        }
        if !self.runs.is_empty() {
            write!(f, "\n{}\n\n", table.trim_fmt())?;
        }
        f.write_str(if self.same {
            "the same results"
        } else {
            "other results: ! marks the test cases"
        })
    }
}

#[cfg(test)]
mod tests {
    use assize_common::message::Exit;

    use super::*;

    fn run(testcase: &str, verdict: Verdict) -> RunReport {
        RunReport {
            testcase: testcase.to_owned(),
            verdict,
            cpu_time_ms: 1,
            wall_time_ms: 1,
            memory_bytes: 1,
            exit: Exit::Exited { code: 0 },
            kill_cause: None,
            message: None,
            team_message: None,
            award: None,
            failure: None,
            difference: None,
            transcripts: Vec::new(),
            key: None,
            reused_from: None,
            key_parts: None,
            validated_again: None,
        }
    }

    #[test]
    fn what_ran_on_one_side_only_differs() {
        let before = [run("1", Verdict::Ac), run("2", Verdict::Wa)];
        let here = [
            run("1", Verdict::Ac),
            run("2", Verdict::Ac),
            run("3", Verdict::Ac),
        ];
        let pairs = pairs(&before, &here);
        let same: Vec<_> = pairs
            .iter()
            .map(|pair| (pair.testcase.as_str(), pair.same))
            .collect();
        assert_eq!(same, [("1", true), ("2", false), ("3", false)]);
    }
}
