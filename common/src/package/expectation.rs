//! What the jury expects of an example submission.

use std::collections::BTreeSet;

use super::glob::Glob;
use super::rule::{Rule, any_verdict, names};
use super::submissions_yaml::RuleText;
use crate::message::RunReport;
use crate::{GroupScore, Score, Verdict};

/// All that is expected of a submission; nothing without rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expectation {
    rules: Vec<Rule>,
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
    /// The validator's message, whoever decided.
    pub message: Option<&'a str>,
}

impl<'a> From<&'a RunReport> for JudgedTestcase<'a> {
    fn from(run: &'a RunReport) -> Self {
        Self {
            name: &run.testcase,
            verdict: run.verdict,
            message: run.validator_words(),
        }
    }
}

impl Expectation {
    pub(super) fn add(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    /// Adds what is written about the test cases that `testcases` names.
    pub(super) fn add_written(&mut self, text: RuleText, testcases: Option<&Glob>) {
        if !text.is_empty() {
            self.rules.extend(text.into_rules(testcases));
        }
    }

    /// Adds what a directory means where nothing is written about it.
    pub(super) fn add_default(&mut self, text: RuleText) {
        if !text.is_empty() {
            let rules = text.into_rules(None);
            self.rules.extend(rules.map(|rule| Rule {
                is_assumed: true,
                ..rule
            }));
        }
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
    /// not, all of them have to be judged before [`Self::offence`] is asked.
    ///
    /// What a directory means by default is settled by the verdict a contest would
    /// give; only verifying a package holds it against all test cases.
    #[must_use]
    pub fn is_settled_by_first_failure(&self) -> bool {
        self.rules.iter().all(Rule::is_settled_by_first_failure)
    }

    /// What about the verdict and the judged test cases is not as expected, in words
    /// that continue a sentence about the verdict, such as `expected AC`.
    #[must_use]
    pub fn offence(&self, verdict: Verdict, testcases: &[JudgedTestcase<'_>]) -> Option<String> {
        let expected = self.verdicts();
        let offence = if verdict == Verdict::Ce {
            (!expected.contains(&verdict)).then(|| "expected to compile".to_owned())
        } else {
            let offence = |rule: &Rule| rule.offence(verdict, testcases);
            self.rules.iter().find_map(offence)
        }?;
        Some(if expected.is_empty() || expected.contains(&verdict) {
            offence
        } else {
            format!("expected {}", names(&expected))
        })
    }

    /// Why nothing could ever be as expected, given the names of all test cases.
    #[must_use]
    pub fn contradiction(&self, testcases: &[&str]) -> Option<String> {
        if self.verdicts().contains(&Verdict::Ce) {
            return None;
        }
        let permitted: Vec<BTreeSet<Verdict>> = testcases
            .iter()
            .map(|name| {
                let rules = self.rules.iter().filter(|rule| rule.concerns(name));
                rules.fold(any_verdict(), |all, rule| &all & &rule.permitted)
            })
            .collect();
        let of_testcase = testcases
            .iter()
            .zip(&permitted)
            .find(|(_, permitted)| permitted.is_empty())
            .map(|(name, _)| {
                format!("no verdict on {name} is permitted by its directory and all entries")
            });
        of_testcase.or_else(|| {
            self.rules.iter().find_map(|rule| {
                let mut concerned = testcases
                    .iter()
                    .zip(&permitted)
                    .filter(|(name, _)| rule.concerns(name))
                    .peekable();
                if concerned.peek().is_none() {
                    let testcases = rule.testcases.as_ref();
                    return testcases.map(|glob| format!("`{glob}` matches no test case"));
                }
                let possible =
                    concerned.any(|(_, permitted)| !permitted.is_disjoint(&rule.required));
                (!possible).then(|| {
                    let required = names(&rule.required);
                    format!("{required} is required, which other rules do not permit")
                })
            })
        })
    }

    /// Whether the scores are as expected; `total` is that of the submission.
    #[must_use]
    pub fn are_scores_met(&self, total: &Score, groups: &[GroupScore]) -> bool {
        self.score_offence(total, groups).is_none()
    }

    /// Which score is not as expected, in words that continue a sentence about the total.
    #[must_use]
    pub fn score_offence(&self, total: &Score, groups: &[GroupScore]) -> Option<String> {
        self.rules.iter().find_map(|rule| {
            let expected = rule.score.as_ref()?;
            let Some(glob) = &rule.testcases else {
                let offends = !expected.allows(total);
                return offends.then(|| format!("but expected {expected} points"));
            };
            let mut concerned = groups
                .iter()
                .filter(|group| glob.matches_exactly(&group.name));
            let group = concerned.find(|group| !expected.allows(&group.score))?;
            Some(format!(
                "but expected {expected} points of {}, which gave {}",
                group.name,
                group.score.rounded()
            ))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::grading::ScoreRange;
    use crate::package::rule::ScoreRule;
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
        expectation.offence(overall, &testcases).is_none()
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
            Rule {
                is_assumed: true,
                ..rule(&[Ac, Wa], &[Wa])
            },
            Rule::of_verdicts(BTreeSet::from([Rte, Mle])),
            Rule::of_whole(BTreeSet::from([Wa])),
        ] {
            assert!(simple.is_settled_by_first_failure(), "{simple:?}");
        }
        let written = rule(&[Ac, Wa], &[Wa]);
        assert!(
            !written.is_settled_by_first_failure(),
            "a later test case may be slow, which is not permitted"
        );
    }

    #[test]
    fn a_compile_error_must_be_expected_as_such() {
        let crashes = Expectation {
            rules: vec![rule(&[Ac, Rte], &[Rte])],
        };
        assert!(crashes.offence(Ce, &[]).is_some());
        let rejected = Expectation {
            rules: vec![Rule::of_whole(BTreeSet::from([Ce]))],
        };
        assert_eq!(rejected.offence(Ce, &[]), None);
        assert_eq!(
            Expectation::default().offence(Ce, &[]).as_deref(),
            Some("expected to compile"),
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
        let offence =
            |verdict, testcases: &[JudgedTestcase<'_>]| expectation.offence(verdict, testcases);
        assert_eq!(offence(Wa, &[easy, failed]), None);
        assert_eq!(
            offence(Wa, &[easy]).as_deref(),
            Some("but not WA on secret/*-hard")
        );
        let silent = JudgedTestcase {
            message: None,
            ..failed
        };
        assert_eq!(
            offence(Wa, &[easy, silent]).as_deref(),
            Some("but no message on secret/*-hard has \"too small\"")
        );
        assert!(expectation.verdicts().is_empty());
    }

    #[test]
    fn rules_that_contradict_each_other_are_named() {
        let on = |pattern, rule: Rule| Rule {
            testcases: Some(Glob::parse(pattern).unwrap()),
            ..rule
        };
        let names = ["secret/1", "secret/2"];
        let contradiction = |rules: &[Rule]| {
            let rules = rules.to_vec();
            Expectation { rules }.contradiction(&names)
        };
        let accepted = rule(&[Ac], &[Ac]);
        let slow = rule(&[Ac, Tle], &[Tle]);
        assert_eq!(
            contradiction(&[on("secret/1", accepted.clone()), slow.clone()]),
            None
        );
        assert_eq!(
            contradiction(&[on("secret/{1,2}", accepted.clone()), slow]).as_deref(),
            Some("TLE is required, which other rules do not permit")
        );
        assert_eq!(
            contradiction(&[on("secret/2", rule(&[Wa], &[Wa])), accepted.clone()]).as_deref(),
            Some("no verdict on secret/2 is permitted by its directory and all entries")
        );
        assert_eq!(
            contradiction(&[on("secret/3", accepted)]).as_deref(),
            Some("`secret/3` matches no test case")
        );
    }
}
