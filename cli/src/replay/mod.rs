//! A judgement once more, from what the scheduler has stored: on this machine, or on a worker.

mod comparison;
mod on_worker;

pub use comparison::Comparison;
pub use on_worker::judge_on;

use std::path::Path;

use anyhow::Context as _;
use assize_common::Score;
use assize_common::api::{Judgement, JudgementProvenance, JudgementSummary};
use assize_common::language::{LanguageTable, NO_LANGUAGE};
use assize_common::package::{File, Package, Program};
use assize_worker::cancel::Cancel;
use assize_worker::judge::{Judge, Judged, Request, RunSettings};
use assize_worker::look::Look;
use comparison::{Again, HERE};
use tempfile::TempDir;

use crate::client::Api;
use crate::exit::{self, Failure};
use crate::local_judge::LocalJudge;
use crate::opened_package::OpenedPackage;

/// All that is needed to judge it once more.
#[derive(Debug)]
pub struct Replay {
    judgement: Judgement,
    provenance: JudgementProvenance,
    package: OpenedPackage,
    program: Program,
    /// Holds the sources.
    _files: TempDir,
}

impl Replay {
    /// Fetches a judgement with its package and sources.
    ///
    /// # Errors
    /// When the scheduler does not answer, a disk fails, or there is no verdict.
    pub async fn fetch(api: &Api, judgement: Judgement) -> anyhow::Result<Self> {
        require_verdict(&judgement)?;
        let provenance = api.provenance(judgement.summary.id).await?;
        let files = tempfile::Builder::new().prefix("assize-").tempdir();
        let files = files.context("cannot make a directory for temporary files")?;
        let archive = files.path().join("package.zip");
        write(&archive, &api.blob(provenance.package_archive).await?)?;
        let mut sources = Vec::new();
        for (number, file) in provenance.files.iter().enumerate() {
            let path = files.path().join(number.to_string());
            write(&path, &api.blob(file.sha256).await?)?;
            sources.push(File {
                name: file.name.clone(),
                path,
            });
        }
        sources.sort_by(|a, b| a.name.cmp(&b.name));
        let mut package = OpenedPackage::open(&archive)?;
        package.package.limits = provenance.limits.over(&package.package.limits);
        Ok(Self {
            program: Program {
                name: format!("submission {}", provenance.submission_id),
                files: sources,
                language: None,
                entry_point: provenance.entry_point.clone(),
            },
            judgement,
            provenance,
            package,
            _files: files,
        })
    }

    /// Judges it by this language table and compares.
    ///
    /// # Errors
    /// When this host or the table lacks something, or judging fails.
    pub fn judge(&self, table: &LanguageTable, cancel: &Cancel) -> anyhow::Result<Comparison> {
        let package = &self.package.package;
        let language = match self.provenance.language.as_str() {
            NO_LANGUAGE => None,
            id => Some(
                table
                    .get(id)
                    .map_err(|error| Failure::new(exit::USAGE, error.to_string()))?,
            ),
        };
        let jury = needed(package).filter_map(|program| program.find_language(table).ok());
        let settings = self.provenance.reported.as_ref().map(|reported| {
            let idle = reported.host.idle_limit_ms;
            RunSettings {
                fixed_layout: reported.host.fixed_layout,
                idle_limit: idle.map(std::time::Duration::from_millis),
                ..RunSettings::default()
            }
        });
        let local = LocalJudge::open(table, jury.chain(language))?;
        let local = local.running(settings.unwrap_or_default());
        let reported = self.provenance.reported.as_ref();
        let stop = reported.and_then(|reported| reported.stop);
        let stop = stop.unwrap_or_else(|| package.stop());
        let look = Look::try_from(&self.provenance.scrutiny)
            .context("cannot do here what a flag asked for")?;
        let request = Request {
            package,
            program: &self.program,
            language,
            sandbox: self.provenance.sandbox.mode,
            look: &look,
            earlier: None,
            stop,
        };
        let here = judged(local.judge(), request, cancel)?;
        let again = Again {
            place: HERE.to_owned(),
            verdict: here.verdict,
            score: here.score.as_ref().map(Score::rounded),
            runs: here.runs,
            provenance: Some(here.provenance),
        };
        Ok(Comparison::new(&self.judgement, &self.provenance, again))
    }
}

fn require_verdict(judgement: &Judgement) -> Result<(), Failure> {
    let JudgementSummary {
        id, verdict, state, ..
    } = &judgement.summary;
    if verdict.is_some() {
        return Ok(());
    }
    let message = format!("judgement {id} is {state}: there is no verdict to be had again");
    Err(Failure::new(exit::FAILURE, message))
}

/// The programs of the jury that judging needs.
fn needed(package: &Package) -> impl Iterator<Item = &Program> {
    let validators = package.output_validator.programs().into_iter();
    let validator = package.static_validator.as_ref();
    validators.chain(validator.map(|validator| &validator.program))
}

fn judged(judge: &Judge, request: Request<'_>, cancel: &Cancel) -> anyhow::Result<Judged> {
    let mut slot = judge.slot(0, None);
    let judged = judge.judge(&mut slot, request, &mut |_| (), cancel);
    judged.map_err(|error| {
        Failure::new(exit::JUDGING_ERROR, "judging failed")
            .because(error)
            .into()
    })
}

fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    std::fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}
