//! `assize problem`: problems and their packages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use assize_common::api::{Problem as ApiProblem, ProblemVersion};
use assize_common::package::Package;
use clap::{Args, Subcommand};

use super::problem_generate::Generate;
use super::problem_verify::Verify;
use crate::client::ServerArguments;
use crate::exit::{self, Failure};
use crate::{columns, output};

/// Generate, verify, import and list problem packages
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct Problem {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Import packages: from then on new submissions are judged by them
    Import(Import),
    /// List the versions of a problem's package, the latest first
    Versions(Versions),
    /// Have new submissions judged by a version of the package that was imported before
    Activate(Activate),
    /// List the problems
    List(List),
    Verify(Verify),
    Generate(Generate),
}

#[derive(Debug, Args)]
struct Import {
    /// Packages: directories or zip archives
    #[arg(required = true, value_name = "PACKAGE")]
    packages: Vec<PathBuf>,
    /// Name by which submissions refer to the problem [default: the name of the package's file or directory]
    #[arg(long, value_name = "NAME")]
    short_name: Option<String>,
    /// Only keep them: new submissions are judged as before until `assize problem activate`
    #[arg(long)]
    no_activate: bool,
    #[command(flatten)]
    server: ServerArguments,
    /// One JSON object a line for each package instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Versions {
    /// The problem's short name
    problem: String,
    #[command(flatten)]
    server: ServerArguments,
    /// One JSON object a line for each version instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Activate {
    /// The problem's short name
    problem: String,
    /// The version's number, as `assize problem versions` shows it
    version: u32,
    #[command(flatten)]
    server: ServerArguments,
}

#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    server: ServerArguments,
    /// One JSON object a line for each problem instead of a table
    #[arg(long)]
    json: bool,
}

impl Problem {
    /// Whether this starts jails here.
    #[must_use]
    pub const fn needs_jails(&self) -> bool {
        matches!(self.action, Action::Verify(_) | Action::Generate(_))
    }

    /// Does it.
    ///
    /// # Errors
    /// When the scheduler does not answer, or a package is broken.
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        match self.action {
            Action::Import(import) => import.execute().await,
            Action::Versions(versions) => versions.execute().await,
            Action::Activate(activate) => activate.execute().await,
            Action::List(list) => list.execute().await,
            Action::Verify(verify) => verify.execute().await,
            Action::Generate(generate) => generate.execute().await,
        }
    }
}

impl Import {
    async fn execute(self) -> anyhow::Result<ExitCode> {
        ensure!(
            self.short_name.is_none() || self.packages.len() == 1,
            Failure::new(exit::USAGE, "--short-name is for one package, not several")
        );
        let api = self.server.api()?;
        let mut versions = Vec::new();
        for path in &self.packages {
            let short_name = match &self.short_name {
                Some(name) => name.clone(),
                None => short_name(path)?,
            };
            let archive = archive(path).await?;
            let imported = if self.no_activate {
                api.import_problem_inactive(&short_name, archive).await
            } else {
                api.import_problem(&short_name, archive).await
            };
            let imported = imported.with_context(|| format!("package {}", path.display()))?;
            for warning in &imported.warnings {
                output::note(&format!("{}: warning: {warning}", path.display()));
            }
            if self.json {
                output::print_json([&imported])?;
            } else if imported.unchanged {
                let how = if imported.is_active {
                    "active"
                } else {
                    "imported"
                };
                output::note(&format!("{short_name}: this package is {how} already"));
            }
            let (problem, is_active) = (imported.problem, imported.is_active);
            versions.push(ProblemVersion { problem, is_active });
        }
        if !self.json {
            output::print(&versions_table(&versions))?;
        }
        Ok(ExitCode::from(exit::OK))
    }
}

impl Versions {
    async fn execute(self) -> anyhow::Result<ExitCode> {
        let api = self.server.api()?;
        let versions = api.problem_versions(&self.problem).await?.versions;
        if self.json {
            output::print_json(versions)?;
        } else {
            output::print(&versions_table(&versions))?;
        }
        Ok(ExitCode::from(exit::OK))
    }
}

impl Activate {
    async fn execute(self) -> anyhow::Result<ExitCode> {
        let api = self.server.api()?;
        api.activate_problem_version(&self.problem, self.version)
            .await?;
        output::note(&format!(
            "new submissions to {} are judged by version {}; `assize rejudge new` has the others judged by it too",
            self.problem, self.version
        ));
        Ok(ExitCode::from(exit::OK))
    }
}

impl List {
    async fn execute(self) -> anyhow::Result<ExitCode> {
        let problems = self.server.api()?.problems().await?.problems;
        if self.json {
            output::print_json(problems)?;
        } else {
            output::print(&table(&problems))?;
        }
        Ok(ExitCode::from(exit::OK))
    }
}

/// The columns that tell of a problem, of which [`NUMBERS`] are aligned to the right.
const COLUMNS: [&str; 7] = [
    "problem", "name", "version", "tests", "time", "memory", "imported",
];
const NUMBERS: [usize; 4] = [2, 3, 4, 5];

fn cells(problem: &ApiProblem) -> [String; 7] {
    [
        problem.short_name.clone(),
        problem.name.clone(),
        problem.version.to_string(),
        problem.testcases.to_string(),
        columns::time(Some(problem.time_limit_ms)),
        columns::memory(Some(problem.memory_limit_bytes)),
        columns::moment(problem.imported_at),
    ]
}

fn table(problems: &[ApiProblem]) -> String {
    let mut table = columns::table(COLUMNS);
    table.add_rows(problems.iter().map(cells));
    columns::align_right(&mut table, NUMBERS);
    table.trim_fmt()
}

fn versions_table(versions: &[ProblemVersion]) -> String {
    let [problem, name, version, tests, time, memory, imported] = COLUMNS;
    let mut table = columns::table([
        problem, name, version, tests, time, memory, imported, "active",
    ]);
    for ProblemVersion { problem, is_active } in versions {
        let active = if *is_active { "yes" } else { "no" };
        let cells = cells(problem).into_iter();
        table.add_row(cells.chain([active.to_owned()]));
    }
    columns::align_right(&mut table, NUMBERS);
    table.trim_fmt()
}

/// The name of a package's file or directory, without `.zip`.
pub(crate) fn short_name(path: &Path) -> anyhow::Result<String> {
    let full = path.canonicalize().map_err(|error| {
        Failure::new(exit::USAGE, format!("no package {}", path.display())).because(error)
    })?;
    let name = if full.is_dir() {
        full.file_name()
    } else {
        full.file_stem()
    };
    let name = name.and_then(|name| name.to_str());
    Ok(name
        .with_context(|| format!("{} has no name: give --short-name", path.display()))?
        .to_owned())
}

/// The package as an archive.
pub(crate) async fn archive(path: &Path) -> anyhow::Result<Vec<u8>> {
    ensure!(
        !path.is_dir() || Package::is_at(path),
        Failure::new(
            exit::USAGE,
            format!(
                "{} is not a package: it has no problem.yaml, problem.xml or init.yml",
                path.display()
            )
        )
    );
    let owned = path.to_owned();
    let packing = tokio::task::spawn_blocking(move || {
        if owned.is_dir() {
            return Package::pack(&owned).map_err(anyhow::Error::from);
        }
        Ok(fs::read(&owned)?)
    });
    let archive = packing.await.context("packing failed")?;
    archive.map_err(|error| {
        Failure::new(
            exit::USAGE,
            format!("cannot read the package {}", path.display()),
        )
        .because(error)
        .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_named_after_their_place() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("two.sum");
        fs::create_dir(&directory).unwrap();
        assert_eq!(short_name(&directory.join(".")).unwrap(), "two.sum");
        let archive = root.path().join("guess.zip");
        fs::write(&archive, "").unwrap();
        assert_eq!(short_name(&archive).unwrap(), "guess");
        assert!(short_name(&root.path().join("none")).is_err());
    }

    #[tokio::test]
    async fn directories_of_each_format_are_packed() {
        for file in ["problem.yaml", "problem.xml", "init.yml"] {
            let root = tempfile::tempdir().unwrap();
            assert!(archive(root.path()).await.is_err());
            fs::write(root.path().join(file), "").unwrap();
            archive(root.path()).await.unwrap();
        }
    }
}
