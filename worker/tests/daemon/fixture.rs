//! What the tests start from: a broker, a scheduler with a problem, tasks.

use std::fs;
use std::process::Command;

use assize_common::api::Token;
use assize_common::id::{JudgementId, SubmissionId, TokenId};
use assize_common::message::{LimitOverrides, SourceFile, Task};
use assize_common::package::Package;
use assize_common::{ContentHash, Lane, SandboxChoice, SandboxMode, Scrutiny};
use tempfile::TempDir;

use crate::broker::Broker;
use crate::scheduler::FakeScheduler;
use crate::worker::Worker;

pub(crate) const RIGHT: &str = "print(sum(map(int, input().split())))\n";
pub(crate) const WRONG: &str = "print(42)\n";
/// Uses up the time limit of ten seconds.
pub(crate) const ENDLESS: &str = "while True: pass\n";

pub(crate) struct Fixture {
    pub(crate) broker: Broker,
    pub(crate) scheduler: FakeScheduler,
    pub(crate) token: Token,
    package: ContentHash,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let token = Token::new(TokenId::generate(), [7; 32]);
        let scheduler = FakeScheduler::start(&token);
        let package = scheduler.store(&archive());
        Self {
            broker: Broker::connect().await,
            scheduler,
            token,
            package,
        }
    }

    /// A task to judge this Python program.
    pub(crate) fn task(&self, source: &str, lane: Lane) -> Task {
        Task {
            judgement_id: JudgementId::generate(),
            attempt: 1,
            submission_id: SubmissionId::generate(),
            lane,
            package: self.package,
            language: "python3".to_owned(),
            files: vec![SourceFile {
                name: "sum.py".to_owned(),
                sha256: self.scheduler.store(source.as_bytes()),
                size_bytes: source.len() as u64,
            }],
            entry_point: None,
            limits: LimitOverrides::default(),
            earlier: None,
            avoid: Vec::new(),
            losses: 0,
            stop: None,
            sandbox: SandboxChoice {
                mode: SandboxMode::Unshare,
                reason: "test".to_owned(),
            },
            ticket: None,
            scrutiny: Scrutiny::default(),
        }
    }

    /// A worker that is not started yet.
    pub(crate) fn command(&self, directory: &TempDir) -> Command {
        let mut command = Worker::command(directory);
        command
            .env("ASSIZE_AMQP_URL", self.broker.url.reveal())
            .env("ASSIZE_WORKER_TOKEN", self.token.reveal())
            .env("ASSIZE_SCHEDULER_URL", self.scheduler.url())
            .env("ASSIZE_AMQP_PREFIX", &self.broker.prefix);
        command
    }

    /// A worker that has registered.
    pub(crate) async fn worker(&mut self, args: &[&str]) -> Worker {
        let directory = tempfile::tempdir().unwrap();
        let mut command = self.command(&directory);
        command.args(args);
        let worker = Worker::spawn(command, directory);
        self.broker.registered().await;
        worker
    }
}

/// The archive of a problem: add two numbers.
fn archive() -> Vec<u8> {
    let root = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    write(
        "problem.yaml",
        "problem_format_version: 2025-09\nname: Sum\nuuid: 01890a5d-ac96-774b-bcce-b302099a8057\n\
         limits:\n  time_limit: 10.0\n  memory: 256\n",
    );
    for (number, (input, answer)) in [("3 4", "7"), ("20 22", "42"), ("1 1", "2")]
        .iter()
        .enumerate()
    {
        write(&format!("data/secret/{number}.in"), &format!("{input}\n"));
        write(&format!("data/secret/{number}.ans"), &format!("{answer}\n"));
    }
    Package::pack(root.path()).unwrap()
}
