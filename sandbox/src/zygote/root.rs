//! The root that all runs of a jail share: a small tmpfs with read-only trees
//! of the host. Runs see it read-only; only the zygote can write to it.

use super::host::HostTrees;
use crate::protocol::{Failure, TopLevel};
use crate::sys::mount as tree;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use std::collections::BTreeSet;
use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};

/// Where the new root is put together. Any directory does: the mount
/// namespace is the zygote's own, and the place is gone after the pivot.
const SITE: &str = "/tmp";

/// What programs ask of the user database, without the host's users.
const PASSWD: &str = "root:x:0:0:root:/:/usr/sbin/nologin\n\
                      program:x:1000:1000:program:/tmp:/usr/sbin/nologin\n";
const GROUP: &str = "root:x:0:\nprogram:x:1000:\n";
const NSSWITCH: &str = "passwd: files\ngroup: files\nhosts: files\n";

/// Makes the root and moves into it.
pub(super) fn make(trees: HostTrees) -> Result<(), Failure> {
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
        .map_err(Failure::step("make all mounts private"))?;
    let options = "mode=755,size=1m,nr_inodes=1024";
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(Some("tmpfs"), SITE, Some("tmpfs"), flags, Some(options))
        .map_err(Failure::step("mount the jail's root"))?;
    std::env::set_current_dir(SITE).map_err(Failure::step("enter the jail's root"))?;

    fill(trees)?;

    // Mounted while the host's is still in sight: the kernel shows processes
    // only to whom could see them anyway, and later runs mount theirs.
    let flags = flags | MsFlags::MS_NOEXEC;
    mount(Some("proc"), "proc", Some("proc"), flags, none).map_err(Failure::step("mount /proc"))?;
    // Both at the same place: the old root is then on top and detached.
    nix::unistd::pivot_root(".", ".").map_err(Failure::step("pivot into the jail's root"))?;
    umount2(".", MntFlags::MNT_DETACH).map_err(Failure::step("let go of the host's root"))?;
    std::env::set_current_dir("/").map_err(Failure::step("enter /"))
}

fn fill(trees: HostTrees) -> Result<(), Failure> {
    let write = || -> io::Result<()> {
        for directory in ["proc", "tmp", "dev", "etc"] {
            fs::create_dir(directory)?;
        }
        fs::write("etc/passwd", PASSWD)?;
        fs::write("etc/group", GROUP)?;
        fs::write("etc/nsswitch.conf", NSSWITCH)?;
        symlink("/proc/self/fd", "dev/fd")?;
        for (number, name) in ["stdin", "stdout", "stderr"].into_iter().enumerate() {
            symlink(
                format!("/proc/self/fd/{number}"),
                Path::new("dev").join(name),
            )?;
        }
        for (link, says) in &trees.links {
            symlink(says, below(link))?;
        }
        Ok(())
    };
    write().map_err(Failure::step("fill the jail's root"))?;
    for shown in trees.shown {
        let target = below(&shown.target);
        place(&shown.tree, &target, shown.is_directory)
            .map_err(Failure::step(format!("put {} in place", target.display())))?;
    }
    Ok(())
}

/// Attaches a detached tree at a path that is made if it is missing.
pub(crate) fn place(shown: &OwnedFd, target: &Path, is_directory: bool) -> io::Result<()> {
    make_mount_point(target, is_directory)?;
    let target = CString::new(target.as_os_str().as_bytes())?;
    tree::attach(shown.as_fd(), &target)
}

pub(crate) fn make_mount_point(target: &Path, is_directory: bool) -> io::Result<()> {
    if let Ok(metadata) = target.metadata() {
        return if metadata.is_dir() == is_directory {
            Ok(())
        } else {
            Err(io::ErrorKind::NotADirectory.into())
        };
    }
    if is_directory {
        return fs::create_dir_all(target);
    }
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::File::create_new(target).map(drop)
}

/// An absolute path as one relative to the root under construction.
fn below(path: &Path) -> PathBuf {
    path.components()
        .filter(|part| matches!(part, Component::Normal(_)))
        .collect()
}

/// Makes entries of the root directory that it lacks, and adds them to `made`. Below
/// the top level, a stage makes what it needs in file systems of its own.
pub(super) fn make_entries(
    wanted: &BTreeSet<TopLevel>,
    made: &mut Vec<TopLevel>,
) -> Result<(), Failure> {
    for entry in wanted {
        let path = &entry.path;
        if path.symlink_metadata().is_ok() {
            continue;
        }
        let done = if entry.is_directory {
            fs::create_dir(path)
        } else {
            fs::File::create_new(path).map(drop)
        };
        done.map_err(Failure::step(format!("make {}", path.display())))?;
        made.push(entry.clone());
    }
    Ok(())
}

/// Removes them.
pub(super) fn remove_entries(made: Vec<TopLevel>) -> Result<(), Failure> {
    for TopLevel { path, is_directory } in made {
        let done = if is_directory {
            fs::remove_dir(&path)
        } else {
            fs::remove_file(&path)
        };
        done.map_err(Failure::step(format!("remove {}", path.display())))?;
    }
    Ok(())
}
