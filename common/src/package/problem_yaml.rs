//! problem.yaml of all generations of the format.

use std::time::Duration;

use bytesize::ByteSize;

use super::constants::Constants;
use super::error::PackageError;
use super::file_tree::FileTree;
use super::grading::Objective;
use super::language_codes;
use super::limit_bounds::{CODE, MEMORY, OUTPUT};
use super::model::{FormatVersion, Kind, Timing};
use super::yaml::Section;
use super::yaml_value::Value;

/// The file's name.
pub(super) const FILE: &str = "problem.yaml";

/// What problem.yaml says.
#[derive(Debug)]
pub(super) struct ProblemYaml {
    pub(super) format: FormatVersion,
    pub(super) name: Option<String>,
    /// The languages that the name is given in.
    pub(super) name_languages: Vec<String>,
    pub(super) uuid: Option<String>,
    pub(super) kind: Kind,
    pub(super) passes: u32,
    /// What is wanted of scores, in scoring problems.
    pub(super) scoring: Option<Objective>,
    /// Whether a validator of the package is asked for; only legacy says so.
    pub(super) custom_validator: Option<bool>,
    /// Arguments of the output validator on every test case; legacy only.
    pub(super) validator_flags: Vec<String>,
    pub(super) languages: Option<Vec<String>>,
    pub(super) allows_file_writing: bool,
    pub(super) constants: Constants,
    pub(super) timing: Timing,
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
            Some("2025-09") => Self::modern(&mut yaml, FormatVersion::V2025_09, warnings),
            Some("2023-07-draft") => Self::modern(&mut yaml, FormatVersion::Draft2023_07, warnings),
            Some(other) => Err(yaml.unsupported(
                "problem_format_version",
                format!(
                    "version {other:?} (legacy, legacy-icpc, 2023-07-draft and 2025-09 are); it"
                ),
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
        yaml.skip(&["author", "source", "source_url", "rights_owner", "keywords"]);
        check_license(yaml, warnings)?;
        let scoring = match yaml.string("type")?.as_deref() {
            None | Some("pass-fail") => false,
            Some("scoring") if format == FormatVersion::Legacy => true,
            Some("scoring") => {
                return Err(yaml.invalid("type", "legacy-icpc has no scoring problems"));
            }
            Some(other) => {
                let problem = format!("must be `pass-fail` or `scoring`, not {other:?}");
                return Err(yaml.invalid("type", problem));
            }
        };
        let objective = legacy_grading(yaml, scoring, warnings)?;
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
                "score" if custom && scoring => {}
                "score" if custom => {
                    let problem = "`score` needs `type: scoring`";
                    return Err(yaml.invalid("validation", problem));
                }
                _ => return Err(yaml.invalid("validation", format!("unexpected {word:?}"))),
            }
        }
        let flags = yaml.string("validator_flags")?.unwrap_or_default();
        let uuid = uuid(yaml, warnings)?;
        let mut limits = yaml.section("limits")?;
        let timing = Timing {
            ac_to_time_limit: limits.factor("time_multiplier")?.unwrap_or(5.0),
            time_limit_to_tle: limits.factor("time_safety_margin")?.unwrap_or(2.0),
            ..Timing::default()
        };
        let (name, name_languages) = name(yaml)?;
        Ok(Self {
            format,
            name,
            name_languages,
            uuid,
            kind,
            passes: 1,
            scoring: scoring.then_some(objective),
            custom_validator: Some(custom),
            validator_flags: flags.split_whitespace().map(str::to_owned).collect(),
            languages: None,
            allows_file_writing: false,
            constants: Constants::default(),
            timing,
            limits: StatedLimits::take(limits, warnings)?,
        })
    }

    fn modern(
        yaml: &mut Section,
        format: FormatVersion,
        warnings: &mut Vec<String>,
    ) -> Result<Self, PackageError> {
        yaml.skip(&["version", "credits", "source", "rights_owner", "keywords"]);
        check_license(yaml, warnings)?;
        let types = Types::take(yaml)?;
        check_embargo(yaml, warnings)?;
        let (name, name_languages) = name(yaml)?;
        let name = name.ok_or_else(|| yaml.invalid("name", "missing: name the problem"))?;
        let uuid = uuid(yaml, warnings)?;
        if uuid.is_none() {
            warnings.push(format!(
                "{FILE}: `uuid` is missing, which the format requires"
            ));
        }
        let languages = yaml
            .string_or_strings("languages")?
            .filter(|languages| *languages != ["all"]);
        if languages.as_ref().is_some_and(Vec::is_empty) {
            return Err(yaml.invalid(
                "languages",
                "an empty list: name a language, or write `all`",
            ));
        }
        check_languages(languages.as_deref(), warnings);
        let allows_file_writing = yaml.boolean("allow_file_writing")?.unwrap_or_default();
        let constants = Constants::take(yaml)?;
        let mut limits = yaml.section("limits")?;
        let passes = passes(&mut limits, types.multi_pass)?;
        let timing = modern_timing(&mut limits, warnings)?;
        let limits = StatedLimits::take(limits, warnings)?;
        if let Some(time_limit) = limits.time_limit {
            let resolution = timing.resolution;
            if !time_limit.as_nanos().is_multiple_of(resolution.as_nanos()) {
                return Err(yaml.invalid(
                    "limits.time_limit",
                    format!(
                        "must be a multiple of `time_resolution`, which is {} seconds: \
                         choose another limit, or state a finer time_resolution",
                        resolution.as_secs_f64()
                    ),
                ));
            }
        }
        Ok(Self {
            format,
            name: Some(name),
            name_languages,
            uuid,
            kind: types.kind,
            passes,
            scoring: types.scoring.then_some(Objective::Maximize),
            custom_validator: None,
            validator_flags: Vec::new(),
            languages,
            allows_file_writing,
            constants,
            timing,
            limits,
        })
    }
}

/// What the key `type` says since 2023-07-draft.
struct Types {
    kind: Kind,
    multi_pass: bool,
    scoring: bool,
}

impl Types {
    fn take(yaml: &mut Section) -> Result<Self, PackageError> {
        const KNOWN: [&str; 5] = [
            "pass-fail",
            "scoring",
            "multi-pass",
            "interactive",
            "submit-answer",
        ];
        const INCOMPATIBLE: [(&str, &str); 3] = [
            ("pass-fail", "scoring"),
            ("submit-answer", "multi-pass"),
            ("submit-answer", "interactive"),
        ];
        let types = yaml
            .string_or_strings("type")?
            .unwrap_or_else(|| vec!["pass-fail".to_owned()]);
        let has = |word: &str| types.iter().any(|found| found == word);
        if types.is_empty() {
            return Err(yaml.invalid(
                "type",
                "an empty list: name at least one type or leave the key out",
            ));
        }
        for (at, word) in types.iter().enumerate() {
            if !KNOWN.contains(&word.as_str()) {
                return Err(yaml.invalid("type", format!("unknown type {word:?}")));
            }
            if types[..at].contains(word) {
                return Err(yaml.invalid("type", format!("{word} is there twice")));
            }
        }
        for (one, other) in INCOMPATIBLE {
            if has(one) && has(other) {
                return Err(yaml.invalid("type", format!("{one} and {other} exclude each other")));
            }
        }
        let kind = if has("interactive") {
            Kind::Interactive
        } else if has("submit-answer") {
            Kind::SubmitAnswer
        } else {
            Kind::PassFail
        };
        Ok(Self {
            kind,
            multi_pass: has("multi-pass"),
            scoring: has("scoring"),
        })
    }
}

fn passes(limits: &mut Section, multi_pass: bool) -> Result<u32, PackageError> {
    const KEY: &str = "validation_passes";
    match (limits.whole_number(KEY)?, multi_pass) {
        (None, false) => Ok(1),
        (None, true) => Ok(2),
        (Some(_), false) => Err(limits.invalid(KEY, "only for problems of the type multi-pass")),
        (Some(passes), true) => u32::try_from(passes)
            .ok()
            .filter(|passes| *passes >= 2)
            .ok_or_else(|| limits.invalid(KEY, "expected a whole number of at least 2")),
    }
}

fn modern_timing(limits: &mut Section, warnings: &mut Vec<String>) -> Result<Timing, PackageError> {
    let resolution = limits.seconds("time_resolution")?;
    let mut multipliers = limits.section("time_multipliers")?;
    let timing = Timing {
        time_limit_is_stated: true,
        resolution: resolution.unwrap_or(Duration::from_secs(1)),
        ac_to_time_limit: multipliers.factor("ac_to_time_limit")?.unwrap_or(2.0),
        time_limit_to_tle: multipliers.factor("time_limit_to_tle")?.unwrap_or(1.5),
    };
    multipliers.finish(warnings);
    Ok(timing)
}

/// The key `grading` of legacy packages.
fn legacy_grading(
    yaml: &mut Section,
    scoring: bool,
    warnings: &mut Vec<String>,
) -> Result<Objective, PackageError> {
    let mut grading = yaml.section("grading")?;
    // Once they were here, and some tools still look.
    for key in ["on_reject", "accept_score", "reject_score", "range"] {
        if grading.take(key).is_some() {
            let problem = "belongs into data/testdata.yaml: move it there";
            return Err(grading.invalid(key, problem));
        }
    }
    let objective = match grading.string("objective")?.as_deref() {
        None => Objective::Maximize,
        Some(_) if !scoring => {
            return Err(grading.invalid("objective", "only for problems of the type scoring"));
        }
        Some("max") => Objective::Maximize,
        Some("min") => Objective::Minimize,
        Some(_) => return Err(grading.invalid("objective", "expected `max` or `min`")),
    };
    grading.skip(&["show_test_data_groups"]);
    grading.finish(warnings);
    Ok(objective)
}

/// Licenses do not concern judging, but a typing error is worth a word.
fn check_license(yaml: &mut Section, warnings: &mut Vec<String>) -> Result<(), PackageError> {
    const KNOWN: [&str; 7] = [
        "unknown",
        "public domain",
        "cc0",
        "cc by",
        "cc by-sa",
        "educational",
        "permission",
    ];
    let license = yaml.string("license")?;
    if let Some(license) = license.filter(|license| !KNOWN.contains(&license.as_str())) {
        warnings.push(format!(
            "{FILE}: `license`: {license:?} is not one of {}",
            KNOWN.join(", ")
        ));
    }
    Ok(())
}

impl StatedLimits {
    fn take(mut yaml: Section, warnings: &mut Vec<String>) -> Result<Self, PackageError> {
        const KIB: u64 = 1 << 10;
        const MIB: u64 = 1 << 20;
        let limits = Self {
            time_limit: yaml.seconds("time_limit")?,
            memory: yaml.size("memory", MIB, MEMORY)?,
            output: yaml.size("output", MIB, OUTPUT)?,
            code: yaml.size("code", KIB, CODE)?,
            compilation_time: yaml.seconds("compilation_time")?,
            compilation_memory: yaml.size("compilation_memory", MIB, MEMORY)?,
            validation_time: yaml.seconds("validation_time")?,
            validation_memory: yaml.size("validation_memory", MIB, MEMORY)?,
            validation_output: yaml.size("validation_output", MIB, OUTPUT)?,
        };
        yaml.finish(warnings);
        Ok(limits)
    }
}

/// The name in English if there is one, else in the first language; and all languages
/// that it is given in.
fn name(yaml: &mut Section) -> Result<(Option<String>, Vec<String>), PackageError> {
    match yaml.take("name") {
        None => Ok((None, Vec::new())),
        Some(Value::Map(names)) => names
            .get("en")
            .or_else(|| names.values().next())
            .and_then(Value::text)
            .map(|name| (Some(name.to_owned()), names.keys().cloned().collect()))
            .ok_or_else(|| yaml.invalid("name", "expected a name for each language")),
        Some(name) => {
            let problem = "expected a string, or a mapping of languages to strings";
            let name = name.into_text();
            name.map(|name| (Some(name), vec!["en".to_owned()]))
                .ok_or_else(|| yaml.invalid("name", problem))
        }
    }
}

/// The id, of which a typing error is worth a word.
fn uuid(yaml: &mut Section, warnings: &mut Vec<String>) -> Result<Option<String>, PackageError> {
    let uuid = yaml.string("uuid")?;
    if let Some(uuid) = uuid.as_ref().filter(|uuid| !is_uuid(uuid)) {
        warnings.push(format!("{FILE}: `uuid`: {uuid:?} is no UUID"));
    }
    Ok(uuid)
}

fn is_uuid(text: &str) -> bool {
    let is_hex = |group: &str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    let groups = text.split('-');
    groups.clone().all(is_hex) && groups.map(str::len).eq([8, 4, 4, 4, 12])
}

/// An embargo is for archives, but one that nobody understands ends too early.
fn check_embargo(yaml: &mut Section, warnings: &mut Vec<String>) -> Result<(), PackageError> {
    let until = yaml.string("embargo_until")?;
    if let Some(until) = until.filter(|until| !is_date(until)) {
        warnings.push(format!(
            "{FILE}: `embargo_until`: {until:?} is neither YYYY-MM-DD nor YYYY-MM-DDThh:mm:ssZ"
        ));
    }
    Ok(())
}

fn is_date(text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|letter| if letter.is_ascii_digit() { '0' } else { letter })
        .collect();
    matches!(shape.as_str(), "0000-00-00" | "0000-00-00T00:00:00Z")
}

/// Warns of codes that are no language's. A host may have languages of its own.
fn check_languages(languages: Option<&[String]>, warnings: &mut Vec<String>) {
    let languages = languages.unwrap_or_default();
    for code in languages
        .iter()
        .filter(|code| !language_codes::is_known(code))
    {
        warnings.push(format!(
            "{FILE}: `languages`: {code:?} is no code of the format, so that nothing is allowed by it \
             unless the host has such a language"
        ));
    }
}
