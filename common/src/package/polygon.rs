//! Packages of Codeforces Polygon: problem.xml.
//!
//! Test cases are called `secret/NN`, samples `sample/NN`, and those of a group
//! `secret/GROUP/NN`, in the order of the test set.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;

use bytesize::ByteSize;
use roxmltree::{Document, Node, ParsingOptions};

use super::error::PackageError;
use super::expectation::{Expectation, Rule, any_verdict};
use super::file_tree::FileTree;
use super::grading::{Aggregation, Grading, ScoredGroup, ScoredMember};
use super::model::{
    CheckerPoints, File, FormatVersion, Limits, OutputValidator, Package, Program, Submission,
    Testcase,
};
use crate::{Score, Verdict};

/// The file's name.
pub(super) const FILE: &str = "problem.xml";

/// Reads the package.
pub(super) fn read(tree: &FileTree) -> Result<Package, PackageError> {
    let text = tree.text(FILE)?.unwrap_or_default();
    // No DTD: entities that stand for each other are a bomb.
    let document = Document::parse_with_options(&text, ParsingOptions::default())
        .map_err(|error| invalid("", format!("not XML that can be read: {error}")))?;
    let problem = document.root_element();
    let mut warnings = Vec::new();
    let judging = child(problem, "judging")?;
    refuse_files_and_runs(judging)?;
    let testset = testset(judging, &mut warnings)?;
    let milliseconds = number(testset, "time-limit")?;
    let memory = number(testset, "memory-limit")?;
    let tests = tests(tree, testset)?;
    let testcases: Vec<Testcase> = tests.iter().map(|test| test.testcase.clone()).collect();
    let assets = child(problem, "assets")?;
    if assets
        .children()
        .any(|node| node.has_tag_name("interactor"))
    {
        return Err(PackageError::unsupported(
            FILE,
            "assets.interactor",
            "an interactor of testlib",
        ));
    }
    let headers = resources(tree, problem);
    let limits = limits(Duration::from_millis(milliseconds), ByteSize(memory));
    let name = name(problem);
    let mut package = Package::plain(name, limits, testcases);
    package.format = FormatVersion::Polygon;
    package.content_hash = tree.content_hash()?;
    package.grading = grading(testset, &tests)?;
    package.output_validator = checker(tree, judging, assets, &headers)?;
    package.include = graders(tree, problem)?;
    package.submissions = solutions(tree, assets, &mut warnings)?;
    if assets
        .children()
        .any(|node| node.has_tag_name("validators"))
    {
        warnings.push(format!(
            "{FILE}: validators of testlib are not run; inputs are as the package has them"
        ));
    }
    package.warnings = warnings;
    Ok(package)
}

fn invalid(key: &str, problem: impl Into<String>) -> PackageError {
    PackageError::invalid(FILE, key, problem)
}

fn child<'a>(node: Node<'a, 'a>, name: &str) -> Result<Node<'a, 'a>, PackageError> {
    find(node, name).ok_or_else(|| {
        let parent = node.tag_name().name();
        invalid(parent, format!("lacks the element <{name}>"))
    })
}

fn find<'a>(node: Node<'a, 'a>, name: &str) -> Option<Node<'a, 'a>> {
    node.children().find(|child| child.has_tag_name(name))
}

/// The elements `name` within the element `list` of `node`.
fn listed<'a>(node: Node<'a, 'a>, list: &str, name: &'a str) -> impl Iterator<Item = Node<'a, 'a>> {
    find(node, list)
        .into_iter()
        .flat_map(|list| list.children())
        .filter(move |child| child.has_tag_name(name))
}

fn number(node: Node<'_, '_>, name: &str) -> Result<u64, PackageError> {
    let text = node
        .children()
        .find(|child| child.has_tag_name(name))
        .and_then(|child| child.text())
        .unwrap_or_default()
        .trim();
    text.parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| {
            invalid(
                name,
                format!("expected a number greater than zero, not {text:?}"),
            )
        })
}

fn refuse_files_and_runs(judging: Node<'_, '_>) -> Result<(), PackageError> {
    for key in ["input-file", "output-file"] {
        if judging.attribute(key).is_some_and(|file| !file.is_empty()) {
            let feature = "reading the input from a file, or writing the output to one,";
            return Err(PackageError::unsupported(
                FILE,
                &format!("judging.{key}"),
                feature,
            ));
        }
    }
    if judging
        .attribute("run-count")
        .is_some_and(|runs| runs != "1")
    {
        let feature = "running a submission several times on a test case";
        return Err(PackageError::unsupported(
            FILE,
            "judging.run-count",
            feature,
        ));
    }
    Ok(())
}

fn testset<'a>(
    judging: Node<'a, 'a>,
    warnings: &mut Vec<String>,
) -> Result<Node<'a, 'a>, PackageError> {
    let sets: Vec<Node> = judging
        .children()
        .filter(|node| node.has_tag_name("testset"))
        .collect();
    let main = sets
        .iter()
        .find(|set| set.attribute("name") == Some("tests"));
    let used = main
        .or(sets.first())
        .copied()
        .ok_or_else(|| invalid("judging", "has no test set"))?;
    for other in sets.iter().filter(|set| **set != used) {
        let name = other.attribute("name").unwrap_or_default();
        warnings.push(format!("{FILE}: the test set {name:?} is ignored"));
    }
    Ok(used)
}

/// A test of the set.
struct PolygonTest {
    testcase: Testcase,
    group: Option<String>,
    points: Option<Score>,
}

fn tests(tree: &FileTree, testset: Node<'_, '_>) -> Result<Vec<PolygonTest>, PackageError> {
    let pattern = |name: &str| -> Result<String, PackageError> {
        let node = testset.children().find(|child| child.has_tag_name(name));
        let text = node.and_then(|node| node.text()).unwrap_or_default().trim();
        if text.is_empty() {
            return Err(invalid(name, "is empty"));
        }
        Ok(text.to_owned())
    };
    let (inputs, answers) = (
        pattern("input-path-pattern")?,
        pattern("answer-path-pattern")?,
    );
    let nodes: Vec<Node> = listed(testset, "tests", "test").collect();
    if nodes.is_empty() {
        return Err(PackageError::NoTestcases);
    }
    let mut tests = Vec::with_capacity(nodes.len());
    for (at, node) in nodes.iter().enumerate() {
        let number = at + 1;
        let place = |pattern: &str, how: &str| {
            let path = numbered(pattern, number).ok_or_else(|| {
                invalid(
                    "testset",
                    format!("{pattern:?} is no pattern such as tests/%02d"),
                )
            })?;
            let found = tree.get(&path).map(ToOwned::to_owned);
            found.ok_or_else(|| {
                let problem = format!(
                    "missing, {how}: run the package's doall script first, or export the full package"
                );
                PackageError::invalid(&path, "", problem)
            })
        };
        let command = node.attribute("cmd").unwrap_or("its generator");
        let input = place(&inputs, &format!("it is the output of `{command}`"))?;
        let answer = place(&answers, "it is the output of the main solution")?;
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
        tests.push(PolygonTest {
            testcase,
            group,
            points,
        });
    }
    Ok(tests)
}

/// A group's name may be any text; as a part of a path it may not.
fn file_name(group: &str) -> String {
    group
        .chars()
        .map(|letter| if letter == '/' { '_' } else { letter })
        .collect()
}

/// The pattern's `%d` or `%02d` replaced by the number.
fn numbered(pattern: &str, number: usize) -> Option<String> {
    let (before, rest) = pattern.split_once('%')?;
    let (width, after) = rest.split_once('d')?;
    let width: usize = match width {
        "" => 0,
        digits => digits.parse().ok().filter(|width| *width < 20)?,
    };
    Some(format!("{before}{number:0>width$}{after}"))
}

fn grading(testset: Node<'_, '_>, tests: &[PolygonTest]) -> Result<Grading, PackageError> {
    if tests.iter().all(|test| test.points.is_none()) {
        return Ok(Grading::PassFail);
    }
    let points = |test: &PolygonTest| test.points.clone().unwrap_or_else(Score::zero);
    let member = |(index, test): (usize, &PolygonTest)| ScoredMember::Testcase {
        index,
        max_score: Some(points(test)),
    };
    let mut described: BTreeMap<&str, Node> = BTreeMap::new();
    for node in listed(testset, "groups", "group") {
        described.insert(node.attribute("name").unwrap_or_default(), node);
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

fn limits(time_limit: Duration, memory: ByteSize) -> Limits {
    const MINUTE: Duration = Duration::from_secs(60);
    let jury_memory = ByteSize::mib(2048);
    Limits {
        time_limit,
        memory,
        output: ByteSize::mib(64),
        code: ByteSize::kib(64),
        compilation_time: MINUTE,
        compilation_memory: jury_memory,
        validation_time: MINUTE,
        validation_memory: jury_memory,
        validation_output: ByteSize::mib(8),
    }
}

fn name(problem: Node<'_, '_>) -> String {
    let names: Vec<Node> = problem
        .descendants()
        .filter(|node| node.has_tag_name("name"))
        .collect();
    let english = names
        .iter()
        .find(|node| node.attribute("language") == Some("english"));
    english
        .or(names.first())
        .and_then(|node| node.attribute("value"))
        .or(problem.attribute("short-name"))
        .unwrap_or("problem")
        .to_owned()
}

/// Headers that jury programs may include, testlib.h first of all.
fn resources(tree: &FileTree, problem: Node<'_, '_>) -> Vec<File> {
    let files = find(problem, "files").into_iter();
    let paths = files
        .flat_map(|files| files.descendants())
        .filter(|node| node.has_tag_name("file"))
        .filter_map(|node| node.attribute("path"))
        .filter(|path| path.ends_with(".h"));
    paths.flat_map(|path| tree.program_files(path)).collect()
}

fn source(tree: &FileTree, node: Node<'_, '_>, key: &str) -> Result<Program, PackageError> {
    let path = node
        .children()
        .find(|child| child.has_tag_name("source"))
        .and_then(|source| source.attribute("path"))
        .ok_or_else(|| invalid(key, "has no source"))?;
    if tree.get(path).is_none() {
        return Err(PackageError::invalid(
            path,
            "",
            format!("missing, though {key} names it"),
        ));
    }
    Ok(Program::at(tree, path))
}

fn checker(
    tree: &FileTree,
    judging: Node<'_, '_>,
    assets: Node<'_, '_>,
    headers: &[File],
) -> Result<OutputValidator, PackageError> {
    const KEY: &str = "assets.checker";
    let node = assets
        .children()
        .find(|node| node.has_tag_name("checker"))
        .ok_or_else(|| invalid(KEY, "missing: every package names its checker"))?;
    if node.attribute("type").is_some_and(|kind| kind != "testlib") {
        let feature = "a checker that is not of testlib";
        return Err(PackageError::unsupported(FILE, KEY, feature));
    }
    let mut program = source(tree, node, KEY)?;
    program.files.extend(headers.iter().cloned());
    let percent = judging.attribute("treat-points-from-checker-as-percent") == Some("true");
    Ok(OutputValidator::Testlib {
        program,
        points: if percent {
            CheckerPoints::Percent
        } else {
            CheckerPoints::Absolute
        },
    })
}

/// Files that are compiled with solutions of some languages.
fn graders(
    tree: &FileTree,
    problem: Node<'_, '_>,
) -> Result<BTreeMap<String, Vec<File>>, PackageError> {
    let mut include: BTreeMap<String, Vec<File>> = BTreeMap::new();
    let files = find(problem, "files").into_iter();
    for node in files
        .flat_map(|files| files.descendants())
        .filter(|node| node.has_tag_name("file"))
    {
        let for_solutions = node.descendants().any(|asset| {
            asset.has_tag_name("asset") && asset.attribute("name") == Some("solution")
        });
        let (Some(path), true) = (node.attribute("path"), for_solutions) else {
            continue;
        };
        let types = node.attribute("for-types").unwrap_or_default();
        let codes: &[&str] = match types.split(['.', '*']).next().unwrap_or_default() {
            "cpp" => &["cpp"],
            "c" => &["c"],
            "java" | "java8" | "java11" | "java21" => &["java"],
            "python" => &["python3"],
            _ => {
                let feature = format!("a file for solutions of the type {types:?}");
                return Err(PackageError::unsupported(path, "for-types", feature));
            }
        };
        for code in codes {
            let files = include.entry((*code).to_owned()).or_default();
            files.extend(tree.program_files(path));
        }
    }
    Ok(include)
}

fn solutions(
    tree: &FileTree,
    assets: Node<'_, '_>,
    warnings: &mut Vec<String>,
) -> Result<Vec<Submission>, PackageError> {
    let mut submissions = Vec::new();
    let nodes = assets
        .descendants()
        .filter(|node| node.has_tag_name("solution"));
    for node in nodes {
        let tag = node.attribute("tag").unwrap_or_default();
        let program = source(tree, node, "assets.solutions")?;
        let mut expectation = Expectation::default();
        match rule(tag) {
            Some(rule) => expectation.add(rule),
            None => warnings.push(format!(
                "{}: nothing is expected by the tag {tag:?}",
                program.name
            )),
        }
        submissions.push(Submission {
            program,
            expectation,
            is_model: tag == "main",
        });
    }
    submissions.sort_by(|one, other| one.program.name.cmp(&other.program.name));
    Ok(submissions)
}

/// What a solution's tag means.
fn rule(tag: &str) -> Option<Rule> {
    use Verdict::{Ac, Mle, Ole, Pe, Rte, Sv, Tle, Wa};
    let failures = || -> BTreeSet<Verdict> { &any_verdict() - &BTreeSet::from([Ac]) };
    let required = match tag {
        "main" | "accepted" => BTreeSet::from([Ac]),
        "wrong-answer" => BTreeSet::from([Wa]),
        "presentation-error" => BTreeSet::from([Pe, Wa]),
        "time-limit-exceeded" => BTreeSet::from([Tle]),
        "time-limit-exceeded-or-accepted" => BTreeSet::from([Ac, Tle]),
        "time-limit-exceeded-or-memory-limit-exceeded" => BTreeSet::from([Mle, Tle]),
        "memory-limit-exceeded" => BTreeSet::from([Mle]),
        "failed" => BTreeSet::from([Rte, Mle, Ole, Sv]),
        "rejected" => {
            return Some(Rule {
                required: failures(),
                ..Rule::default()
            });
        }
        _ => return None,
    };
    Some(Rule::of_verdicts(required))
}
