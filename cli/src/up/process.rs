//! Child processes that can't outlive us.
//!
//! Each child holds the reading end of a pipe, its lifeline, as standard input.
//! We hold the other end and never write to it. When we close it, or die in
//! whatever way, the child reads the end of it and stops gracefully: our own
//! daemons by themselves, others by a shell that waits with them and turns the
//! end of the lifeline into the signal they stop at.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use tokio::process::{Child, ChildStdin, Command};

use super::account::Account;
use super::log_file;
use super::stamp::Stamp;

/// Runs a program and sends it the signal `$0` when standard input ends; ends
/// with its exit status. `exec` keeps the program's arguments out of the shell.
const KEEPER: &str = r#"
signal=$0
exec 3<&0 </dev/null
"$@" 3<&- &
program=$!
(
    trap '' HUP INT TERM
    while read -r _ <&3; do :; done
    kill -s "$signal" "$program"
) &
watch=$!
exec 3<&-
wait "$program"
status=$?
kill -KILL "$watch" 2>/dev/null
exit "$status"
"#;

/// How a program learns that it should stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lifeline {
    /// It stops at the end of its standard input.
    Own,
    /// It stops at this signal, such as `TERM`.
    Signal(&'static str),
}

/// A program to run as a child.
#[derive(Debug, Clone)]
pub(super) struct Program {
    /// The executable.
    pub(super) path: PathBuf,
    /// Its arguments.
    pub(super) args: Vec<OsString>,
    /// Its environment, beside what it inherits.
    pub(super) env: Vec<(&'static str, OsString)>,
    /// Whether it inherits our environment, or only `PATH` and `LANG`.
    pub(super) inherit_env: bool,
    /// Whom it runs as, if not as us.
    pub(super) account: Option<Account>,
    /// Its working directory.
    pub(super) directory: PathBuf,
    /// How it learns that it should stop.
    pub(super) lifeline: Lifeline,
    /// Where its output goes.
    pub(super) log: PathBuf,
    /// The mark by which it is recognised later.
    pub(super) stamp: Stamp,
}

/// A running child. When dropped it is told to stop, but not waited for.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    lifeline: Option<ChildStdin>,
    group: Option<u32>,
}

impl Process {
    /// Starts `program`.
    ///
    /// # Errors
    /// When it can't be executed, or its log can't be opened.
    pub(super) fn start(program: &Program) -> anyhow::Result<Self> {
        let log = || -> io::Result<(Stdio, Stdio)> {
            let file = log_file::open(&program.log)?;
            Ok((file.try_clone()?.into(), file.into()))
        };
        let (stdout, stderr) =
            log().with_context(|| format!("cannot open the log {}", program.log.display()))?;
        let mut command = program.command();
        // A group of its own: the terminal's Ctrl-C is for us, who stop things in order.
        command
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(stdout)
            .stderr(stderr);
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start {}", program.path.display()))?;
        Ok(Self {
            lifeline: child.stdin.take(),
            group: child.id(),
            child,
        })
    }

    /// Waits for its end. May be cancelled and called again.
    ///
    /// # Errors
    /// When the system refuses to tell.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Tells it to stop and waits; kills it and its group after `grace`. Says
    /// whether it stopped by itself.
    ///
    /// # Errors
    /// When it can't be waited for or killed.
    pub(super) async fn stop(mut self, grace: Duration) -> anyhow::Result<bool> {
        drop(self.lifeline.take());
        if tokio::time::timeout(grace, self.child.wait()).await.is_ok() {
            return Ok(true);
        }
        self.kill().await?;
        Ok(false)
    }

    /// Kills it and all processes of its group, as a crash would.
    ///
    /// # Errors
    /// When it can't be killed or waited for.
    pub(super) async fn kill(&mut self) -> anyhow::Result<()> {
        if let (Some(group), Some(_)) = (self.group, self.child.id()) {
            signal("KILL", &format!("-{group}")).await?;
        }
        self.child.wait().await.context("cannot wait for a child")?;
        Ok(())
    }
}

impl Program {
    fn command(&self) -> Command {
        let mut command = match self.lifeline {
            Lifeline::Own => Command::new(&self.path),
            Lifeline::Signal(signal) => {
                let mut keeper = Command::new("/bin/sh");
                keeper.args(["-c", KEEPER, signal]).arg(&self.path);
                keeper
            }
        };
        if !self.inherit_env {
            command.env_clear();
            // What a setting of the caller's shell should not change. UTF-8 is what RabbitMQ asks for.
            command
                .env(
                    "PATH",
                    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                )
                .env("LANG", "C.UTF-8");
        }
        command
            .args(&self.args)
            .envs(self.env.iter().map(|(key, value)| (key, value)));
        self.stamp.mark(&mut command);
        command.current_dir(&self.directory);
        if let Some(account) = &self.account {
            command.gid(account.gid).uid(account.uid);
        }
        command
    }
}

/// Sends a signal by name to a process, or to a group by its negated id.
///
/// # Errors
/// When there is no shell to send it.
pub(super) async fn signal(name: &str, target: &str) -> anyhow::Result<()> {
    // The shell's own kill: no other program needs to be installed. That the
    // target is gone already is no error.
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", r#"kill -s "$0" -- "$1" 2>/dev/null"#, name, target]);
    shell
        .status()
        .await
        .with_context(|| format!("cannot send SIG{name} to {target}"))?;
    Ok(())
}

/// The end of a child in words.
#[must_use]
pub(super) fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        // A shell passes on its program's signal so.
        (Some(code @ 129..=159), _) => format!("ended by signal {}", code - 128),
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("ended by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}

/// Finds a program in `directories` or in `PATH`.
#[must_use]
pub(super) fn find_program(name: &str, directories: &[&Path]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = directories
        .iter()
        .map(|directory| directory.to_path_buf())
        .chain(std::env::split_paths(&path));
    directories
        .map(|directory| directory.join(name))
        .find(|candidate| candidate.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(root: &Path, lifeline: Lifeline, script: &str) -> Program {
        Program {
            path: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            env: Vec::new(),
            inherit_env: false,
            account: None,
            directory: "/".into(),
            lifeline,
            log: root.join("log"),
            stamp: Stamp::new(root, "test", "TERM"),
        }
    }

    async fn start_and_see_up(program: &Program) -> Process {
        let process = Process::start(program).unwrap();
        while log_file::last_lines(&program.log, 1).is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        process
    }

    #[tokio::test]
    async fn the_end_of_the_lifeline_becomes_a_signal() {
        let root = tempfile::tempdir().unwrap();
        let script = "trap 'echo stopping; exit 0' TERM; echo up; while :; do sleep 0.02; done";
        let program = shell(root.path(), Lifeline::Signal("TERM"), script);
        let process = start_and_see_up(&program).await;
        assert!(process.stop(Duration::from_secs(30)).await.unwrap());
        assert_eq!(
            log_file::last_lines(&program.log, 9),
            "\n    up\n    stopping"
        );
    }

    #[tokio::test]
    async fn the_exit_status_passes_through_the_keeper() {
        let root = tempfile::tempdir().unwrap();
        let mut process =
            Process::start(&shell(root.path(), Lifeline::Signal("TERM"), "exit 7")).unwrap();
        assert_eq!(process.wait().await.unwrap().code(), Some(7));
        let mut process = Process::start(&shell(
            root.path(),
            Lifeline::Signal("TERM"),
            "kill -KILL $$",
        ))
        .unwrap();
        assert_eq!(describe(process.wait().await.unwrap()), "ended by signal 9");
    }

    #[tokio::test]
    async fn what_does_not_stop_is_killed_with_its_group() {
        let root = tempfile::tempdir().unwrap();
        let program = shell(
            root.path(),
            Lifeline::Signal("TERM"),
            "trap '' TERM; echo up; while :; do sleep 0.02; done",
        );
        let process = start_and_see_up(&program).await;
        assert!(!process.stop(Duration::from_millis(100)).await.unwrap());
        // The rest of the group dies at the same signal, but nobody waits for it.
        let gone = async {
            while !program.stamp.processes().unwrap().is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), gone)
            .await
            .unwrap();
    }
}
