//! Judging one submission: compile, run each test case, validate, decide.
//!
//! Blocking code, used alike by the daemon and by `assize judge`. Whoever calls
//! has one thread per slot.

use std::path::PathBuf;
use std::sync::Arc;

use assize_common::language::Language;
use assize_common::message::{CompileReport, RunReport};
use assize_common::package::{Kind, OutputValidator, Package, Program};
use assize_common::{SandboxMode, Verdict};
use assize_sandbox::Audit;

use crate::cancel::Cancel;
use crate::compile::{Compilation, CompileLimits, Compiler, Executable, rejected};
use crate::disk_cache::DiskCache;
use crate::judging_error::JudgingError;
use crate::output_validator::JuryValidator;
use crate::slot::{Role, Slot};
use crate::sources::Sources;
use crate::testcase_run::TestcaseRun;
use crate::toolchain::Toolchains;
use crate::verdict::submission_verdict;

/// All that judging needs of a host, shared by its slots.
#[derive(Debug)]
pub struct Judge {
    /// Languages of jury programs are looked up here.
    languages: assize_common::language::LanguageTable,
    toolchains: Toolchains,
    cache: Arc<DiskCache>,
    /// Where temporary files are made.
    scratch: PathBuf,
}

/// One submission to be judged.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The problem.
    pub package: &'a Package,
    /// The submission's files.
    pub program: &'a Program,
    /// What it is written in.
    pub language: &'a Language,
    /// How its runs are controlled.
    pub sandbox: SandboxMode,
    /// How far to go.
    pub stop: Stop,
}

/// When judging ends. The verdict is the same either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// At the first test case that is not accepted.
    AtFirstFailure,
    /// After all test cases.
    AtEnd,
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
}

/// The result of judging.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The verdict on the submission.
    pub verdict: Verdict,
    /// How compiling went.
    pub compile: CompileReport,
    /// The runs, in the order of the test cases.
    pub runs: Vec<RunReport>,
    /// What the tracer saw of each run, by the test case's name; only under ptrace.
    pub audits: Vec<(String, Audit)>,
}

/// What came of the runs.
#[derive(Debug, Default)]
struct Runs {
    reports: Vec<RunReport>,
    audits: Vec<(String, Audit)>,
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
            scratch,
        }
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

    pub(crate) const fn scratch(&self) -> &PathBuf {
        &self.scratch
    }

    pub(crate) fn compiler(&self) -> Compiler<'_> {
        Compiler {
            cache: &self.cache,
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
        progress(Progress::Compiling);
        let (executable, compile) = match self.compile_submission(slot, request, cancel)? {
            Compilation::Program(executable, report) => (executable, report),
            Compilation::Rejected(compile) => {
                progress(Progress::Compiled(&compile));
                return Ok(Judged {
                    verdict: Verdict::Ce,
                    compile,
                    runs: Vec::new(),
                    audits: Vec::new(),
                });
            }
        };
        progress(Progress::Compiled(&compile));
        let validator = self.jury_validator(slot, request.package, cancel)?;
        let Runs { reports, audits } = self.run_all(
            slot,
            request,
            &executable,
            validator.as_ref(),
            progress,
            cancel,
        )?;
        let verdict = submission_verdict(reports.iter().map(|run| run.verdict));
        Ok(Judged {
            verdict,
            compile,
            runs: reports,
            audits,
        })
    }

    fn compile_submission(
        &self,
        slot: &mut Slot,
        request: Request<'_>,
        cancel: &Cancel,
    ) -> Result<Compilation, JudgingError> {
        let Request {
            package,
            program,
            language,
            ..
        } = request;
        if let Some(allowed) = &package.languages
            && !allowed.contains(&language.code)
        {
            let problem = format!(
                "the problem does not accept {}: it accepts {}",
                language.code,
                allowed.join(", ")
            );
            return Ok(Compilation::Rejected(rejected(problem)));
        }
        if let Some(problem) = too_long(package, program)? {
            return Ok(Compilation::Rejected(rejected(problem)));
        }
        let include = package
            .include
            .get(&language.code)
            .or_else(|| package.include.get("default"));
        let include = include.map(Vec::as_slice).unwrap_or_default();
        let entry = program.entry_point.as_deref();
        let sources = Sources::new(&program.name, language, &program.files, include, entry)?;
        let limits = CompileLimits::from(&package.limits);
        self.compiler()
            .compile(slot, Role::Contestant, language, sources, limits, cancel)
    }

    /// The compiled validator of the jury, if the package has one.
    fn jury_validator(
        &self,
        slot: &mut Slot,
        package: &Package,
        cancel: &Cancel,
    ) -> Result<Option<JuryValidator>, JudgingError> {
        let program = match &package.output_validator {
            OutputValidator::Default if package.kind == Kind::Interactive => {
                let problem = "an interactive problem without an output validator".to_owned();
                return Err(JudgingError::Package { problem });
            }
            OutputValidator::Default => return Ok(None),
            OutputValidator::Custom(program) => program,
        };
        let language = program.find_language(&self.languages)?;
        let sources = Sources::new(
            &program.name,
            language,
            &program.files,
            &[],
            program.entry_point.as_deref(),
        )?;
        let limits = CompileLimits::from(&package.limits);
        match self
            .compiler()
            .compile(slot, Role::Jury, language, sources, limits, cancel)?
        {
            Compilation::Program(executable, _) => Ok(Some(JuryValidator {
                name: program.name.clone(),
                executable: *executable,
                limits: package.limits.clone(),
            })),
            Compilation::Rejected(report) => Err(JudgingError::jury(
                &program.name,
                None,
                format!("does not compile: {}", report.output),
            )),
        }
    }

    fn run_all(
        &self,
        slot: &mut Slot,
        request: Request<'_>,
        executable: &Executable,
        validator: Option<&JuryValidator>,
        progress: &mut dyn FnMut(Progress<'_>),
        cancel: &Cancel,
    ) -> Result<Runs, JudgingError> {
        let testcases = &request.package.testcases;
        let mut runs = Runs::default();
        for testcase in testcases {
            let run = TestcaseRun {
                package: request.package,
                testcase,
                executable,
                validator,
                sandbox: request.sandbox,
                scratch: &self.scratch,
                cancel,
            };
            let (report, audit) = run.execute(slot)?;
            let audit = audit.map(|audit| (testcase.name.clone(), audit));
            runs.audits.extend(audit);
            progress(Progress::Ran {
                run: &report,
                done: runs.reports.len() + 1,
                total: testcases.len(),
            });
            let failed = report.verdict != Verdict::Ac;
            runs.reports.push(report);
            if failed && request.stop == Stop::AtFirstFailure {
                break;
            }
        }
        Ok(runs)
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
