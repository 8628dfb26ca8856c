//! `assize policy record`: which system calls accepted submissions make.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use assize_common::language::LanguageTable;
use assize_common::{SandboxMode, Verdict};
use assize_worker::cancel::Cancel;
use assize_worker::judge::Judged;
use assize_worker::sandbox::{EffectivePolicy, PolicyName};
use clap::Args;
use serde::Serialize;

use crate::exit::{self, Failure};
use crate::judge::{Selected, Session, select};
use crate::language_table_option::LanguageTableOption;
use crate::local_judge::LocalJudge;
use crate::opened_package::OpenedPackage;
use crate::{blocking, host, output};

/// Record which system calls accepted submissions make, as layers that allow no others
///
/// Judges the accepted submissions of packages with a tracer that records every
/// call. For each of their languages it makes a layer over the policy of
/// contestants' programs that denies what none of them used.
#[derive(Debug, Args)]
#[command(
    about = "Record which system calls accepted submissions make, as layers that allow no others",
    after_long_help = "Exit code: 0 recorded; 1 some submissions were not accepted, which recorded nothing of them; \
                       2 wrong arguments or a broken package; 3 a judging error or an unfit host; 130 interrupted."
)]
pub(crate) struct Record {
    /// One JSON object a line for each language
    #[arg(long)]
    json: bool,
    /// Write each layer to this directory, as LANGUAGE.toml
    #[arg(long, value_name = "DIRECTORY")]
    output: Option<PathBuf>,
    #[command(flatten)]
    language_table: LanguageTableOption,
    /// Problem packages: directories or zip archives
    #[arg(required = true, value_name = "PACKAGE")]
    packages: Vec<PathBuf>,
}

/// What submissions of one language have done.
#[derive(Debug, Default, Serialize)]
struct Recorded {
    language: String,
    submissions: usize,
    runs: usize,
    /// How often each call was made.
    calls: BTreeMap<String, u64>,
    layer: String,
}

impl Record {
    pub(crate) async fn execute(self) -> anyhow::Result<ExitCode> {
        blocking::until_cancelled(move |cancel| self.run(cancel)).await
    }

    fn run(self, cancel: &Cancel) -> anyhow::Result<ExitCode> {
        let table = self.language_table.load()?;
        host::require_fit()?;
        let mut recorded = BTreeMap::new();
        let mut all_accepted = true;
        for package in &self.packages {
            all_accepted &= record(package, &table, &mut recorded, cancel)?;
        }
        if recorded.is_empty() {
            let message = "no submission was accepted, so there is nothing to record";
            return Err(Failure::new(exit::FAILURE, message).into());
        }
        let policy = EffectivePolicy::shipped(PolicyName::Contestant, &[])?;
        for (language, recorded) in &mut recorded {
            let used: BTreeSet<String> = recorded.calls.keys().cloned().collect();
            let subject = format!(
                "{} in {language}, {}",
                count(recorded.submissions, "submission"),
                count(recorded.runs, "run")
            );
            recorded.language.clone_from(language);
            recorded.layer = policy.narrowed_to(&used, &subject);
            self.tell(recorded)?;
        }
        Ok(ExitCode::from(if all_accepted {
            exit::OK
        } else {
            exit::FAILURE
        }))
    }

    fn tell(&self, recorded: &Recorded) -> anyhow::Result<()> {
        if let Some(directory) = &self.output {
            let path = directory.join(format!("{}.toml", recorded.language));
            std::fs::create_dir_all(directory)
                .and_then(|()| std::fs::write(&path, &recorded.layer))
                .map_err(|source| {
                    Failure::new(exit::FAILURE, format!("cannot write {}", path.display()))
                        .because(source)
                })?;
        }
        if self.json {
            return output::print_json([recorded]);
        }
        let about = format!(
            "# {}: {}, {}, {}",
            recorded.language,
            count(recorded.submissions, "submission"),
            count(recorded.runs, "run"),
            count(recorded.calls.len(), "system call")
        );
        match &self.output {
            Some(_) => output::print(about.trim_start_matches("# ")),
            None => output::print(&format!("{about}\n{}", recorded.layer)),
        }
    }
}

/// Adds what the accepted submissions of a package do; whether all of them
/// were accepted.
fn record(
    path: &Path,
    table: &LanguageTable,
    recorded: &mut BTreeMap<String, Recorded>,
    cancel: &Cancel,
) -> anyhow::Result<bool> {
    let opened = OpenedPackage::open(path)?;
    let mut selected = select(&opened, &[], table, None)?;
    selected.retain(|selected| selected.expectation.verdicts() == [Verdict::Ac].into());
    if selected.is_empty() {
        output::note(&format!(
            "assize: {}: no submissions that must be accepted",
            path.display()
        ));
        return Ok(true);
    }
    let local = LocalJudge::for_submissions(table, &opened, &selected)?.recording();
    let session = Session {
        judge: local.judge(),
        package: &opened.package,
        selected: &selected,
        sandbox: SandboxMode::Ptrace,
        all: true,
        jobs: 1,
        tests_at_once: 1,
        show_progress: true,
    };
    let mut all_accepted = true;
    session
        .run(cancel, |selected, result| {
            let judged = result?;
            if judged.verdict == Verdict::Ac {
                let language = selected.language_id().to_owned();
                let recorded = recorded.entry(language).or_default();
                recorded.add(&judged).context("cannot read an audit back")?;
            } else {
                all_accepted = false;
                note_refused(selected, &judged);
            }
            Ok(())
        })
        .map_err(|error| Failure::new(exit::JUDGING_ERROR, "judging failed").because(error))?;
    Ok(all_accepted)
}

impl Recorded {
    fn add(&mut self, judged: &Judged) -> io::Result<()> {
        self.submissions += 1;
        self.runs += judged.audits.len();
        for run in judged.audits.iter() {
            for (name, call) in run?.decode()?.audit.calls {
                *self.calls.entry(name).or_default() += call.count;
            }
        }
        Ok(())
    }
}

fn note_refused(selected: &Selected, judged: &Judged) {
    output::note(&format!(
        "assize: {}: {} instead of AC; nothing of it is recorded",
        selected.name, judged.verdict
    ));
}

fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}
