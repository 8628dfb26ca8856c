//! Who runs what. Postgres and RabbitMQ refuse to run as root, and the
//! scheduler has no need to, so root hands them to an account of their own.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

/// The account's name without `--service-user`.
pub(crate) const DEFAULT_SERVICE_USER: &str = "assize";

/// A user of this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    /// Its name.
    pub(crate) name: String,
    /// Its user id.
    pub(crate) uid: u32,
    /// Its primary group.
    pub(crate) gid: u32,
}

/// Whether this process runs as root.
///
/// # Errors
/// When `/proc` is not mounted.
pub(crate) fn is_root() -> anyhow::Result<bool> {
    let process =
        fs::metadata("/proc/self").context("cannot read /proc/self: is /proc mounted?")?;
    Ok(process.uid() == 0)
}

impl Account {
    /// The account that services run as; `None` to run them as ourselves, when
    /// we are not root.
    ///
    /// # Errors
    /// When we are root and the account does not exist or is root's.
    pub(crate) fn for_services(name: &str) -> anyhow::Result<Option<Self>> {
        if !is_root()? {
            return Ok(None);
        }
        let Some(account) = Self::find(name)? else {
            bail!(
                "Postgres and RabbitMQ do not run as root, and there is no user {name:?} to run them: create it with\n  \
                 useradd --system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin {name}\n\
                 or name another one with --service-user"
            );
        };
        if account.uid == 0 {
            bail!(
                "--service-user {name}: Postgres and RabbitMQ do not run as root; name another user"
            );
        }
        Ok(Some(account))
    }

    fn find(name: &str) -> anyhow::Result<Option<Self>> {
        // getent knows every source of accounts; a leading dash would be an option.
        if name.is_empty() || name.starts_with('-') {
            bail!("--service-user {name:?} is not a user's name");
        }
        let answer = Command::new("getent")
            .args(["passwd", name])
            .output()
            .context("cannot run getent (package libc-bin)")?;
        let line = String::from_utf8_lossy(&answer.stdout).into_owned();
        let mut fields = line.trim_end().split(':').skip(2).map(str::parse);
        let (Some(Ok(uid)), Some(Ok(gid))) = (fields.next(), fields.next()) else {
            return Ok(None);
        };
        Ok(Some(Self {
            name: name.to_owned(),
            uid,
            gid,
        }))
    }

    /// The first directory on the way to `path` that this account can't enter,
    /// `path` included if it is a directory. What does not exist yet does not block.
    #[must_use]
    pub(crate) fn blocked_at(&self, path: &Path) -> Option<PathBuf> {
        let mut way: Vec<&Path> = path.ancestors().collect();
        way.reverse();
        let blocked = way.into_iter().find(|directory| {
            fs::metadata(directory)
                .is_ok_and(|metadata| metadata.is_dir() && !self.may_enter(&metadata))
        });
        blocked.map(Path::to_owned)
    }

    fn may_enter(&self, directory: &fs::Metadata) -> bool {
        let bit = if directory.uid() == self.uid {
            0o100
        } else if directory.gid() == self.gid {
            0o010
        } else {
            0o001
        };
        directory.mode() & bit != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_first_closed_directory_is_named() {
        let root = tempfile::tempdir().unwrap();
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let closed = root.path().join("closed");
        fs::create_dir(&closed).unwrap();
        fs::create_dir(closed.join("inner")).unwrap();
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
        let stranger = Account {
            name: "stranger".into(),
            uid: 61_234,
            gid: 61_234,
        };
        assert_eq!(
            stranger.blocked_at(&closed.join("inner/data")),
            Some(closed.clone())
        );
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o711)).unwrap();
        fs::set_permissions(closed.join("inner"), fs::Permissions::from_mode(0o711)).unwrap();
        assert_eq!(stranger.blocked_at(&closed.join("inner/data")), None);
    }
}
