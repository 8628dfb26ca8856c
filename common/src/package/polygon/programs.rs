//! The programs of a package: checker, interactor, solutions, and the files that
//! are compiled with them.

use std::collections::{BTreeMap, BTreeSet};

use roxmltree::Node;

use super::super::error::PackageError;
use super::super::expectation::Expectation;
use super::super::file_tree::FileTree;
use super::super::model::{
    CheckerPoints, CheckerProtocol, File, OutputValidator, Program, Submission,
};
use super::super::rule::{Rule, any_verdict};
use super::{FILE, find, invalid};
use crate::Verdict;

/// Headers that jury programs may include, testlib.h first of all.
pub(super) fn resources(tree: &FileTree, problem: Node<'_, '_>) -> Vec<File> {
    let files = find(problem, "files").into_iter();
    let paths = files
        .flat_map(|files| files.descendants())
        .filter(|node| node.has_tag_name("file"))
        .filter_map(|node| node.attribute("path"))
        .filter(|path| path.ends_with(".h"));
    paths.flat_map(|path| tree.program_files(path)).collect()
}

pub(super) fn source(
    tree: &FileTree,
    node: Node<'_, '_>,
    key: &str,
) -> Result<Program, PackageError> {
    let source = find(node, "source");
    let path = source
        .and_then(|source| source.attribute("path"))
        .ok_or_else(|| invalid(key, "has no source"))?;
    if tree.get(path).is_none() {
        return Err(PackageError::invalid(
            path,
            "",
            format!("missing, though {key} names it"),
        ));
    }
    Ok(Program {
        language: source
            .and_then(|source| source.attribute("type"))
            .and_then(language),
        ..Program::at(tree, path)
    })
}

/// The language code of a source's type, such as `cpp.g++17`; where the type is another
/// one the file's ending tells.
pub(super) fn language(source_type: &str) -> Option<String> {
    let (family, variant) = source_type.split_once('.').unwrap_or((source_type, ""));
    let code = match family {
        "python" if variant.starts_with('2') || variant.starts_with("pypy2") => "python2",
        "python" => "python3",
        "pas" => "pascal",
        // The release follows without a point, or after one.
        _ if family.trim_end_matches(|last: char| last.is_ascii_digit()) == "java" => "java",
        _ if family.starts_with("kotlin") => "kotlin",
        "c" | "cpp" | "csharp" | "d" | "go" | "haskell" | "ocaml" | "perl" | "php" | "ruby"
        | "rust" | "scala" => family,
        _ => return None,
    };
    Some(code.to_owned())
}

/// The checker. A standard one is often named without its source being where the
/// name says; its copy is then `check.cpp` or a resource.
fn checker(
    tree: &FileTree,
    assets: Node<'_, '_>,
    headers: &[File],
) -> Result<Program, PackageError> {
    const KEY: &str = "assets.checker";
    let node = assets
        .children()
        .find(|node| node.has_tag_name("checker"))
        .ok_or_else(|| invalid(KEY, "missing: every package names its checker"))?;
    if node.attribute("type").is_some_and(|kind| kind != "testlib") {
        let feature = "a checker that is not of testlib";
        return Err(PackageError::unsupported(FILE, KEY, feature));
    }
    let mut program = match source(tree, node, KEY) {
        Ok(program) => program,
        Err(error) => standard_checker(tree, node).ok_or(error)?,
    };
    program.files.extend(headers.iter().cloned());
    Ok(program)
}

/// The source of a checker such as `std::ncmp.cpp`, if the package has it.
fn standard_checker(tree: &FileTree, node: Node<'_, '_>) -> Option<Program> {
    let name = node.attribute("name")?.strip_prefix("std::")?;
    let places = [
        format!("files/{name}"),
        name.to_owned(),
        "files/check.cpp".to_owned(),
        "check.cpp".to_owned(),
    ];
    let found = places.iter().find(|place| tree.get(place).is_some())?;
    Some(Program::at(tree, found))
}

/// Whether a checker leaves its arguments to a testlib that takes `--testset` and `--group`. An
/// older one takes them for files, and fails, and so do those of other languages than C++.
pub(super) fn checker_takes_test_options(validator: &OutputValidator) -> bool {
    const LEAVES_ARGUMENTS: &str = "registerTestlibCmd";
    const TAKES: &str = "checker.setTestset(";
    let program = match validator {
        OutputValidator::Checker { program, .. } => Some(program),
        OutputValidator::Interactor { checker, .. } => checker.as_ref(),
        _ => None,
    };
    program.is_some_and(|program| {
        let contents = program.files.iter().map(|file| {
            // What can't be read is told where it is needed.
            let content = std::fs::read(&file.path).unwrap_or_default();
            let content = String::from_utf8_lossy(&content).into_owned();
            (file.name.ends_with(".h"), content)
        });
        let (headers, sources): (Vec<_>, Vec<_>) = contents.partition(|(is_header, _)| *is_header);
        let any =
            |of: &[(bool, String)], text| of.iter().any(|(_, content)| content.contains(text));
        any(&sources, LEAVES_ARGUMENTS) && (any(&headers, TAKES) || any(&sources, TAKES))
    })
}

/// What decides: the checker, or an interactor with the checker after it.
pub(super) fn output_validator(
    tree: &FileTree,
    judging: Node<'_, '_>,
    assets: Node<'_, '_>,
    headers: &[File],
) -> Result<OutputValidator, PackageError> {
    let percent = judging.attribute("treat-points-from-checker-as-percent") == Some("true");
    let protocol = CheckerProtocol::Testlib(if percent {
        CheckerPoints::Percent
    } else {
        CheckerPoints::Absolute
    });
    let Some(node) = find(assets, "interactor") else {
        let program = checker(tree, assets, headers)?;
        return Ok(OutputValidator::Checker { program, protocol });
    };
    let mut program = source(tree, node, "assets.interactor")?;
    program.files.extend(headers.iter().cloned());
    let checker = match find(assets, "checker") {
        None => None,
        Some(_) => Some(checker(tree, assets, headers)?),
    };
    Ok(OutputValidator::Interactor {
        program,
        protocol,
        checker,
    })
}

/// Files that are compiled with solutions of some languages.
pub(super) fn graders(
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

pub(super) fn solutions(
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
