//! Tests of validators and of the checker: what they must say of certain inputs and
//! outputs.

use std::path::PathBuf;

use roxmltree::Node;

use super::super::error::PackageError;
use super::super::file_tree::FileTree;
use super::super::model::{ValidatorTest, ValidatorTestKind};
use super::testset::{numbered, pattern, validator_args};
use super::{FILE, find, listed};

/// All of them. A test whose files are not in the package is left out with a warning.
pub(super) fn read(
    tree: &FileTree,
    assets: Node<'_, '_>,
    warnings: &mut Vec<String>,
) -> Result<Vec<ValidatorTest>, PackageError> {
    let mut tests = Vec::new();
    for validator in listed(assets, "validators", "validator") {
        if let Some(set) = find(validator, "testset") {
            of_validator(tree, set, &mut tests, warnings)?;
        }
    }
    let checker = find(assets, "checker");
    if let Some(set) = checker.and_then(|checker| find(checker, "testset")) {
        of_checker(tree, set, &mut tests, warnings)?;
    }
    Ok(tests)
}

fn of_validator(
    tree: &FileTree,
    set: Node<'_, '_>,
    tests: &mut Vec<ValidatorTest>,
    warnings: &mut Vec<String>,
) -> Result<(), PackageError> {
    for (number, node) in numbered_tests(set) {
        let name = format!("validator-tests/{number:02}");
        let of = match node.attribute("verdict").unwrap_or_default() {
            "valid" => ValidatorTestKind::ValidInput,
            "invalid" => ValidatorTestKind::InvalidInput,
            other => {
                warnings.push(not_run(&name, &format!("verdict {other:?} is not known")));
                continue;
            }
        };
        let Some(input) = file(tree, set, "input-path-pattern", number, &name, warnings)? else {
            continue;
        };
        let group = node.attribute("group");
        let args = validator_args(node.attribute("testset"), group);
        tests.push(ValidatorTest {
            name,
            input,
            files: Vec::new(),
            args: Vec::new(),
            input_validator_args: args,
            of,
        });
    }
    Ok(())
}

fn of_checker(
    tree: &FileTree,
    set: Node<'_, '_>,
    tests: &mut Vec<ValidatorTest>,
    warnings: &mut Vec<String>,
) -> Result<(), PackageError> {
    for (number, node) in numbered_tests(set) {
        let name = format!("checker-tests/{number:02}");
        let valid = match node.attribute("verdict").unwrap_or_default() {
            "ok" => true,
            "wrong-answer" | "presentation-error" => false,
            other => {
                let why = format!("verdict {other:?} is neither right nor wrong");
                warnings.push(not_run(&name, &why));
                continue;
            }
        };
        let mut file = |key| file(tree, set, key, number, &name, warnings);
        let input = file("input-path-pattern")?;
        let output = file("output-path-pattern")?;
        let answer = file("answer-path-pattern")?;
        let (Some(input), Some(output), Some(answer)) = (input, output, answer) else {
            continue;
        };
        let args = Vec::new();
        tests.push(ValidatorTest {
            name,
            input,
            files: Vec::new(),
            args: Vec::new(),
            input_validator_args: validator_args(None, None),
            of: ValidatorTestKind::Output {
                answer,
                output,
                args,
                valid,
            },
        });
    }
    Ok(())
}

fn numbered_tests<'a>(set: Node<'a, 'a>) -> impl Iterator<Item = (usize, Node<'a, 'a>)> {
    (1..).zip(listed(set, "tests", "test"))
}

/// The file of the test that the pattern `key` says; a warning if it is not there.
fn file(
    tree: &FileTree,
    set: Node<'_, '_>,
    key: &str,
    number: usize,
    name: &str,
    warnings: &mut Vec<String>,
) -> Result<Option<PathBuf>, PackageError> {
    let path = numbered(&pattern(set, key)?, number)?;
    let found = tree.get(&path).map(ToOwned::to_owned);
    if found.is_none() {
        let why = format!("{path} is missing, export the full package");
        warnings.push(not_run(name, &why));
    }
    Ok(found)
}

fn not_run(name: &str, why: &str) -> String {
    format!("{FILE}: {name} is not run: {why}")
}
