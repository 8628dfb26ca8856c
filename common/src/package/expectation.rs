//! What the jury expects of an example submission.
//!
//! The format knows four verdicts per test case. Ours map onto them so: `RTE`
//! covers RTE, MLE, OLE and SV (a program that was ended for another reason than
//! its time crashed, to the format), `WA` covers WA and PE. The finer names may
//! be written too and then mean exactly themselves.

use std::collections::BTreeSet;

use super::glob::Glob;
use super::grading::ScoreRange;
use crate::message::RunReport;
use crate::{GroupScore, Score, Verdict};

/// All that is expected of a submission; nothing without rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expectation {
    rules: Vec<Rule>,
}

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
}

/// A rule on a score.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ScoreRule {
    /// Where it must be.
    pub(super) range: ScoreRange,
    /// What it must not be.
    pub(super) not: Option<Score>,
}

/// How the slowest of some runs of a submission bounds the time limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeBound {
    /// With the margin for accepted submissions, the limit may not be below it.
    Lower,
    /// With the margin for slow submissions, the limit may not be above it.
    Upper,
}

/// What a rule looks at of a judged test case.
#[derive(Debug, Clone, Copy)]
pub struct JudgedTestcase<'a> {
    /// The test case's name.
    pub name: &'a str,
    /// Its verdict.
    pub verdict: Verdict,
    /// The validator's message.
    pub message: Option<&'a str>,
}

impl<'a> From<&'a RunReport> for JudgedTestcase<'a> {
    fn from(run: &'a RunReport) -> Self {
        Self {
            name: &run.testcase,
            verdict: run.verdict,
            message: run.message.as_deref(),
        }
    }
}

impl Expectation {
    pub(super) fn add(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    /// Whether nothing is expected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The verdicts a submission as a whole is expected to get one of: what the
    /// rules about all test cases require. Empty without such rules.
    #[must_use]
    pub fn verdicts(&self) -> BTreeSet<Verdict> {
        let overall = self.rules.iter().filter(|rule| rule.testcases.is_none());
        overall
            .map(|rule| match &rule.overall {
                Some(overall) => overall.clone(),
                None => &rule.required & &rule.permitted,
            })
            .reduce(|all, verdicts| &all & &verdicts)
            .unwrap_or_default()
    }

    /// Whether the test cases up to the first failing one settle the matter. If
    /// not, all of them have to be judged before [`Self::is_met`] is asked.
    #[must_use]
    pub fn is_settled_by_first_failure(&self) -> bool {
        self.rules.iter().all(|rule| {
            let failures = |verdicts: &BTreeSet<Verdict>| -> BTreeSet<Verdict> {
                verdicts
                    .iter()
                    .copied()
                    .filter(|verdict| *verdict != Verdict::Ac)
                    .collect()
            };
            rule.testcases.is_none()
                && rule.message.is_none()
                && rule.score.is_none()
                && failures(&rule.permitted).is_subset(&failures(&rule.required))
        })
    }

    /// Whether the verdict and the judged test cases are as expected.
    #[must_use]
    pub fn is_met(&self, verdict: Verdict, testcases: &[JudgedTestcase<'_>]) -> bool {
        if verdict == Verdict::Ce {
            return self.verdicts().contains(&verdict);
        }
        self.rules.iter().all(|rule| {
            let overall = rule.overall.as_ref();
            overall.is_none_or(|expected| expected.contains(&verdict)) && rule.is_met(testcases)
        })
    }

    /// Whether the scores are as expected; `total` is that of the submission.
    #[must_use]
    pub fn are_scores_met(&self, total: &Score, groups: &[GroupScore]) -> bool {
        self.rules.iter().all(|rule| {
            let Some(expected) = &rule.score else {
                return true;
            };
            let allows = |score: &Score| {
                expected.range.contains(score) && expected.not.as_ref() != Some(score)
            };
            match &rule.testcases {
                None => allows(total),
                Some(glob) => groups
                    .iter()
                    .filter(|group| glob.matches_exactly(&group.name))
                    .all(|group| allows(&group.score)),
            }
        })
    }

    /// What the running time on the test case `name` says of the time limit.
    #[must_use]
    pub fn time_bounds(&self, name: &str) -> Vec<TimeBound> {
        let slow = BTreeSet::from([Verdict::Tle]);
        let concerned = self.rules.iter().filter(|rule| {
            let glob = rule.testcases.as_ref();
            rule.bounds_time_limit && glob.is_none_or(|glob| glob.matches(name))
        });
        let mut bounds = Vec::new();
        for rule in concerned {
            let bound = if !rule.permitted.contains(&Verdict::Tle) {
                TimeBound::Lower
            } else if rule.required == slow {
                TimeBound::Upper
            } else {
                continue;
            };
            if !bounds.contains(&bound) {
                bounds.push(bound);
            }
        }
        bounds
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
            testcases: None,
            permitted,
            required,
            ..Self::default()
        }
    }

    fn is_met(&self, testcases: &[JudgedTestcase<'_>]) -> bool {
        let concerned = || {
            testcases.iter().filter(|testcase| {
                self.testcases
                    .as_ref()
                    .is_none_or(|glob| glob.matches(testcase.name))
            })
        };
        let says = |text: &str| {
            concerned().any(|testcase| testcase.message.is_some_and(|said| said.contains(text)))
        };
        concerned().all(|testcase| self.permitted.contains(&testcase.verdict))
            && concerned().any(|testcase| self.required.contains(&testcase.verdict))
            && self.message.as_deref().is_none_or(says)
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{Ac, Ce, Mle, Rte, Tle, Wa};

    fn rule(permitted: &[Verdict], required: &[Verdict]) -> Rule {
        Rule {
            permitted: permitted.iter().copied().collect(),
            required: required.iter().copied().collect(),
            bounds_time_limit: true,
            ..Rule::default()
        }
    }

    fn met(rules: &[Rule], verdicts: &[Verdict]) -> bool {
        let expectation = Expectation {
            rules: rules.to_vec(),
        };
        let testcases: Vec<_> = verdicts
            .iter()
            .map(|verdict| JudgedTestcase {
                name: "secret/1",
                verdict: *verdict,
                message: Some("why"),
            })
            .collect();
        let overall = verdicts
            .iter()
            .copied()
            .find(|verdict| *verdict != Ac)
            .unwrap_or(Ac);
        expectation.is_met(overall, &testcases)
    }

    #[test]
    fn permitted_holds_for_all_and_required_for_one() {
        let slow = rule(&[Ac, Wa, Tle], &[Tle]);
        assert!(met(std::slice::from_ref(&slow), &[Ac, Wa, Tle]));
        assert!(!met(std::slice::from_ref(&slow), &[Ac, Wa]));
        assert!(!met(std::slice::from_ref(&slow), &[Rte, Tle]));
        let expectation = Expectation { rules: vec![slow] };
        assert_eq!(expectation.verdicts(), BTreeSet::from([Tle]));
        assert!(
            !expectation.is_settled_by_first_failure(),
            "a WA says nothing about a later TLE"
        );
    }

    #[test]
    fn every_rule_counts() {
        assert!(!met(
            &[rule(&[Ac, Wa], &[Wa]), rule(&[Ac], &[Ac])],
            &[Ac, Wa]
        ));
        assert!(met(&[], &[Ac, Wa]), "nothing expected");
    }

    #[test]
    fn the_first_failure_settles_simple_rules() {
        for simple in [
            rule(&[Ac], &[Ac]),
            rule(&[Ac, Wa], &[Wa]),
            Rule::of_verdicts(BTreeSet::from([Rte, Mle])),
        ] {
            assert!(
                Expectation {
                    rules: vec![simple]
                }
                .is_settled_by_first_failure()
            );
        }
    }

    #[test]
    fn a_compile_error_must_be_expected_as_such() {
        let crashes = Expectation {
            rules: vec![rule(&[Ac, Rte], &[Rte])],
        };
        assert!(!crashes.is_met(Ce, &[]));
        assert!(
            Expectation {
                rules: vec![Rule::of_verdicts(BTreeSet::from([Ce]))]
            }
            .is_met(Ce, &[])
        );
        assert!(
            !Expectation::default().is_met(Ce, &[]),
            "a program that does not compile is never fine"
        );
    }

    #[test]
    fn scores_of_submissions_and_groups() {
        let range = |min: u64, max: u64| ScoreRange {
            min: Some(min.into()),
            max: Some(max.into()),
        };
        let total = ScoreRule {
            range: range(10, 60),
            not: Some(Score::from(50)),
        };
        let group = ScoreRule {
            range: range(5, 5),
            not: None,
        };
        let expectation = Expectation {
            rules: vec![
                Rule {
                    score: Some(total),
                    ..Rule::default()
                },
                Rule {
                    testcases: Some(Glob::parse("secret/g*").unwrap()),
                    score: Some(group),
                    ..Rule::default()
                },
            ],
        };
        assert!(!expectation.is_settled_by_first_failure());
        for (total, group, met) in [
            (10, 5, true),
            (60, 5, true),
            (61, 5, false),
            (50, 5, false),
            (10, 4, false),
        ] {
            let (total, group) = (Score::from(total), Score::from(group));
            let other = Score::from(99);
            let groups = [
                ("secret", &total),
                ("secret/g1", &group),
                ("secret/g1/in", &other),
            ]
            .map(|(name, score)| GroupScore {
                name: name.to_owned(),
                score: score.clone(),
            });
            assert_eq!(
                expectation.are_scores_met(&total, &groups),
                met,
                "{total} {group}"
            );
        }
    }

    #[test]
    fn running_times_bound_the_time_limit() {
        let on_hard = Rule {
            testcases: Some(Glob::parse("secret/hard").unwrap()),
            ..rule(&[Ac, Tle], &[Tle])
        };
        let expectation = Expectation {
            rules: vec![on_hard, rule(&[Ac, Rte, Tle], &[Rte, Tle])],
        };
        assert_eq!(expectation.time_bounds("secret/hard"), [TimeBound::Upper]);
        assert_eq!(expectation.time_bounds("secret/easy"), []);
        let accepted = Expectation {
            rules: vec![rule(&[Ac], &[Ac]), rule(&[Ac], &[Ac])],
        };
        assert_eq!(accepted.time_bounds("sample/1"), [TimeBound::Lower]);
    }

    #[test]
    fn rules_on_some_test_cases() {
        let hard = Rule {
            testcases: Some(Glob::parse("secret/*-hard").unwrap()),
            message: Some("too small".to_owned()),
            ..rule(&[Wa], &[Wa])
        };
        let expectation = Expectation { rules: vec![hard] };
        let easy = JudgedTestcase {
            name: "secret/1-easy",
            verdict: Ac,
            message: None,
        };
        let failed = JudgedTestcase {
            name: "secret/2-hard",
            verdict: Wa,
            message: Some("7 is too small"),
        };
        assert!(expectation.is_met(Wa, &[easy, failed]));
        assert!(!expectation.is_met(Wa, &[easy]));
        assert!(!expectation.is_met(
            Wa,
            &[
                easy,
                JudgedTestcase {
                    message: None,
                    ..failed
                }
            ]
        ));
        assert!(expectation.verdicts().is_empty());
    }
}
