//! A whole installation for a test, started by the very code of `assize up`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use assize::client::Api;
use assize::demo::Contest;
use assize::up::{Announce, Installation, Options};
use assize_common::api::Judgement;
use assize_common::id::SubmissionId;
use clap::Parser;
use sqlx::PgPool;
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};
use tokio_util::sync::CancellationToken;

use crate::invariants;
use crate::program::{command, complaint};
use crate::services::Services;
use crate::tree;

/// What tests of the whole need; others of the table may not be installed.
const LANGUAGES: &str = "c,cpp20,python3,java,rust";

/// Systems share the machine's cores, so one at a time: verdicts about time would
/// not suffer, but tests of deaths would take longer than they are patient.
static TURN: Mutex<()> = Mutex::const_new(());

/// What takes longer than this is stuck.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// Between two looks where nothing is urgent.
pub const PAUSE: Duration = Duration::from_millis(50);

/// Looks again after each pause until there is something to be found; nothing if that
/// takes too long.
pub async fn patiently<T>(pause: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let found = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(pause).await;
        }
    };
    tokio::time::timeout(PATIENCE, found).await.ok()
}

/// Waits until no other test has a system.
pub async fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().await
}

/// A running installation.
#[derive(Debug)]
pub struct System {
    installation: Installation,
    database: PgPool,
    shared: Option<Services>,
    data: TempDir,
    _turn: MutexGuard<'static, ()>,
}

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    options: Options,
}

impl System {
    /// Starts a scheduler and workers, with the services of `tests/with-services`.
    ///
    /// # Panics
    /// When that fails.
    pub async fn start(arguments: &[&str]) -> Self {
        Self::start_with(Services::new().await, arguments).await
    }

    /// The same, with these services.
    ///
    /// # Panics
    /// When that fails.
    pub async fn start_with(services: Services, arguments: &[&str]) -> Self {
        Self::start_again(services, data_directory(), arguments).await
    }

    /// The same, with what an earlier one has kept.
    ///
    /// # Panics
    /// When that fails.
    pub async fn start_again(services: Services, data: TempDir, arguments: &[&str]) -> Self {
        let turn = turn().await;
        let database_url = services.database_url();
        let shared = [
            ["--postgres-url", &database_url],
            ["--amqp-url", &services.amqp_url],
            ["--amqp-prefix", services.amqp_prefix()],
        ];
        let arguments = [arguments, shared.as_flattened()].concat();
        let installation = install(&data, &arguments).await;
        let database = services.connect().await;
        Self {
            installation,
            database,
            shared: Some(services),
            data,
            _turn: turn,
        }
    }

    /// Starts everything, with a Postgres and a RabbitMQ that tests may kill.
    ///
    /// # Panics
    /// When that fails.
    pub async fn start_with_private_services(arguments: &[&str]) -> Self {
        let turn = turn().await;
        let data = data_directory();
        let installation = install(&data, arguments).await;
        let sockets = installation.path().join("socket");
        let url = format!(
            "postgres://assize@localhost/assize?host={}",
            sockets.display()
        );
        let database = sqlx::postgres::PgPoolOptions::new()
            .acquire_timeout(PATIENCE)
            .connect(&url)
            .await
            .expect("the private Postgres answers");
        Self {
            installation,
            database,
            shared: None,
            data,
            _turn: turn,
        }
    }

    /// Its API, with a token that allows everything.
    #[must_use]
    pub const fn api(&self) -> &Api {
        self.installation.api()
    }

    /// The installation itself, to look at its processes.
    #[must_use]
    pub const fn installation(&self) -> &Installation {
        &self.installation
    }

    /// Its database.
    #[must_use]
    pub const fn database(&self) -> &PgPool {
        &self.database
    }

    /// The directory with all that it keeps.
    #[must_use]
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// Imports one problem of the example contest.
    ///
    /// # Panics
    /// When there is no such problem or it is refused.
    pub async fn import_example(&self, problem: &str) -> Contest {
        let contest = Contest::read(&tree::root().join("tests/packages")).unwrap();
        let mut problems = contest.problems().iter();
        let found = problems.find(|found| found.short_name == problem);
        let archive = found.expect("an example").archive.clone();
        self.api().import_problem(problem, archive).await.unwrap();
        contest
    }

    /// What a command of ours says of this installation.
    ///
    /// # Panics
    /// When it fails.
    pub async fn asked(&self, arguments: &[&str]) -> String {
        let mut command = command("assize");
        command.args(arguments).arg("--data-dir");
        let output = command.arg(self.installation.path()).output();
        let output = output.await.unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Waits until the judgement of a submission ended, and returns it.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn ended(&self, id: SubmissionId) -> Judgement {
        let ended = patiently(PAUSE, async || {
            // The scheduler may be the one that was killed.
            let judgement = self.api().judgement(id).await.ok();
            judgement.filter(|judgement| judgement.summary.state.is_final())
        });
        let ended = ended.await;
        ended.unwrap_or_else(|| panic!("submission {id} has no verdict"))
    }

    /// Kills all processes of a service as a power cut would, and waits until it
    /// is back.
    ///
    /// # Panics
    /// When it does not come back.
    pub async fn kill(&self, service: &str) {
        let starts = self.installation.ready_after(service, 0).await.unwrap();
        let processes = self.installation.processes(service).unwrap();
        assert!(!processes.is_empty(), "{service} does not run");
        kill(&processes).await;
        let back = self.installation.ready_after(service, starts);
        let back = tokio::time::timeout(PATIENCE, back).await;
        back.unwrap_or_else(|_| panic!("{service} did not come back"))
            .unwrap();
    }

    /// Stops, and returns what it has kept; what became of its work is nobody's business.
    ///
    /// # Panics
    /// When it does not stop.
    pub async fn stop(self) -> TempDir {
        self.database.close().await;
        self.installation.stop().await.unwrap();
        if let Some(shared) = self.shared {
            shared.remove().await;
        }
        self.data
    }

    /// Checks the invariants, stops, and checks that nothing is left behind.
    ///
    /// # Panics
    /// When something is not as it should be.
    pub async fn end(self, submissions: usize) {
        invariants::assert_hold(&self.database, submissions).await;
        self.database.close().await;
        if let Some(shared) = &self.shared {
            // Acknowledgements may be on their way when all verdicts are there.
            let emptied = patiently(PAUSE, async || {
                shared.waiting_messages().await.is_empty().then_some(())
            });
            emptied.await.expect("messages are left in the broker");
        }
        let place = self.installation.path().to_owned();
        self.installation.stop().await.unwrap();
        // A process that was killed takes a moment to be gone.
        let gone = patiently(PAUSE, async || {
            processes_of(&place).is_empty().then_some(())
        });
        if gone.await.is_none() {
            panic!("processes are left: {:?}", processes_of(&place));
        }
        if let Some(shared) = self.shared {
            shared.remove().await;
        }
    }
}

/// Ends processes at once.
///
/// # Panics
/// When `kill` can't be run.
pub async fn kill(processes: &[u32]) {
    let command = kill_command(processes);
    // One that has just ended by itself is no failure.
    tokio::process::Command::from(command)
        .output()
        .await
        .unwrap();
}

/// What ends processes at once; it fails for one that has just ended by itself.
#[must_use]
pub fn kill_command(processes: &[u32]) -> std::process::Command {
    // The shell's own, since a minimal Debian has no other.
    let ids: Vec<String> = processes.iter().map(u32::to_string).collect();
    let script = format!("kill -s KILL {}", ids.join(" "));
    let mut command = std::process::Command::new("/bin/sh");
    command.args(["-c", &script]);
    command
}

/// The command lines of all processes of the installation at `place`, by the mark
/// that `assize up` gives them.
///
/// # Panics
/// When `/proc` can't be read.
#[must_use]
pub fn processes_of(place: &Path) -> Vec<String> {
    let mark = format!("ASSIZE_SERVICE={}//", place.display());
    let processes = std::fs::read_dir("/proc").unwrap();
    let marked = processes.filter_map(|entry| {
        // Those that end meanwhile are none of them any more.
        let process = entry.ok()?.path();
        let environment = std::fs::read(process.join("environ")).ok()?;
        let mut variables = environment.split(|byte| *byte == 0);
        let is_marked = variables.any(|variable| variable.starts_with(mark.as_bytes()));
        let line = is_marked.then(|| std::fs::read(process.join("cmdline")).ok())??;
        Some(String::from_utf8_lossy(&line).replace('\0', " "))
    });
    marked.collect()
}

/// A directory that the account of services can enter.
///
/// # Panics
/// When it can't be made.
#[must_use]
pub fn data_directory() -> TempDir {
    let data = tempfile::Builder::new()
        .prefix("assize-test-")
        .tempdir()
        .unwrap();
    std::fs::set_permissions(data.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
    data
}

async fn install(data: &TempDir, arguments: &[&str]) -> Installation {
    let place = data.path().join("data");
    let mut own = vec!["up", "--listen", "127.0.0.1:0", "--data-dir"];
    own.extend(place.to_str());
    if !arguments.contains(&"--languages") {
        own.extend(["--languages", LANGUAGES]);
    }
    let arguments = Arguments::parse_from(own.into_iter().chain(arguments.iter().copied()));
    let (announce, lines) = Announce::collect();
    let started =
        Installation::start(&arguments.options, &announce, &CancellationToken::new()).await;
    started.unwrap_or_else(|error| {
        let lines = lines.lock().unwrap().join("\n");
        panic!("cannot start an installation: {error:#}\n{lines}")
    })
}
