//! The jury's example submissions: what they are and what is expected of them.

use std::collections::BTreeSet;

use super::annotation::{self, Annotation};
use super::error::PackageError;
use super::expectation::Expectation;
use super::file_tree::FileTree;
use super::grading::{Grader, Grading, Objective, ScoreRange};
use super::model::{Program, Submission};
use super::rule::{Rule, ScoreRule, verdicts_of_format};
use super::submissions_yaml::{self, Entry, RuleText, TimeLimitUse};
use crate::{Score, Verdict};

/// Directories whose name says everything; an annotation inside them is ignored.
const OFFICIAL: [&str; 4] = [
    "accepted",
    "wrong_answer",
    "time_limit_exceeded",
    "run_time_error",
];
/// The directory of submissions that get some of the points.
const PARTIAL: &str = "partially_accepted";

/// All submissions, sorted by name; `legacy` directories mean a little else.
pub(super) fn read(
    tree: &FileTree,
    legacy: bool,
    grading: &Grading,
    warnings: &mut Vec<String>,
) -> Result<Vec<Submission>, PackageError> {
    let entries = submissions_yaml::read(tree, grading.gives_scores(), warnings)?;
    let reader = Reader {
        legacy,
        grading,
        entries: &entries,
    };
    let mut submissions = Vec::new();
    for directory in tree.children("submissions") {
        let path = format!("submissions/{directory}");
        if tree.get(&path).is_some() {
            if path != submissions_yaml::FILE {
                warnings.push(format!(
                    "{path}: not in a directory of submissions/ and ignored"
                ));
            }
            continue;
        }
        if directory == PARTIAL && !grading.gives_scores() {
            let problem = "only scoring problems have partially accepted submissions";
            return Err(PackageError::invalid(&path, "", problem));
        }
        for name in tree.children(&path) {
            let program = Program::at(tree, &format!("{path}/{name}"));
            submissions.push(reader.submission(program, directory, warnings)?);
        }
    }
    find_unused_entries(&entries, &submissions, warnings);
    Ok(submissions)
}

/// Warns of patterns that no submission is told by.
fn find_unused_entries(entries: &[Entry], submissions: &[Submission], warnings: &mut Vec<String>) {
    for entry in entries {
        let is_used = submissions
            .iter()
            .any(|submission| entry.glob.matches(within(&submission.program)));
        if !is_used {
            warnings.push(format!(
                "{}: `{}` matches no submission and means nothing: patterns are paths below submissions/, \
                 such as accepted/a.py",
                submissions_yaml::FILE,
                entry.pattern
            ));
        }
    }
}

/// The path of a submission below `submissions/`.
fn within(program: &Program) -> &str {
    let name = &program.name;
    name.strip_prefix("submissions/").unwrap_or(name)
}

struct Reader<'a> {
    legacy: bool,
    grading: &'a Grading,
    entries: &'a [Entry],
}

impl Reader<'_> {
    fn submission(
        &self,
        mut program: Program,
        directory: &str,
        warnings: &mut Vec<String>,
    ) -> Result<Submission, PackageError> {
        let mut expectation = Expectation::default();
        let within = within(&program).to_owned();
        let official = OFFICIAL.contains(&directory);
        let annotation = Annotation::find(&program)?;
        if official && !annotation.is_empty() {
            warnings.push(format!(
                "{}: its {} annotation is ignored in {directory}/",
                program.name,
                annotation::RESULTS
            ));
        } else if let Some(verdicts) = annotation.verdicts {
            expectation.add(Rule::of_whole(verdicts));
        }
        // An annotation says more than a directory does by default, and does not take
        // back what submissions.yaml says.
        let default = (official || expectation.is_empty())
            .then(|| default_rule(directory, self.legacy))
            .flatten()
            .unwrap_or_default();
        let replaces_default = |entry: &&Entry| entry.pattern.trim_end_matches('/') == directory;
        match self.entries.iter().find(replaces_default) {
            Some(entry) => expectation.add_written(entry.overall.clone().or(default), None),
            None => expectation.add_default(default),
        }
        if directory == PARTIAL {
            expectation.add(partially_accepted(self.grading));
        }
        if let Some(score) = annotation.score.filter(|_| !official) {
            if self.grading.gives_scores() {
                expectation.add(exact_score(score));
            } else {
                warnings.push(format!(
                    "{}: expects a score, which only scoring problems have",
                    program.name
                ));
            }
        }
        let mut is_model = false;
        for entry in self
            .entries
            .iter()
            .filter(|entry| entry.glob.matches(&within))
        {
            is_model |= entry.is_model;
            program.language = entry.language.clone().or(program.language);
            program.entry_point = entry.entry_point.clone().or(program.entry_point);
            if !replaces_default(&entry) {
                expectation.add_written(entry.overall.clone(), None);
            }
            for (testcases, rule) in &entry.by_testcase {
                expectation.add_written(rule.clone(), Some(testcases));
            }
        }
        Ok(Submission {
            program,
            expectation,
            is_model,
        })
    }
}

/// What the directories mean by default. Legacy lets a slow submission be wrong
/// as well, and a crashing one be anything; there only accepted and slow ones say
/// something about the time limit.
fn default_rule(directory: &str, legacy: bool) -> Option<RuleText> {
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
    let times_count = !legacy || matches!(directory, "accepted" | "time_limit_exceeded");
    Some(RuleText {
        permitted: Some(of_format(permitted)),
        required: Some(of_format(required)),
        time_limit: (!times_count).then_some(TimeLimitUse::Never),
        ..RuleText::default()
    })
}

fn of_format(names: &[&str]) -> BTreeSet<Verdict> {
    names
        .iter()
        .filter_map(|name| verdicts_of_format(name))
        .flatten()
        .copied()
        .collect()
}

/// Accepted, but not with the best score.
fn partially_accepted(grading: &Grading) -> Rule {
    let best = match grading {
        Grading::Grader(Grader {
            root,
            scoring: Some(Objective::Maximize),
        }) => root.range.max.clone(),
        Grading::Grader(Grader {
            root,
            scoring: Some(Objective::Minimize),
        }) => root.range.min.clone(),
        Grading::Scoring(secret) => secret.max_score.clone(),
        Grading::Grader(_) | Grading::PassFail => None,
    };
    let accepted = matches!(grading, Grading::Grader(_)).then(|| BTreeSet::from([Verdict::Ac]));
    Rule {
        overall: accepted,
        score: Some(ScoreRule {
            range: ScoreRange::default(),
            not: best,
        }),
        ..Rule::default()
    }
}

fn exact_score(score: Score) -> Rule {
    Rule {
        score: Some(ScoreRule {
            range: ScoreRange {
                min: Some(score.clone()),
                max: Some(score),
            },
            not: None,
        }),
        ..Rule::default()
    }
}
