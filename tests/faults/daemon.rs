//! A process that is killed, stopped and started again, as faults want it.

use std::fs::{File, OpenOptions};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::sync::Mutex;

/// A process that should run. Clones are the same.
#[derive(Clone)]
pub(super) struct Daemon(Arc<Shared>);

struct Shared {
    name: String,
    log: PathBuf,
    command: Box<dyn Fn() -> Command + Send + Sync>,
    child: Mutex<Option<Child>>,
    /// 0 while it does not run.
    process: AtomicU32,
    /// How often it ended without being told to.
    surprises: AtomicU32,
}

/// How long a process may take to end by itself.
const PATIENCE: Duration = Duration::from_secs(90);
/// How soon a process that ended by itself is started again.
const RESTART: Duration = Duration::from_millis(200);

impl std::fmt::Debug for Daemon {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Daemon({})", self.0.name)
    }
}

impl Daemon {
    /// A daemon that does not run yet; its log goes below `directory`.
    pub(super) fn new(
        name: &str,
        directory: &std::path::Path,
        command: impl Fn() -> Command + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Shared {
            name: name.to_owned(),
            log: directory.join(format!("{name}.log")),
            command: Box::new(command),
            child: Mutex::new(None),
            process: AtomicU32::new(0),
            surprises: AtomicU32::new(0),
        }))
    }

    pub(super) fn name(&self) -> &str {
        &self.0.name
    }

    /// What it has logged.
    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(&self.0.log).unwrap_or_default()
    }

    /// The process id; none while it does not run.
    pub(super) fn process(&self) -> Option<u32> {
        Some(self.0.process.load(Ordering::Relaxed)).filter(|process| *process != 0)
    }

    /// How often it ended without being told to.
    pub(super) fn surprises(&self) -> u32 {
        self.0.surprises.load(Ordering::Relaxed)
    }

    /// Starts it unless it runs, and again whenever it ends by itself.
    pub(super) async fn start(&self) {
        let mut child = self.0.child.lock().await;
        if child.is_some() {
            return;
        }
        *child = Some(self.spawn());
        drop(child);
        let daemon = self.clone();
        tokio::spawn(async move { daemon.watch().await });
    }

    /// Kills it and starts it again after a while.
    pub(super) async fn kill(&self, pause: Duration) {
        self.end("KILL").await;
        tokio::time::sleep(pause).await;
        self.start().await;
    }

    /// Ends it by a signal and waits for that.
    pub(super) async fn end(&self, signal: &str) {
        let mut slot = self.0.child.lock().await;
        if let Some(mut child) = slot.take() {
            self.signal(signal).await;
            let ended = tokio::time::timeout(PATIENCE, child.wait()).await;
            ended
                .unwrap_or_else(|_| panic!("{} does not end by {signal}", self.name()))
                .unwrap();
            self.0.process.store(0, Ordering::Relaxed);
        }
    }

    /// Sends a signal, if it runs.
    pub(super) async fn signal(&self, signal: &str) {
        if let Some(process) = self.process() {
            send_signal(signal, &[process]).await;
        }
    }

    /// Stops it for a while.
    pub(super) async fn stand_still(&self, time: Duration) {
        self.signal("STOP").await;
        tokio::time::sleep(time).await;
        self.signal("CONT").await;
    }

    /// Stops it for a while with all processes below it.
    pub(super) async fn freeze(&self, time: Duration) {
        // First it, so that no more come.
        self.signal("STOP").await;
        let all: Vec<u32> = self
            .process()
            .into_iter()
            .chain(self.descendants())
            .collect();
        send_signal("STOP", &all).await;
        tokio::time::sleep(time).await;
        send_signal("CONT", &all).await;
    }

    /// The processes below it.
    pub(super) fn descendants(&self) -> Vec<u32> {
        let mut found: Vec<u32> = self.process().into_iter().collect();
        let mut next = 0;
        while let Some(parent) = found.get(next) {
            let threads = std::fs::read_dir(format!("/proc/{parent}/task"));
            for thread in threads.into_iter().flatten().flatten() {
                let list =
                    std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
                found.extend(list.split(' ').filter_map(|id| id.parse::<u32>().ok()));
            }
            next += 1;
        }
        found.split_off(1.min(found.len()))
    }

    fn spawn(&self) -> Child {
        let log = || -> File {
            let mut options = OpenOptions::new();
            options.create(true).append(true).open(&self.0.log).unwrap()
        };
        let mut command = (self.0.command)();
        let child = command
            .stdin(Stdio::piped())
            .stdout(log())
            .stderr(log())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        self.0.process.store(child.id().unwrap(), Ordering::Relaxed);
        child
    }

    /// Starts it again whenever it ends by itself, until it is told to end.
    async fn watch(self) {
        loop {
            tokio::time::sleep(RESTART).await;
            let mut slot = self.0.child.lock().await;
            let Some(child) = slot.as_mut() else { return };
            if child.try_wait().unwrap().is_some() {
                self.0.surprises.fetch_add(1, Ordering::Relaxed);
                *slot = Some(self.spawn());
            }
        }
    }
}

/// Sends a signal to processes; one that is gone already does not matter.
pub(super) async fn send_signal(signal: &str, processes: &[u32]) {
    // The shell's own, since a minimal Debian has no other.
    let ids: Vec<String> = processes.iter().map(u32::to_string).collect();
    let script = format!("kill -s {signal} {}", ids.join(" "));
    Command::new("/bin/sh")
        .args(["-c", &script])
        .output()
        .await
        .unwrap();
}
