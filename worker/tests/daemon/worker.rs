//! The worker's process.

use std::fs::File;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::broker::PATIENCE;

/// A running worker; killed with the test.
pub(crate) struct Worker {
    child: Child,
    directory: TempDir,
}

impl Worker {
    /// A command with all that a worker needs, in an empty directory.
    pub(crate) fn command(directory: &TempDir) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_assize-worker"));
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("ASSIZE_LOG", "info,lapin=off,assize_worker=debug")
            .env("ASSIZE_LANGUAGES", "python3")
            .env("ASSIZE_SLOTS", "1")
            .env("ASSIZE_CACHE_DIR", directory.path().join("cache"))
            .stdin(Stdio::null())
            .stderr(File::create(directory.path().join("log")).unwrap());
        command
    }

    pub(crate) fn spawn(mut command: Command, directory: TempDir) -> Self {
        Self {
            child: command.spawn().unwrap(),
            directory,
        }
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    /// Waits until its log has these words.
    pub(crate) async fn says(&self, words: &str) {
        let begin = Instant::now();
        while !self.log().contains(words) {
            assert!(begin.elapsed() < PATIENCE, "not said: {}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    pub(crate) fn close_input(&mut self) {
        self.child.stdin = None;
    }

    pub(crate) fn signal(&self, signal: &str) {
        let process = self.child.id().to_string();
        let status = Command::new("kill")
            .args(["-s", signal, &process])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// How it ended; waits for it.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the worker does not end: {}", self.log());
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
        if std::thread::panicking() {
            #[expect(clippy::print_stderr, reason = "what a failed test needs")]
            {
                eprintln!("the worker's log:\n{}", self.log());
            }
        }
    }
}
