//! `assize problem generate`: what a package of Polygon lacks.

use std::path::PathBuf;
use std::process::ExitCode;

use assize_common::package::Package;
use assize_worker::cancel::Cancel;
use clap::Args;

use crate::exit::{self, Failure};
use crate::language_table_option::LanguageTableOption;
use crate::local_judge::LocalJudge;
use crate::{blocking, host, output};

/// Make the tests and answers that a package of Polygon lacks, by its own programs
///
/// Inputs are printed by the package's generators, answers by its main solution, in
/// jails and under the limits of programs of the jury. What is there already stays.
#[derive(Debug, Args)]
#[command(
    about = "Make the tests and answers that a package of Polygon lacks, by its own programs",
    after_long_help = "Exit code: 0 nothing is missing any more; 2 wrong arguments, or something that can't be made; \
                       3 a program of the package failed, or the host is unfit; 130 interrupted."
)]
pub(crate) struct Generate {
    #[command(flatten)]
    language_table: LanguageTableOption,
    /// The package: a directory with a problem.xml, into which the files are written
    package: PathBuf,
}

impl Generate {
    /// Generates.
    ///
    /// # Errors
    /// A [`Failure`] with the exit code.
    pub(crate) async fn execute(self) -> anyhow::Result<ExitCode> {
        blocking::until_cancelled(move |cancel| self.run(cancel)).await
    }

    fn run(self, cancel: &Cancel) -> anyhow::Result<ExitCode> {
        let table = self.language_table.load()?;
        let generation = Package::generation(&self.package).map_err(|error| {
            let code = if error.is_fault_of_package() {
                exit::USAGE
            } else {
                exit::JUDGING_ERROR
            };
            Failure::new(code, format!("package {}", self.package.display())).because(error)
        })?;
        if generation.steps.is_empty() {
            output::note("nothing is missing");
            return Ok(ExitCode::from(exit::OK));
        }
        host::require_fit()?;
        let programs = generation.steps.iter().map(|step| &step.program);
        let ids: Vec<&str> = programs
            .filter_map(|program| program.find_language(&table).ok())
            .map(|language| language.id.as_str())
            .collect();
        let needed = table
            .iter()
            .filter(|language| ids.contains(&language.id.as_str()));
        let local = LocalJudge::open(&table, needed)?;
        let judge = local.judge();
        judge
            .generate(
                &mut judge.slot(0, None),
                &generation,
                &self.package,
                &mut |target| output::note(target),
                cancel,
            )
            .map_err(|error| {
                Failure::new(exit::JUDGING_ERROR, "generating failed").because(error)
            })?;
        Ok(ExitCode::from(exit::OK))
    }
}
