//! `assize problem verify`: everything a jury checks before a contest.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use assize_common::language::LanguageTable;
use assize_common::package::{Package, Program};
use assize_worker::cancel::Cancel;
use assize_worker::judge::RunSettings;
use assize_worker::slot::Slot;
use assize_worker::verify::VerifyOptions;
use bytesize::ByteSize;
use clap::Args;

use crate::exit::{self, Failure};
use crate::language_table_option::LanguageTableOption;
use crate::local_judge::LocalJudge;
use crate::opened_package::OpenedPackage;
use crate::verify::{Progress, Report, Table, page};
use crate::{blocking, host, output};

/// How long submissions may take while the time limit is being found.
const PROVISIONAL: Duration = Duration::from_secs(60);
/// How much of the outputs of one submission is compared.
const COMPARED: ByteSize = ByteSize::mib(32);

/// Check a package on this machine: its tests, validators, submissions and time limit
///
/// Runs the input validators on all inputs and the output validator on the
/// outputs that are known to be right or wrong, judges all submissions on all
/// test cases, and finds the time limit if the package states none.
#[derive(Debug, Args)]
#[command(
    about = "Check a package on this machine: its tests, validators, submissions and time limit",
    after_long_help = "Exit code: 0 no errors, perhaps warnings; 1 errors were found; 2 wrong arguments or a package \
                       that can't be read; 3 a judging error or an unfit host; 130 interrupted."
)]
pub(crate) struct Verify {
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// Write a report for a browser, in one file, as well
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Submissions to judge at once; half of the cores by default, which keeps times steady
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512))]
    jobs: Option<u16>,
    /// Run nothing twice: faster, but what is not deterministic goes unnoticed
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    language_table: LanguageTableOption,
    /// The problem package: a directory or a zip archive
    package: PathBuf,
}

impl Verify {
    /// Verifies.
    ///
    /// # Errors
    /// A [`Failure`] with the exit code.
    pub(crate) async fn execute(self) -> anyhow::Result<ExitCode> {
        blocking::until_cancelled(move |cancel| self.run(cancel)).await
    }

    fn run(self, cancel: &Cancel) -> anyhow::Result<ExitCode> {
        let table = self.language_table.load()?;
        let opened = OpenedPackage::open_unfinished(&self.package, PROVISIONAL)?;
        host::require_fit()?;
        // What submissions write is compared with what they write the second time.
        let local = open_judge(&table, &opened.package)?.running(RunSettings {
            kept_outputs: COMPARED,
            ..RunSettings::default()
        });
        let judge = local.judge();
        let mut slot = judge.slot(0, None);
        let mut others: Vec<Slot> = (1..self.jobs(opened.package.submissions.len()))
            .map(|number| judge.slot(number, None))
            .collect();
        let options = VerifyOptions { twice: !self.once };
        let progress = Progress::start();
        let verified = judge.verify(
            &mut slot,
            &mut others,
            &opened.package,
            options,
            &mut |step| progress.show(step),
            cancel,
        );
        drop(progress);
        let verification = verified.map_err(|error| {
            Failure::new(exit::JUDGING_ERROR, "verifying failed").because(error)
        })?;
        let report = Report::new(&self.package, &opened.package, verification);
        if let Some(path) = &self.html {
            write(path, &page(&report).into_string())?;
        }
        if self.json {
            output::print_json([&report])?;
        } else {
            output::print(&Table(&report).to_string())?;
        }
        Ok(ExitCode::from(if report.is_fine {
            exit::OK
        } else {
            exit::FAILURE
        }))
    }

    fn jobs(&self, submissions: usize) -> u16 {
        let half =
            || std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2));
        let wanted = self.jobs.map_or_else(half, usize::from);
        u16::try_from(wanted.min(submissions)).unwrap_or(u16::MAX)
    }
}

/// A judge for the languages of all programs, which spares asking for others.
fn open_judge(table: &LanguageTable, package: &Package) -> Result<LocalJudge, Failure> {
    let submissions = package.submissions.iter();
    let mut programs: Vec<&Program> = submissions
        .map(|submission| &submission.program)
        .chain(&package.input_validators)
        .collect();
    programs.extend(package.output_validator.programs());
    programs.extend(
        package
            .static_validator
            .as_ref()
            .map(|validator| &validator.program),
    );
    // What is of no known language is a finding.
    let ids: Vec<&str> = programs
        .into_iter()
        .filter_map(|program| program.find_language(table).ok())
        .map(|language| language.id.as_str())
        .collect();
    let needed = table
        .iter()
        .filter(|language| ids.contains(&language.id.as_str()));
    LocalJudge::open(table, needed)
}

fn write(path: &Path, page: &str) -> Result<(), Failure> {
    std::fs::write(path, page).map_err(|source| {
        let message = format!("cannot write the report to {}", path.display());
        Failure::new(exit::JUDGING_ERROR, message).because(source)
    })
}
