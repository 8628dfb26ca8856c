//! Results of an earlier judgement, taken over where nothing has changed that
//! determines them; and outputs of one, validated again where only what is said of
//! them may have changed.

use std::collections::HashMap;
use std::fmt::{self, Debug};
use std::sync::{Arc, LazyLock};

use assize_common::ContentHash;
use assize_common::content_hash::ContentHasher;
use assize_common::id::JudgementId;
use assize_common::message::ValidatedAgain;
use assize_common::message::{Changed, CompileReport, KeyParts, Provenance, RunReport};

use crate::outputs::Outputs;
use crate::run_key::{RunKey, RunKeys};
use crate::testcase_run::Ran;

/// Places of runs. Several test cases may be the same: samples are often secret ones as well.
type Places = HashMap<ContentHash, Vec<usize>>;
type Fetch = Box<dyn FnOnce() -> Outputs + Send>;

/// What an earlier judgement of the same submission came to.
#[derive(Clone, Default)]
pub struct Earlier {
    /// How compiling went.
    compile: Option<CompileReport>,
    /// The hash of all that determined the program.
    recipe: Option<ContentHash>,
    /// The hash of the program.
    executable: Option<ContentHash>,
    runs: Vec<EarlierRun>,
    /// Its runs by their keys.
    by_key: Places,
    /// Its runs by what determined how the program ran.
    by_program: Places,
    /// What its programs wrote, as far as it was kept: had when it is first wanted.
    outputs: Option<Arc<LazyLock<Outputs, Fetch>>>,
}

#[derive(Debug, Clone)]
struct EarlierRun {
    report: RunReport,
    /// The judgement in which the verdict was made.
    judged_in: JudgementId,
    /// The judgement in which the program was run.
    run_in: JudgementId,
}

impl Debug for Earlier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Earlier")
            .field("runs", &self.runs.len())
            .field("has_outputs", &self.outputs.is_some())
            .finish_non_exhaustive()
    }
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
        let runs = runs.into_iter().map(|report| {
            let judged_in = report.reused_from.unwrap_or(judgement);
            let validated_again = report.validated_again.as_ref();
            EarlierRun {
                judged_in,
                run_in: validated_again.map_or(judged_in, |again| again.output_from),
                report,
            }
        });
        let runs: Vec<_> = runs.collect();
        let (mut by_key, mut by_program) = (Places::new(), Places::new());
        for (index, EarlierRun { report, .. }) in runs.iter().enumerate() {
            if let Some(key) = report.key {
                by_key.entry(key).or_default().push(index);
            }
            if let Some(parts) = report.key_parts {
                by_program.entry(parts.program).or_default().push(index);
            }
        }
        Self {
            compile: Some(compile),
            recipe: provenance.recipe,
            executable: provenance.executable,
            by_key,
            by_program,
            runs,
            outputs: None,
        }
    }

    /// The same, with what its programs wrote. `fetch` is called if any of it is wanted,
    /// and once.
    #[must_use]
    pub fn with_outputs(self, fetch: impl FnOnce() -> Outputs + Send + 'static) -> Self {
        let fetch: Fetch = Box::new(fetch);
        Self {
            outputs: Some(Arc::new(LazyLock::new(fetch))),
            ..self
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

    fn run_by_key(&self, key: &RunKey) -> Option<&EarlierRun> {
        self.run_at(self.by_key.get(&key.key)?, &key.testcase)
    }

    fn run_by_program(&self, key: &RunKey) -> Option<&EarlierRun> {
        self.run_at(self.by_program.get(&key.parts?.program)?, &key.testcase)
    }

    /// Of runs that are the same the one on the test case of this name, whose time was
    /// another one's.
    fn run_at(&self, places: &[usize], testcase: &str) -> Option<&EarlierRun> {
        let runs = || places.iter().filter_map(|place| self.runs.get(*place));
        let mut named = runs().filter(|run| run.report.testcase == testcase);
        named.next().or_else(|| runs().next())
    }
}

/// What may be taken over, and by which keys.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reuse<'a> {
    pub(crate) earlier: Option<&'a Earlier>,
    pub(crate) keys: Option<&'a RunKeys>,
}

/// An output that was kept, of a program that did nothing wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeptOutput<'a> {
    pub(crate) bytes: &'a [u8],
    /// The run that has written it.
    pub(crate) run: &'a RunReport,
    /// Why it is to be validated again.
    pub(crate) why: ValidatedAgain,
}

impl<'a> Reuse<'a> {
    /// The run on a test case of this index, as it was before. Where the program failed
    /// before a validator was asked, what that one would say is of no matter.
    pub(crate) fn run(&self, index: usize) -> Option<Ran> {
        let (key, earlier) = (self.keys?.get(index)?, self.earlier?);
        let failed = || {
            let run = earlier.run_by_program(key)?;
            Some(run).filter(|run| !run.report.is_decided_by_validator())
        };
        let run = earlier.run_by_key(key).or_else(failed)?;
        let award = run.report.award.clone();
        let mut ran = Ran {
            report: RunReport {
                testcase: key.testcase.clone(),
                reused_from: Some(run.judged_in),
                ..run.report.clone()
            },
            audits: Vec::new(),
            award,
        };
        self.mark(index, &mut ran);
        Some(ran)
    }

    /// The output on a test case of this index, if only the verdict on it may have changed.
    pub(crate) fn output(&self, index: usize) -> Option<KeptOutput<'a>> {
        let key = self.keys?.get(index)?;
        let (run, parts) = self.validated_before(key)?;
        let kept_as = kept_as(parts.program, &run.report.testcase);
        let bytes = self.earlier?.outputs.as_ref()?.get(kept_as)?;
        let before = run.report.key_parts?;
        Some(KeptOutput {
            bytes,
            run: &run.report,
            why: ValidatedAgain {
                output_from: run.run_in,
                changed: if before.validator == parts.validator {
                    Changed::Answer
                } else {
                    Changed::Validator
                },
            },
        })
    }

    /// Whether outputs may be there to be validated again.
    pub(crate) fn has_outputs(&self) -> bool {
        let kept = self
            .earlier
            .is_some_and(|earlier| earlier.outputs.is_some());
        let mut keys = self.keys.into_iter().flat_map(RunKeys::iter);
        kept && keys.any(|key| self.validated_before(key).is_some())
    }

    /// The run on whose output a validator has said something that may not hold any more.
    fn validated_before(&self, key: &RunKey) -> Option<(&'a EarlierRun, KeyParts)> {
        let (earlier, parts) = (self.earlier?, key.parts?);
        let run = earlier.run_by_program(key)?;
        let changed = earlier.run_by_key(key).is_none();
        (changed && run.report.is_decided_by_validator()).then_some((run, parts))
    }

    /// By which key the output of a run is kept for later judgements.
    pub(crate) fn output_key(&self, index: usize) -> Option<ContentHash> {
        let key = self.keys?.get(index)?;
        Some(kept_as(key.parts?.program, &key.testcase))
    }

    /// Gives a run its key, by which later judgements may take it over. One whose
    /// points a report can't hold to the last digit has none.
    pub(crate) fn mark(&self, index: usize, ran: &mut Ran) {
        let key = self.keys.and_then(|keys| keys.get(index));
        ran.report.key_parts = key.and_then(|key| key.parts);
        let key = key.filter(|_| ran.award == ran.report.award);
        ran.report.key = key.map(|key| key.key);
    }
}

/// By which key an output is kept: what a program writes need not be the same on each of
/// several test cases that are the same.
pub(crate) fn kept_as(program: ContentHash, testcase: &str) -> ContentHash {
    let mut key = ContentHasher::default();
    key.update_framed(program.as_bytes());
    key.update_framed(testcase);
    key.finish()
}
