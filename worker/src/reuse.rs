//! Results of an earlier judgement, taken over where nothing has changed that
//! determines them.

use std::collections::HashMap;

use assize_common::ContentHash;
use assize_common::id::JudgementId;
use assize_common::message::{CompileReport, Provenance, RunReport};

use crate::run_key::RunKeys;
use crate::testcase_run::Ran;

/// What an earlier judgement of the same submission came to.
#[derive(Debug, Clone, Default)]
pub struct Earlier {
    /// How compiling went.
    compile: Option<CompileReport>,
    /// The hash of all that determined the program.
    recipe: Option<ContentHash>,
    /// The hash of the program.
    executable: Option<ContentHash>,
    /// Its runs by their keys.
    runs: HashMap<ContentHash, RunReport>,
}

impl Earlier {
    /// Nothing was judged before; runs get keys for those who come later.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// The results of `judgement`.
    #[must_use]
    pub fn new(
        judgement: JudgementId,
        compile: CompileReport,
        provenance: &Provenance,
        runs: Vec<RunReport>,
    ) -> Self {
        let keyed = runs.into_iter().filter_map(|run| {
            let run = RunReport {
                reused_from: run.reused_from.or(Some(judgement)),
                ..run
            };
            Some((run.key?, run))
        });
        Self {
            compile: Some(compile),
            recipe: provenance.recipe,
            executable: provenance.executable,
            runs: keyed.collect(),
        }
    }

    /// How compiling went and the program's hash, if compiling again would
    /// be compiling the same.
    pub(crate) fn compiled(
        &self,
        recipe: Option<ContentHash>,
    ) -> Option<(CompileReport, Option<ContentHash>)> {
        let compile = self.compile.clone().filter(|_| self.recipe == recipe)?;
        let compile = CompileReport {
            cached: true,
            ..compile
        };
        recipe.map(|_| (compile, self.executable))
    }
}

/// What may be taken over, and by which keys.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reuse<'a> {
    pub(crate) earlier: Option<&'a Earlier>,
    pub(crate) keys: Option<&'a RunKeys>,
}

impl Reuse<'_> {
    /// The run on a test case of this index, as it was before.
    pub(crate) fn run(&self, index: usize) -> Option<Ran> {
        let keys = self.keys?;
        let report = self.earlier?.runs.get(&keys.get(index)?)?;
        Some(Ran {
            report: RunReport {
                testcase: keys.name(index)?.to_owned(),
                ..report.clone()
            },
            audits: Vec::new(),
            award: report.award.clone(),
        })
    }

    /// Gives a run its key, by which later judgements may take it over. One whose
    /// points a report can't hold to the last digit has none.
    pub(crate) fn mark(&self, index: usize, ran: &mut Ran) {
        if ran.award == ran.report.award {
            ran.report.key = self.keys.and_then(|keys| keys.get(index));
        }
    }
}
