//! Reading a package directory into the model.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use bytesize::ByteSize;

use super::error::PackageError;
use super::file_tree::FileTree;
use super::model::{File, FormatVersion, Kind, Limits, OutputValidator, Package, Program};
use super::problem_yaml::{self, ProblemYaml, StatedLimits};
use super::{submissions, testdata, time_limit};

impl Package {
    /// Reads the package in the directory `root`.
    ///
    /// # Errors
    /// When it is broken, or asks for something that is not supported; the
    /// error names file and key.
    pub fn read(root: &Path) -> Result<Self, PackageError> {
        let tree = FileTree::read(root)?;
        if tree.get(problem_yaml::FILE).is_none() {
            return Err(PackageError::NotAPackage {
                path: root.to_owned(),
            });
        }
        let mut warnings: Vec<String> = tree
            .ignored
            .iter()
            // Hidden files are hidden on purpose.
            .filter(|path| !path.split('/').any(|name| name.starts_with('.')))
            .map(|path| format!("{path}: ignored, its name is not allowed by the format"))
            .collect();
        let problem = ProblemYaml::read(&tree, &mut warnings)?;
        refuse_unsupported_parts(&tree, &problem)?;
        let limits = limits(&tree, &problem.limits, &mut warnings)?;
        let output_validator = output_validator(&tree, &problem, &mut warnings)?;
        let testcases = testdata::read(&tree, &problem, &output_validator, &mut warnings)?;
        Ok(Self {
            content_hash: tree.content_hash()?,
            submissions: submissions::read(&tree, problem.format, &mut warnings)?,
            input_validators: input_validators(&tree),
            include: include(&tree),
            name: problem.name.unwrap_or_else(|| directory_name(root)),
            format: problem.format,
            kind: problem.kind,
            languages: problem.languages,
            limits,
            testcases,
            output_validator,
            warnings,
        })
    }
}

fn directory_name(root: &Path) -> String {
    let canonical = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    canonical.file_name().map_or_else(
        || "problem".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

fn refuse_unsupported_parts(tree: &FileTree, problem: &ProblemYaml) -> Result<(), PackageError> {
    if tree.has_directory("static_validator") {
        return Err(PackageError::unsupported(
            "static_validator/",
            "",
            "a static validator",
        ));
    }
    if problem.draft {
        // Groups and their keys were renamed and inherit differently since.
        let grouped = tree.iter().find(|(path, _)| {
            path.starts_with("data/")
                && (path.ends_with("/testdata.yaml") || path.ends_with("/test_group.yaml"))
        });
        if let Some((path, _)) = grouped {
            return Err(PackageError::unsupported(
                path,
                "",
                "test data configuration in the 2023-07-draft format",
            ));
        }
    }
    Ok(())
}

/// Where a limit is not stated, the format's typical system default holds.
fn limits(
    tree: &FileTree,
    stated: &StatedLimits,
    warnings: &mut Vec<String>,
) -> Result<Limits, PackageError> {
    const DEFAULT_TIME: Duration = Duration::from_secs(60);
    let default_memory = ByteSize::mib(2048);
    let default_output = ByteSize::mib(8);
    Ok(Limits {
        time_limit: time_limit::find(tree, stated.time_limit, warnings)?,
        memory: stated.memory.unwrap_or(default_memory),
        output: stated.output.unwrap_or(default_output),
        code: stated.code.unwrap_or(ByteSize::kib(128)),
        compilation_time: stated.compilation_time.unwrap_or(DEFAULT_TIME),
        compilation_memory: stated.compilation_memory.unwrap_or(default_memory),
        validation_time: stated.validation_time.unwrap_or(DEFAULT_TIME),
        validation_memory: stated.validation_memory.unwrap_or(default_memory),
        validation_output: stated.validation_output.unwrap_or(default_output),
    })
}

fn program(tree: &FileTree, path: &str) -> Program {
    Program {
        name: path.to_owned(),
        files: tree.program_files(path),
        language: None,
        entry_point: None,
    }
}

fn output_validator(
    tree: &FileTree,
    problem: &ProblemYaml,
    warnings: &mut Vec<String>,
) -> Result<OutputValidator, PackageError> {
    let directory = match problem.format {
        FormatVersion::Legacy | FormatVersion::LegacyIcpc => "output_validators",
        FormatVersion::V2025_09 => "output_validator",
    };
    let entries = tree.children(directory);
    if problem.custom_validator == Some(false) {
        if !entries.is_empty() {
            warnings.push(format!(
                "{directory}/: unused, as problem.yaml says `validation: default`"
            ));
        }
        return Ok(OutputValidator::Default);
    }
    let mut entries = entries.into_iter();
    let path = match (entries.next(), entries.next()) {
        (Some(only), None) => format!("{directory}/{only}"),
        // In 2025-09 the directory itself may be the program.
        (Some(_), Some(_)) if problem.format == FormatVersion::V2025_09 => directory.to_owned(),
        (Some(_), Some(_)) => {
            let feature =
                "more than one output validator (put the files of one program into a directory)";
            return Err(PackageError::unsupported(
                &format!("{directory}/"),
                "",
                feature,
            ));
        }
        (None, _)
            if problem.custom_validator == Some(true) || problem.kind == Kind::Interactive =>
        {
            return Err(PackageError::invalid(
                problem_yaml::FILE,
                if problem.custom_validator.is_some() {
                    "validation"
                } else {
                    "type"
                },
                format!("needs an output validator: put it into {directory}/"),
            ));
        }
        (None, _) => return Ok(OutputValidator::Default),
    };
    let program = program(tree, &path);
    if let Some(script) = program
        .files
        .iter()
        .find(|file| matches!(file.name.as_str(), "build" | "run"))
    {
        let file = format!("{path}/{}", script.name);
        return Err(PackageError::unsupported(
            &file,
            "",
            "a validator with build and run scripts",
        ));
    }
    Ok(OutputValidator::Custom(program))
}

fn input_validators(tree: &FileTree) -> Vec<Program> {
    ["input_validators", "input_format_validators"]
        .into_iter()
        .flat_map(|directory| {
            tree.children(directory)
                .into_iter()
                .map(move |name| format!("{directory}/{name}"))
        })
        .map(|path| program(tree, &path))
        .collect()
}

fn include(tree: &FileTree) -> BTreeMap<String, Vec<File>> {
    tree.children("include")
        .into_iter()
        .map(|language| {
            (
                language.to_owned(),
                tree.program_files(&format!("include/{language}")),
            )
        })
        .collect()
}
