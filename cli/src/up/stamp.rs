//! How children are recognised as ours after an `assize up` that was killed: a
//! variable in their environment that names the data directory and the service.
//! Children of children inherit it; nobody else has it.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::future::try_join_all;
use tokio::process::Command;
use tokio::time::Instant;

use super::process::signal;

const VARIABLE: &str = "ASSIZE_SERVICE";
/// How long leftovers may take to stop before they are killed.
const GRACE: Duration = Duration::from_secs(20);

/// The mark of a service of one data directory, with the signal it stops at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    text: OsString,
    signal: &'static str,
}

impl Stamp {
    /// The mark of `service` in the data directory `data`; it stops gracefully
    /// at `signal`, such as `TERM`.
    #[must_use]
    pub(super) fn new(data: &Path, service: &str, signal: &'static str) -> Self {
        let mut text = data.as_os_str().to_owned();
        text.push("//");
        text.push(service);
        Self { text, signal }
    }

    /// Whether it marks the service of this name.
    pub(super) fn is_of(&self, service: &str) -> bool {
        self.text
            .as_bytes()
            .ends_with(format!("//{service}").as_bytes())
    }

    /// The processes that carry this mark, now.
    ///
    /// # Errors
    /// When `/proc` can't be read.
    pub(super) fn processes(&self) -> anyhow::Result<Vec<u32>> {
        let ours = marked()?.into_iter().filter(|(_, text)| *text == self.text);
        Ok(ours.map(|(pid, _)| pid).collect())
    }

    /// Ends what an earlier start of this service left running, and says how
    /// many processes that were: first by its signal, then by force.
    ///
    /// # Errors
    /// When `/proc` can't be read, or something survives.
    pub(super) async fn end_leftovers(&self) -> anyhow::Result<usize> {
        let left = self.processes()?;
        let mut name = self.signal;
        let mut deadline = Instant::now() + GRACE;
        let mut told = Vec::new();
        loop {
            let alive = self.processes()?;
            if alive.is_empty() {
                return Ok(left.len());
            }
            if Instant::now() > deadline {
                anyhow::ensure!(
                    name != "KILL",
                    "processes {alive:?}, left by an earlier start, can't be killed"
                );
                name = "KILL";
                deadline = Instant::now() + GRACE;
                told.clear();
            }
            for pid in alive
                .into_iter()
                .filter(|pid| !told.contains(pid))
                .collect::<Vec<_>>()
            {
                signal(name, &pid.to_string()).await?;
                told.push(pid);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(super) fn mark(&self, command: &mut Command) {
        command.env(VARIABLE, &self.text);
    }
}

/// Ends what an `assize up` that was killed left running in the data directory
/// `data`, whichever services it had, and says how many processes that were.
///
/// # Errors
/// When `/proc` can't be read, or something survives.
pub(super) async fn end_all_leftovers(data: &Path) -> anyhow::Result<usize> {
    let prefix = Stamp::new(data, "", "TERM").text;
    let mut texts: Vec<OsString> = marked()?.into_iter().map(|(_, text)| text).collect();
    texts.retain(|text| text.as_bytes().starts_with(prefix.as_bytes()));
    texts.sort_unstable();
    texts.dedup();
    // Together, because Postgres waits for the others to leave it.
    let stamps: Vec<Stamp> = texts
        .into_iter()
        .map(|text| Stamp {
            text,
            signal: "TERM",
        })
        .collect();
    let ended = try_join_all(stamps.iter().map(Stamp::end_leftovers)).await?;
    Ok(ended.into_iter().sum())
}

/// All processes that carry a mark, with its text.
fn marked() -> anyhow::Result<Vec<(u32, OsString)>> {
    let variable = format!("{VARIABLE}=");
    let text = |pid: u32| {
        // Processes that end meanwhile or belong to others can't be read: not ours.
        let environ = fs::read(format!("/proc/{pid}/environ")).ok()?;
        let mut pairs = environ.split(|byte| *byte == 0);
        let text = pairs.find_map(|pair| pair.strip_prefix(variable.as_bytes()))?;
        Some((pid, OsString::from_vec(text.to_vec())))
    };
    let entries = fs::read_dir("/proc").context("cannot read /proc")?;
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    Ok(pids.filter_map(text).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_marked_are_ended() {
        let root = tempfile::tempdir().unwrap();
        let ours = Stamp::new(root.path(), "one", "TERM");
        let other = Stamp::new(root.path(), "one-more", "TERM");
        let start = |stamp: &Stamp| {
            let mut command = Command::new("sleep");
            command.arg("1000").kill_on_drop(true);
            stamp.mark(&mut command);
            command.spawn().unwrap()
        };
        let (mut first, second) = (start(&ours), start(&other));
        // Spawning returns after the exec, so the mark is there.
        assert_eq!(ours.processes().unwrap(), [first.id().unwrap()]);
        let reaping = tokio::spawn(async move { first.wait().await });
        assert_eq!(ours.end_leftovers().await.unwrap(), 1);
        assert!(!reaping.await.unwrap().unwrap().success());
        assert_eq!(other.processes().unwrap(), [second.id().unwrap()]);
    }
}
