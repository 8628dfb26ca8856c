//! The example contest: packages in a directory, and their submissions as a
//! client would send them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use assize_common::api::{LanguageInfo, NewFile, NewSubmission};
use assize_common::language::{LanguageTable, NO_LANGUAGE};
use assize_common::package::{Expectation, Package, Submission};
use assize_common::{SandboxMode, Verdict};

use crate::exit::{self, Failure};

/// Why one submission is flagged.
const FLAG: &str = "the demo flags one submission";

/// The packages of a contest.
#[derive(Debug)]
pub struct Contest {
    problems: Vec<ContestProblem>,
}

/// A package with what is needed to import it.
#[derive(Debug)]
pub struct ContestProblem {
    /// The name of its directory, by which submissions refer to it.
    pub short_name: String,
    /// The package, zipped.
    pub archive: Vec<u8>,
    package: Package,
}

/// A submission to send, with what is expected of it.
#[derive(Debug)]
pub struct Entry {
    /// The problem and the place in its package, such as `guess/accepted/a.cpp`.
    pub name: String,
    /// What to send.
    pub new: NewSubmission,
    /// What the package expects of it.
    pub expectation: Expectation,
}

impl Contest {
    /// Reads all packages in the directory `root`, by name.
    ///
    /// # Errors
    /// When there are none, or one is broken.
    pub fn read(root: &Path) -> anyhow::Result<Self> {
        let entries = fs::read_dir(root).map_err(|error| {
            let message = format!(
                "no example contest at {}: run this in the root of the source tree, or name a directory of packages with --contest",
                root.display()
            );
            Failure::new(exit::USAGE, message).because(error)
        })?;
        let mut roots: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| Package::is_at(path))
            .collect();
        roots.sort_unstable();
        let problems = roots.iter().map(|root| read_problem(root));
        let problems = problems.collect::<anyhow::Result<Vec<_>>>()?;
        ensure!(
            problems
                .iter()
                .any(|problem| !problem.package.submissions.is_empty()),
            Failure::new(
                exit::USAGE,
                format!("no package at {} has submissions", root.display())
            )
        );
        Ok(Self { problems })
    }

    /// The packages.
    #[must_use]
    pub fn problems(&self) -> &[ContestProblem] {
        &self.problems
    }

    /// All submissions, as sent to a scheduler with these languages in the
    /// contest `name`. One is flagged and one asks for ptrace, so that both
    /// sandboxes and two lanes are used.
    ///
    /// # Errors
    /// When a language is not enabled there, or a file can't be read.
    pub fn entries(&self, name: &str, enabled: &[LanguageInfo]) -> anyhow::Result<Vec<Entry>> {
        let table = LanguageTable::embedded()?;
        let mut missing = BTreeSet::new();
        let mut entries = Vec::new();
        for problem in &self.problems {
            for submission in &problem.package.submissions {
                let language = problem
                    .package
                    .submission_language(&submission.program, &table)?;
                let Some(language) = language else {
                    entries.push(entry(name, &problem.short_name, submission, NO_LANGUAGE)?);
                    continue;
                };
                if enabled.iter().any(|enabled| enabled.id == language.id) {
                    entries.push(entry(name, &problem.short_name, submission, &language.id)?);
                } else {
                    missing.insert(format!(
                        "{} (Debian packages {})",
                        language.id,
                        language.packages.join(" ")
                    ));
                }
            }
        }
        ensure!(
            missing.is_empty(),
            Failure::new(
                exit::JUDGING_ERROR,
                format!(
                    "the contest has submissions in languages that are not enabled: {}",
                    missing.into_iter().collect::<Vec<_>>().join(", ")
                )
            )
        );
        single_out(&mut entries);
        Ok(entries)
    }
}

fn read_problem(root: &Path) -> anyhow::Result<ContestProblem> {
    let broken =
        |error| Failure::new(exit::USAGE, format!("package {}", root.display())).because(error);
    let name = root.file_name().and_then(|name| name.to_str());
    Ok(ContestProblem {
        short_name: name
            .with_context(|| format!("{} has no name in UTF-8", root.display()))?
            .to_owned(),
        archive: Package::pack(root).map_err(broken)?,
        package: Package::read(root).map_err(broken)?,
    })
}

fn entry(
    contest: &str,
    problem: &str,
    submission: &Submission,
    language: &str,
) -> anyhow::Result<Entry> {
    let read = |file: &assize_common::package::File| {
        let content = fs::read(&file.path);
        Ok(NewFile {
            name: file.name.clone(),
            content: content.with_context(|| format!("cannot read {}", file.path.display()))?,
        })
    };
    let program = &submission.program;
    let place = program.name.strip_prefix("submissions/");
    Ok(Entry {
        name: format!("{problem}/{}", place.unwrap_or(&program.name)),
        new: NewSubmission {
            problem: problem.to_owned(),
            language: language.to_owned(),
            files: program
                .files
                .iter()
                .map(read)
                .collect::<anyhow::Result<_>>()?,
            entry_point: program.entry_point.clone(),
            contest: Some(contest.to_owned()),
            team: Some("the jury".to_owned()),
            sandbox: None,
            flag: None,
        },
        expectation: submission.expectation.clone(),
    })
}

/// Flags the first accepted program of a compiled language, and asks for ptrace
/// for the second: their system calls are few, so that tracing leaves their time alone.
fn single_out(entries: &mut [Entry]) {
    let accepted = BTreeSet::from([Verdict::Ac]);
    let mut plain = entries.iter_mut().filter(|entry| {
        let compiled = entry.new.language == "c" || entry.new.language.starts_with("cpp");
        compiled && entry.expectation.verdicts() == accepted
    });
    if let Some(entry) = plain.next() {
        entry.new.flag = Some(FLAG.to_owned());
    }
    if let Some(entry) = plain.next() {
        entry.new.sandbox = Some(SandboxMode::Ptrace);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Contest {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/packages");
        Contest::read(&root).unwrap()
    }

    fn all_languages() -> Vec<LanguageInfo> {
        let table = LanguageTable::embedded().unwrap();
        let info = |language: &assize_common::language::Language| LanguageInfo {
            id: language.id.clone(),
            name: language.name.clone(),
            extensions: language.extensions.clone(),
        };
        table.iter().map(info).collect()
    }

    #[test]
    fn the_example_contest_uses_both_sandboxes_and_two_lanes() {
        let entries = example().entries("demo", &all_languages()).unwrap();
        assert!(entries.iter().all(|entry| !entry.expectation.is_empty()));
        let count =
            |wanted: fn(&Entry) -> bool| entries.iter().filter(|entry| wanted(entry)).count();
        assert_eq!(count(|entry| entry.new.flag.is_some()), 1);
        assert_eq!(
            count(|entry| entry.new.sandbox == Some(SandboxMode::Ptrace)),
            1
        );
    }

    #[test]
    fn missing_languages_are_named() {
        let mut languages = all_languages();
        languages.retain(|language| language.id != "java");
        let error = example().entries("demo", &languages).unwrap_err();
        assert!(error.to_string().contains("java"), "{error}");
    }

    #[test]
    fn a_directory_without_packages_is_no_contest() {
        let root = tempfile::tempdir().unwrap();
        assert!(Contest::read(root.path()).is_err());
        assert!(Contest::read(&root.path().join("none")).is_err());
    }
}
