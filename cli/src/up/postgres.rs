//! A private Postgres: no TCP, one socket in a directory that nobody else can
//! enter, which is what its trust in local connections rests on.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use assize_common::ContentHash;
use tokio::process::Command;

use super::account::Account;
use super::data_dir::{DataDir, private_directory};
use super::process::{Lifeline, Program, find_program};
use super::stamp::Stamp;
use super::supervisor::Service;

const INSTALLED: &str = "/usr/lib/postgresql";
/// Longest path of a socket, without the final NUL, that Linux takes.
const LONGEST_SOCKET: usize = 107;
const SOCKET: &str = ".s.PGSQL.5432";
const USER: &str = "assize";

/// A Postgres below a data directory.
#[derive(Debug, Clone)]
pub(super) struct Postgres {
    programs: PathBuf,
    cluster: PathBuf,
    sockets: PathBuf,
    account: Option<Account>,
    log: PathBuf,
    stamp: Stamp,
}

impl Postgres {
    /// Finds Postgres and makes room for it below `data`. Starts nothing.
    ///
    /// # Errors
    /// When it is not installed, or not in the version that made the database.
    pub(super) fn new(data: &DataDir) -> anyhow::Result<Self> {
        let home = data.service_directory("postgres")?;
        let cluster = home.join("cluster");
        Ok(Self {
            programs: find_programs(Path::new(INSTALLED), &cluster)?,
            sockets: socket_directory(data.path(), data.account())?,
            cluster,
            account: data.account().cloned(),
            log: data.fresh_log("postgres")?,
            stamp: Stamp::new(data.path(), "postgres", "INT"),
        })
    }

    /// The URL of the database `name`.
    #[must_use]
    pub(super) fn url(&self, name: &str) -> String {
        // As a parameter, because a path can't be a host in front of it.
        let sockets: String = self
            .sockets
            .as_os_str()
            .as_bytes()
            .iter()
            .map(|byte| escaped(*byte))
            .collect();
        format!("postgres://{USER}@localhost/{name}?host={sockets}")
    }

    /// Makes the database `name` unless it exists. Postgres must be ready.
    ///
    /// # Errors
    /// When Postgres refuses.
    pub(super) async fn create_database(&self, name: &str) -> anyhow::Result<()> {
        let sockets = self.sockets.as_os_str();
        let exists = self
            .run(
                "psql",
                &[
                    "-h".as_ref(),
                    sockets,
                    "-U".as_ref(),
                    USER.as_ref(),
                    "-d".as_ref(),
                    "postgres".as_ref(),
                    "-Atqc".as_ref(),
                    "SELECT datname FROM pg_database".as_ref(),
                ],
            )
            .await?;
        if exists.lines().any(|line| line == name) {
            return Ok(());
        }
        self.run(
            "createdb",
            &[
                "-h".as_ref(),
                sockets,
                "-U".as_ref(),
                USER.as_ref(),
                name.as_ref(),
            ],
        )
        .await
        .map(drop)
    }

    /// The server's process id, by its own note of it.
    #[must_use]
    pub(super) fn id(&self) -> Option<u32> {
        self.note(0)?.parse().ok()
    }

    /// A line of the note that a running server keeps of itself.
    fn note(&self, line: usize) -> Option<String> {
        let note = fs::read_to_string(self.cluster.join("postmaster.pid")).ok()?;
        note.lines().nth(line).map(|line| line.trim().to_owned())
    }

    /// Makes the database cluster, aside and then renamed: one that was
    /// interrupted half-way is never taken for a whole one.
    async fn initialise(&self) -> anyhow::Result<()> {
        if self.cluster.join("PG_VERSION").exists() {
            return Ok(());
        }
        let fresh = self.cluster.with_extension("new");
        match fs::remove_dir_all(&fresh) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}", fresh.display()));
            }
            _ => {}
        }
        let arguments = [
            "--username",
            USER,
            "--auth-local=trust",
            "--auth-host=reject",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-instructions",
            "--pgdata",
        ];
        let mut arguments: Vec<&std::ffi::OsStr> =
            arguments.iter().map(|argument| argument.as_ref()).collect();
        arguments.push(fresh.as_os_str());
        self.run("initdb", &arguments)
            .await
            .context("cannot make a database cluster")?;
        fs::rename(&fresh, &self.cluster)
            .with_context(|| format!("cannot name {}", self.cluster.display()))
    }

    /// Runs one of Postgres's programs to its end and returns what it printed.
    async fn run(&self, program: &str, arguments: &[&std::ffi::OsStr]) -> anyhow::Result<String> {
        let mut command = Command::new(self.programs.join(program));
        command
            .args(arguments)
            .env_clear()
            .env("LANG", "C.UTF-8")
            .env("PATH", "/usr/bin:/bin")
            .current_dir("/");
        if let Some(account) = &self.account {
            command.gid(account.gid).uid(account.uid);
        }
        let answer = command
            .output()
            .await
            .with_context(|| format!("cannot run {program}"))?;
        if !answer.status.success() {
            bail!(
                "{program} failed: {}",
                String::from_utf8_lossy(&answer.stderr).trim()
            );
        }
        Ok(String::from_utf8_lossy(&answer.stdout).into_owned())
    }
}

impl Service for Postgres {
    fn name(&self) -> &str {
        "Postgres"
    }

    fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    async fn prepare(&self) -> anyhow::Result<Program> {
        // Each time: one below /tmp may have been tidied away.
        private_directory(&self.sockets, self.account.as_ref())
            .with_context(|| format!("cannot make {}", self.sockets.display()))?;
        self.initialise().await?;
        let setting = |name: &str, value: &Path| {
            let mut setting = OsString::from(format!("--{name}="));
            setting.push(value);
            setting
        };
        Ok(Program {
            path: self.programs.join("postgres"),
            args: vec![
                "-D".into(),
                self.cluster.clone().into(),
                "--listen_addresses=".into(),
                setting("unix_socket_directories", &self.sockets),
                "--unix_socket_permissions=0700".into(),
                "--max_connections=100".into(),
                "--shared_buffers=64MB".into(),
                "--max_wal_size=512MB".into(),
                "--log_line_prefix=%m [%p] ".into(),
            ],
            env: Vec::new(),
            inherit_env: false,
            account: self.account.clone(),
            directory: "/".into(),
            lifeline: Lifeline::Signal("INT"),
            log: self.log.clone(),
            stamp: self.stamp.clone(),
        })
    }

    async fn is_ready(&self) -> bool {
        // As pg_ctl does: the eighth line of the note. One of a server that was
        // killed is replaced as the first thing that a new one does.
        let runs = self
            .id()
            .is_some_and(|id| self.stamp.processes().is_ok_and(|ours| ours.contains(&id)));
        runs && self.note(7).as_deref() == Some("ready")
    }

    fn ready_within(&self) -> Duration {
        // Recovery after a crash takes its time.
        Duration::from_secs(120)
    }

    fn stop_within(&self) -> Duration {
        Duration::from_secs(60)
    }
}

/// The directory of Postgres's programs: of the version that made the cluster,
/// or of the newest one for a cluster yet to be made.
fn find_programs(installed: &Path, cluster: &Path) -> anyhow::Result<PathBuf> {
    let programs = |version: &str| installed.join(version).join("bin");
    if let Ok(version) = fs::read_to_string(cluster.join("PG_VERSION")) {
        let version = version.trim();
        if !programs(version).join("postgres").exists() {
            bail!(
                "the database {} was made by Postgres {version}, which is not installed: install the Debian package postgresql-{version}",
                cluster.display()
            );
        }
        return Ok(programs(version));
    }
    newest_programs(installed)
}

/// Where Postgres is installed on this host.
///
/// # Errors
/// When it is not.
pub(super) fn installed() -> anyhow::Result<PathBuf> {
    newest_programs(Path::new(INSTALLED))
}

fn newest_programs(installed: &Path) -> anyhow::Result<PathBuf> {
    let programs = |version: &str| installed.join(version).join("bin");
    let versions = fs::read_dir(installed).into_iter().flatten().flatten();
    let versions = versions.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let newest = versions
        .filter(|version| programs(&version.to_string()).join("initdb").exists())
        .max();
    if let Some(newest) = newest {
        return Ok(programs(&newest.to_string()));
    }
    // Not Debian's layout: all programs in one directory of PATH.
    let elsewhere =
        find_program("initdb", &[]).and_then(|initdb| Some(initdb.parent()?.to_owned()));
    elsewhere.context("Postgres is not installed: install the Debian package postgresql, or name a server with --postgres-url")
}

/// Where the socket goes: below the data directory, or below the directory for
/// temporary files when that makes its path too long.
fn socket_directory(data: &Path, account: Option<&Account>) -> anyhow::Result<PathBuf> {
    let beside = data.join("socket");
    if beside.join(SOCKET).as_os_str().len() <= LONGEST_SOCKET {
        return Ok(beside);
    }
    let hash = ContentHash::of(data.as_os_str().as_bytes()).to_string();
    let short = PathBuf::from(format!("/tmp/assize-{}", &hash[..16]));
    // Everybody may write to /tmp: what is there already must be ours.
    if let Ok(found) = fs::symlink_metadata(&short) {
        use std::os::unix::fs::MetadataExt as _;
        let owner = account.map_or_else(
            || fs::metadata("/proc/self").map(|process| process.uid()),
            |account| Ok(account.uid),
        );
        if !found.is_dir()
            || found.uid() != owner.context("cannot read /proc/self")?
            || found.mode() & 0o077 != 0
        {
            bail!(
                "{} exists and is not ours: remove it, or choose a shorter --data-dir",
                short.display()
            );
        }
    }
    Ok(short)
}

fn escaped(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_or_the_one_of_the_cluster() {
        let root = tempfile::tempdir().unwrap();
        let installed = root.path().join("installed");
        for version in ["9", "15", "17", "common"] {
            fs::create_dir_all(installed.join(version).join("bin")).unwrap();
            fs::write(installed.join(version).join("bin/initdb"), "").unwrap();
            fs::write(installed.join(version).join("bin/postgres"), "").unwrap();
        }
        let cluster = root.path().join("cluster");
        assert_eq!(
            find_programs(&installed, &cluster).unwrap(),
            installed.join("17/bin")
        );
        fs::create_dir(&cluster).unwrap();
        fs::write(cluster.join("PG_VERSION"), "15\n").unwrap();
        assert_eq!(
            find_programs(&installed, &cluster).unwrap(),
            installed.join("15/bin")
        );
        fs::write(cluster.join("PG_VERSION"), "16\n").unwrap();
        let error = find_programs(&installed, &cluster).unwrap_err().to_string();
        assert!(
            error.contains("install the Debian package postgresql-16"),
            "{error}"
        );
    }

    #[test]
    fn long_paths_move_the_socket() {
        let data = Path::new("/data");
        assert_eq!(socket_directory(data, None).unwrap(), data.join("socket"));
        let long = PathBuf::from(format!("/{}", "d".repeat(120)));
        let moved = socket_directory(&long, None).unwrap();
        assert!(
            moved.join(SOCKET).as_os_str().len() <= LONGEST_SOCKET,
            "{moved:?}"
        );
        assert_eq!(moved, socket_directory(&long, None).unwrap());
    }

    #[test]
    fn paths_in_urls_are_escaped() {
        let text: String = "/a b/é&c".bytes().map(escaped).collect();
        assert_eq!(text, "/a%20b/%C3%A9%26c");
    }
}
