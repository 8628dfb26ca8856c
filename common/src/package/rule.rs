//! One rule of what the jury expects of a submission.
//!
//! The format knows four verdicts per test case. Ours map onto them so: `RTE`
//! covers RTE, MLE, OLE and SV (a program that was ended for another reason than
//! its time crashed, to the format), `WA` covers WA and PE. The finer names may
//! be written too and then mean exactly themselves.

use std::collections::BTreeSet;
use std::fmt;

use super::expectation::JudgedTestcase;
use super::glob::Glob;
use super::grading::ScoreRange;
use crate::{Score, Verdict};

/// One rule on the verdicts of the test cases and on scores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    /// The test cases it is about; all without a pattern.
    pub(super) testcases: Option<Glob>,
    /// The verdicts that any of them may have.
    pub(super) permitted: BTreeSet<Verdict>,
    /// The verdicts of which at least one of them must have one.
    pub(super) required: BTreeSet<Verdict>,
    /// A text that the validator's message on one of them must contain.
    pub(super) message: Option<String>,
    /// The verdicts of which the submission as a whole has one, where that of a test
    /// case says little about it.
    pub(super) overall: Option<BTreeSet<Verdict>>,
    /// The score of the submission, or of the groups that `testcases` names.
    pub(super) score: Option<ScoreRule>,
    /// Whether the running times say something about the time limit, where the
    /// verdicts let them.
    pub(super) bounds_time_limit: bool,
    /// Whether nobody wrote it: the first failure then stands for the others.
    pub(super) is_assumed: bool,
}

/// A rule on a score.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ScoreRule {
    /// Where it must be.
    pub(super) range: ScoreRange,
    /// What it must not be.
    pub(super) not: Option<Score>,
}

impl ScoreRule {
    /// Whether a score is as it says.
    pub(super) fn allows(&self, score: &Score) -> bool {
        self.range.contains(score) && self.not.as_ref() != Some(score)
    }
}

/// How many points, as people say it.
impl fmt::Display for ScoreRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.range.min, &self.range.max) {
            (Some(min), Some(max)) if min == max => write!(f, "{min}")?,
            (Some(min), Some(max)) => write!(f, "{min} to {max}")?,
            (Some(min), None) => write!(f, "at least {min}")?,
            (None, Some(max)) => write!(f, "at most {max}")?,
            (None, None) => f.write_str("any")?,
        }
        match &self.not {
            Some(not) => write!(f, " but {not}"),
            None => Ok(()),
        }
    }
}

/// Every verdict on a test case that the format knows.
pub(super) fn any_verdict() -> BTreeSet<Verdict> {
    let all = Verdict::ALL.into_iter();
    all.filter(|verdict| *verdict != Verdict::Ce).collect()
}

impl Default for Rule {
    /// A rule that every submission meets.
    fn default() -> Self {
        Self {
            testcases: None,
            permitted: any_verdict(),
            required: any_verdict(),
            message: None,
            overall: None,
            score: None,
            bounds_time_limit: false,
            is_assumed: false,
        }
    }
}

impl Rule {
    /// A rule on all test cases that a submission passes with one of exactly
    /// these verdicts as a whole.
    pub(super) fn of_verdicts(required: BTreeSet<Verdict>) -> Self {
        let mut permitted = required.clone();
        permitted.insert(Verdict::Ac);
        Self {
            permitted,
            required,
            is_assumed: true,
            ..Self::default()
        }
    }

    /// A rule on the verdict of the submission, whatever that of a test case is.
    pub(super) fn of_whole(verdicts: BTreeSet<Verdict>) -> Self {
        Self {
            overall: Some(verdicts),
            ..Self::default()
        }
    }

    /// Whether it says something about the test case.
    pub(super) fn concerns(&self, testcase: &str) -> bool {
        let testcases = self.testcases.as_ref();
        testcases.is_none_or(|glob| glob.matches(testcase))
    }

    pub(super) fn is_settled_by_first_failure(&self) -> bool {
        let failures = &any_verdict() - &BTreeSet::from([Verdict::Ac]);
        let permitted = &self.permitted & &failures;
        let others_may_offend = !permitted.is_empty() && permitted != failures;
        self.testcases.is_none()
            && self.message.is_none()
            && self.score.is_none()
            && permitted.is_subset(&self.required)
            && (self.is_assumed || !others_may_offend)
    }

    /// What is not as it says; see
    /// [`Expectation::offence`](super::Expectation::offence).
    pub(super) fn offence(
        &self,
        verdict: Verdict,
        testcases: &[JudgedTestcase<'_>],
    ) -> Option<String> {
        if let Some(expected) = self.overall.as_ref().filter(|all| !all.contains(&verdict)) {
            return Some(format!("expected {}", names(expected)));
        }
        let concerned = || {
            let testcases = testcases.iter();
            testcases.filter(|testcase| self.concerns(testcase.name))
        };
        if let Some(testcase) = concerned().find(|one| !self.permitted.contains(&one.verdict)) {
            let permitted = names(&self.permitted);
            let (verdict, name) = (testcase.verdict, testcase.name);
            return Some(format!(
                "but only {permitted} is permitted on {name}, which got {verdict}"
            ));
        }
        let place = || {
            let testcases = self.testcases.as_ref();
            testcases.map_or_else(|| "any test case".to_owned(), ToString::to_string)
        };
        if !concerned().any(|testcase| self.required.contains(&testcase.verdict)) {
            return Some(format!("but not {} on {}", names(&self.required), place()));
        }
        let text = self.message.as_deref()?;
        let says = |one: &JudgedTestcase<'_>| one.message.is_some_and(|said| said.contains(text));
        (!concerned().any(says)).then(|| format!("but no message on {} has {text:?}", place()))
    }
}

/// The verdicts as people read them.
pub(super) fn names(verdicts: &BTreeSet<Verdict>) -> String {
    let names: Vec<&str> = verdicts.iter().copied().map(Verdict::id).collect();
    names.join(" or ")
}

/// The verdicts that a name in submissions.yaml stands for.
pub(super) fn verdicts_of_format(name: &str) -> Option<&'static [Verdict]> {
    use Verdict::{Ac, Ce, Mle, Ole, Pe, Rte, Sv, Tle, Wa};
    Some(match name {
        "AC" => &[Ac],
        "WA" => &[Wa, Pe],
        "TLE" => &[Tle],
        "RTE" => &[Rte, Mle, Ole, Sv],
        "PE" => &[Pe],
        "MLE" => &[Mle],
        "OLE" => &[Ole],
        "SV" => &[Sv],
        "CE" => &[Ce],
        _ => return None,
    })
}
