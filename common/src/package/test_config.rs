//! Settings of test cases, as a directory or a test case makes them.

use super::error::PackageError;
use super::model::InputValidatorArgs;
use super::yaml::{Section, list_of_strings};
use super::yaml_value::Value;

/// What a file says about test cases; `None` where it is silent.
#[derive(Debug, Clone, Default)]
pub(super) struct TestConfig {
    pub(super) args: Option<Vec<String>>,
    pub(super) output_validator_args: Option<Vec<String>>,
    pub(super) input_validator_args: Option<InputValidatorArgs>,
    pub(super) full_feedback: Option<bool>,
}

impl TestConfig {
    /// Takes the keys that test groups and test cases have in common since
    /// 2023-07-draft.
    pub(super) fn take(yaml: &mut Section) -> Result<Self, PackageError> {
        // Visualizers are for people who prepare problems.
        yaml.skip(&["input_visualizer_args", "output_visualizer_args"]);
        Ok(Self {
            args: yaml.strings("args")?,
            output_validator_args: yaml.strings("output_validator_args")?,
            input_validator_args: input_validator_args(yaml)?,
            full_feedback: yaml.boolean("full_feedback")?,
        })
    }

    /// Takes the keys of legacy test groups. The text calls a string there the
    /// name of a validator in one place and flags in others; every judge takes it
    /// for flags.
    pub(super) fn take_legacy(
        yaml: &mut Section,
        output_validator: Option<&str>,
    ) -> Result<Self, PackageError> {
        const INPUT: &str = "input_validator_flags";
        const OUTPUT: &str = "output_validator_flags";
        let input_validator_args = legacy_flags(yaml, INPUT)?.map(|flags| match flags {
            (None, args) => InputValidatorArgs::All(args),
            (Some(name), args) => InputValidatorArgs::ByName([(name, args)].into()),
        });
        let output_validator_args = match legacy_flags(yaml, OUTPUT)? {
            None => None,
            Some((Some(name), _))
                if output_validator.is_none_or(|only| !is_called(only, &name)) =>
            {
                let problem = format!(
                    "names the validator {name:?}, which is not the only one of the package"
                );
                return Err(yaml.invalid(OUTPUT, problem));
            }
            Some((_, args)) => Some(args),
        };
        Ok(Self {
            args: None,
            output_validator_args,
            input_validator_args,
            full_feedback: None,
        })
    }

    /// These settings, and where they are silent the inherited ones.
    pub(super) fn or(self, inherited: Self) -> Self {
        Self {
            args: self.args.or(inherited.args),
            output_validator_args: self
                .output_validator_args
                .or(inherited.output_validator_args),
            input_validator_args: self.input_validator_args.or(inherited.input_validator_args),
            full_feedback: self.full_feedback.or(inherited.full_feedback),
        }
    }
}

/// Whether `name` means the program at `path`: its file or directory, with or
/// without the ending.
pub(super) fn is_called(path: &str, name: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or(path);
    file == name || file.rsplit_once('.').is_some_and(|(stem, _)| stem == name)
}

fn input_validator_args(yaml: &mut Section) -> Result<Option<InputValidatorArgs>, PackageError> {
    const KEY: &str = "input_validator_args";
    let wrong = |yaml: &Section| {
        let problem = "expected a list of strings, or a mapping of validators to such lists";
        yaml.invalid(KEY, problem)
    };
    Ok(match yaml.take(KEY) {
        None => None,
        Some(Value::Map(map)) => {
            let by_name = map
                .into_iter()
                .map(|(name, args)| Some((name, list_of_strings(args)?)))
                .collect::<Option<_>>();
            Some(InputValidatorArgs::ByName(
                by_name.ok_or_else(|| wrong(yaml))?,
            ))
        }
        Some(list) => {
            let args = list_of_strings(list).ok_or_else(|| wrong(yaml))?;
            Some(InputValidatorArgs::All(args))
        }
    })
}

/// Flags with the name of the validator they are for, if one is named.
type LegacyFlags = (Option<String>, Vec<String>);

fn legacy_flags(yaml: &mut Section, key: &str) -> Result<Option<LegacyFlags>, PackageError> {
    let wrong = |yaml: &Section| {
        yaml.invalid(
            key,
            "expected a string, or a mapping with the keys `name` and `flags`",
        )
    };
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
    match yaml.take(key) {
        None => Ok(None),
        Some(Value::Map(map)) => {
            let text = |key| map.get(key).and_then(Value::text);
            let (name, flags) = (text("name"), text("flags"));
            if map.len() != usize::from(name.is_some()) + usize::from(flags.is_some()) {
                return Err(wrong(yaml));
            }
            let args = words(flags.unwrap_or_default());
            Ok(Some((name.map(str::to_owned), args)))
        }
        Some(value) => {
            let flags = value.text().ok_or_else(|| wrong(yaml))?;
            Ok(Some((None, words(flags))))
        }
    }
}
