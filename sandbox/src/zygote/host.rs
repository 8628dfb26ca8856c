//! What of the host a jail shows: collected by the supervisor, while the host
//! can still be seen and as the user who may see it.

use crate::config::Tree;
use crate::protocol::Failure;
use crate::sys::mount::{self, NO_DEVICES, NO_EXEC, NO_SUID, READ_ONLY};
use nix::fcntl::AT_FDCWD;
use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Directories of the system's own; on merged systems most are links to usr.
const SYSTEM: [&str; 7] = ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"];

/// Files and directories of /etc that runtimes read to find themselves.
const SETTINGS: [&str; 9] = [
    "ld.so.cache",
    "alternatives",
    "mono",
    "php",
    "perl",
    "fpc.cfg",
    "ghc",
    "python3",
    "dotnet",
];

const DEVICES: [&str; 5] = ["null", "zero", "full", "random", "urandom"];

/// One thing of the host on its way into the jail.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) tree: OwnedFd,
    pub(super) target: PathBuf,
    pub(super) is_directory: bool,
}

/// Everything of the host that a jail shows to all its runs.
#[derive(Debug)]
pub(crate) struct HostTrees {
    pub(super) shown: Vec<Shown>,
    /// Links to make: target path and what it says.
    pub(super) links: Vec<(PathBuf, PathBuf)>,
}

impl HostTrees {
    /// Clones the trees of the system and those asked for, read-only.
    pub(crate) fn collect(extra: &[Tree]) -> Result<Self, Failure> {
        let mut trees = Self {
            shown: Vec::new(),
            links: Vec::new(),
        };
        for name in SYSTEM {
            trees.add_system(&Path::new("/").join(name))?;
        }
        for name in settings() {
            let path = Path::new("/etc").join(name);
            if path.exists() {
                trees.add(&path, &path, READ_ONLY | NO_SUID | NO_DEVICES)?;
            }
        }
        for name in DEVICES {
            let path = Path::new("/dev").join(name);
            trees.add(&path, &path, READ_ONLY | NO_SUID | NO_EXEC)?;
        }
        for tree in extra {
            trees.add(&tree.source, &tree.target, READ_ONLY | NO_SUID | NO_DEVICES)?;
        }
        Ok(trees)
    }

    fn add_system(&mut self, path: &Path) -> Result<(), Failure> {
        let Ok(metadata) = path.symlink_metadata() else {
            return Ok(());
        };
        if !metadata.is_symlink() {
            return self.add(path, path, READ_ONLY | NO_SUID | NO_DEVICES);
        }
        let says = path
            .read_link()
            .map_err(Failure::step(format!("read the link {}", path.display())))?;
        self.links.push((path.to_owned(), says));
        Ok(())
    }

    fn add(&mut self, source: &Path, target: &Path, attributes: u64) -> Result<(), Failure> {
        let attempt = || format!("show {} in the jail", source.display());
        let name = CString::new(source.as_os_str().as_bytes())
            .map_err(|error| Failure::step(attempt())(std::io::Error::other(error)))?;
        let metadata = source.metadata().map_err(Failure::step(attempt()))?;
        let tree = mount::clone_tree(AT_FDCWD, &name).map_err(Failure::step(attempt()))?;
        mount::restrict(tree.as_fd(), attributes).map_err(Failure::step(attempt()))?;
        self.shown.push(Shown {
            tree,
            target: target.to_owned(),
            is_directory: metadata.is_dir(),
        });
        Ok(())
    }
}

/// Names below /etc to show, with each Java's own configuration.
fn settings() -> Vec<String> {
    let mut names: Vec<String> = SETTINGS.map(str::to_owned).to_vec();
    let entries = std::fs::read_dir("/etc").into_iter().flatten().flatten();
    names.extend(
        entries
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| name.starts_with("java-")),
    );
    names
}
