//! Packages written by tests, and a judge for them.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use assize_common::language::LanguageTable;
use assize_common::package::Package;
use assize_common::{SandboxMode, Stop};
use assize_worker::cancel::Cancel;
use assize_worker::disk_cache::DiskCache;
use assize_worker::judge::{Judge, Judged, Request, RunSettings};
use assize_worker::judging_error::JudgingError;
use assize_worker::look::USUAL;
use assize_worker::toolchain::Toolchains;
use assize_worker::verify::{Verification, VerifyOptions};
use bytesize::ByteSize;
use tempfile::TempDir;

/// A package in a temporary directory.
pub(crate) struct TestPackage(TempDir);

impl TestPackage {
    /// A package of 2025-09 with these further lines in problem.yaml.
    pub(crate) fn new(problem: &str) -> Self {
        let head = "problem_format_version: 2025-09\nname: Test\nuuid: 2a1e8b4c-8d1f-4b5e-9c55-52a9c1f0d7aa\n";
        Self::bare("problem.yaml", &format!("{head}{problem}"))
            .with("statement/problem.en.md", "Read and write.\n")
    }

    /// A package with one file.
    pub(crate) fn bare(path: &str, content: &str) -> Self {
        Self(tempfile::tempdir().unwrap()).with(path, content)
    }

    pub(crate) fn with(self, path: &str, content: &str) -> Self {
        let place = self.0.path().join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, content).unwrap();
        self
    }

    /// With a test case, by its path below `data/`.
    pub(crate) fn with_testcase(self, name: &str, input: &str, answer: &str) -> Self {
        self.with(&format!("data/{name}.in"), input)
            .with(&format!("data/{name}.ans"), answer)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

/// A judge with a cache of its own in the directory.
pub(crate) fn new_judge(directory: &TempDir) -> Judge {
    let languages = LanguageTable::embedded().unwrap();
    new_judge_of(
        directory,
        languages.restricted_to(&["c", "python3"]).unwrap(),
    )
}

/// The same for these languages.
pub(crate) fn new_judge_of(directory: &TempDir, languages: LanguageTable) -> Judge {
    let cache = DiskCache::open(&directory.path().join("cache"), ByteSize::gib(1)).unwrap();
    let toolchains = Toolchains::find(languages.iter());
    let scratch = directory.path().to_owned();
    Judge::new(languages, toolchains, Arc::new(cache), scratch)
}

/// Judges the submission of the package whose name ends in `name`.
pub(crate) fn try_judge(
    package: &TestPackage,
    name: &str,
    stop: Stop,
) -> Result<Judged, JudgingError> {
    try_judge_under(SandboxMode::Unshare, package, name, stop)
}

/// Judges with submissions run by `settings`.
pub(crate) fn judge_running(settings: RunSettings, package: &TestPackage, name: &str) -> Judged {
    let directory = tempfile::tempdir().unwrap();
    let judge = new_judge(&directory).running(settings);
    let (mode, stop) = (SandboxMode::Unshare, Stop::FirstFailure);
    judge_by(&judge, mode, package, name, stop)
        .unwrap_or_else(|error| panic!("{name}: {}", chain(&error)))
}

/// The same in this sandbox.
pub(crate) fn try_judge_under(
    sandbox: SandboxMode,
    package: &TestPackage,
    name: &str,
    stop: Stop,
) -> Result<Judged, JudgingError> {
    let directory = tempfile::tempdir().unwrap();
    judge_by(&new_judge(&directory), sandbox, package, name, stop)
}

/// The same by a judge that has judged before.
pub(crate) fn judge_by(
    judge: &Judge,
    sandbox: SandboxMode,
    package: &TestPackage,
    name: &str,
    stop: Stop,
) -> Result<Judged, JudgingError> {
    let package = Package::read(package.path()).unwrap();
    let submission = package
        .submissions
        .iter()
        .find(|submission| submission.program.name.ends_with(name))
        .unwrap();
    let language = package
        .submission_language(&submission.program, judge.languages())
        .unwrap();
    let request = Request {
        package: &package,
        program: &submission.program,
        language,
        sandbox,
        look: &USUAL,
        stop,
        earlier: None,
    };
    let mut slot = judge.slot(0, None);
    judge.judge(&mut slot, request, &mut |_| (), &Cancel::default())
}

/// Judges as [`try_judge`], to the end if need be.
pub(crate) fn judge(package: &TestPackage, name: &str) -> Judged {
    try_judge(package, name, Stop::FirstFailure)
        .unwrap_or_else(|error| panic!("{name}: {}", chain(&error)))
}

/// An error with all its causes.
pub(crate) fn chain(error: &JudgingError) -> String {
    assize_common::telemetry::error_chain(error).to_string()
}

/// Verifies the package, whose time limit may be missing.
pub(crate) fn verify(package: &TestPackage, twice: bool) -> Verification {
    let directory = tempfile::tempdir().unwrap();
    let judge = new_judge(&directory).running(RunSettings {
        kept_outputs: ByteSize::mib(1),
        ..RunSettings::default()
    });
    let package = Package::read_unfinished(package.path(), Duration::from_secs(20)).unwrap();
    let mut slot = judge.slot(0, None);
    let options = VerifyOptions { twice };
    judge
        .verify(
            &mut slot,
            &mut [judge.slot(1, None)],
            &package,
            options,
            &mut |_| (),
            &Cancel::default(),
        )
        .unwrap_or_else(|error| panic!("{}", chain(&error)))
}
