//! `assize doctor`: what works on this host, and how to mend the rest.

use std::path::PathBuf;
use std::process::ExitCode;

use assize_common::language::{Language, LanguageTable};
use assize_worker::cancel::Cancel;
use assize_worker::sandbox::{Finding, Grade, preflight};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget};

use crate::blocking;
use crate::doctor::{Diagnosis, LanguageState, Service, try_all};
use crate::exit::{self, Failure};
use crate::language_table_option::LanguageTableOption;
use crate::local_judge::LocalJudge;
use crate::output;
use crate::up;

/// Tell what works on this host, and how to mend the rest
///
/// Looks at what jails need of the host, compiles and runs a small program in
/// each language as a worker does when it starts, and looks for the servers that
/// `assize up` needs.
#[derive(Debug, Args)]
#[command(
    about = "Tell what works on this host, and how to mend the rest",
    after_long_help = "Exit code: 0 this host can judge, though maybe not all languages; \
                       2 wrong arguments; 3 it can't judge; 130 interrupted."
)]
pub struct Doctor {
    /// One object of JSON
    #[arg(long)]
    json: bool,
    /// Languages to try, comma separated; all of the language table by default
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    languages: Vec<String>,
    #[command(flatten)]
    language_table: LanguageTableOption,
}

impl Doctor {
    /// Looks at everything and tells.
    ///
    /// # Errors
    /// A [`Failure`] with the exit code.
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        blocking::until_cancelled(move |cancel| self.run(cancel)).await
    }

    fn run(self, cancel: &Cancel) -> anyhow::Result<ExitCode> {
        let table = self.table()?;
        let mut findings = preflight();
        let mut languages = Vec::new();
        if is_fit(&findings) {
            match self.try_languages(&table, cancel) {
                Ok(tried) => languages = tried,
                Err(error) if cancel.is_cancelled() => return Err(error),
                Err(error) => findings.push(no_jail(&error)),
            }
        }
        let diagnosis = Diagnosis {
            fit: is_fit(&findings),
            findings,
            languages,
            services: up::servers().into_iter().map(service).collect(),
        };
        let text = if self.json {
            serde_json::to_string(&diagnosis)?
        } else {
            diagnosis.to_string()
        };
        output::print(&text)?;
        Ok(ExitCode::from(if diagnosis.fit {
            exit::OK
        } else {
            exit::JUDGING_ERROR
        }))
    }

    fn table(&self) -> Result<LanguageTable, Failure> {
        self.language_table
            .read()
            .and_then(|table| {
                if self.languages.is_empty() {
                    Ok(table)
                } else {
                    table.restricted_to(&self.languages)
                }
            })
            .map_err(|error| Failure::new(exit::USAGE, "unusable languages").because(error))
    }

    fn try_languages(
        &self,
        table: &LanguageTable,
        cancel: &Cancel,
    ) -> anyhow::Result<Vec<LanguageState>> {
        let local = LocalJudge::open(table, table.iter())?;
        let languages: Vec<&Language> = table.iter().collect();
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        let jobs = u16::try_from(cores.min(languages.len())).unwrap_or(u16::MAX);
        let bar = ProgressBar::with_draw_target(
            u64::try_from(languages.len()).ok(),
            if self.json {
                ProgressDrawTarget::hidden()
            } else {
                ProgressDrawTarget::stderr()
            },
        );
        let tried = try_all(local.judge(), &languages, jobs, &bar, cancel);
        bar.finish_and_clear();
        Ok(tried?)
    }
}

fn is_fit(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.grade != Grade::Unfit)
}

/// What nobody foresaw still has to be told like the rest.
fn no_jail(error: &anyhow::Error) -> Finding {
    Finding {
        name: "jail",
        grade: Grade::Unfit,
        detail: format!("{error:#}"),
        cost: String::new(),
        fix: String::new(),
    }
}

fn service((name, found): (&'static str, anyhow::Result<PathBuf>)) -> Service {
    match found {
        Ok(path) => Service {
            name,
            path: Some(path),
            problem: None,
        },
        Err(error) => Service {
            name,
            path: None,
            problem: Some(format!("{error:#}")),
        },
    }
}
