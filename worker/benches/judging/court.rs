//! Packages written for a measurement, and a judge for them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use assize_common::language::LanguageTable;
use assize_common::package::Package;
use assize_common::{SandboxMode, Stop};
use assize_worker::cancel::Cancel;
use assize_worker::disk_cache::DiskCache;
use assize_worker::judge::{Judge, Judged, Request};
use assize_worker::look::USUAL;
use assize_worker::slot::Slot;
use assize_worker::toolchain::Toolchains;
use bytesize::ByteSize;
use tempfile::TempDir;

/// A directory with a package, a judge and its slot.
pub(crate) struct Court {
    directory: TempDir,
    judge: Judge,
    slot: Slot,
}

impl Court {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let cache = DiskCache::open(&directory.path().join("cache"), ByteSize::gib(1)).unwrap();
        let languages = LanguageTable::embedded().unwrap();
        let languages = languages.restricted_to(&["c", "cpp20"]).unwrap();
        let toolchains = Toolchains::find(languages.iter());
        let scratch = directory.path().to_owned();
        let judge = Judge::new(languages, toolchains, Arc::new(cache), scratch);
        let slot = judge.slot(0, Some(0));
        Self {
            directory,
            judge,
            slot,
        }
    }

    /// The path of a file of the package.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join("package").join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Writes problem.yaml with these further lines.
    pub(crate) fn describe(&self, problem: &str) {
        let head = "problem_format_version: 2025-09\nname: Bench\nuuid: 2a1e8b4c-8d1f-4b5e-9c55-52a9c1f0d7aa\n";
        self.write("problem.yaml", &format!("{head}{problem}"));
    }

    pub(crate) fn package(&self) -> Package {
        Package::read(&self.path("")).unwrap()
    }

    /// Judges the only submission of the package.
    pub(crate) fn judge(&mut self, package: &Package) -> Judged {
        let submission = &package.submissions[0];
        let language = package
            .submission_language(&submission.program, self.judge.languages())
            .unwrap();
        let request = Request {
            package,
            program: &submission.program,
            language,
            sandbox: SandboxMode::Unshare,
            look: &USUAL,
            earlier: None,
            stop: Stop::FirstFailure,
        };
        let cancel = Cancel::default();
        let judged = self
            .judge
            .judge(&mut self.slot, request, &mut |_| (), &cancel);
        let judged = judged.unwrap();
        assert_eq!(judged.verdict.id(), "AC", "{judged:?}");
        judged
    }
}

/// Compiles as the language table does, outside of a jail.
pub(crate) fn compile(source: &Path, program: &Path) {
    let (compiler, standard) = match source.extension().unwrap().to_str().unwrap() {
        "c" => ("gcc", "-std=gnu17"),
        _ => ("g++", "-std=gnu++20"),
    };
    let mut command = std::process::Command::new(compiler);
    command.args([standard, "-O2", "-static", "-o"]);
    let done = command.arg(program).arg(source).arg("-lm").status();
    assert!(done.unwrap().success());
}
