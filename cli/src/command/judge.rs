//! `assize judge`: judge a package's submissions on this machine.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use assize_worker::cancel::Cancel;
use assize_worker::judge::RunSettings;
use clap::Args;

use crate::exit::{self, Failure};
use crate::judge::{Report, Session, Table, select};
use crate::language_table_option::LanguageTableOption;
use crate::local_judge::LocalJudge;
use crate::opened_package::OpenedPackage;
use crate::output;
use crate::sandbox_option::SandboxOption;
use crate::{blocking, host};

/// Judge submissions on this machine, by the same code as a worker, with no services
///
/// Without SUBMISSION all below submissions/ of the package are judged and
/// compared with what the package expects of each: by their directories,
/// submissions.yaml and @EXPECTED_RESULTS@. Nothing is expected of a submission
/// from elsewhere but that it compiles.
#[derive(Debug, Args)]
#[command(
    about = "Judge submissions on this machine, by the same code as a worker, with no services",
    after_long_help = "Exit code: 0 all as expected; 1 some not; 2 wrong arguments or a broken package; \
                       3 a judging error or an unfit host; 130 interrupted."
)]
pub struct Judge {
    /// One line of JSON for each submission instead of a table
    #[arg(long)]
    json: bool,
    /// How system calls are controlled; auto is unshare
    #[arg(long, value_name = "MODE", default_value = "auto")]
    sandbox: SandboxOption,
    /// Submissions to judge at once; half of the cores by default, which keeps times steady
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512))]
    jobs: Option<u16>,
    /// Test cases of a submission to run at once, beside --jobs
    #[arg(long, value_name = "N", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=64))]
    tests_at_once: u16,
    /// Run submissions at the same addresses each time, as a worker with ASSIZE_FIXED_LAYOUT does
    #[arg(long)]
    fixed_layout: bool,
    /// Judge all test cases, not only up to the first that fails
    #[arg(long)]
    all: bool,
    /// Show what was said in accepted runs of interactive problems, too
    #[arg(long)]
    transcripts: bool,
    /// Judge by this time limit instead of the package's
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    time_limit: Option<Duration>,
    /// The language of all submissions, such as cpp20; by default told from their names
    #[arg(long, value_name = "ID")]
    language: Option<String>,
    #[command(flatten)]
    language_table: LanguageTableOption,
    /// The problem package: a directory or a zip archive
    package: PathBuf,
    /// Files or directories, here or within the package
    #[arg(value_name = "SUBMISSION")]
    submissions: Vec<String>,
}

impl Judge {
    /// Judges.
    ///
    /// # Errors
    /// A [`Failure`] with the exit code.
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        blocking::until_cancelled(move |cancel| self.run(cancel)).await
    }

    fn run(self, cancel: &Cancel) -> anyhow::Result<ExitCode> {
        let table = self.language_table.load()?;
        let mut opened = OpenedPackage::open(&self.package)?;
        for warning in &opened.package.warnings {
            writeln!(io::stderr(), "assize: warning: {warning}")?;
        }
        if let Some(limit) = self.time_limit {
            opened.package.limits.time_limit = limit;
        }
        let selected = select(&opened, &self.submissions, &table, self.language.as_deref())?;
        host::require_fit()?;
        let local = LocalJudge::for_submissions(&table, &opened, &selected)?;
        let local = local.running(RunSettings {
            fixed_layout: self.fixed_layout,
            all_transcripts: self.transcripts,
            ..RunSettings::default()
        });
        let sandbox = self.sandbox.choose(opened.package.policy.is_some());
        let session = Session {
            judge: local.judge(),
            package: &opened.package,
            selected: &selected,
            sandbox: sandbox.mode,
            all: self.all,
            jobs: self.jobs(selected.len()),
            tests_at_once: self.tests_at_once,
            show_progress: !self.json,
        };
        let mut code = exit::OK;
        let mut shown = Table::new(self.transcripts);
        session
            .run(cancel, |selected, result| {
                let report = Report::new(selected, result, &sandbox);
                code = code.max(code_of(&report));
                if self.json {
                    print(&serde_json::to_string(&report)?)
                } else {
                    shown.add(report);
                    Ok(())
                }
            })
            .map_err(|error| Failure::new(exit::JUDGING_ERROR, "judging failed").because(error))?;
        if !self.json && !cancel.is_cancelled() {
            print(&shown.to_string())?;
        }
        Ok(ExitCode::from(code))
    }

    fn jobs(&self, submissions: usize) -> u16 {
        let half =
            || std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2));
        let wanted = self.jobs.map_or_else(half, usize::from);
        u16::try_from(wanted.min(submissions)).unwrap_or(u16::MAX)
    }
}

const fn code_of(report: &Report) -> u8 {
    match report {
        Report {
            judging_error: Some(_),
            ..
        } => exit::JUDGING_ERROR,
        Report {
            as_expected: true, ..
        } => exit::OK,
        _ => exit::FAILURE,
    }
}

fn print(line: &str) -> anyhow::Result<()> {
    output::print(line).map_err(|error| {
        if exit::is_output_closed(&error) {
            error
        } else {
            Failure::new(exit::JUDGING_ERROR, "judging ended early")
                .because(error)
                .into()
        }
    })
}
