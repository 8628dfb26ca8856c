//! The data directory: everything an installation keeps, owned by one `assize up`
//! at a time.
//!
//! ```text
//! assize-data   format of this directory, and the mark that it is ours
//! lock          locked while an `assize up` runs; holds its process id
//! secrets/      tokens and passwords, for us alone
//! logs/         one log a service
//! config/       what services read and must not change
//! bin/          copies of programs whose own place is closed to the service account
//! cache/        one directory a worker
//! postgres/     the database            ┐
//! socket/       where it listens        │ owned by the
//! rabbitmq/     the broker              │ service account
//! scheduler/    packages and sources    ┘
//! ```

use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown, lchown,
};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use bytesize::ByteSize;

use super::account::{Account, DEFAULT_SERVICE_USER};
use super::log_file;

/// The data directory of root whose own place is closed to the service account.
const SYSTEM_WIDE: &str = "/var/lib/assize";
const MARK: &str = "assize-data";
const FORMAT: &str = "1\n";
/// Less free space than this is no start: Postgres stops for good on a full disk.
const LEAST_FREE: ByteSize = ByteSize::mib(256);

/// A data directory that this process holds.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    account: Option<Account>,
    /// Locked as long as it is open.
    _lock: File,
}

/// Where data is kept when nobody said so: `data` below the current directory,
/// or a system-wide place if the service account can't reach that.
///
/// # Errors
/// When there is no current directory.
pub(crate) fn default_path(account: Option<&Account>) -> anyhow::Result<PathBuf> {
    let here =
        std::env::current_dir().context("cannot tell the current directory: give --data-dir")?;
    let beside = here.join("data");
    let blocked = account.and_then(|account| account.blocked_at(&beside));
    Ok(if blocked.is_some() {
        SYSTEM_WIDE.into()
    } else {
        beside
    })
}

/// The same for commands that only look for a running installation, by the
/// usual name of the account.
///
/// # Errors
/// When there is no current directory.
pub(crate) fn default_path_here() -> anyhow::Result<PathBuf> {
    // Without the account nothing of root's runs here, and any place will do.
    let account = Account::for_services(DEFAULT_SERVICE_USER).unwrap_or_default();
    default_path(account.as_ref())
}

impl DataDir {
    /// Opens `path` for the exclusive use of this process, and makes it if it is
    /// missing or empty. Services run as `account`, or as ourselves without one.
    ///
    /// # Errors
    /// When it is something else than a data directory, is in use, is full, or
    /// can't be reached by `account`.
    pub(crate) fn open(path: &Path, account: Option<&Account>) -> anyhow::Result<Self> {
        let path = std::path::absolute(path)
            .with_context(|| format!("{} is not a path", path.display()))?;
        let shown = path.display();
        if let Some(closed) = account.and_then(|account| account.blocked_at(&path)) {
            let user = account.map_or("", |account| &account.name);
            bail!(
                "the user {user:?}, which runs Postgres and RabbitMQ, can't enter {closed} on the way to the data directory {shown}: \
                 choose another place with --data-dir, such as {SYSTEM_WIDE}, or open it with `chmod o+x {closed}`",
                closed = closed.display()
            );
        }
        let created = create(&path)?;
        let path = path
            .canonicalize()
            .with_context(|| format!("cannot open the data directory {shown}"))?;
        if !created && !path.join(MARK).exists() && !is_empty(&path)? {
            bail!(
                "{shown} holds other things and is not a data directory of Assize: give --data-dir an empty or a new directory"
            );
        }
        let lock = lock(&path)?;
        let mark = path.join(MARK);
        match fs::read_to_string(&mark) {
            Ok(format) if format == FORMAT => {}
            Ok(format) => bail!(
                "{shown} has format {:?}, made by another version of Assize; this one knows {:?}",
                format.trim(),
                FORMAT.trim()
            ),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::write(&mark, FORMAT)
                    .with_context(|| format!("cannot write {}", mark.display()))?;
            }
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", mark.display()));
            }
        }
        let data = Self {
            path,
            account: account.cloned(),
            _lock: lock,
        };
        data.require_space()?;
        data.directory("secrets", None)?;
        data.directory("logs", None)?;
        data.directory("cache", None)?;
        Ok(data)
    }

    /// The directory itself, absolute and without symbolic links.
    #[must_use]
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The account that services run as, if not ours.
    #[must_use]
    pub(crate) const fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    /// A directory of this name for a service, closed to everyone else.
    ///
    /// # Errors
    /// When it can't be made.
    pub(crate) fn service_directory(&self, name: &str) -> anyhow::Result<PathBuf> {
        self.directory(name, self.account())
    }

    /// Writes a file for services to read, and nobody else; they can't change it.
    ///
    /// # Errors
    /// When it can't be written.
    pub(crate) fn configuration(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        let directory = self.path.join("config");
        let path = directory.join(name);
        let write = || -> io::Result<()> {
            private_directory(&directory, None)?;
            fs::set_permissions(&directory, Permissions::from_mode(0o711))?;
            let mut file = File::options()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o640)
                .open(&path)?;
            file.write_all(text.as_bytes())?;
            fchown(&file, None, self.account().map(|account| account.gid))
        };
        write().with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// A copy of `program` that the service account can execute.
    ///
    /// # Errors
    /// When it can't be copied.
    pub(crate) fn copy_of_program(&self, program: &Path) -> anyhow::Result<PathBuf> {
        let directory = self.path.join("bin");
        let name = program
            .file_name()
            .with_context(|| format!("{} is not a program", program.display()))?;
        let (copy, fresh) = (directory.join(name), directory.join("new"));
        let make = || -> io::Result<()> {
            private_directory(&directory, None)?;
            fs::set_permissions(&directory, Permissions::from_mode(0o711))?;
            fs::copy(program, &fresh)?;
            fs::set_permissions(&fresh, Permissions::from_mode(0o755))?;
            // Renamed over the old copy, which may still be running.
            fs::rename(&fresh, &copy)
        };
        make().with_context(|| {
            format!(
                "cannot copy {} to {}",
                program.display(),
                directory.display()
            )
        })?;
        Ok(copy)
    }

    /// The cache of the worker of this name.
    ///
    /// # Errors
    /// When it can't be made.
    pub(crate) fn cache(&self, worker: &str) -> anyhow::Result<PathBuf> {
        self.directory(&format!("cache/{worker}"), None)
    }

    /// A fresh log of this name.
    ///
    /// # Errors
    /// When the old one can't be moved.
    pub(crate) fn fresh_log(&self, name: &str) -> anyhow::Result<PathBuf> {
        let log = self.path.join("logs").join(format!("{name}.log"));
        log_file::rotate(&log)
            .with_context(|| format!("cannot move the old log {}", log.display()))?;
        Ok(log)
    }

    /// Where a secret of this name is kept.
    #[must_use]
    pub(crate) fn secret_path(&self, name: &str) -> PathBuf {
        secret_path(&self.path, name)
    }

    /// Keeps a secret, readable for us alone.
    ///
    /// # Errors
    /// When it can't be written.
    pub(crate) fn keep_secret(&self, name: &str, secret: &str) -> anyhow::Result<()> {
        let path = self.secret_path(name);
        let fresh = path.with_extension("new");
        let write = || -> io::Result<()> {
            let mut file = File::options()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&fresh)?;
            writeln!(file, "{secret}")?;
            file.sync_all()?;
            fs::rename(&fresh, &path)
        };
        write().with_context(|| format!("cannot keep a secret in {}", path.display()))
    }

    /// The secret of this name, made at random the first time.
    ///
    /// # Errors
    /// When it can't be read or made.
    pub(crate) fn random_secret(&self, name: &str) -> anyhow::Result<String> {
        if let Some(secret) = self.read_secret(name)? {
            return Ok(secret);
        }
        let mut bytes = [0; 24];
        File::open("/dev/urandom")
            .and_then(|mut random| random.read_exact(&mut bytes))
            .context("cannot read /dev/urandom")?;
        let secret = hex::encode(bytes);
        self.keep_secret(name, &secret)?;
        Ok(secret)
    }

    /// The secret of this name, if there is one.
    ///
    /// # Errors
    /// When it can't be read.
    pub(crate) fn read_secret(&self, name: &str) -> anyhow::Result<Option<String>> {
        let path = self.secret_path(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Removes the secret of this name, if there is one.
    ///
    /// # Errors
    /// When it can't be removed.
    pub(crate) fn forget_secret(&self, name: &str) -> anyhow::Result<()> {
        let path = self.secret_path(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", path.display()))
            }
            _ => Ok(()),
        }
    }

    fn directory(&self, name: &str, owner: Option<&Account>) -> anyhow::Result<PathBuf> {
        let path = self.path.join(name);
        private_directory(&path, owner)
            .with_context(|| format!("cannot make {}", path.display()))?;
        Ok(path)
    }

    fn require_space(&self) -> anyhow::Result<()> {
        let answer = std::process::Command::new("df")
            .args(["--output=avail", "-B1"])
            .arg(&self.path)
            .output();
        let answer = answer.context("cannot run df (package coreutils)")?;
        let text = String::from_utf8_lossy(&answer.stdout).into_owned();
        let Some(Ok(free)) = text
            .lines()
            .nth(1)
            .map(|line| line.trim().parse().map(ByteSize::b))
        else {
            bail!(
                "cannot tell how much space is free at {}: df said {text:?}",
                self.path.display()
            );
        };
        if free < LEAST_FREE {
            bail!(
                "only {free} are free at {}, at least {LEAST_FREE} are needed: make space or choose another place with --data-dir",
                self.path.display()
            );
        }
        Ok(())
    }
}

/// Where the secret of this name is in the data directory at `data`.
#[must_use]
pub(crate) fn secret_path(data: &Path, name: &str) -> PathBuf {
    data.join("secrets").join(name)
}

/// Makes a directory that only `owner`, or we without one, may enter.
///
/// # Errors
/// When it can't be made or given away.
pub(super) fn private_directory(path: &Path, owner: Option<&Account>) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    match owner {
        // Not through a link: the directory above may belong to the account.
        Some(account) => lchown(path, Some(account.uid), Some(account.gid)),
        None => Ok(()),
    }
}

/// Makes the directory unless it is there; says whether it did.
fn create(path: &Path) -> anyhow::Result<bool> {
    if path.is_dir() {
        return Ok(false);
    }
    let make = || -> io::Result<()> {
        fs::create_dir_all(path)?;
        // The service account passes through to its own directories and sees nothing else.
        fs::set_permissions(path, Permissions::from_mode(0o711))
    };
    make().with_context(|| format!("cannot make the data directory {}", path.display()))?;
    Ok(true)
}

fn is_empty(path: &Path) -> anyhow::Result<bool> {
    let mut entries = fs::read_dir(path)
        .with_context(|| format!("cannot read the data directory {}", path.display()))?;
    // A start that failed early leaves its lock behind.
    Ok(entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == "lock")))
}

fn lock(path: &Path) -> anyhow::Result<File> {
    let name = path.join("lock");
    let opened = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&name);
    let mut file = opened.with_context(|| format!("cannot open {}", name.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let holder = file
                .read_to_string(&mut holder)
                .map_or("unknown", |_| holder.trim());
            bail!(
                "another `assize up` (process {holder}) uses the data directory {}: stop it, or give --data-dir another one",
                path.display()
            );
        }
        Err(TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("cannot lock {}", name.display()));
        }
    }
    let write = |file: &mut File| -> io::Result<()> {
        file.set_len(0)?;
        writeln!(file, "{}", std::process::id())
    };
    write(&mut file).with_context(|| format!("cannot write {}", name.display()))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("data");
        let first = DataDir::open(&path, None).unwrap();
        let error = DataDir::open(&path, None).unwrap_err().to_string();
        assert!(
            error.contains(&format!("process {}", std::process::id())),
            "{error}"
        );
        drop(first);
        // Other tests start children, which hold copies of the lock until their exec.
        while DataDir::open(&path, None).is_err() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    #[test]
    fn other_peoples_directories_are_left_alone() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("thesis.tex"), "").unwrap();
        let error = DataDir::open(root.path(), None).unwrap_err().to_string();
        assert!(error.contains("holds other things"), "{error}");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }

    #[test]
    fn another_format_is_refused() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join(MARK), "99\n").unwrap();
        let error = DataDir::open(root.path(), None).unwrap_err().to_string();
        assert!(error.contains("format \"99\""), "{error}");
    }

    #[test]
    fn secrets_stay_and_are_private() {
        let root = tempfile::tempdir().unwrap();
        let data = DataDir::open(&root.path().join("data"), None).unwrap();
        let secret = data.random_secret("amqp-password").unwrap();
        assert_eq!(data.random_secret("amqp-password").unwrap(), secret);
        assert_eq!(secret.len(), 48);
        let mode = fs::metadata(data.secret_path("amqp-password"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
