//! Packages of Codeforces Polygon: problem.xml.
//!
//! Test cases are called `secret/NN`, samples `sample/NN`, and those of a group
//! `secret/GROUP/NN`, in the order of the test set.

mod generation;
mod program_tests;
mod programs;
#[cfg(test)]
mod tests;
mod testset;
mod unknown;

use std::time::Duration;

use bytesize::ByteSize;
use roxmltree::{Document, Node, ParsingOptions};

use super::error::PackageError;
use super::file_tree::FileTree;
use super::limit_bounds;
use super::model::{
    FormatVersion, InputValidatorArgs, Kind, Limits, OutputValidator, Package, Testcase,
};

pub use generation::{Generation, GenerationStep};

/// The file's name.
pub(super) const FILE: &str = "problem.xml";

/// Reads the package.
pub(super) fn read(tree: &FileTree) -> Result<Package, PackageError> {
    let text = tree.text(FILE)?.unwrap_or_default();
    let document = document(&text)?;
    let problem = document.root_element();
    let mut warnings = Vec::new();
    let judging = child(problem, "judging")?;
    refuse_files_and_runs(judging)?;
    let set = used_testset(judging, &mut warnings)?;
    unknown::find(judging, set, &mut warnings);
    let time_limit = time_limit(set)?;
    let memory = memory_limit(set)?;
    let tests = testset::tests(tree, set, &mut warnings)?;
    let testcases: Vec<Testcase> = tests.iter().map(|test| test.testcase.clone()).collect();
    let assets = child(problem, "assets")?;
    let headers = programs::resources(tree, problem);
    let limits = limits(time_limit, memory);
    let name = name(problem);
    let mut package = Package::plain(name, limits, testcases);
    package.format = FormatVersion::Polygon;
    package.content_hash = tree.content_hash()?;
    package.grading = testset::grading(set, &tests)?;
    package.output_validator = programs::output_validator(tree, judging, assets, &headers)?;
    if matches!(package.output_validator, OutputValidator::Interactor { .. }) {
        package.kind = Kind::Interactive;
    }
    if programs::checker_takes_test_options(&package.output_validator) {
        for testcase in &mut package.testcases {
            if let InputValidatorArgs::All(args) = &testcase.input_validator_args {
                testcase.output_validator_args.clone_from(args);
            }
        }
    }
    for node in listed(assets, "validators", "validator") {
        let mut validator = programs::source(tree, node, "assets.validators")?;
        validator.files.extend(headers.iter().cloned());
        package.input_validators.push(validator);
    }
    package.validator_tests = program_tests::read(tree, assets, &mut warnings)?;
    package.include = programs::graders(tree, problem)?;
    package.submissions = programs::solutions(tree, assets, &mut warnings)?;
    package.warnings = warnings;
    Ok(package)
}

fn document(text: &str) -> Result<Document<'_>, PackageError> {
    // No DTD: entities that stand for each other are a bomb.
    Document::parse_with_options(text, ParsingOptions::default())
        .map_err(|error| invalid("", format!("not XML that can be read: {error}")))
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

fn time_limit(set: Node<'_, '_>) -> Result<Duration, PackageError> {
    const KEY: &str = "time-limit";
    let limit = Duration::from_millis(number(set, KEY)?);
    let most = limit_bounds::SECONDS;
    if limit.as_secs_f64() > most {
        return Err(invalid(
            KEY,
            format!("{limit:?} is out of range: state {most} seconds at most"),
        ));
    }
    Ok(limit)
}

fn memory_limit(set: Node<'_, '_>) -> Result<ByteSize, PackageError> {
    const KEY: &str = "memory-limit";
    let bytes = number(set, KEY)?;
    let most = limit_bounds::MEMORY;
    limit_bounds::within(FILE, KEY, &bytes.to_string(), ByteSize(bytes), most)
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

fn used_testset<'a>(
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
