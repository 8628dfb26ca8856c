//! The commands that need no services, as people and scripts run them. Needs
//! root, `assize-jail` beside `assize`, and the compilers of C, C++, Python and
//! Java.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod bad_input;
mod closed_output;
mod doctor;
mod generate;
mod interrupted;
mod judge;
mod policy;
mod run;
mod verify;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// The built program with a cache and temporary files of its own.
struct Assize {
    home: TempDir,
}

/// What a command printed, and its exit code.
struct Done {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Assize {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("tmp")).unwrap();
        Self { home }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_assize"));
        self.set_environment(&mut command);
        command
    }

    fn set_environment(&self, command: &mut Command) {
        command
            .env("XDG_CACHE_HOME", self.home.path().join("cache"))
            .env("TMPDIR", self.temporary());
    }

    fn temporary(&self) -> PathBuf {
        self.home.path().join("tmp")
    }

    fn run(&self, args: &[&str]) -> Done {
        self.command().args(args).output().unwrap().into()
    }

    /// Nothing is left of what it did but its cache.
    fn assert_clean(&self) {
        let left: Vec<_> = std::fs::read_dir(self.temporary()).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Done {
    #[track_caller]
    fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
        self
    }

    fn lines(&self) -> Vec<Value> {
        let lines = self.stdout.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// The keys of an object, sorted.
fn keys(object: &Value) -> Vec<&str> {
    object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/packages");
    path.join(name).to_str().unwrap().to_owned()
}

/// A package with one test case, which wants its input back.
fn echo_package() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    write(
        root.path(),
        "problem.yaml",
        "problem_format_version: 2025-09\nname: Echo\nuuid: 2a1e8b4c-8d1f-4b5e-9c55-52a9c1f0d7aa\nlimits:\n  time_limit: 1.0\n",
    );
    write(root.path(), "statement/problem.en.md", "Repeat it.\n");
    write(root.path(), "data/secret/1.in", "one\n");
    write(root.path(), "data/secret/1.ans", "one\n");
    write(
        root.path(),
        "submissions/accepted/echo.py",
        "print(input())\n",
    );
    root
}

/// A package with 25 points for two test cases, of which a submission gets all and
/// another half.
fn scoring_package() -> TempDir {
    let package = echo_package();
    let root = package.path();
    write(
        root,
        "problem.yaml",
        "problem_format_version: 2025-09\nname: Echo\ntype: scoring\nuuid: 2a1e8b4c-8d1f-4b5e-9c55-52a9c1f0d7aa\nlimits: {time_limit: 1}\n",
    );
    write(
        root,
        "data/secret/test_group.yaml",
        "max_score: 25\nscore_aggregation: sum\n",
    );
    write(root, "data/secret/2.in", "two\n");
    write(root, "data/secret/2.ans", "two\n");
    write(root, "submissions/wrong_answer/two.py", "print('two')\n");
    package
}

fn write(root: &Path, path: &str, content: &str) -> PathBuf {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, content).unwrap();
    path
}
