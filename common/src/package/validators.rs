//! The programs of a package that judge: validators of inputs, outputs and
//! sources.

use super::error::PackageError;
use super::file_tree::FileTree;
use super::model::{
    InputValidatorArgs, Kind, OutputValidator, Package, Program, StaticTest, StaticValidator,
    UnsupportedProgram,
};
use super::problem_yaml::{self, ProblemYaml};
use super::test_config::is_called;

impl Program {
    /// The program at `path`: a file, or a directory with several.
    pub(super) fn at(tree: &FileTree, path: &str) -> Self {
        Self {
            name: path.to_owned(),
            files: tree.program_files(path),
            language: None,
            entry_point: None,
        }
    }
}

/// What decides on outputs.
pub(super) fn output_validator(
    tree: &FileTree,
    problem: &ProblemYaml,
    warnings: &mut Vec<String>,
) -> Result<OutputValidator, PackageError> {
    let legacy = problem.format.is_legacy();
    let directory = if legacy {
        "output_validators"
    } else {
        "output_validator"
    };
    if problem.custom_validator == Some(false) {
        if tree.has_directory(directory) {
            warnings.push(format!(
                "{directory}/: unused, as problem.yaml says `validation: default`"
            ));
        }
        return Ok(OutputValidator::Default);
    }
    let mut programs = if legacy {
        legacy_programs(tree, directory, problem.kind)?
    } else {
        single_program(tree, directory).into_iter().collect()
    };
    for program in &programs {
        refuse_scripts(program)?;
    }
    match programs.pop() {
        Some(only) if programs.is_empty() => Ok(OutputValidator::Custom(only)),
        Some(last) => {
            programs.push(last);
            Ok(OutputValidator::Several(programs))
        }
        None => {
            let needed_by = if problem.custom_validator.is_some() {
                Some("validation")
            } else if problem.kind == Kind::Interactive || problem.passes > 1 {
                Some("type")
            } else {
                None
            };
            let missing = |key| {
                let problem = format!("needs an output validator: put it into {directory}/");
                PackageError::invalid(problem_yaml::FILE, key, problem)
            };
            needed_by.map_or(Ok(OutputValidator::Default), |key| Err(missing(key)))
        }
    }
}

/// What decides on sources, with what it is asked.
pub(super) fn static_validator(
    tree: &FileTree,
    problem: &ProblemYaml,
    tests: Vec<StaticTest>,
    warnings: &mut Vec<String>,
) -> Result<Option<StaticValidator>, PackageError> {
    const DIRECTORY: &str = "static_validator";
    let Some(program) = single_program(tree, DIRECTORY) else {
        return Ok(None);
    };
    let file = format!("{DIRECTORY}/");
    if problem.format.is_legacy() {
        warnings.push(format!("{file}: not part of legacy formats and ignored"));
        return Ok(None);
    }
    if problem.kind == Kind::SubmitAnswer {
        let problem = "there are no sources to look at in a submit-answer problem";
        return Err(PackageError::invalid(&file, "", problem));
    }
    if tests.is_empty() {
        warnings.push(format!(
            "{file}: unused, as no test_group.yaml has `static_validation_score`"
        ));
        return Ok(None);
    }
    refuse_scripts(&program)?;
    Ok(Some(StaticValidator { program, tests }))
}

/// What checks the inputs, and what would but can't be run here. As these programs take
/// no part in judging, that is a warning until the package is verified.
pub(super) fn input_validators(
    tree: &FileTree,
    warnings: &mut Vec<String>,
) -> (Vec<Program>, Vec<UnsupportedProgram>) {
    let mut programs = Vec::new();
    let mut unsupported = Vec::new();
    for directory in ["input_validators", "input_format_validators"] {
        for name in tree.children(directory) {
            let path = format!("{directory}/{name}");
            let program = Program::at(tree, &path);
            let reason = if name.ends_with(".ctd") || name.ends_with(".viva") {
                "Checktestdata and VIVA files are not supported"
            } else if has_scripts(&program) {
                "build and run scripts are not supported"
            } else if matches!(name, "README" | "README.md" | "README.txt") {
                continue;
            } else {
                programs.push(program);
                continue;
            };
            warnings.push(format!("{path}: inputs are not checked by it, {reason}"));
            unsupported.push(UnsupportedProgram { name: path, reason });
        }
    }
    (programs, unsupported)
}

/// Warns of arguments for input validators that are not there.
pub(super) fn find_arguments_for_nobody(package: &mut Package) {
    let programs = package.input_validators.iter().map(|it| it.name.as_str());
    let unsupported = package.unsupported_input_validators.iter();
    let known: Vec<&str> = programs
        .chain(unsupported.map(|it| it.name.as_str()))
        .collect();
    let testcases = package.testcases.iter();
    let tests = package.validator_tests.iter();
    let stated = testcases
        .map(|it| (&it.name, &it.input_validator_args))
        .chain(tests.map(|it| (&it.name, &it.input_validator_args)));
    let mut found: Vec<(&str, String)> = Vec::new();
    for (testcase, args) in stated {
        let InputValidatorArgs::ByName(by_name) = args else {
            continue;
        };
        for name in by_name.keys() {
            let is_there = known.iter().any(|program| is_called(program, name));
            // What a group says of all its test cases is said once.
            if !is_there && !found.iter().any(|(other, _)| other == name) {
                let warning = format!(
                    "{testcase}: has arguments for the input validator {name:?}, which is not there"
                );
                found.push((name, warning));
            }
        }
    }
    let warnings: Vec<String> = found.into_iter().map(|(_, warning)| warning).collect();
    package.warnings.extend(warnings);
}

/// The program in `directory`: its only entry, or the directory itself.
fn single_program(tree: &FileTree, directory: &str) -> Option<Program> {
    let mut entries = tree.children(directory).into_iter();
    match (entries.next(), entries.next()) {
        (None, _) => None,
        (Some(only), None) => Some(Program::at(tree, &format!("{directory}/{only}"))),
        (Some(_), Some(_)) => Some(Program::at(tree, directory)),
    }
}

/// The programs in `directory`, each a file or a directory.
fn legacy_programs(
    tree: &FileTree,
    directory: &str,
    kind: Kind,
) -> Result<Vec<Program>, PackageError> {
    let entries: Vec<String> = tree
        .children(directory)
        .into_iter()
        .map(|name| format!("{directory}/{name}"))
        .collect();
    let several = entries.len() > 1;
    if several && kind == Kind::Interactive {
        let feature = "more than one validator that talks to the submission";
        return Err(PackageError::unsupported(
            &format!("{directory}/"),
            "",
            feature,
        ));
    }
    let part = |path: &&String| {
        let ending = path.rsplit('.').next().unwrap_or_default();
        matches!(ending, "h" | "hpp" | "hh" | "md" | "txt") && tree.get(path).is_some()
    };
    if let Some(part) = entries.iter().find(part).filter(|_| several) {
        let problem = "not a program by itself: put the files of one program into a directory";
        return Err(PackageError::invalid(part, "", problem));
    }
    Ok(entries.iter().map(|path| Program::at(tree, path)).collect())
}

fn has_scripts(program: &Program) -> bool {
    let is_script = |name: &str| matches!(name, "build" | "run");
    program.files.iter().any(|file| is_script(&file.name))
}

fn refuse_scripts(program: &Program) -> Result<(), PackageError> {
    if !has_scripts(program) {
        return Ok(());
    }
    let feature = "a validator with build and run scripts";
    Err(PackageError::unsupported(&program.name, "", feature))
}
