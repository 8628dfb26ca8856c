//! problem.yaml of both generations of the format.

use std::time::Duration;

use bytesize::ByteSize;
use serde_json::Value;

use super::error::PackageError;
use super::file_tree::FileTree;
use super::model::{FormatVersion, Kind};
use super::yaml::Section;

/// The file's name.
pub(super) const FILE: &str = "problem.yaml";

/// What problem.yaml says.
#[derive(Debug)]
pub(super) struct ProblemYaml {
    pub(super) format: FormatVersion,
    /// The format was called `2023-07-draft`, whose test group files differ.
    pub(super) draft: bool,
    pub(super) name: Option<String>,
    pub(super) kind: Kind,
    /// Whether a validator of the package is asked for; only legacy says so.
    pub(super) custom_validator: Option<bool>,
    /// Arguments of the output validator on every test case; legacy only.
    pub(super) validator_flags: Vec<String>,
    pub(super) languages: Option<Vec<String>>,
    pub(super) limits: StatedLimits,
}

/// The limits as far as they are stated.
#[derive(Debug, Default)]
pub(super) struct StatedLimits {
    pub(super) time_limit: Option<Duration>,
    pub(super) memory: Option<ByteSize>,
    pub(super) output: Option<ByteSize>,
    pub(super) code: Option<ByteSize>,
    pub(super) compilation_time: Option<Duration>,
    pub(super) compilation_memory: Option<ByteSize>,
    pub(super) validation_time: Option<Duration>,
    pub(super) validation_memory: Option<ByteSize>,
    pub(super) validation_output: Option<ByteSize>,
}

impl ProblemYaml {
    pub(super) fn read(tree: &FileTree, warnings: &mut Vec<String>) -> Result<Self, PackageError> {
        let mut yaml = Section::read(tree, FILE)?;
        let version = yaml.string("problem_format_version")?;
        let problem = match version.as_deref() {
            None | Some("legacy") => Self::legacy(&mut yaml, FormatVersion::Legacy, warnings),
            Some("legacy-icpc") => Self::legacy(&mut yaml, FormatVersion::LegacyIcpc, warnings),
            Some("2025-09") => Self::v2025_09(&mut yaml, false, warnings),
            Some("2023-07-draft") => Self::v2025_09(&mut yaml, true, warnings),
            Some(other) => Err(yaml.unsupported(
                "problem_format_version",
                format!("version {other:?} (legacy, legacy-icpc and 2025-09 are); it"),
            )),
        }?;
        yaml.finish(warnings);
        Ok(problem)
    }

    fn legacy(
        yaml: &mut Section,
        format: FormatVersion,
        warnings: &mut Vec<String>,
    ) -> Result<Self, PackageError> {
        yaml.skip(&[
            "uuid",
            "author",
            "source",
            "source_url",
            "license",
            "rights_owner",
            "keywords",
        ]);
        if let Some(kind) = yaml.string("type")?.filter(|kind| kind != "pass-fail") {
            return Err(yaml.unsupported("type", format!("a {kind} problem")));
        }
        if yaml.take("grading").is_some() {
            return Err(yaml.unsupported("grading", "grading (of scoring problems)"));
        }
        let validation = yaml
            .string("validation")?
            .unwrap_or_else(|| "default".to_owned());
        let mut words = validation.split_whitespace();
        let custom = match words.next() {
            Some("default") => false,
            Some("custom") => true,
            _ => return Err(yaml.invalid("validation", "must begin with `default` or `custom`")),
        };
        let mut kind = Kind::PassFail;
        for word in words {
            match word {
                "interactive" if custom => kind = Kind::Interactive,
                "score" => {
                    return Err(yaml.unsupported("validation", "a validator that gives scores"));
                }
                _ => return Err(yaml.invalid("validation", format!("unexpected {word:?}"))),
            }
        }
        let flags = yaml.string("validator_flags")?.unwrap_or_default();
        let mut limits = yaml.section("limits")?;
        // They bound a time limit that is inferred from the submissions' times.
        limits.skip(&["time_multiplier", "time_safety_margin"]);
        Ok(Self {
            format,
            draft: false,
            name: name(yaml)?,
            kind,
            custom_validator: Some(custom),
            validator_flags: flags.split_whitespace().map(str::to_owned).collect(),
            languages: None,
            limits: StatedLimits::take(limits, warnings)?,
        })
    }

    fn v2025_09(
        yaml: &mut Section,
        draft: bool,
        warnings: &mut Vec<String>,
    ) -> Result<Self, PackageError> {
        yaml.skip(&[
            "version",
            "credits",
            "source",
            "license",
            "rights_owner",
            "embargo_until",
            "keywords",
        ]);
        let types = yaml.string_or_strings("type")?;
        if types.as_ref().is_some_and(Vec::is_empty) {
            return Err(yaml.invalid(
                "type",
                "an empty list: name at least one type or leave the key out",
            ));
        }
        let mut kind = Kind::PassFail;
        for word in types.into_iter().flatten() {
            match word.as_str() {
                "pass-fail" => {}
                "interactive" => kind = Kind::Interactive,
                "scoring" | "multi-pass" | "submit-answer" => {
                    return Err(yaml.unsupported("type", format!("a {word} problem")));
                }
                _ => return Err(yaml.invalid("type", format!("unknown type {word:?}"))),
            }
        }
        let name = name(yaml)?.ok_or_else(|| yaml.invalid("name", "missing: name the problem"))?;
        if yaml.string("uuid")?.is_none() {
            warnings.push(format!(
                "{FILE}: `uuid` is missing, which the format requires"
            ));
        }
        if yaml.boolean("allow_file_writing")? == Some(true) {
            return Err(yaml.unsupported("allow_file_writing", "a submission that writes files"));
        }
        if yaml
            .take("constants")
            .is_some_and(|constants| constants.as_object().is_none_or(|map| !map.is_empty()))
        {
            return Err(yaml.unsupported("constants", "replacing constants in programs"));
        }
        let languages = yaml
            .string_or_strings("languages")?
            .filter(|languages| *languages != ["all"]);
        let mut limits = yaml.section("limits")?;
        if limits.take("validation_passes").is_some() {
            return Err(limits.unsupported("validation_passes", "a multi-pass problem"));
        }
        limits.skip(&["time_multipliers"]);
        let resolution = limits.number("time_resolution")?.unwrap_or(1.0);
        let limits_error =
            |problem: String| PackageError::invalid(FILE, "limits.time_limit", problem);
        let limits = StatedLimits::take(limits, warnings)?;
        if let Some(time_limit) = limits.time_limit {
            let steps = time_limit.as_secs_f64() / resolution;
            if (steps - steps.round()).abs() > 1e-6 {
                return Err(limits_error(format!(
                    "must be a multiple of `time_resolution`, which is {resolution} seconds: \
                     choose another limit, or state a finer time_resolution"
                )));
            }
        }
        Ok(Self {
            format: FormatVersion::V2025_09,
            draft,
            name: Some(name),
            kind,
            custom_validator: None,
            validator_flags: Vec::new(),
            languages,
            limits,
        })
    }
}

impl StatedLimits {
    fn take(mut yaml: Section, warnings: &mut Vec<String>) -> Result<Self, PackageError> {
        const KIB: u64 = 1 << 10;
        const MIB: u64 = 1 << 20;
        let limits = Self {
            time_limit: yaml.seconds("time_limit")?,
            memory: yaml.size("memory", MIB)?,
            output: yaml.size("output", MIB)?,
            code: yaml.size("code", KIB)?,
            compilation_time: yaml.seconds("compilation_time")?,
            compilation_memory: yaml.size("compilation_memory", MIB)?,
            validation_time: yaml.seconds("validation_time")?,
            validation_memory: yaml.size("validation_memory", MIB)?,
            validation_output: yaml.size("validation_output", MIB)?,
        };
        yaml.finish(warnings);
        Ok(limits)
    }
}

/// The name in English if there is one, else in the first language.
fn name(yaml: &mut Section) -> Result<Option<String>, PackageError> {
    match yaml.take("name") {
        None => Ok(None),
        Some(Value::String(name)) => Ok(Some(name)),
        Some(Value::Object(names)) => names
            .get("en")
            .or_else(|| names.values().next())
            .and_then(Value::as_str)
            .map(|name| Some(name.to_owned()))
            .ok_or_else(|| yaml.invalid("name", "expected a name for each language")),
        Some(_) => Err(yaml.invalid(
            "name",
            "expected a string, or a mapping of languages to strings",
        )),
    }
}
