//! Problems of DMOJ: init.yml.
//!
//! Test cases are called `secret/NN`, those of a batch `secret/batchN/NN`, and
//! pretests `secret/pretest-NN`. init.yml knows neither limits nor submissions: the
//! time limit comes from `.timelimit` or `domjudge-problem.ini`, and submissions lie
//! below `submissions/` as in packages of ICPC.

mod cases;
mod checker;
mod data;
mod pattern;
mod scoring;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use bytesize::ByteSize;

use super::error::PackageError;
use super::file_tree::FileTree;
use super::model::{FormatVersion, Kind, OutputValidator, Package};
use super::problem_yaml::StatedLimits;
use super::yaml::Section;
use super::yaml_value::Value;
use super::{limit_bounds, read, submissions, time_limit};
use data::Data;

/// The file's name.
pub(super) const FILE: &str = "init.yml";

/// What a case writes at most where init.yml does not say.
const OUTPUT_LIMIT: ByteSize = ByteSize(25_165_824);

/// Keys that ask for what a package here can't have, with what they ask for.
const REFUSED: [(&str, &str); 7] = [
    ("custom_judge", "a grader in Python"),
    (
        "signature_grader",
        "a grader that is compiled with submissions",
    ),
    ("generator", "making test cases by a program"),
    ("generator_args", "making test cases by a program"),
    ("symlinks", "links in the directory of a submission"),
    ("io_redirects", "redirecting files to descriptors"),
    (
        "file_io",
        "reading the input from a file, or writing the output to one,",
    ),
];

/// Keys that are about how programs are run there, with why they mean nothing here.
const IGNORED: [(&str, &str); 3] = [
    (
        "wall_time_factor",
        "the wall limit is twice the time limit and a second",
    ),
    ("unbuffered", "submissions write to a pipe, or flush"),
    (
        "short_circuit",
        "how far to judge is for the contest to say, and changes no verdict",
    ),
];

/// Warns of the keys that are stated.
fn ignore(yaml: &mut Section, keys: &[(&str, &str)], warnings: &mut Vec<String>) {
    for (key, why) in keys {
        if yaml.take(key).is_some() {
            warnings.push(yaml.ignored(key, why));
        }
    }
}

/// Refuses what a section of init.yml asks for in vain.
fn refuse(yaml: &mut Section) -> Result<(), PackageError> {
    for (key, feature) in REFUSED {
        let is_empty = |value: &Value| match value {
            Value::Map(entries) => entries.is_empty(),
            Value::List(items) => items.is_empty(),
            _ => false,
        };
        if yaml.take(key).is_some_and(|value| !is_empty(&value)) {
            return Err(yaml.unsupported(key, feature));
        }
    }
    Ok(())
}

/// Reads the problem in the directory `root`; `provisional` is the time limit where
/// none is stated.
pub(super) fn read(
    root: &Path,
    tree: &FileTree,
    provisional: Option<Duration>,
) -> Result<Package, PackageError> {
    let mut warnings = Vec::new();
    let mut yaml = Section::read(tree, FILE)?;
    refuse(&mut yaml)?;
    // They are about what a site shows.
    yaml.skip(&["output_prefix_length", "hints", "meta"]);
    ignore(&mut yaml, &IGNORED, &mut warnings);
    let stated = time_limit::find(tree, None, &mut warnings)?;
    let time_limit = stated.or(provisional).ok_or(PackageError::NoTimeLimit)?;
    let mut limits = StatedLimits {
        output: Some(
            yaml.size("output_limit_length", 1, limit_bounds::OUTPUT)?
                .unwrap_or(OUTPUT_LIMIT),
        ),
        ..StatedLimits::default()
    };
    let mut data = Data::open(tree, yaml.string("archive")?)?;
    let items = cases::read(&mut yaml, &data, &mut warnings)?;
    let interactor = checker::interactor(tree, &mut yaml, &mut limits, &mut warnings)?;
    let output_validator = match (interactor, yaml.take("checker")) {
        (Some(interactor), checker) => {
            if checker.is_some() {
                warnings.push(yaml.ignored("checker", "the interactor decides"));
            }
            interactor
        }
        (None, checker) => checker::checker(tree, &yaml, checker, &mut limits, &mut warnings)?,
    };
    let limits = read::limits(time_limit, &limits);
    yaml.finish(&mut warnings);
    let (testcases, grading) = scoring::grading(&items, &mut data)?;
    let mut package = Package::plain(read::directory_name(root), limits, testcases);
    package.format = FormatVersion::Dmoj;
    package.timing.time_limit_is_stated = stated.is_some();
    if matches!(output_validator, OutputValidator::Interactor { .. }) {
        package.kind = Kind::Interactive;
    }
    package.output_validator = output_validator;
    package.submissions = submissions::read(tree, false, &grading, &mut warnings)?;
    package.grading = grading;
    package.content_hash = tree.content_hash()?;
    package.unpacked = data.into_directory();
    package.warnings = warnings;
    Ok(package)
}
