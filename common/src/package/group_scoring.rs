//! From the groups of test_group.yaml to the points of groups and test cases.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use super::error::PackageError;
use super::file_tree::FileTree;
use super::grading::{Aggregation, Grading, ScoredGroup, ScoredMember};
use super::model::{FormatVersion, StaticTest, Testcase};
use super::problem_yaml::ProblemYaml;
use super::test_groups::{FILE, GroupYaml, Points, bounded};
use crate::Score;

/// How results combine, and what the static validator is asked.
pub(super) fn grading(
    tree: &FileTree,
    files: &BTreeMap<String, GroupYaml>,
    problem: &ProblemYaml,
    testcases: &[Testcase],
    warnings: &mut Vec<String>,
) -> Result<(Grading, Vec<StaticTest>), PackageError> {
    let static_tests: Vec<StaticTest> = files
        .iter()
        .filter_map(|(directory, file)| {
            Some(StaticTest {
                group: directory.strip_prefix("data/")?.to_owned(),
                args: file.static_test.as_ref()?.args.clone(),
            })
        })
        .collect();
    if let Some(test) = static_tests
        .first()
        .filter(|_| !tree.has_directory("static_validator"))
    {
        return Err(PackageError::invalid(
            &format!("data/{}/{FILE}", test.group),
            "",
            "asks for static validation: put the validator into static_validator/",
        ));
    }
    if problem.scoring.is_none() {
        return Ok((Grading::PassFail, static_tests));
    }
    let builder = Builder {
        files,
        testcases,
        static_tests: &static_tests,
        nests: problem.format == FormatVersion::Draft2023_07,
    };
    let secret = builder.group("secret", None, None)?;
    check_require_pass(&secret, testcases)?;
    warn_of_excess(&secret, warnings);
    Ok((Grading::Scoring(secret), static_tests))
}

/// Makes groups with the points of their members.
struct Builder<'a> {
    files: &'a BTreeMap<String, GroupYaml>,
    testcases: &'a [Testcase],
    static_tests: &'a [StaticTest],
    /// Whether every directory is a group.
    nests: bool,
}

impl Builder<'_> {
    /// The group `name`, in a group that bounds its points by `share`.
    fn group(
        &self,
        name: &str,
        within: Option<Aggregation>,
        share: Option<&Points>,
    ) -> Result<ScoredGroup, PackageError> {
        let file = self.files.get(&format!("data/{name}"));
        let is_secret = name == "secret";
        let invalid = |key: &str, problem: &str| {
            PackageError::invalid(&format!("data/{name}/{FILE}"), key, problem)
        };
        let default = if is_secret {
            Aggregation::Sum
        } else {
            Aggregation::PassFail
        };
        let aggregation = file.and_then(|file| file.aggregation).unwrap_or(default);
        let max_score = match file.and_then(|file| file.max_score.clone()) {
            Some(stated) => stated,
            None if is_secret => bounded(100),
            None if self.nests => share.cloned().unwrap_or(Points::Unbounded),
            None => Points::Unbounded,
        };
        if share.is_some_and(|share| *share != Points::Unbounded) && max_score == Points::Unbounded
        {
            let problem =
                "unbounded, in a group with a maximum score: state how many points it gives";
            return Err(invalid("max_score", problem));
        }
        if within == Some(Aggregation::PassFail) && aggregation != Aggregation::PassFail {
            let problem = "must be pass-fail, as the group around it is";
            return Err(invalid("score_aggregation", problem));
        }
        if aggregation == Aggregation::PassFail && max_score == Points::Unbounded {
            let problem = "a pass-fail group needs a maximum score: state how many points it gives";
            return Err(invalid("max_score", problem));
        }
        if let Some(test) = file.and_then(|file| file.static_test.as_ref())
            && !self.nests
        {
            let problem = match (&test.max_score, aggregation) {
                (None, Aggregation::Sum | Aggregation::Min) => {
                    Some("`pass-fail` needs a group with `score_aggregation: pass-fail`")
                }
                (Some(_), Aggregation::PassFail) => Some(
                    "points need a group with `score_aggregation: sum` or `min`: use `pass-fail`",
                ),
                _ => None,
            };
            if let Some(problem) = problem {
                return Err(invalid("static_validation_score", problem));
            }
        }
        let parts = self.parts(name);
        let shares = self.shares(name, aggregation, &max_score, &parts)?;
        let mut members = Vec::new();
        if let Some(index) = self.static_tests.iter().position(|test| test.group == name) {
            let stated = file.and_then(|file| file.static_test.as_ref()?.max_score.clone());
            members.push(ScoredMember::StaticTest {
                index,
                max_score: stated.or_else(|| shares.static_test.bound()),
            });
        }
        for part in parts {
            members.push(match part {
                Part::Testcase(index) => ScoredMember::Testcase {
                    index,
                    max_score: shares.testcase.bound(),
                },
                Part::Group(inner) => ScoredMember::Group(self.group(
                    &inner,
                    Some(aggregation),
                    Some(&shares.group),
                )?),
            });
        }
        if members.is_empty() && !self.nests {
            return Err(invalid("", "a group without a test case"));
        }
        Ok(ScoredGroup {
            name: name.to_owned(),
            aggregation,
            max_score: max_score.bound(),
            require_pass: file
                .map(|file| file.require_pass.clone())
                .unwrap_or_default(),
            members,
        })
    }

    /// Test cases and groups in the group, in order.
    fn parts(&self, name: &str) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        for (index, testcase) in self.testcases.iter().enumerate() {
            let Some(path) = testcase
                .name
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix('/'))
            else {
                continue;
            };
            let inner = path
                .split_once('/')
                .map(|(directory, _)| format!("{name}/{directory}"))
                .filter(|inner| self.nests || self.files.contains_key(&format!("data/{inner}")));
            match inner {
                None => parts.push(Part::Testcase(index)),
                Some(inner) => {
                    let group = Part::Group(inner);
                    if parts.last() != Some(&group) {
                        parts.push(group);
                    }
                }
            }
        }
        // A group may consist of nothing but a static test.
        for test in self.static_tests {
            let path = test.group.strip_prefix(name);
            if let Some(path) = path.and_then(|rest| rest.strip_prefix('/')) {
                let directory = path.split('/').next().unwrap_or(path);
                let group = Part::Group(format!("{name}/{directory}"));
                if !parts.contains(&group) {
                    parts.push(group);
                }
            }
        }
        // As test cases are sorted: name by name.
        parts.sort_by(|one, other| {
            let [one, other] = [one, other].map(|part| self.name_of(part).split('/'));
            one.cmp(other)
        });
        parts
    }

    fn name_of<'n>(&'n self, part: &'n Part) -> &'n str {
        match part {
            Part::Testcase(index) => &self.testcases[*index].name,
            Part::Group(name) => name,
        }
    }

    /// What members may give that do not state it themselves.
    fn shares(
        &self,
        name: &str,
        aggregation: Aggregation,
        max_score: &Points,
        parts: &[Part],
    ) -> Result<Shares, PackageError> {
        let Points::Bounded(total) = max_score else {
            return Ok(Shares::all(&Points::Unbounded));
        };
        if aggregation != Aggregation::Sum {
            return Ok(Shares::all(max_score));
        }
        let own = self.files.get(&format!("data/{name}"));
        let static_test = own.and_then(|file| file.static_test.as_ref());
        let static_score = static_test.and_then(|test| test.max_score.clone());
        let groups = parts.iter().filter_map(|part| match part {
            Part::Group(inner) => Some(self.files.get(&format!("data/{inner}"))),
            Part::Testcase(_) => None,
        });
        let mut stated: Score = static_score.iter().sum();
        let mut open = usize::from(self.nests && static_test.is_some() && static_score.is_none());
        for group in groups.filter(|_| self.nests) {
            match group.and_then(|group| group.max_score.as_ref()?.bound()) {
                Some(score) => stated = &stated + &score,
                None => open += 1,
            }
        }
        open += parts
            .iter()
            .filter(|part| matches!(part, Part::Testcase(_)))
            .count();
        let rest = total - &stated;
        if rest.is_negative() {
            let file = format!("data/{name}/{FILE}");
            let problem = format!("{total}, less than the {stated} points of what it contains");
            return Err(PackageError::invalid(&file, "max_score", problem));
        }
        let share = NonZeroUsize::new(open).map_or(Score::zero(), |parts| &rest / parts);
        Ok(Shares {
            testcase: Points::Bounded(share.clone()),
            static_test: Points::Bounded(share.clone()),
            group: Points::Bounded(share),
        })
    }
}

/// A part of a group.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Testcase(usize),
    Group(String),
}

/// The points of members that do not state theirs.
struct Shares {
    testcase: Points,
    static_test: Points,
    group: Points,
}

impl Shares {
    fn all(points: &Points) -> Self {
        Self {
            testcase: points.clone(),
            static_test: points.clone(),
            group: points.clone(),
        }
    }
}

/// What is required must exist, come earlier and be pass-fail.
fn check_require_pass(group: &ScoredGroup, testcases: &[Testcase]) -> Result<(), PackageError> {
    let mut seen: Vec<(&str, Aggregation)> = Vec::new();
    check_requirements(group, testcases, &mut seen)
}

fn check_requirements<'a>(
    group: &'a ScoredGroup,
    testcases: &[Testcase],
    seen: &mut Vec<(&'a str, Aggregation)>,
) -> Result<(), PackageError> {
    for required in &group.require_pass {
        let problem = if required == "sample" {
            None
        } else if let Some((_, aggregation)) = seen.iter().find(|(name, _)| name == required) {
            (*aggregation != Aggregation::PassFail)
                .then(|| format!("{required} must have pass-fail aggregation"))
        } else if testcases
            .iter()
            .any(|testcase| testcase.name == *required && required.as_str() < group.name.as_str())
        {
            None
        } else {
            Some(format!(
                "{required:?} is no earlier group: expected `sample` or a name such as secret/group1"
            ))
        };
        if let Some(problem) = problem {
            let file = format!("data/{}/{FILE}", group.name);
            return Err(PackageError::invalid(&file, "require_pass", problem));
        }
    }
    for member in &group.members {
        if let ScoredMember::Group(inner) = member {
            check_requirements(inner, testcases, seen)?;
            seen.push((&inner.name, inner.aggregation));
        }
    }
    Ok(())
}

/// More points in the groups than in `secret` end as a judging error, for whoever
/// solves everything.
fn warn_of_excess(secret: &ScoredGroup, warnings: &mut Vec<String>) {
    let Some(total) = &secret.max_score else {
        return;
    };
    let groups: Option<Vec<&Score>> = secret
        .members
        .iter()
        .map(|member| match member {
            ScoredMember::Group(group) => group.max_score.as_ref(),
            ScoredMember::Testcase { max_score, .. }
            | ScoredMember::StaticTest { max_score, .. } => max_score.as_ref(),
        })
        .collect();
    let sum: Score = groups.unwrap_or_default().into_iter().sum();
    if secret.aggregation == Aggregation::Sum && sum != *total {
        warnings.push(format!(
            "data/secret: its groups give {sum} points together, its `max_score` is {total}"
        ));
    }
}
