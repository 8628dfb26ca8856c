//! Judging one submission: compile, run each test case, validate, decide.
//!
//! Blocking code, used alike by the daemon and by `assize judge`. Whoever calls
//! has one thread per slot.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use assize_common::language::Language;
use assize_common::message::{CompileReport, Host, Provenance, RunReport};
use assize_common::package::{Expectation, File, JudgedTestcase, Kind, Package, Program};
use assize_common::{GroupScore, SandboxMode, Score, Stop, Verdict};
use assize_sandbox::AuditLevel;
use bytesize::ByteSize;

use crate::audits::Audits;
use crate::cancel::Cancel;
use crate::compile::{Compilation, Compiler, Recipe, hash_files, rejected};
use crate::compile_limits::CompileLimits;
use crate::disk_cache::DiskCache;
use crate::judging_error::JudgingError;
use crate::look::Look;
use crate::output_validator::{Submitted, lay_out};
use crate::outputs::Outputs;
use crate::provenance;
use crate::rejections::Rejections;
use crate::reuse::{Earlier, Reuse};
use crate::run_key::TestData;
use crate::runs::{Helpers, History, Runner};
use crate::slot::{Role, Slot};
use crate::sources::{self, Sources};
use crate::toolchain::Toolchains;

/// All that judging needs of a host, shared by its slots.
#[derive(Debug)]
pub struct Judge {
    /// Languages of jury programs are looked up here.
    languages: assize_common::language::LanguageTable,
    toolchains: Toolchains,
    cache: Arc<DiskCache>,
    rejections: Rejections,
    /// Where temporary files are made.
    scratch: PathBuf,
    /// How much tracers record.
    audit: AuditLevel,
    /// How submissions are run.
    settings: RunSettings,
    /// How long test cases took.
    history: History,
    /// This host, but for the settings.
    host: Host,
    /// Hashes of test data.
    test_data: TestData,
}

/// How a host runs the programs of submissions: the same for all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunSettings {
    /// The same addresses in each run; see [`assize_sandbox::Spec::fixed_layout`].
    pub fixed_layout: bool,
    /// See [`assize_sandbox::Limits::idle_time`].
    pub idle_limit: Option<Duration>,
    /// Whether to keep what was said in accepted runs of interactive problems, too.
    pub all_transcripts: bool,
    /// How much of a judgement's outputs is kept for later ones, before it is compressed.
    pub kept_outputs: ByteSize,
}

/// One submission to be judged.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The problem.
    pub package: &'a Package,
    /// The submission's files.
    pub program: &'a Program,
    /// What it is written in, unless it consists of outputs.
    pub language: Option<&'a Language>,
    /// How its runs are controlled.
    pub sandbox: SandboxMode,
    /// What is done besides, under ptrace.
    pub look: &'a Look,
    /// How far to go. The verdict is the same in any case.
    pub stop: Stop,
    /// Results that may be taken over where nothing has changed. With any, even
    /// none, runs get keys, by which later judgements may take them over.
    pub earlier: Option<&'a Earlier>,
}

/// How far judging is.
#[derive(Debug, Clone, Copy)]
pub enum Progress<'a> {
    /// Compiling has begun.
    Compiling,
    /// Compiling has ended, well or not.
    Compiled(&'a CompileReport),
    /// A test case was judged.
    Ran {
        /// Its result.
        run: &'a RunReport,
        /// Test cases judged, this one included.
        done: usize,
        /// Test cases of the problem.
        total: usize,
    },
    /// What a program wrote was validated again. Whether that is what counts is known at the end.
    Validated,
}

/// The result of judging.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The verdict on the submission.
    pub verdict: Verdict,
    /// Its score, in problems that give one; none if it did not compile.
    pub score: Option<Score>,
    /// The scores of groups, the outermost one last.
    pub groups: Vec<GroupScore>,
    /// How compiling went.
    pub compile: CompileReport,
    /// The runs, in the order of the test cases.
    pub runs: Vec<RunReport>,
    /// What the tracer saw of each run; only under ptrace.
    pub audits: Audits,
    /// What programs wrote, as far as it is kept.
    pub outputs: Outputs,
    /// What the verdict depends on.
    pub provenance: Provenance,
}

impl Judged {
    /// It did not compile.
    fn rejected(compile: CompileReport, provenance: Provenance) -> Self {
        Self {
            verdict: Verdict::Ce,
            score: None,
            groups: Vec::new(),
            compile,
            runs: Vec::new(),
            audits: Audits::default(),
            outputs: Outputs::default(),
            provenance,
        }
    }

    /// What of verdicts, messages and scores is not as the jury expects, in words that
    /// continue a sentence about the verdict.
    #[must_use]
    pub fn offence(&self, expectation: &Expectation) -> Option<String> {
        let runs: Vec<_> = self.runs.iter().map(JudgedTestcase::from).collect();
        expectation.offence(self.verdict, &runs).or_else(|| {
            let score = self.score.as_ref()?;
            expectation.score_offence(score, &self.groups)
        })
    }
}

impl Judge {
    /// A judge for the languages of `languages`. `cache` keeps compiled programs,
    /// temporary files are made in `scratch`.
    #[must_use]
    pub fn new(
        languages: assize_common::language::LanguageTable,
        toolchains: Toolchains,
        cache: Arc<DiskCache>,
        scratch: PathBuf,
    ) -> Self {
        Self {
            languages,
            toolchains,
            cache,
            rejections: Rejections::default(),
            scratch,
            audit: AuditLevel::Decisions,
            settings: RunSettings::default(),
            history: History::default(),
            host: provenance::host(),
            test_data: TestData::default(),
        }
    }

    /// The same judge, with tracers that record this much.
    pub fn auditing(self, audit: AuditLevel) -> Self {
        Self { audit, ..self }
    }

    /// The same judge, with submissions run by `settings`.
    pub fn running(self, settings: RunSettings) -> Self {
        Self { settings, ..self }
    }

    /// A slot whose jails show what this host's languages need.
    #[must_use]
    pub fn slot(&self, number: u16, core: Option<usize>) -> Slot {
        Slot::new(number, core, self.toolchains.trees().to_vec())
    }

    /// The languages it knows.
    #[must_use]
    pub const fn languages(&self) -> &assize_common::language::LanguageTable {
        &self.languages
    }

    pub(crate) const fn toolchains(&self) -> &Toolchains {
        &self.toolchains
    }

    pub(crate) const fn audit_level(&self) -> AuditLevel {
        self.audit
    }

    pub(crate) const fn settings(&self) -> RunSettings {
        self.settings
    }

    pub(crate) const fn test_data(&self) -> &TestData {
        &self.test_data
    }

    pub(crate) const fn host(&self) -> &Host {
        &self.host
    }

    pub(crate) const fn history(&self) -> &History {
        &self.history
    }

    pub(crate) const fn scratch(&self) -> &PathBuf {
        &self.scratch
    }

    pub(crate) fn compiler(&self) -> Compiler<'_> {
        Compiler {
            cache: &self.cache,
            rejections: &self.rejections,
            toolchains: &self.toolchains,
            scratch: &self.scratch,
        }
    }

    /// Judges one submission.
    ///
    /// # Errors
    /// [`JudgingError`] whenever no verdict can be had through no fault of the
    /// submission.
    pub fn judge(
        &self,
        slot: &mut Slot,
        request: Request<'_>,
        progress: &mut dyn FnMut(Progress<'_>),
        cancel: &Cancel,
    ) -> Result<Judged, JudgingError> {
        self.judge_on(slot, None, request, progress, cancel)
    }

    /// Judges one submission, with test cases on several slots at once. The result
    /// is that of [`Judge::judge`].
    ///
    /// # Errors
    /// As [`Judge::judge`].
    pub fn judge_on(
        &self,
        slot: &mut Slot,
        helpers: Option<Helpers<'_>>,
        request: Request<'_>,
        progress: &mut dyn FnMut(Progress<'_>),
        cancel: &Cancel,
    ) -> Result<Judged, JudgingError> {
        progress(Progress::Compiling);
        let recipe = if request.package.kind == Kind::SubmitAnswer {
            None
        } else {
            match self.recipe(slot, request, cancel)? {
                Ok(recipe) => Some(recipe),
                Err(compile) => {
                    progress(Progress::Compiled(&compile));
                    let sources = hash_files(&request.program.files)?;
                    return Ok(Judged::rejected(compile, self.provenance(request, sources)));
                }
            }
        };
        let sources = match &recipe {
            Some(recipe) => recipe.sources_hash,
            None => hash_files(&request.program.files)?,
        };
        let mut provenance = self.provenance(request, sources);
        let limits = CompileLimits::from(&request.package.limits);
        let mut keys = None;
        if let Some(recipe) = &recipe {
            provenance.compiler_version = Some(recipe.toolchain.version.clone());
            provenance.compiler = Some(recipe.toolchain.program);
            provenance.recipe = Some(recipe.within(limits));
            keys = self.run_keys(slot, request, recipe, &provenance, cancel)?;
        }
        let reuse = Reuse {
            earlier: request.earlier,
            keys: keys.as_ref(),
        };
        let mut run = Runner {
            judge: self,
            request,
            executable: None,
            submitted: Submitted::Nothing,
            validator: None,
            static_validator: None,
            reuse,
            validated: HashMap::new(),
            cancel,
        };
        let known = request
            .earlier
            .and_then(|earlier| earlier.compiled(provenance.recipe));
        if let Some((compile, executable)) = known {
            let unchanged = Provenance {
                executable,
                ..provenance.clone()
            };
            let judged = if compile.success {
                if reuse.has_outputs() {
                    run.validator = self.output_validator(slot, request.package, cancel)?;
                }
                run.all_without_program(slot, compile, unchanged, progress)?
            } else {
                Some(Judged::rejected(compile, unchanged))
            };
            if let Some(judged) = judged {
                progress(Progress::Compiled(&judged.compile));
                return Ok(judged);
            }
        }
        let compilation = recipe.zip(request.language).map(|(recipe, language)| {
            self.compiler()
                .compile(slot, Role::Contestant, language, recipe, limits, cancel)
        });
        let (executable, compile) = match compilation.transpose()? {
            None => (None, nothing_compiled()),
            Some(Compilation::Program(executable, report)) => (Some(executable), report),
            Some(Compilation::Rejected(compile)) => {
                progress(Progress::Compiled(&compile));
                return Ok(Judged::rejected(compile, provenance));
            }
        };
        progress(Progress::Compiled(&compile));
        provenance.executable = executable.as_ref().map(|executable| executable.hash);
        run.executable = executable.as_deref();
        if run.validator.is_none() {
            run.validator = self.output_validator(slot, request.package, cancel)?;
        }
        let laid_out = match &run.validator {
            Some(validator) if executable.is_none() && validator.sees_submission => {
                Some(lay_out(&request.program.files, &self.scratch)?)
            }
            _ => None,
        };
        run.submitted = match (executable.as_deref(), &laid_out) {
            (Some(executable), _) => Submitted::Program(executable),
            (None, Some(laid_out)) => Submitted::Outputs(laid_out.path()),
            (None, None) => Submitted::Nothing,
        };
        run.static_validator = self.static_validator(slot, request.package, cancel)?;
        run.all(slot, helpers, compile, provenance, progress)
    }

    /// What the program is made of, or why it is not compiled at all.
    fn recipe(
        &self,
        slot: &mut Slot,
        request: Request<'_>,
        cancel: &Cancel,
    ) -> Result<Result<Recipe, CompileReport>, JudgingError> {
        let Request {
            package,
            program,
            language,
            ..
        } = request;
        let Some(language) = language else {
            let problem = "outputs were submitted, and the problem wants a program".to_owned();
            return Ok(Err(rejected(problem)));
        };
        if let Some(allowed) = &package.languages
            && !allowed.contains(&language.code)
        {
            let problem = format!(
                "the problem does not accept {}: it accepts {}",
                language.code,
                allowed.join(", ")
            );
            return Ok(Err(rejected(problem)));
        }
        if let Some(problem) = too_long(package, program)? {
            return Ok(Err(rejected(problem)));
        }
        let include = package.included(&language.code);
        let entry = program.entry_point.as_deref();
        if let (Some(stated), Some(driver)) = (entry, sources::driver(language, &include))
            && !sources::states(stated, &driver, language)
        {
            let problem = format!(
                "the entry point {stated} is stated, but the problem brings its own, {driver}: leave it out"
            );
            return Ok(Err(rejected(problem)));
        }
        let mut sources = Sources::new(&program.name, language, &program.files, &include, entry)?;
        // Constants are for what is in the package, not for what teams send.
        let is_example = program.name.starts_with("submissions/");
        let applies = |file: &File| is_example || include.contains(file);
        sources.replace_constants(&package.constants, applies, &self.scratch)?;
        let recipe = self.compiler().recipe(slot, language, sources, cancel)?;
        Ok(Ok(recipe))
    }
}

/// The report where there is nothing to compile.
fn nothing_compiled() -> CompileReport {
    CompileReport {
        success: true,
        ..rejected(String::new())
    }
}

/// Why the submission's source is larger than the problem allows, if it is.
fn too_long(package: &Package, program: &Program) -> Result<Option<String>, JudgingError> {
    let mut bytes = 0;
    for file in &program.files {
        let metadata =
            std::fs::metadata(&file.path).map_err(JudgingError::disk("look at", &file.path))?;
        bytes += metadata.len();
    }
    let limit = package.limits.code;
    Ok((bytes > limit.as_u64())
        .then(|| format!("the source code has {bytes} bytes, {limit} are allowed")))
}
