//! Which submissions to judge, in which language, and what is expected.

use std::path::Path;

use assize_common::language::{Language, LanguageTable, NO_LANGUAGE};
use assize_common::package::{Expectation, File, Package, Program, Submission};
use walkdir::WalkDir;

use crate::exit::{self, Failure};
use crate::opened_package::OpenedPackage;

/// A submission to judge.
#[derive(Debug)]
pub struct Selected {
    /// As the person named it, or its path within the package.
    pub name: String,
    /// Its files.
    pub program: Program,
    /// The language it is judged as, unless it consists of outputs.
    pub language: Option<Language>,
    /// What the package expects of it; nothing of one from outside.
    pub expectation: Expectation,
}

impl Selected {
    /// The id of its language, or what stands for none.
    #[must_use]
    pub fn language_id(&self) -> &str {
        self.language
            .as_ref()
            .map_or(NO_LANGUAGE, |language| language.id.as_str())
    }
}

/// A submission before its language is known.
struct Named {
    name: String,
    program: Program,
    expectation: Expectation,
}

/// The submissions that `given` names, or all of the package when it is empty;
/// all as `language` if one is named.
///
/// # Errors
/// A [`Failure`] of code [`exit::USAGE`] that lists everything wrong with what
/// was given.
pub fn select(
    opened: &OpenedPackage,
    given: &[String],
    table: &LanguageTable,
    language: Option<&str>,
) -> Result<Vec<Selected>, Failure> {
    let usage = |message: String| Failure::new(exit::USAGE, message);
    let forced = language.map(|id| table.get(id)).transpose();
    let forced = forced.map_err(|error| usage(error.to_string()))?;
    let mut problems = Vec::new();
    let mut named = Vec::new();
    if given.is_empty() {
        named.extend(
            opened
                .package
                .submissions
                .iter()
                .map(|submission| Named::of_package(submission, None)),
        );
        if named.is_empty() {
            problems.push(
                "the package has no submissions: put some below submissions/accepted/ \
                 and its siblings, or name files"
                    .to_owned(),
            );
        }
    }
    for name in given {
        match find(opened, name) {
            Ok(found) => named.extend(found),
            Err(problem) => problems.push(problem),
        }
    }
    let mut selected = Vec::new();
    for Named {
        name,
        program,
        expectation,
    } in named
    {
        let language = match forced {
            Some(language) => Ok(Some(language)),
            None => opened.package.submission_language(&program, table),
        };
        match language {
            Ok(language) => selected.push(Selected {
                name,
                language: language.cloned(),
                program,
                expectation,
            }),
            Err(problem) => problems.push(problem.to_string()),
        }
    }
    if problems.is_empty() {
        Ok(selected)
    } else {
        Err(usage(problems.join("\n")))
    }
}

impl Named {
    /// Under its own name unless another was given.
    fn of_package(submission: &Submission, given: Option<&str>) -> Self {
        Self {
            name: given.unwrap_or(&submission.program.name).to_owned(),
            program: submission.program.clone(),
            expectation: submission.expectation.clone(),
        }
    }
}

/// A file or directory of the host, which may belong to the package, or else a
/// path within the package.
fn find(opened: &OpenedPackage, name: &str) -> Result<Vec<Named>, String> {
    let path = Path::new(name);
    if !path.exists() {
        let found = within(&opened.package, name.trim_end_matches('/'), name);
        return if found.is_empty() {
            Err(format!(
                "{name}: neither a file here nor a submission of the package"
            ))
        } else {
            Ok(found)
        };
    }
    let canonical = path
        .canonicalize()
        .map_err(|error| format!("{name}: {error}"))?;
    if let Some(root) = &opened.directory
        && let Ok(root) = root.canonicalize()
        && let Ok(inner) = canonical.strip_prefix(&root)
        && let Some(inner) = inner.to_str()
    {
        let found = within(&opened.package, inner, name);
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(vec![Named {
        name: name.to_owned(),
        program: from_host(path, name)?,
        expectation: Expectation::default(),
    }])
}

/// The submission at `inner`, under the name that was given, or all below it.
fn within(package: &Package, inner: &str, given: &str) -> Vec<Named> {
    let exact = package
        .submissions
        .iter()
        .find(|submission| submission.program.name == inner);
    if let Some(submission) = exact {
        return vec![Named::of_package(submission, Some(given))];
    }
    let below = package
        .submissions
        .iter()
        .filter(|submission| Path::new(&submission.program.name).starts_with(inner));
    below
        .map(|submission| Named::of_package(submission, None))
        .collect()
}

/// A program of one file, or of all files below a directory.
fn from_host(path: &Path, name: &str) -> Result<Program, String> {
    let mut files = Vec::new();
    let root = if path.is_dir() {
        path
    } else {
        path.parent().unwrap_or(path)
    };
    let is_hidden = |entry: &walkdir::DirEntry| {
        entry.depth() > 0 && entry.file_name().as_encoded_bytes().starts_with(b".")
    };
    let entries = WalkDir::new(path)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| !is_hidden(entry));
    for entry in entries {
        let entry = entry.map_err(|error| format!("{name}: {error}"))?;
        if !entry.path().is_file() {
            continue;
        }
        let relative = entry.path().strip_prefix(root).unwrap_or(entry.path());
        let relative = relative.to_str().ok_or_else(|| {
            format!(
                "{name}: the name of {} is not UTF-8",
                entry.path().display()
            )
        })?;
        files.push(File {
            name: relative.to_owned(),
            path: entry.path().to_owned(),
        });
    }
    if files.is_empty() {
        return Err(format!("{name}: no files"));
    }
    Ok(Program {
        name: name.to_owned(),
        files,
        language: None,
        entry_point: None,
    })
}
