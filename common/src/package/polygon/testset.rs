//! The tests of the set, with what they give.

use std::collections::BTreeMap;

use roxmltree::Node;

use super::super::error::PackageError;
use super::super::file_tree::FileTree;
use super::super::grading::{Aggregation, Grading, ScoredGroup, ScoredMember};
use super::super::model::{InputValidatorArgs, Testcase};
use super::{FILE, find, invalid, listed};
use crate::Score;

/// A test of the set.
pub(super) struct PolygonTest {
    pub(super) testcase: Testcase,
    group: Option<String>,
    points: Option<Score>,
}

pub(super) fn tests(
    tree: &FileTree,
    testset: Node<'_, '_>,
    warnings: &mut Vec<String>,
) -> Result<Vec<PolygonTest>, PackageError> {
    let patterns = Patterns::of(testset)?;
    let nodes: Vec<Node> = listed(testset, "tests", "test").collect();
    if nodes.is_empty() {
        return Err(PackageError::NoTestcases);
    }
    let counted = find(testset, "test-count").and_then(|node| node.text());
    let counted = counted.unwrap_or_default().trim();
    if !counted.is_empty() && counted != nodes.len().to_string() {
        warnings.push(format!(
            "{FILE}: `test-count` is {counted}, but there are {} tests: they are what counts",
            nodes.len()
        ));
    }
    let mut tests = Vec::with_capacity(nodes.len());
    for (at, node) in nodes.iter().enumerate() {
        let number = at + 1;
        let place = |path: &str, how: String| {
            let found = tree.get(path).map(ToOwned::to_owned);
            found.ok_or_else(|| PackageError::invalid(path, "", format!("missing, {how}")))
        };
        let generate = "make it by `assize problem generate`, or export the full package";
        let command = node.attribute("cmd").unwrap_or("its generator");
        let how = if node.attribute("method") == Some("manual") {
            format!(
                "though {FILE} lists test {number} as made by hand: add it, or remove the test there"
            )
        } else {
            format!("it is the output of `{command}`: {generate}")
        };
        let input = place(&patterns.input(number)?, how)?;
        let answer = place(
            &patterns.answer(number)?,
            format!("it is the output of the main solution: {generate}"),
        )?;
        let group = node.attribute("group").map(str::to_owned);
        let is_sample = node.attribute("sample") == Some("true");
        let name = match &group {
            Some(group) => format!("secret/{}/{number:02}", file_name(group)),
            None if is_sample => format!("sample/{number:02}"),
            None => format!("secret/{number:02}"),
        };
        let points = match node.attribute("points") {
            None => None,
            Some(points) => Some(points.parse().map_err(|error| {
                invalid("testset.tests", format!("points of test {number}: {error}"))
            })?),
        };
        let mut testcase = Testcase::new(name, input, answer);
        testcase.full_feedback = is_sample;
        let set = testset.attribute("name");
        testcase.input_validator_args = validator_args(set, group.as_deref());
        tests.push(PolygonTest {
            testcase,
            group,
            points,
        });
    }
    Ok(tests)
}

/// What testlib's validators are told of the test.
pub(super) fn validator_args(set: Option<&str>, group: Option<&str>) -> InputValidatorArgs {
    // Testlib wants something there.
    let set = set.filter(|set| !set.is_empty());
    let name = set.map(|name| ("--testset", name));
    let group = group.map(|group| ("--group", group));
    let pairs = name.into_iter().chain(group);
    let args = pairs.flat_map(|(option, value)| [option.to_owned(), value.to_owned()]);
    InputValidatorArgs::All(args.collect())
}

/// Where the files of tests are.
pub(super) struct Patterns {
    inputs: String,
    answers: String,
}

impl Patterns {
    pub(super) fn of(testset: Node<'_, '_>) -> Result<Self, PackageError> {
        Ok(Self {
            inputs: pattern(testset, "input-path-pattern")?,
            answers: pattern(testset, "answer-path-pattern")?,
        })
    }

    pub(super) fn input(&self, number: usize) -> Result<String, PackageError> {
        numbered(&self.inputs, number)
    }

    pub(super) fn answer(&self, number: usize) -> Result<String, PackageError> {
        numbered(&self.answers, number)
    }
}

/// The pattern of the test set's files that the element `name` has.
pub(super) fn pattern(testset: Node<'_, '_>, name: &str) -> Result<String, PackageError> {
    let text = find(testset, name).and_then(|node| node.text());
    match text.unwrap_or_default().trim() {
        "" => Err(invalid(name, "is empty")),
        text => Ok(text.to_owned()),
    }
}

/// A group's name may be any text; as a part of a path it may not.
fn file_name(group: &str) -> String {
    group
        .chars()
        .map(|letter| if letter == '/' { '_' } else { letter })
        .collect()
}

/// The pattern's `%d` or `%02d` replaced by the number.
pub(super) fn numbered(pattern: &str, number: usize) -> Result<String, PackageError> {
    let path = || {
        let (before, rest) = pattern.split_once('%')?;
        let (width, after) = rest.split_once('d')?;
        let width: usize = match width {
            "" => 0,
            digits => digits.parse().ok().filter(|width| *width < 20)?,
        };
        Some(format!("{before}{number:0>width$}{after}"))
    };
    path().ok_or_else(|| {
        let problem = format!("{pattern:?} is no pattern such as tests/%02d");
        invalid("testset", problem)
    })
}

pub(super) fn grading(
    testset: Node<'_, '_>,
    tests: &[PolygonTest],
) -> Result<Grading, PackageError> {
    let unscored = tests.iter().all(|test| test.points.is_none());
    let points = |test: &PolygonTest| test.points.clone().unwrap_or_else(Score::zero);
    let member = |(index, test): (usize, &PolygonTest)| ScoredMember::Testcase {
        index,
        max_score: Some(points(test)),
    };
    let mut described: BTreeMap<&str, Node> = BTreeMap::new();
    for node in listed(testset, "groups", "group") {
        let name = node.attribute("name").unwrap_or_default();
        let within = tests.iter().filter(|it| it.group.as_deref() == Some(name));
        let total: Score = within.map(points).collect::<Vec<_>>().iter().sum();
        check_points(name, node, &total)?;
        described.insert(name, node);
    }
    if unscored {
        return Ok(Grading::PassFail);
    }
    let mut seen: Vec<&str> = Vec::new();
    let mut members = Vec::new();
    for (at, test) in tests.iter().enumerate() {
        let Some(name) = test.group.as_deref() else {
            members.push(member((at, test)));
            continue;
        };
        if seen.contains(&name) {
            continue;
        }
        let within = || {
            let all = tests.iter().enumerate();
            all.filter(|(_, test)| test.group.as_deref() == Some(name))
        };
        let node = described.get(name);
        let aggregation = match node.and_then(|node| node.attribute("points-policy")) {
            None | Some("each-test") => Aggregation::Sum,
            Some("complete-group") => Aggregation::PassFail,
            Some(other) => {
                let feature = format!("the points policy {other:?}");
                return Err(PackageError::unsupported(FILE, "points-policy", feature));
            }
        };
        let mut require_pass = Vec::new();
        for dependency in node
            .into_iter()
            .flat_map(|node| node.descendants())
            .filter(|node| node.has_tag_name("dependency"))
        {
            let required = dependency.attribute("group").unwrap_or_default();
            if !seen.contains(&required) {
                let problem =
                    format!("group {name} depends on {required:?}, which does not come before it");
                return Err(invalid("dependencies", problem));
            }
            require_pass.push(format!("secret/{}", file_name(required)));
        }
        let total: Score = within()
            .map(|(_, test)| points(test))
            .collect::<Vec<_>>()
            .iter()
            .sum();
        members.push(ScoredMember::Group(ScoredGroup {
            name: format!("secret/{}", file_name(name)),
            aggregation,
            max_score: Some(total),
            require_pass,
            members: within().map(member).collect(),
        }));
        seen.push(name);
    }
    let total: Score = tests.iter().map(points).collect::<Vec<_>>().iter().sum();
    Ok(Grading::Scoring(ScoredGroup {
        name: "secret".to_owned(),
        aggregation: Aggregation::Sum,
        max_score: Some(total),
        require_pass: Vec::new(),
        members,
    }))
}

/// The points of a group are those of its tests, whatever is stated.
fn check_points(name: &str, group: Node<'_, '_>, total: &Score) -> Result<(), PackageError> {
    let Some(stated) = group.attribute("points") else {
        return Ok(());
    };
    let points: Score = stated
        .parse()
        .map_err(|error| invalid("testset.groups", format!("points of group {name}: {error}")))?;
    if points == *total {
        return Ok(());
    }
    let feature = format!("{stated} points for group {name}, whose tests have {total} together,");
    Err(PackageError::unsupported(FILE, "points", feature))
}
