//! `assize problem`: problems and their packages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use assize_common::api::Problem as ApiProblem;
use assize_common::package::Package;
use clap::{Args, Subcommand};

use super::problem_verify::Verify;
use crate::client::ServerArguments;
use crate::exit::{self, Failure};
use crate::{columns, output};

/// Verify, import and list problem packages
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
    /// List the problems
    List(List),
    Verify(Verify),
}

#[derive(Debug, Args)]
struct Import {
    /// Packages: directories or zip archives
    #[arg(required = true, value_name = "PACKAGE")]
    packages: Vec<PathBuf>,
    /// Name by which submissions refer to the problem [default: the name of the package's file or directory]
    #[arg(long, value_name = "NAME")]
    short_name: Option<String>,
    #[command(flatten)]
    server: ServerArguments,
    /// One JSON object a line for each package instead of a table
    #[arg(long)]
    json: bool,
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
        matches!(self.action, Action::Verify(_))
    }

    /// Does it.
    ///
    /// # Errors
    /// When the scheduler does not answer, or a package is broken.
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        match self.action {
            Action::Import(import) => import.execute().await,
            Action::List(list) => list.execute().await,
            Action::Verify(verify) => verify.execute().await,
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
        let mut problems = Vec::new();
        for path in &self.packages {
            let short_name = match &self.short_name {
                Some(name) => name.clone(),
                None => short_name(path)?,
            };
            let archive = archive(path).await?;
            let imported = api
                .import_problem(&short_name, archive)
                .await
                .with_context(|| format!("package {}", path.display()))?;
            for warning in &imported.warnings {
                output::note(&format!("{}: warning: {warning}", path.display()));
            }
            if self.json {
                output::print_json([&imported])?;
            } else if imported.unchanged {
                output::note(&format!(
                    "{short_name}: this package is its current one already"
                ));
            }
            problems.push(imported.problem);
        }
        if !self.json {
            output::print(&table(&problems))?;
        }
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

fn table(problems: &[ApiProblem]) -> String {
    let mut table = columns::table([
        "problem", "name", "version", "tests", "time", "memory", "imported",
    ]);
    for problem in problems {
        table.add_row([
            problem.short_name.clone(),
            problem.name.clone(),
            problem.version.to_string(),
            problem.testcases.to_string(),
            columns::time(Some(problem.time_limit_ms)),
            columns::memory(Some(problem.memory_limit_bytes)),
            columns::moment(problem.imported_at),
        ]);
    }
    columns::align_right(&mut table, [2, 3, 4, 5]);
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
        !path.is_dir() || path.join("problem.yaml").exists(),
        Failure::new(
            exit::USAGE,
            format!(
                "{} is not a package: it has no problem.yaml",
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
}
