//! Test cases with the settings that hold for them.

use std::collections::BTreeMap;

use super::default_validator::DefaultValidatorOptions;
use super::error::PackageError;
use super::file_tree::FileTree;
use super::grader_groups::{self, GraderYaml};
use super::grading::Grading;
use super::group_scoring;
use super::model::{FormatVersion, OutputValidator, ShownOutput, StaticTest, Testcase};
use super::problem_yaml::ProblemYaml;
use super::test_config::TestConfig;
use super::test_groups::{self, GroupYaml};
use super::yaml::Section;

/// What the directory `data/` says about judging.
#[derive(Debug)]
pub(super) struct TestData {
    pub(super) testcases: Vec<Testcase>,
    pub(super) static_tests: Vec<StaticTest>,
    pub(super) grading: Grading,
}

/// Reads `data/sample` and `data/secret`.
pub(super) fn read(
    tree: &FileTree,
    problem: &ProblemYaml,
    validator: &OutputValidator,
    warnings: &mut Vec<String>,
) -> Result<TestData, PackageError> {
    let settings = Settings::read(tree, problem, validator, warnings)?;
    let mut testcases = Vec::new();
    for part in ["sample", "secret"] {
        let directory = format!("data/{part}");
        for name in names_of_testcases(tree, &directory) {
            let name = format!("{part}/{name}");
            testcases.push(testcase(
                tree, problem, &settings, &name, validator, warnings,
            )?);
        }
        find_orphans(tree, problem, &directory, warnings)?;
    }
    let (grading, static_tests) = match &settings.files {
        GroupFiles::Legacy(files) => {
            let grading = grader_groups::grading(files, problem, &testcases)?;
            (grading, Vec::new())
        }
        GroupFiles::Modern(files) => {
            group_scoring::grading(tree, files, problem, &testcases, warnings)?
        }
    };
    let has_secret = testcases.iter().any(|testcase| !testcase.is_sample());
    if !has_secret && static_tests.is_empty() {
        return Err(PackageError::NoTestcases);
    }
    Ok(TestData {
        testcases,
        static_tests,
        grading,
    })
}

/// Names of the test cases below `directory`, in the order of judging: name by
/// name, not character by character, so `a/1` comes before `a-b`.
pub(super) fn names_of_testcases<'a>(tree: &'a FileTree, directory: &str) -> Vec<&'a str> {
    let mut names: Vec<&str> = tree
        .below(directory)
        .filter(|(path, _)| !path.split('/').any(|part| part.ends_with(".files")))
        .filter_map(|(path, _)| path.strip_suffix(".in"))
        .collect();
    names.sort_by(|a, b| a.split('/').cmp(b.split('/')));
    names
}

/// The configuration files of directories.
#[derive(Debug)]
pub(super) struct Settings {
    files: GroupFiles,
    /// Whether a directory with a file inherits from the directory above.
    inherits: bool,
}

/// By directory, such as `data/secret/group1`.
#[derive(Debug)]
enum GroupFiles {
    Legacy(BTreeMap<String, GraderYaml>),
    Modern(BTreeMap<String, GroupYaml>),
}

impl Settings {
    pub(super) fn read(
        tree: &FileTree,
        problem: &ProblemYaml,
        validator: &OutputValidator,
        warnings: &mut Vec<String>,
    ) -> Result<Self, PackageError> {
        let files = if problem.format.is_legacy() {
            GroupFiles::Legacy(grader_groups::read(tree, problem, validator, warnings)?)
        } else {
            GroupFiles::Modern(test_groups::read(tree, problem, warnings)?)
        };
        Ok(Self {
            files,
            inherits: problem.format != FormatVersion::V2025_09,
        })
    }

    /// The settings that hold in `directory`. A directory without a file of its
    /// own is part of the group it lies in.
    pub(super) fn of(&self, directory: &str) -> TestConfig {
        let own = match &self.files {
            GroupFiles::Legacy(files) => files.get(directory).map(|file| &file.config),
            GroupFiles::Modern(files) => files.get(directory).map(|file| &file.config),
        };
        let above = || {
            let parent = directory.rsplit_once('/').map(|(parent, _)| parent);
            parent.map(|parent| self.of(parent)).unwrap_or_default()
        };
        match own {
            None => above(),
            Some(own) if self.inherits => own.clone().or(above()),
            Some(own) => own.clone(),
        }
    }
}

fn testcase(
    tree: &FileTree,
    problem: &ProblemYaml,
    settings: &Settings,
    name: &str,
    validator: &OutputValidator,
    warnings: &mut Vec<String>,
) -> Result<Testcase, PackageError> {
    let path = format!("data/{name}");
    let (input, answer) = (format!("{path}.in"), format!("{path}.ans"));
    let (Some(input), Some(answer)) = (tree.get(&input), tree.get(&answer)) else {
        return Err(PackageError::MissingAnswer { input, answer });
    };
    if tree.has_directory(&path) {
        let problem = "a directory with the name of a test case";
        return Err(PackageError::invalid(&path, "", problem));
    }
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let inherited = settings.of(directory);
    let modern = !problem.format.is_legacy();
    let config = if modern {
        if path.ends_with("/test_group") {
            let problem = "a test case of this name would share its file with the group: rename it";
            return Err(PackageError::invalid(&format!("{path}.in"), "", problem));
        }
        shown_files(tree, &path, warnings);
        testcase_yaml(tree, &format!("{path}.yaml"), warnings)?.or(inherited)
    } else {
        inherited
    };
    let files = format!("{path}.files");
    if !modern && tree.has_directory(&files) {
        let problem = "only newer formats give files to submissions: use 2025-09";
        return Err(PackageError::invalid(&files, "", problem));
    }
    let mut output_validator_args = problem.validator_flags.clone();
    output_validator_args.extend(config.output_validator_args.into_iter().flatten());
    check_validator_args(&path, validator, &output_validator_args)?;
    Ok(Testcase {
        name: name.to_owned(),
        input: input.to_owned(),
        answer: answer.to_owned(),
        files: tree.program_files(&files),
        args: config.args.unwrap_or_default(),
        output_validator_args,
        input_validator_args: config.input_validator_args.unwrap_or_default(),
        full_feedback: config
            .full_feedback
            .unwrap_or_else(|| name.starts_with("sample/")),
        shown_output: shown_output(tree, &path),
    })
}

/// What replaces the answer of the test case at `path` where it is shown.
fn shown_output(tree: &FileTree, path: &str) -> ShownOutput {
    if let Some(output) = tree.get(&format!("{path}.out")) {
        return ShownOutput::Output(output.to_owned());
    }
    let is_there = |ending: &&str| tree.get(&format!("{path}.{ending}")).is_some();
    let mut texts = ["ans.statement", "ans.download", "interaction"].iter();
    if texts.any(is_there) {
        ShownOutput::Text
    } else {
        ShownOutput::Answer
    }
}

/// Whether the default validator, if it is the one, understands its arguments.
pub(super) fn check_validator_args(
    path: &str,
    validator: &OutputValidator,
    args: &[String],
) -> Result<(), PackageError> {
    if !matches!(validator, OutputValidator::Default) {
        return Ok(());
    }
    DefaultValidatorOptions::parse(args)
        .map(drop)
        .map_err(|problem| PackageError::invalid(path, "output validator arguments", problem))
}

/// The settings of a single test case.
pub(super) fn testcase_yaml(
    tree: &FileTree,
    path: &str,
    warnings: &mut Vec<String>,
) -> Result<TestConfig, PackageError> {
    let mut yaml = Section::read(tree, path)?;
    let config = TestConfig::take(&mut yaml)?;
    yaml.skip(&["hint", "description"]);
    yaml.finish(warnings);
    Ok(config)
}

/// Files that replace what is shown to teams exclude each other.
fn shown_files(tree: &FileTree, path: &str, warnings: &mut Vec<String>) {
    const EXCLUSIVE: [&[&str]; 3] = [
        &["in.statement", "interaction"],
        &["out", "ans.statement", "interaction"],
        &["out", "ans.download"],
    ];
    let has = |ending: &str| tree.get(&format!("{path}.{ending}")).is_some();
    for endings in EXCLUSIVE {
        let found: Vec<&str> = endings
            .iter()
            .copied()
            .filter(|ending| has(ending))
            .collect();
        if found.len() > 1 {
            warnings.push(format!(
                "{path}: at most one of .{} may be given",
                found.join(", .")
            ));
        }
    }
}

/// A file without its input belongs to a test case that somebody believes to be
/// there.
fn find_orphans(
    tree: &FileTree,
    problem: &ProblemYaml,
    directory: &str,
    warnings: &mut Vec<String>,
) -> Result<(), PackageError> {
    let modern = !problem.format.is_legacy();
    for (path, _) in tree.below(directory) {
        let file = path.rsplit('/').next().unwrap_or(path);
        let within = path.strip_suffix(file).unwrap_or_default();
        let full = format!("{directory}/{path}");
        if let Some(name) = path.split_once(".files/").map(|(name, _)| name) {
            if modern && tree.get(&format!("{directory}/{name}.in")).is_none() {
                let problem = format!("files without a test case: add {name}.in");
                return Err(PackageError::invalid(&full, "", problem));
            }
            continue;
        }
        let Some((name, ending)) = file.split_once('.') else {
            continue;
        };
        let beside = |name: &str| format!("{directory}/{within}{name}.in");
        // The name of a test case may itself have dots.
        let stem = file.rsplit_once('.').map_or(name, |(stem, _)| stem);
        if tree.get(&beside(name)).is_some() || tree.get(&beside(stem)).is_some() {
            continue;
        }
        match ending.rsplit('.').next().unwrap_or(ending) {
            "ans" => {
                let problem = format!("an answer without its input: add {stem}.in");
                return Err(PackageError::invalid(&full, "", problem));
            }
            "yaml" if modern && !matches!(file, "test_group.yaml" | "testdata.yaml") => {
                let problem = format!("settings of a test case that is not there: add {stem}.in");
                return Err(PackageError::invalid(&full, "", problem));
            }
            "out" | "hint" | "desc" | "statement" | "download" => {
                warnings.push(format!("{full}: belongs to no test case and is ignored"));
            }
            _ => {}
        }
    }
    Ok(())
}
