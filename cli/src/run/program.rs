//! Finding the program that a person names.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use assize_worker::sandbox::nameless;

use crate::exit::{self, Failure};

/// What the jail shows of the host at the same place.
const SHOWN: [&str; 5] = ["/usr", "/bin", "/sbin", "/lib", "/lib64"];
/// Where a name without a slash is looked for: the PATH inside the jail.
const PATH: [&str; 2] = ["/usr/bin", "/bin"];

/// A program as the jail will execute it.
#[derive(Debug)]
pub enum Program {
    /// By its path, which is the same in the jail as on the host.
    Shown(String),
    /// By a descriptor: the jail does not show the file.
    Opened {
        /// As the person named it.
        name: String,
        /// The open file.
        file: File,
    },
}

impl Program {
    /// Finds `name`: without a slash in the jail's PATH, else on the host.
    ///
    /// # Errors
    /// A [`Failure`] of code [`exit::USAGE`] when there is no such program or the
    /// jail can't execute it.
    pub fn find(name: &str) -> anyhow::Result<Self> {
        let unusable = |problem: &str| Failure::new(exit::USAGE, format!("{name}: {problem}"));
        if !name.contains('/') {
            let found = PATH
                .iter()
                .map(|directory| format!("{directory}/{name}"))
                .find(|path| Path::new(path).is_file());
            return found.map(Self::Shown).ok_or_else(|| {
                let problem = format!(
                    "no such program in {} (name a file with a slash: ./{name})",
                    PATH.join(", ")
                );
                unusable(&problem).into()
            });
        }
        let path = PathBuf::from(name);
        let mut file = File::open(&path).map_err(|source| {
            Failure::new(exit::USAGE, format!("cannot open the program {name}")).because(source)
        })?;
        let metadata = file
            .metadata()
            .with_context(|| format!("cannot look at {name}"))?;
        if !metadata.is_file() {
            return Err(unusable("not a regular file").into());
        }
        if metadata.permissions().mode() & 0o001 == 0 {
            return Err(
                unusable("not executable for everyone, as a jail needs it: chmod a+rx it").into(),
            );
        }
        if path.is_absolute() && SHOWN.iter().any(|shown| path.starts_with(shown)) {
            return Ok(Self::Shown(name.to_owned()));
        }
        let mut magic = [0; 4];
        if file.read_exact(&mut magic).is_err() || magic != *b"\x7fELF" {
            return Err(unusable(
                "not an ELF file; run a script by its interpreter: \
                 assize run --dir DIRECTORY -- /usr/bin/python3 SCRIPT",
            )
            .into());
        }
        let file = nameless(&file).with_context(|| format!("cannot open {name} again"))?;
        Ok(Self::Opened {
            name: name.to_owned(),
            file,
        })
    }

    /// Its first argument.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Shown(name) | Self::Opened { name, .. } => name,
        }
    }

    /// The file to execute, when it is not executed by its path.
    ///
    /// # Errors
    /// When there are no descriptors left.
    pub fn descriptor(&self) -> anyhow::Result<Option<OwnedFd>> {
        match self {
            Self::Shown(_) => Ok(None),
            Self::Opened { file, .. } => {
                let copy = file.try_clone().context("cannot share a descriptor")?;
                Ok(Some(copy.into()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str) -> String {
        format!("{:#}", Program::find(name).unwrap_err())
    }

    #[test]
    fn by_name_by_path_and_by_descriptor() {
        assert!(
            matches!(Program::find("sh").unwrap(), Program::Shown(path) if path.ends_with("bin/sh"))
        );
        assert!(
            matches!(Program::find("/bin/sh").unwrap(), Program::Shown(path) if path == "/bin/sh")
        );
        let directory = tempfile::tempdir().unwrap();
        let copy = directory.path().join("sh");
        std::fs::copy("/bin/sh", &copy).unwrap();
        let found = Program::find(copy.to_str().unwrap()).unwrap();
        assert!(matches!(&found, Program::Opened { .. }));
        assert!(found.descriptor().unwrap().is_some());
    }

    #[test]
    fn what_the_jail_cannot_execute() {
        assert!(refused("no-such-program").contains("./no-such-program"));
        assert!(refused("/no/such/program").contains("No such file"));
        assert!(refused("/tmp/").contains("not a regular file"));
        let directory = tempfile::tempdir().unwrap();
        let script = directory.path().join("script");
        std::fs::write(&script, "#!/bin/sh\n").unwrap();
        let script = script.to_str().unwrap();
        assert!(refused(script).contains("chmod"));
        std::fs::set_permissions(script, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(refused(script).contains("interpreter"));
    }
}
