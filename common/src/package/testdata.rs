//! Test cases and the configuration of their groups.

use std::collections::BTreeMap;

use serde_json::Value;

use super::default_validator::DefaultValidatorOptions;
use super::error::PackageError;
use super::file_tree::FileTree;
use super::model::{FormatVersion, OutputValidator, Testcase};
use super::problem_yaml::ProblemYaml;
use super::yaml::Section;

/// Arguments as a group or test case sets them; `None` where it is silent.
#[derive(Debug, Clone, Default)]
struct Arguments {
    submission: Option<Vec<String>>,
    output_validator: Option<Vec<String>>,
}

/// All test cases in the order they are judged in.
pub(super) fn read(
    tree: &FileTree,
    problem: &ProblemYaml,
    validator: &OutputValidator,
    warnings: &mut Vec<String>,
) -> Result<Vec<Testcase>, PackageError> {
    if problem.format == FormatVersion::V2025_09 {
        check_groups(tree)?;
    }
    let mut reader = Reader {
        tree,
        problem,
        groups: BTreeMap::new(),
    };
    let mut testcases = Vec::new();
    for part in ["sample", "secret"] {
        let directory = format!("data/{part}");
        let mut names: Vec<&str> = tree
            .below(&directory)
            .filter_map(|(path, _)| path.strip_suffix(".in"))
            .collect();
        // Name by name, not character by character: `a/1` comes before `a-b`.
        names.sort_by(|a, b| a.split('/').cmp(b.split('/')));
        if part == "secret" && names.is_empty() {
            return Err(PackageError::NoTestcases);
        }
        for name in names {
            testcases.push(reader.testcase(&format!("{part}/{name}"), validator, warnings)?);
        }
        find_orphans(tree, &directory, warnings)?;
    }
    Ok(testcases)
}

struct Reader<'a> {
    tree: &'a FileTree,
    problem: &'a ProblemYaml,
    /// Arguments of each directory seen, with what it inherits.
    groups: BTreeMap<String, Arguments>,
}

impl Reader<'_> {
    fn testcase(
        &mut self,
        name: &str,
        validator: &OutputValidator,
        warnings: &mut Vec<String>,
    ) -> Result<Testcase, PackageError> {
        let path = format!("data/{name}");
        let (input, answer) = (format!("{path}.in"), format!("{path}.ans"));
        let (Some(input), Some(answer)) = (self.tree.get(&input), self.tree.get(&answer)) else {
            return Err(PackageError::MissingAnswer { input, answer });
        };
        if self.tree.has_directory(&path) {
            return Err(PackageError::invalid(
                &path,
                "",
                "a directory with the name of a test case",
            ));
        }
        if self.tree.has_directory(&format!("{path}.files")) {
            return Err(PackageError::unsupported(
                &format!("{path}.files"),
                "",
                "a test case with input files",
            ));
        }
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        let mut arguments = self.group(directory, warnings)?;
        if self.problem.format == FormatVersion::V2025_09 {
            let own = testcase_yaml(self.tree, &format!("{path}.yaml"), warnings)?;
            arguments.submission = own.submission.or(arguments.submission);
            arguments.output_validator = own.output_validator.or(arguments.output_validator);
        }
        let mut output_validator_args = self.problem.validator_flags.clone();
        output_validator_args.extend(arguments.output_validator.into_iter().flatten());
        if matches!(validator, OutputValidator::Default) {
            DefaultValidatorOptions::parse(&output_validator_args).map_err(|problem| {
                PackageError::invalid(&path, "output validator arguments", problem)
            })?;
        }
        Ok(Testcase {
            name: name.to_owned(),
            input: input.to_owned(),
            answer: answer.to_owned(),
            args: arguments.submission.unwrap_or_default(),
            output_validator_args,
        })
    }

    /// The arguments that hold in a directory below `data/`.
    fn group(
        &mut self,
        directory: &str,
        warnings: &mut Vec<String>,
    ) -> Result<Arguments, PackageError> {
        if let Some(known) = self.groups.get(directory) {
            return Ok(known.clone());
        }
        let inherited = match directory.rsplit_once('/') {
            Some((parent, _)) => self.group(parent, warnings)?,
            None => Arguments::default(),
        };
        let arguments = match self.problem.format {
            FormatVersion::Legacy | FormatVersion::LegacyIcpc => {
                let own = legacy_group(self.tree, &format!("{directory}/testdata.yaml"), warnings)?;
                Arguments {
                    submission: None,
                    output_validator: own.output_validator.or(inherited.output_validator),
                }
            }
            FormatVersion::V2025_09 => {
                let file = format!("{directory}/test_group.yaml");
                // A group inherits nothing from `secret`; a plain directory is
                // part of the group it lies in.
                if self.tree.get(&file).is_some() {
                    test_group(self.tree, &file, warnings)?
                } else {
                    inherited
                }
            }
        };
        self.groups.insert(directory.to_owned(), arguments.clone());
        Ok(arguments)
    }
}

fn testcase_yaml(
    tree: &FileTree,
    path: &str,
    warnings: &mut Vec<String>,
) -> Result<Arguments, PackageError> {
    let mut yaml = Section::read(tree, path)?;
    let arguments = take_arguments(&mut yaml)?;
    yaml.skip(&["hint", "description"]);
    yaml.finish(warnings);
    Ok(arguments)
}

fn test_group(
    tree: &FileTree,
    path: &str,
    warnings: &mut Vec<String>,
) -> Result<Arguments, PackageError> {
    let mut yaml = Section::read(tree, path)?;
    for key in ["max_score", "score_aggregation", "require_pass"] {
        if yaml.take(key).is_some() {
            return Err(yaml.unsupported(key, "scoring"));
        }
    }
    for key in ["static_validation_score", "static_validator_args"] {
        if yaml.take(key).is_some() {
            return Err(yaml.unsupported(key, "a static validator"));
        }
    }
    let arguments = take_arguments(&mut yaml)?;
    yaml.finish(warnings);
    Ok(arguments)
}

fn take_arguments(yaml: &mut Section) -> Result<Arguments, PackageError> {
    yaml.skip(&[
        "input_validator_args",
        "input_visualizer_args",
        "output_visualizer_args",
        "full_feedback",
    ]);
    Ok(Arguments {
        submission: yaml.strings("args")?,
        output_validator: yaml.strings("output_validator_args")?,
    })
}

fn legacy_group(
    tree: &FileTree,
    path: &str,
    warnings: &mut Vec<String>,
) -> Result<Arguments, PackageError> {
    let mut yaml = Section::read(tree, path)?;
    yaml.skip(&["input_validator_flags"]);
    match yaml.string("on_reject")?.as_deref() {
        None | Some("break") => {}
        Some("continue") => return Err(yaml.unsupported("on_reject", "judging on after a failure")),
        Some(_) => return Err(yaml.invalid("on_reject", "expected `break` or `continue`")),
    }
    if yaml
        .string("grading")?
        .is_some_and(|grading| grading != "default")
    {
        return Err(yaml.unsupported("grading", "a custom grader"));
    }
    let grader_flags = yaml.string("grader_flags")?.unwrap_or_default();
    // With judging that stops at the first failure, both of these mean that it
    // decides.
    if let Some(flag) = grader_flags
        .split_whitespace()
        .find(|flag| !matches!(*flag, "first_error" | "worst_error"))
    {
        return Err(yaml.unsupported("grader_flags", format!("the grader flag {flag}")));
    }
    for key in ["accept_score", "reject_score", "range"] {
        if yaml.take(key).is_some() {
            return Err(yaml.unsupported(key, "scoring"));
        }
    }
    let flags = match yaml.take("output_validator_flags") {
        None => None,
        Some(Value::String(flags)) => Some(flags),
        Some(Value::Object(map)) => map.get("flags").and_then(Value::as_str).map(str::to_owned),
        Some(_) => return Err(yaml.invalid("output_validator_flags", "expected a string")),
    };
    yaml.finish(warnings);
    Ok(Arguments {
        submission: None,
        output_validator: flags.map(|flags| flags.split_whitespace().map(str::to_owned).collect()),
    })
}

/// The rules of 2025-09 on where groups and test cases may be.
fn check_groups(tree: &FileTree) -> Result<(), PackageError> {
    let groups: Vec<&str> = tree
        .below("data/secret")
        .filter_map(|(path, _)| path.strip_suffix("/test_group.yaml"))
        .collect();
    if groups.is_empty() {
        return Ok(());
    }
    if let Some(nested) = groups.iter().find(|group| group.contains('/')) {
        let file = format!("data/secret/{nested}/test_group.yaml");
        return Err(PackageError::invalid(
            &file,
            "",
            "a test group inside another: groups lie directly in data/secret",
        ));
    }
    for (path, _) in tree
        .below("data/secret")
        .filter(|(path, _)| path.ends_with(".in"))
    {
        let group = path.split_once('/').map(|(group, _)| group);
        if group.is_none_or(|group| !groups.contains(&group)) {
            let problem = "a test case outside all groups: with groups, every test case must be in one \
                           (a directory with a test_group.yaml)";
            return Err(PackageError::invalid(
                &format!("data/secret/{path}"),
                "",
                problem,
            ));
        }
    }
    Ok(())
}

/// An answer without its input is a test case somebody believes to be there.
fn find_orphans(
    tree: &FileTree,
    directory: &str,
    warnings: &mut Vec<String>,
) -> Result<(), PackageError> {
    for (path, _) in tree.below(directory) {
        let Some((name, ending)) = path.rsplit_once('.') else {
            continue;
        };
        let has_input = tree.get(&format!("{directory}/{name}.in")).is_some();
        match ending {
            "ans" if !has_input => {
                let file = format!("{directory}/{path}");
                return Err(PackageError::invalid(
                    &file,
                    "",
                    format!("an answer without its input: add {name}.in"),
                ));
            }
            "out" | "hint" | "desc" if !has_input => {
                warnings.push(format!(
                    "{directory}/{path}: belongs to no test case and is ignored"
                ));
            }
            _ => {}
        }
    }
    Ok(())
}
