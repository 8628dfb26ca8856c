//! test_group.yaml: groups of test cases and their points, in 2025-09 and in the
//! draft before it.

use std::collections::BTreeMap;

use super::error::PackageError;
use super::file_tree::FileTree;
use super::grading::Aggregation;
use super::model::FormatVersion;
use super::problem_yaml::ProblemYaml;
use super::test_config::TestConfig;
use super::yaml::Section;
use super::yaml_value::Value;
use crate::Score;

pub(super) const FILE: &str = "test_group.yaml";

/// A test_group.yaml.
#[derive(Debug)]
pub(super) struct GroupYaml {
    pub(super) config: TestConfig,
    pub(super) aggregation: Option<Aggregation>,
    pub(super) max_score: Option<Points>,
    pub(super) require_pass: Vec<String>,
    pub(super) static_test: Option<StaticYaml>,
}

/// A maximum score as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Points {
    Unbounded,
    Bounded(Score),
}

impl Points {
    pub(super) fn bound(&self) -> Option<Score> {
        match self {
            Self::Unbounded => None,
            Self::Bounded(score) => Some(score.clone()),
        }
    }
}

/// What a group asks of the static validator.
#[derive(Debug)]
pub(super) struct StaticYaml {
    /// The points as far as they are stated.
    pub(super) max_score: Option<Score>,
    pub(super) args: Vec<String>,
}

/// All test_group.yaml files below `data/`, by directory.
pub(super) fn read(
    tree: &FileTree,
    problem: &ProblemYaml,
    warnings: &mut Vec<String>,
) -> Result<BTreeMap<String, GroupYaml>, PackageError> {
    let files: Vec<String> = tree
        .below("data")
        .filter(|(path, _)| path.rsplit('/').next() == Some(FILE))
        .map(|(path, _)| format!("data/{path}"))
        .collect();
    let mut groups = BTreeMap::new();
    for file in files {
        let directory = file.trim_end_matches(FILE).trim_end_matches('/').to_owned();
        groups.insert(directory, group_yaml(tree, problem, &file, warnings)?);
    }
    if problem.format == FormatVersion::V2025_09 {
        check_places(tree, &groups, warnings)?;
        // As the warning says.
        groups.remove("data");
    }
    Ok(groups)
}

fn group_yaml(
    tree: &FileTree,
    problem: &ProblemYaml,
    file: &str,
    warnings: &mut Vec<String>,
) -> Result<GroupYaml, PackageError> {
    let text = tree.text(file)?.unwrap_or_default();
    let replaced = problem.constants.replace(text.as_bytes());
    let mut yaml = Section::parse(file, &String::from_utf8_lossy(&replaced))?;
    let config = TestConfig::take(&mut yaml)?;
    let scoring = problem.scoring.is_some() && file.starts_with("data/secret/");
    let group = if problem.format == FormatVersion::V2025_09 {
        current_keys(&mut yaml, config, scoring)?
    } else {
        yaml.skip(&["hint", "description"]);
        draft_keys(&mut yaml, config, scoring, warnings)?
    };
    yaml.finish(warnings);
    Ok(group)
}

fn current_keys(
    yaml: &mut Section,
    config: TestConfig,
    scoring: bool,
) -> Result<GroupYaml, PackageError> {
    if !scoring {
        refuse_scoring(yaml, &["max_score", "score_aggregation", "require_pass"])?;
    }
    let aggregation = aggregation(yaml, "score_aggregation")?;
    let args = yaml.strings("static_validator_args")?;
    const STATIC: &str = "static_validation_score";
    let static_test = match yaml.take(STATIC) {
        None if args.is_some() => {
            let problem = "only together with `static_validation_score`";
            return Err(yaml.invalid("static_validator_args", problem));
        }
        None => None,
        // Whether it suits the group is seen once that has its defaults.
        Some(Value::String(word)) if word == "pass-fail" => Some(None),
        Some(value) => {
            let points = value.as_u64().ok_or_else(|| {
                yaml.invalid(
                    STATIC,
                    "expected `pass-fail` or a whole number that is not negative",
                )
            })?;
            if !scoring {
                let problem = "points are for groups of scoring problems: use `pass-fail`";
                return Err(yaml.invalid(STATIC, problem));
            }
            Some(Some(Score::from(points)))
        }
    };
    Ok(GroupYaml {
        config,
        aggregation,
        max_score: points(yaml, "max_score")?,
        require_pass: yaml.string_or_strings("require_pass")?.unwrap_or_default(),
        static_test: static_test.map(|max_score| StaticYaml {
            max_score,
            args: args.unwrap_or_default(),
        }),
    })
}

fn draft_keys(
    yaml: &mut Section,
    config: TestConfig,
    scoring: bool,
    warnings: &mut Vec<String>,
) -> Result<GroupYaml, PackageError> {
    if !scoring {
        refuse_scoring(yaml, &["scoring"])?;
    }
    let mut keys = yaml.section("scoring")?;
    let (aggregation, max_score) = (
        aggregation(&mut keys, "aggregation")?,
        points(&mut keys, "score")?,
    );
    let require_pass = keys.string_or_strings("require_pass")?.unwrap_or_default();
    keys.finish(warnings);
    let static_test = match yaml.take("static_validation") {
        None | Some(Value::Bool { value: false, .. }) => None,
        Some(Value::Bool { value: true, .. }) => Some(StaticYaml {
            max_score: None,
            args: Vec::new(),
        }),
        Some(map @ Value::Map(_)) => {
            let mut map = yaml.nested("static_validation", map)?;
            let max_score = points(&mut map, "score")?;
            if max_score.is_some() && (!scoring || aggregation == Some(Aggregation::PassFail)) {
                let problem = "points are for scoring problems and groups that add them up";
                return Err(map.invalid("score", problem));
            }
            let args = map.words("args")?.unwrap_or_default();
            map.finish(warnings);
            Some(StaticYaml {
                max_score: max_score.and_then(|points| points.bound()),
                args,
            })
        }
        Some(_) => {
            let problem = "expected true, false, or a mapping with the keys `args` and `score`";
            return Err(yaml.invalid("static_validation", problem));
        }
    };
    Ok(GroupYaml {
        config,
        aggregation,
        max_score,
        require_pass,
        static_test,
    })
}

fn refuse_scoring(yaml: &mut Section, keys: &[&str]) -> Result<(), PackageError> {
    for key in keys {
        if yaml.take(key).is_some() {
            let problem = "only below data/secret of problems of the type scoring";
            return Err(yaml.invalid(key, problem));
        }
    }
    Ok(())
}

fn aggregation(yaml: &mut Section, key: &str) -> Result<Option<Aggregation>, PackageError> {
    match yaml.string(key)?.as_deref() {
        None => Ok(None),
        Some("pass-fail") => Ok(Some(Aggregation::PassFail)),
        Some("sum") => Ok(Some(Aggregation::Sum)),
        Some("min") => Ok(Some(Aggregation::Min)),
        Some(_) => Err(yaml.invalid(key, "expected `pass-fail`, `sum` or `min`")),
    }
}

fn points(yaml: &mut Section, key: &str) -> Result<Option<Points>, PackageError> {
    let points = match yaml.take(key) {
        None => return Ok(None),
        Some(Value::String(word)) if word == "unbounded" => Some(Points::Unbounded),
        // The draft called it a string, and some wrote one.
        Some(Value::String(digits)) => digits.parse().ok().map(bounded),
        Some(value) => value.as_u64().map(bounded),
    };
    points.map(Some).ok_or_else(|| {
        yaml.invalid(
            key,
            "expected `unbounded` or a whole number that is not negative",
        )
    })
}

pub(super) fn bounded(points: u64) -> Points {
    Points::Bounded(points.into())
}

/// The rules of 2025-09 on where groups and test cases may be.
fn check_places(
    tree: &FileTree,
    groups: &BTreeMap<String, GroupYaml>,
    warnings: &mut Vec<String>,
) -> Result<(), PackageError> {
    let within: Vec<&str> = groups
        .keys()
        .filter_map(|directory| directory.strip_prefix("data/secret/"))
        .collect();
    if let Some(nested) = within.iter().find(|group| group.contains('/')) {
        let problem = "a test group inside another: groups lie directly in data/secret";
        return Err(PackageError::invalid(
            &format!("data/secret/{nested}/{FILE}"),
            "",
            problem,
        ));
    }
    if let Some(nested) = groups
        .keys()
        .find(|group| group.starts_with("data/sample/"))
    {
        let problem = "data/sample has no groups";
        return Err(PackageError::invalid(
            &format!("{nested}/{FILE}"),
            "",
            problem,
        ));
    }
    if groups.contains_key("data") {
        warnings.push(format!(
            "data/{FILE}: ignored, 2025-09 has it in sample, secret and groups only"
        ));
    }
    for (directory, group) in groups {
        let is_group = directory.starts_with("data/secret/");
        let has_testcase = || tree.below(directory).any(|(path, _)| path.ends_with(".in"));
        if is_group && group.static_test.is_none() && !has_testcase() {
            warnings.push(format!(
                "{directory}/{FILE}: a group without a test case or static validation: add one, or remove it"
            ));
        }
    }
    let inputs = tree
        .below("data/secret")
        .filter(|(path, _)| path.ends_with(".in") && !within.is_empty());
    for (path, _) in inputs {
        let group = path.split_once('/').map(|(group, _)| group);
        if group.is_none_or(|group| !within.contains(&group)) {
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
