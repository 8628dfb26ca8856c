//! Example packages judged in real jails. Needs root and the compilers of C,
//! C++, Python, Java and Rust. `assize judge` judges all the others in the
//! whole project's tests.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::path::Path;
use std::sync::Arc;

use assize_common::language::LanguageTable;
use assize_common::package::{JudgedTestcase, Package, Submission};
use assize_common::{SandboxMode, Stop};
use assize_worker::cancel::Cancel;
use assize_worker::disk_cache::DiskCache;
use assize_worker::judge::{Judge, Judged, Request};
use assize_worker::look::USUAL;
use assize_worker::slot::Slot;
use assize_worker::toolchain::Toolchains;
use assize_worker::verify::{Step, VerifyOptions};
use bytesize::ByteSize;
use tempfile::TempDir;

const LANGUAGES: [&str; 5] = ["c", "cpp20", "python3", "java", "rust"];

/// A judge with one slot and a cache of its own.
struct Court {
    judge: Judge,
    slot: Slot,
    _directory: TempDir,
}

impl Court {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let cache = DiskCache::open(&directory.path().join("cache"), ByteSize::gib(1)).unwrap();
        let table = LanguageTable::embedded().unwrap();
        let languages = table.restricted_to(&LANGUAGES).unwrap();
        let toolchains = Toolchains::find(languages.iter());
        let judge = Judge::new(
            languages,
            toolchains,
            Arc::new(cache),
            directory.path().to_owned(),
        );
        Self {
            slot: judge.slot(0, None),
            judge,
            _directory: directory,
        }
    }

    fn judge(&mut self, package: &Package, submission: &Submission) -> Judged {
        let program = &submission.program;
        let language = package
            .submission_language(program, self.judge.languages())
            .unwrap();
        let request = Request {
            package,
            program,
            language,
            sandbox: SandboxMode::Unshare,
            look: &USUAL,
            earlier: None,
            stop: Stop::FirstFailure,
        };
        self.judge
            .judge(&mut self.slot, request, &mut |_| (), &Cancel::default())
            .unwrap_or_else(|error| panic!("{}: {error:?}", program.name))
    }

    /// Judges all submissions of an example package; the complaints.
    fn judge_all(&mut self, name: &str) -> Vec<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/packages");
        let package = Package::read(&root.join(name)).unwrap();
        let mut complaints = Vec::new();
        for submission in &package.submissions {
            let judged = self.judge(&package, submission);
            if !as_expected(submission, &judged) {
                let expected = submission.expectation.verdicts();
                complaints.push(format!(
                    "{name}/{}: expected {expected:?}, got {judged:#?}",
                    submission.program.name
                ));
            }
        }
        complaints
    }
}

fn as_expected(submission: &Submission, judged: &Judged) -> bool {
    let testcases: Vec<_> = judged.runs.iter().map(JudgedTestcase::from).collect();
    submission
        .expectation
        .offence(judged.verdict, &testcases)
        .is_none()
}

fn all_as_expected(name: &str) {
    let complaints = Court::new().judge_all(name);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn compile_errors_and_plain_comparison() {
    all_as_expected("greeting");
}

#[test]
fn conversations() {
    all_as_expected("guess");
}

#[test]
fn memory_limits() {
    all_as_expected("ribbons");
}

#[test]
fn output_limits_and_a_validator_of_the_jury() {
    all_as_expected("countdown");
}

/// A few that are cheap: with a validator of the jury, groups, and nothing but outputs.
#[test]
fn examples_are_ready_for_a_contest() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/packages");
    let mut court = Court::new();
    for name in ["stairs", "queens"] {
        let package = Package::read(&root.join(name)).unwrap();
        let options = VerifyOptions { twice: false };
        let (progress, cancel) = (&mut |_: Step<'_>| (), Cancel::default());
        let verified = court.judge.verify(
            &mut court.slot,
            &mut [],
            &package,
            options,
            progress,
            &cancel,
        );
        let verification = verified.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert!(
            verification.is_fine(),
            "{name}: {:#?}",
            verification.findings
        );
    }
}
