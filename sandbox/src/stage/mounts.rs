//! The mounts of a stage, in a mount namespace of its own.

use super::PROGRAM_ID;
use crate::protocol::{Failure, Shape, Shown};
use crate::spec::Scratch;
use crate::sys::mount::{self as tree, READ_ONLY};
use crate::zygote::{make_mount_point, place};
use nix::mount::{MsFlags, mount};
use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Files and directories that one scratch can hold.
const SCRATCH_INODES: u32 = 65_536;

enum Placed<'a> {
    Scratch(&'a Scratch),
    Mount(&'a Shown, &'a OwnedFd),
}

impl Placed<'_> {
    fn target(&self) -> &Path {
        match self {
            Self::Scratch(scratch) => &scratch.target,
            Self::Mount(shown, _) => &shown.target,
        }
    }
}

/// Mounts the scratches and what the run is shown.
pub(super) fn prepare(shape: &Shape, mounts: &[OwnedFd]) -> Result<(), Failure> {
    // The root's superblock is shared by all runs; from here it is read-only.
    tree::restrict_at(c"/", READ_ONLY).map_err(Failure::step("make the root read-only"))?;
    let mut places: Vec<Placed<'_>> = shape.scratch.iter().map(Placed::Scratch).collect();
    places.extend(
        shape
            .mounts
            .iter()
            .zip(mounts)
            .map(|(shown, source)| Placed::Mount(shown, source)),
    );
    // What lies deeper goes on top of what lies higher.
    places.sort_by_key(|placed| placed.target().components().count());

    let mut skeletons = Vec::new();
    for placed in places {
        skeletons.extend(make_skeleton(placed.target())?);
        put(&placed)?;
    }
    seal(&skeletons)
}

/// Makes the skeletons: tmpfs that only hold mount points,
/// read-only, after everything has its place.
fn seal(skeletons: &[PathBuf]) -> Result<(), Failure> {
    for skeleton in skeletons {
        let seal = || -> io::Result<()> {
            tree::restrict_at(&CString::new(skeleton.as_os_str().as_bytes())?, READ_ONLY)
        };
        seal().map_err(Failure::step(format!("seal {}", skeleton.display())))?;
    }
    Ok(())
}

fn put(placed: &Placed<'_>) -> Result<(), Failure> {
    let target = placed.target();
    let attempt = || format!("put {} in place", target.display());
    match placed {
        Placed::Mount(shown, source) => {
            place(source, target, shown.is_directory).map_err(Failure::asked(attempt()))
        }
        Placed::Scratch(scratch) => {
            make_mount_point(target, true).map_err(Failure::asked(attempt()))?;
            mount_scratch(scratch)
        }
    }
}

/// Mounts a new scratch, over what is there.
pub(super) fn mount_scratch(scratch: &Scratch) -> Result<(), Failure> {
    let options = format!(
        "size={},nr_inodes={SCRATCH_INODES},mode=755,uid={PROGRAM_ID},gid={PROGRAM_ID}",
        scratch.size.as_u64()
    );
    mount_tmpfs(&scratch.target, &options)
}

/// For a target below a top-level directory that is nothing but a name in the
/// shared root: a tmpfs there, in which mount points can be made.
fn make_skeleton(target: &Path) -> Result<Option<PathBuf>, Failure> {
    let mut components = target.components();
    let (Some(root), Some(top), Some(_)) =
        (components.next(), components.next(), components.next())
    else {
        return Ok(None);
    };
    let top = Path::new(&root).join(top);
    let look = || -> io::Result<bool> {
        let in_root = top.metadata()?.dev() == Path::new("/").metadata()?.dev();
        Ok(in_root && top.read_dir()?.next().is_none())
    };
    if !look().map_err(Failure::step(format!("look at {}", top.display())))? {
        return Ok(None);
    }
    mount_tmpfs(&top, "size=64k,nr_inodes=512,mode=755")?;
    Ok(Some(top))
}

fn mount_tmpfs(target: &Path, options: &str) -> Result<(), Failure> {
    mount(
        Some("tmpfs"),
        target,
        Some("tmpfs"),
        // That somebody has looked at a directory does not change it.
        MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOATIME,
        Some(options),
    )
    .map_err(Failure::step(format!(
        "mount a tmpfs at {}",
        target.display()
    )))
}
