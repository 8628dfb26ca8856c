//! `assize submit`: source files, or outputs, to a scheduler.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use assize_common::SandboxMode;
use assize_common::api::{LanguageInfo, NewFile, NewSubmission};
use assize_common::language::{LanguageTable, NO_LANGUAGE};
use assize_common::package::{File, Program};
use clap::Args;
use walkdir::WalkDir;

use super::repeat_key::RepeatKey;
use super::watch;
use crate::client::{Api, ServerArguments};
use crate::exit::{self, Failure};
use crate::output;

/// Submit source files, or outputs where the problem takes those
///
/// Exit code: 0 submitted, with --wait also judged, whatever the verdict; 2 when
/// the submission is refused; 3 when judging it failed; 75 when the scheduler
/// does not answer.
#[derive(Debug, Args)]
pub struct Submit {
    /// The problem's short name
    #[arg(long, value_name = "NAME")]
    problem: String,
    /// The language, such as cpp20 [default: told from the names of the files; none for outputs]
    #[arg(long, value_name = "ID")]
    language: Option<String>,
    /// Source files or outputs, or directories of them: 01.out and secret/01.out both are for the test case secret/01
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Class or file to start, for languages that need to know
    #[arg(long, value_name = "NAME")]
    entry_point: Option<String>,
    /// The contest it belongs to
    #[arg(long)]
    contest: Option<String>,
    /// Who submits
    #[arg(long)]
    team: Option<String>,
    /// Flag it as suspicious, which has it judged under ptrace in a lane of its own
    #[arg(long, value_name = "REASON", num_args = 0..=1, default_missing_value = "flagged when submitted")]
    flag: Option<String>,
    /// Ask for a sandbox: unshare or ptrace
    #[arg(long, value_name = "MODE")]
    sandbox: Option<SandboxMode>,
    /// Submits only once, however often the same is sent with this key
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Follow it until it is judged, and show the judgement
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    server: ServerArguments,
    /// A JSON object instead of text
    #[arg(long)]
    json: bool,
}

impl Submit {
    /// Submits.
    ///
    /// # Errors
    /// When a file can't be read, or the scheduler does not answer or refuses.
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        let files = self.read_files()?;
        let api = self.server.api()?;
        let language = match &self.language {
            Some(language) => language.clone(),
            None if self.are_outputs(&api).await? => NO_LANGUAGE.to_owned(),
            None => self.guess_language(&api).await?,
        };
        let new = NewSubmission {
            problem: self.problem,
            language,
            files,
            entry_point: self.entry_point,
            contest: self.contest,
            team: self.team,
            sandbox: self.sandbox,
            flag: self.flag,
        };
        let key = RepeatKey::new(self.idempotency_key);
        let submitted = api.submit(&new, Some(key.as_str())).await;
        let submission = submitted.map_err(|error| key.explain(error))?;
        if self.wait {
            output::note(&format!("submitted as {}", submission.id));
            return watch::follow(&api, &[submission], self.json).await;
        }
        if self.json {
            output::print_json([submission])?;
        } else {
            output::print(&submission.id.to_string())?;
            output::note(&format!("follow it with: assize watch {}", submission.id));
        }
        Ok(ExitCode::from(exit::OK))
    }

    /// Reads what was named. What is in a directory is called by its place there.
    fn read_files(&self) -> anyhow::Result<Vec<NewFile>> {
        let mut files = Vec::new();
        for given in &self.files {
            let unreadable = || format!("cannot read {}", given.display());
            for entry in WalkDir::new(given).sort_by_file_name() {
                let entry = entry
                    .map_err(|error| Failure::new(exit::USAGE, unreadable()).because(error))?;
                if entry.file_type().is_dir() {
                    continue;
                }
                let path = entry.path();
                let name = match path.strip_prefix(given) {
                    Ok(below) if entry.depth() > 0 => below.to_str(),
                    _ => path.file_name().and_then(|name| name.to_str()),
                };
                let name =
                    name.with_context(|| format!("{} has no name in UTF-8", path.display()))?;
                let content = std::fs::read(path).map_err(|error| {
                    Failure::new(exit::USAGE, format!("cannot read {}", path.display()))
                        .because(error)
                })?;
                files.push(NewFile {
                    name: name.to_owned(),
                    content,
                });
            }
        }
        Ok(files)
    }

    /// Whether the problem takes outputs; a problem that is not there is refused later.
    async fn are_outputs(&self, api: &Api) -> anyhow::Result<bool> {
        let problems = api.problems().await?.problems;
        let of_name = problems
            .iter()
            .find(|problem| problem.short_name == self.problem);
        Ok(of_name.is_some_and(|problem| problem.takes_outputs))
    }

    async fn guess_language(&self, api: &Api) -> anyhow::Result<String> {
        let enabled = api.languages().await?.languages;
        let table = enabled_table(&enabled)?;
        let name = |path: &PathBuf| {
            path.file_name()
                .map(|name| name.to_string_lossy().into_owned())
        };
        let program = Program {
            name: "the submission".to_owned(),
            files: self
                .files
                .iter()
                .map(|path| File {
                    name: name(path).unwrap_or_default(),
                    path: path.clone(),
                })
                .collect(),
            language: None,
            entry_point: None,
        };
        let language = program.find_language(&table).map_err(|error| {
            let ids: Vec<&str> = enabled
                .iter()
                .map(|language| language.id.as_str())
                .collect();
            Failure::new(
                exit::USAGE,
                format!(
                    "the language can't be told: name one with --language ({})",
                    ids.join(", ")
                ),
            )
            .because(error)
        })?;
        Ok(language.id.clone())
    }
}

/// The built-in table, reduced to what a scheduler has enabled.
pub(crate) fn enabled_table(enabled: &[LanguageInfo]) -> anyhow::Result<LanguageTable> {
    let table = LanguageTable::embedded()?;
    let ids: Vec<&str> = enabled
        .iter()
        .map(|language| language.id.as_str())
        .filter(|id| table.get(id).is_ok())
        .collect();
    Ok(table.restricted_to(&ids)?)
}
