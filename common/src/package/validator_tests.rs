//! Tests of the validators: `data/invalid_input`, `data/invalid_output` and
//! `data/valid_output`.

use super::error::PackageError;
use super::file_tree::FileTree;
use super::model::{OutputValidator, ValidatorTest, ValidatorTestKind};
use super::problem_yaml::ProblemYaml;
use super::testdata::{Settings, check_validator_args, names_of_testcases, testcase_yaml};

/// The directories with what their tests are about.
const DIRECTORIES: [(&str, Tested); 3] = [
    ("invalid_input", Tested::Input),
    ("invalid_output", Tested::Output { valid: false }),
    ("valid_output", Tested::Output { valid: true }),
];

#[derive(Debug, Clone, Copy)]
enum Tested {
    Input,
    Output { valid: bool },
}

/// All of them.
pub(super) fn read(
    tree: &FileTree,
    problem: &ProblemYaml,
    validator: &OutputValidator,
    warnings: &mut Vec<String>,
) -> Result<Vec<ValidatorTest>, PackageError> {
    let known = |name: &str| {
        matches!(
            name,
            "sample" | "secret" | "testdata.yaml" | "test_group.yaml"
        ) || DIRECTORIES.iter().any(|(directory, _)| *directory == name)
    };
    for name in tree.children("data") {
        if !known(name) {
            warnings.push(format!("data/{name}: not part of the format and ignored"));
        }
    }
    // Tests are often written without a settings file of their own: those that
    // are read again here have been warned about.
    let settings = Settings::read(tree, problem, validator, &mut Vec::new())?;
    let mut tests = Vec::new();
    for (directory, tested) in DIRECTORIES {
        for name in names_of_testcases(tree, &format!("data/{directory}")) {
            let path = format!("data/{directory}/{name}");
            let within = path.rsplit_once('/').map_or("", |(within, _)| within);
            let own = testcase_yaml(tree, &format!("{path}.yaml"), warnings)?;
            let config = own.or(settings.of(within));
            let file = |ending: &str| {
                let missing = format!("{path}.{ending}");
                tree.get(&missing).map(ToOwned::to_owned).ok_or_else(|| {
                    PackageError::invalid(&missing, "", "missing beside the .in file: add it")
                })
            };
            let mut output_args = problem.validator_flags.clone();
            output_args.extend(config.output_validator_args.into_iter().flatten());
            let of = match tested {
                Tested::Input => ValidatorTestKind::InvalidInput,
                Tested::Output { valid } => {
                    check_validator_args(&path, validator, &output_args)?;
                    ValidatorTestKind::Output {
                        answer: file("ans")?,
                        output: file("out")?,
                        args: output_args,
                        valid,
                    }
                }
            };
            tests.push(ValidatorTest {
                name: format!("{directory}/{name}"),
                input: file("in")?,
                files: tree.program_files(&format!("{path}.files")),
                args: config.args.unwrap_or_default(),
                input_validator_args: config.input_validator_args.unwrap_or_default(),
                of,
            });
        }
    }
    Ok(tests)
}
