//! submissions.yaml: what the jury says of its example submissions.

use std::collections::BTreeSet;

use super::error::PackageError;
use super::file_tree::FileTree;
use super::glob::Glob;
use super::grading::ScoreRange;
use super::rule::{Rule, ScoreRule, any_verdict, verdicts_of_format};
use super::yaml::{Section, as_score};
use super::yaml_value::Value;
use crate::Verdict;

/// Where it is.
pub(super) const FILE: &str = "submissions/submissions.yaml";

/// One glob of submissions.yaml with what it says.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) pattern: String,
    pub(super) glob: Glob,
    pub(super) language: Option<String>,
    pub(super) entry_point: Option<String>,
    pub(super) is_model: bool,
    pub(super) overall: RuleText,
    pub(super) by_testcase: Vec<(Glob, RuleText)>,
}

/// A rule as written, where a missing key may yet be inherited.
#[derive(Debug, Default, Clone)]
pub(super) struct RuleText {
    pub(super) permitted: Option<BTreeSet<Verdict>>,
    pub(super) required: Option<BTreeSet<Verdict>>,
    pub(super) message: Option<String>,
    pub(super) score: Option<ScoreRange>,
    pub(super) time_limit: Option<TimeLimitUse>,
}

/// What `use_for_time_limit` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeLimitUse {
    AsVerdictsTell,
    Never,
    Lower,
    Upper,
}

impl RuleText {
    pub(super) const fn is_empty(&self) -> bool {
        self.permitted.is_none()
            && self.required.is_none()
            && self.message.is_none()
            && self.score.is_none()
            && self.time_limit.is_none()
    }

    /// This text, and where it is silent the other.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            permitted: self.permitted.or(other.permitted),
            required: self.required.or(other.required),
            message: self.message.or(other.message),
            score: self.score.or(other.score),
            time_limit: self.time_limit.or(other.time_limit),
        }
    }

    /// The rule, and the one that stating a use for the time limit is as good as.
    pub(super) fn into_rules(self, testcases: Option<&Glob>) -> impl Iterator<Item = Rule> {
        let not_slow = || &any_verdict() - &BTreeSet::from([Verdict::Tle]);
        let (permitted, required) = match self.time_limit {
            Some(TimeLimitUse::Lower) => (Some(not_slow()), None),
            Some(TimeLimitUse::Upper) => (None, Some(BTreeSet::from([Verdict::Tle]))),
            Some(TimeLimitUse::Never | TimeLimitUse::AsVerdictsTell) | None => (None, None),
        };
        let of_use = (permitted.is_some() || required.is_some()).then(|| Rule {
            testcases: testcases.cloned(),
            permitted: permitted.unwrap_or_else(any_verdict),
            required: required.unwrap_or_else(any_verdict),
            bounds_time_limit: true,
            ..Rule::default()
        });
        let written = Rule {
            testcases: testcases.cloned(),
            permitted: self.permitted.unwrap_or_else(any_verdict),
            required: self.required.unwrap_or_else(any_verdict),
            message: self.message.filter(|message| !message.is_empty()),
            score: self.score.map(|range| ScoreRule { range, not: None }),
            bounds_time_limit: self.time_limit != Some(TimeLimitUse::Never),
            ..Rule::default()
        };
        std::iter::once(written).chain(of_use)
    }
}

/// Reads the file; without it there are no entries.
pub(super) fn read(
    tree: &FileTree,
    scoring: bool,
    warnings: &mut Vec<String>,
) -> Result<Vec<Entry>, PackageError> {
    let mut yaml = Section::read(tree, FILE)?;
    let mut entries = Vec::new();
    for pattern in yaml.keys() {
        let glob = Glob::parse(&pattern).map_err(|problem| yaml.invalid(&pattern, problem))?;
        let mut section = yaml.section(&pattern)?;
        section.skip(&["authors"]);
        let mut entry = Entry {
            glob,
            language: section.string("language")?,
            entry_point: section.string("entrypoint")?,
            is_model: section.boolean("model_solution")?.unwrap_or_default(),
            overall: rule_text(&mut section, scoring)?,
            by_testcase: Vec::new(),
            pattern,
        };
        for key in section.keys() {
            let testcases = Glob::parse(&key).map_err(|problem| section.invalid(&key, problem))?;
            if !testcases.begins_with_one_of(&["sample", "secret"]) {
                continue;
            }
            let mut nested = section.section(&key)?;
            entry
                .by_testcase
                .push((testcases, rule_text(&mut nested, scoring)?));
            nested.finish(warnings);
        }
        section.finish(warnings);
        entries.push(entry);
    }
    Ok(entries)
}

fn rule_text(section: &mut Section, scoring: bool) -> Result<RuleText, PackageError> {
    const TIME_LIMIT: &str = "use_for_time_limit";
    let time_limit = match section.take(TIME_LIMIT) {
        None => None,
        Some(Value::Bool { value: false, .. }) => Some(TimeLimitUse::Never),
        Some(Value::Bool { value: true, .. }) => Some(TimeLimitUse::AsVerdictsTell),
        Some(Value::String(word)) if word == "lower" => Some(TimeLimitUse::Lower),
        Some(Value::String(word)) if word == "upper" => Some(TimeLimitUse::Upper),
        Some(_) => {
            return Err(section.invalid(TIME_LIMIT, "expected false, `lower` or `upper`"));
        }
    };
    let score = match section.take("score") {
        None => None,
        Some(_) if !scoring => {
            return Err(section.invalid("score", "only for problems of the type scoring"));
        }
        Some(value) => Some(score_range(&value).ok_or_else(|| {
            section.invalid(
                "score",
                "expected a number, or a list of the least and the greatest",
            )
        })?),
    };
    Ok(RuleText {
        permitted: verdicts(section, "permitted")?,
        required: verdicts(section, "required")?,
        message: section.string("message")?,
        score,
        time_limit,
    })
}

fn score_range(value: &Value) -> Option<ScoreRange> {
    let (min, max) = match value.as_list() {
        Some([min, max]) => (as_score(min)?, as_score(max)?),
        Some(_) => return None,
        None => (as_score(value)?, as_score(value)?),
    };
    (min <= max).then_some(ScoreRange {
        min: Some(min),
        max: Some(max),
    })
}

fn verdicts(section: &mut Section, key: &str) -> Result<Option<BTreeSet<Verdict>>, PackageError> {
    let Some(value) = section.take(key) else {
        return Ok(None);
    };
    let names = value
        .as_list()
        .map(|names| names.iter().map(Value::text).collect::<Option<Vec<_>>>());
    let Some(Some(names)) = names else {
        return Err(section.invalid(key, "expected a list of verdicts such as [AC, WA]"));
    };
    let mut verdicts = BTreeSet::new();
    for name in names {
        let stands_for = verdicts_of_format(name).ok_or_else(|| {
            section.invalid(
                key,
                format!("{name:?} is no verdict: expected AC, WA, TLE or RTE"),
            )
        })?;
        verdicts.extend(stands_for);
    }
    Ok(Some(verdicts))
}
