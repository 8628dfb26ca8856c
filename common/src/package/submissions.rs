//! The jury's example submissions: what they are and what is expected of them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::error::PackageError;
use super::expectation::{Expectation, Rule, verdicts_of_format};
use super::file_tree::FileTree;
use super::glob::Glob;
use super::model::{FormatVersion, Program, Submission};
use super::yaml::Section;
use crate::Verdict;

const METADATA: &str = "submissions/submissions.yaml";
/// Directories whose name says everything; an annotation inside them is ignored.
const OFFICIAL: [&str; 4] = [
    "accepted",
    "wrong_answer",
    "time_limit_exceeded",
    "run_time_error",
];
const ANNOTATION: &str = "@EXPECTED_RESULTS@:";

/// All submissions, sorted by name.
pub(super) fn read(
    tree: &FileTree,
    format: FormatVersion,
    warnings: &mut Vec<String>,
) -> Result<Vec<Submission>, PackageError> {
    let entries = read_metadata(tree, warnings)?;
    let mut submissions = Vec::new();
    for directory in tree.children("submissions") {
        let path = format!("submissions/{directory}");
        if tree.get(&path).is_some() {
            if path != METADATA {
                warnings.push(format!(
                    "{path}: not in a directory of submissions/ and ignored"
                ));
            }
            continue;
        }
        if directory == "partially_accepted" {
            return Err(PackageError::unsupported(
                &path,
                "",
                "a partially accepted submission",
            ));
        }
        for name in tree.children(&path) {
            let name = format!("{path}/{name}");
            let program = Program {
                files: tree.program_files(&name),
                name,
                language: None,
                entry_point: None,
            };
            submissions.push(submission(program, directory, format, &entries, warnings)?);
        }
    }
    Ok(submissions)
}

/// One glob of submissions.yaml with what it says.
#[derive(Debug)]
struct Entry {
    pattern: String,
    glob: Glob,
    language: Option<String>,
    entry_point: Option<String>,
    overall: RuleText,
    by_testcase: Vec<(Glob, RuleText)>,
}

/// A rule as written, where a missing key may yet be inherited.
#[derive(Debug, Default, Clone)]
struct RuleText {
    permitted: Option<BTreeSet<Verdict>>,
    required: Option<BTreeSet<Verdict>>,
    message: Option<String>,
}

impl RuleText {
    fn is_empty(&self) -> bool {
        self.permitted.is_none() && self.required.is_none() && self.message.is_none()
    }

    fn into_rule(self, testcases: Option<Glob>) -> Rule {
        let any = || of_format(&["AC", "WA", "TLE", "RTE"]);
        Rule {
            testcases,
            permitted: self.permitted.unwrap_or_else(any),
            required: self.required.unwrap_or_else(any),
            message: self.message.filter(|message| !message.is_empty()),
        }
    }
}

fn of_format(names: &[&str]) -> BTreeSet<Verdict> {
    names
        .iter()
        .filter_map(|name| verdicts_of_format(name))
        .flatten()
        .copied()
        .collect()
}

fn submission(
    mut program: Program,
    directory: &str,
    format: FormatVersion,
    entries: &[Entry],
    warnings: &mut Vec<String>,
) -> Result<Submission, PackageError> {
    let mut expectation = Expectation::default();
    let within = program
        .name
        .strip_prefix("submissions/")
        .unwrap_or(&program.name)
        .to_owned();
    let annotated = annotation(&program)?;
    let default = default_rule(directory, format);
    match annotated {
        Some(_) if OFFICIAL.contains(&directory) => {
            warnings.push(format!(
                "{}: its {ANNOTATION} annotation is ignored in {directory}/",
                program.name
            ));
        }
        Some(verdicts) => expectation.add(Rule::of_verdicts(verdicts)),
        None => {}
    }
    let replaces_default = |entry: &&Entry| entry.pattern.trim_end_matches('/') == directory;
    if OFFICIAL.contains(&directory) || expectation.is_empty() {
        let replacing = entries
            .iter()
            .find(replaces_default)
            .map(|entry| entry.overall.clone());
        let rule = match (default, replacing) {
            (Some(default), Some(own)) => Some(RuleText {
                permitted: own.permitted.or(default.permitted),
                required: own.required.or(default.required),
                message: own.message,
            }),
            (default, own) => default.or(own.filter(|own| !own.is_empty())),
        };
        rule.into_iter()
            .for_each(|rule| expectation.add(rule.into_rule(None)));
    }
    for entry in entries.iter().filter(|entry| entry.glob.matches(&within)) {
        program.language = entry.language.clone().or(program.language);
        program.entry_point = entry.entry_point.clone().or(program.entry_point);
        if !replaces_default(&entry) && !entry.overall.is_empty() {
            expectation.add(entry.overall.clone().into_rule(None));
        }
        for (testcases, rule) in &entry.by_testcase {
            expectation.add(rule.clone().into_rule(Some(testcases.clone())));
        }
    }
    Ok(Submission {
        program,
        expectation,
    })
}

/// What the directories mean by default. Legacy lets a slow submission be wrong
/// as well, and a crashing one be anything.
fn default_rule(directory: &str, format: FormatVersion) -> Option<RuleText> {
    let legacy = format != FormatVersion::V2025_09;
    let (permitted, required): (&[&str], &[&str]) = match directory {
        "accepted" => (&["AC"], &["AC"]),
        "rejected" => (&["AC", "WA", "TLE", "RTE"], &["RTE", "TLE", "WA"]),
        "wrong_answer" => (&["AC", "WA"], &["WA"]),
        "time_limit_exceeded" if legacy => (&["AC", "WA", "TLE"], &["TLE"]),
        "time_limit_exceeded" => (&["AC", "TLE"], &["TLE"]),
        "run_time_error" if legacy => (&["AC", "WA", "TLE", "RTE"], &["RTE"]),
        "run_time_error" => (&["AC", "RTE"], &["RTE"]),
        "brute_force" => (&["AC", "RTE", "TLE"], &["RTE", "TLE"]),
        _ => return None,
    };
    Some(RuleText {
        permitted: Some(of_format(permitted)),
        required: Some(of_format(required)),
        message: None,
    })
}

fn read_metadata(tree: &FileTree, warnings: &mut Vec<String>) -> Result<Vec<Entry>, PackageError> {
    let mut yaml = Section::read(tree, METADATA)?;
    let mut entries = Vec::new();
    for pattern in yaml.keys() {
        let glob = Glob::parse(&pattern).map_err(|problem| yaml.invalid(&pattern, problem))?;
        let mut section = yaml.section(&pattern)?;
        section.skip(&["authors", "model_solution"]);
        let mut entry = Entry {
            glob,
            language: section.string("language")?,
            entry_point: section.string("entrypoint")?,
            overall: rule_text(&mut section)?,
            by_testcase: Vec::new(),
            pattern,
        };
        for key in section
            .keys()
            .into_iter()
            .filter(|key| key.starts_with("sample") || key.starts_with("secret"))
        {
            let testcases = Glob::parse(&key).map_err(|problem| section.invalid(&key, problem))?;
            let mut nested = section.section(&key)?;
            entry.by_testcase.push((testcases, rule_text(&mut nested)?));
            nested.finish(warnings);
        }
        section.finish(warnings);
        entries.push(entry);
    }
    Ok(entries)
}

fn rule_text(section: &mut Section) -> Result<RuleText, PackageError> {
    // It concerns inferring the time limit, which has to be stated here.
    section.skip(&["use_for_time_limit"]);
    if section.take("score").is_some() {
        return Err(section.unsupported("score", "scoring"));
    }
    Ok(RuleText {
        permitted: verdicts(section, "permitted")?,
        required: verdicts(section, "required")?,
        message: section.string("message")?,
    })
}

fn verdicts(section: &mut Section, key: &str) -> Result<Option<BTreeSet<Verdict>>, PackageError> {
    let Some(value) = section.take(key) else {
        return Ok(None);
    };
    let names = value
        .as_array()
        .map(|names| names.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
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

/// The verdicts of DOMjudge's annotation in the source, if there is one.
fn annotation(program: &Program) -> Result<Option<BTreeSet<Verdict>>, PackageError> {
    let mut found = None;
    for file in &program.files {
        let content = std::fs::read(&file.path).map_err(PackageError::io("read", &file.path))?;
        let text = String::from_utf8_lossy(&content);
        let upper = text.to_ascii_uppercase();
        for (at, _) in upper.match_indices(ANNOTATION) {
            let line = upper[at + ANNOTATION.len()..]
                .lines()
                .next()
                .unwrap_or_default();
            let mut verdicts = BTreeSet::new();
            for name in line.split(',').map(str::trim) {
                // The end of a comment may follow on the line.
                let name = name.split_whitespace().next().unwrap_or_default();
                let stands_for = of_annotation(name).ok_or_else(|| {
                    let problem = format!(
                        "unknown verdict {name:?}: expected names such as WRONG-ANSWER, TIMELIMIT"
                    );
                    PackageError::invalid(&program.name, ANNOTATION, problem)
                })?;
                verdicts.extend(stands_for);
            }
            if found.replace(verdicts).is_some() {
                return Err(PackageError::invalid(
                    &program.name,
                    ANNOTATION,
                    "given more than once",
                ));
            }
        }
    }
    Ok(found)
}

/// DOMjudge's names. It reports exhausted memory as a run-time error, so its
/// name for that covers both, and has no output limit of the validator's kind:
/// without output there is a wrong answer.
fn of_annotation(name: &str) -> Option<&'static [Verdict]> {
    use Verdict::{Ac, Ce, Mle, Ole, Pe, Rte, Sv, Tle, Wa};
    Some(match name.replace('_', "-").as_str() {
        "CORRECT" | "ACCEPTED" | "AC" => &[Ac],
        "WRONG-ANSWER" | "WA" | "NO-OUTPUT" => &[Wa, Pe],
        "PRESENTATION-ERROR" | "PE" => &[Pe],
        "TIMELIMIT" | "TIME-LIMIT" | "TIME-LIMIT-EXCEEDED" | "TLE" => &[Tle],
        "RUN-ERROR" | "RUN-TIME-ERROR" | "RUNTIME-ERROR" | "RTE" => &[Rte, Mle, Sv],
        "MEMORY-LIMIT" | "MEMORYLIMIT" | "MEMORY-LIMIT-EXCEEDED" | "MLE" => &[Mle],
        "OUTPUT-LIMIT" | "OUTPUTLIMIT" | "OUTPUT-LIMIT-EXCEEDED" | "OLE" => &[Ole],
        "SECURITY-VIOLATION" | "SV" => &[Sv],
        "COMPILER-ERROR" | "COMPILE-ERROR" | "CE" => &[Ce],
        _ => return None,
    })
}
