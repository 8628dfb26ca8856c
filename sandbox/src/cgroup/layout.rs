//! Where on this host groups can be made.

use super::{Kind, file, v1, v2};
use crate::protocol::Failure;
use nix::unistd::{AccessFlags, access};
use std::path::{Path, PathBuf};
use std::{io, iter};

/// A leaf that takes the processes of a version 2 group, because a group with
/// processes of its own can't pass controllers on.
const HOST_LEAF: &str = "assize-host";

/// The directories below which jails make their homes: one, or one for each
/// hierarchy.
#[derive(Debug)]
pub(crate) struct Layout {
    kind: Kind,
    roots: Vec<PathBuf>,
}

impl Layout {
    /// Finds out what this host has; version 2 is taken when it has the
    /// controllers. Changes nothing.
    pub(crate) fn detect() -> Result<Self, Failure> {
        let mounts = std::fs::read_to_string("/proc/self/mountinfo")
            .map_err(Failure::step("read /proc/self/mountinfo"))?;
        let unified = unified_root(&mounts);
        let withheld = unified.as_deref().and_then(first_withheld);
        if let (Some(root), None) = (&unified, &withheld) {
            return Ok(Self {
                kind: Kind::V2,
                roots: vec![root.clone()],
            });
        }
        let legacy = v1::CONTROLLERS
            .map(|controller| legacy_root(&mounts, controller).ok_or_else(|| missing(controller)));
        match (legacy.into_iter().collect(), withheld) {
            // Hybrid hosts have a version 2 without controllers beside.
            (Ok(roots), _) => Ok(Self {
                kind: Kind::V1,
                roots,
            }),
            (Err(_), Some(withheld)) => Err(withheld),
            (Err(missing), None) => Err(missing),
        }
    }

    /// Refuses groups that this process may not make others below. Changes
    /// nothing.
    pub(crate) fn require_rights(&self) -> Result<(), Failure> {
        let own_files: &[&str] = match self.kind {
            Kind::V1 => &[],
            Kind::V2 => &["cgroup.procs", "cgroup.subtree_control"],
        };
        for root in &self.roots {
            let files = own_files.iter().map(|name| root.join(name));
            for path in iter::once(root.clone()).chain(files) {
                access(&path, AccessFlags::W_OK)
                    .map_err(|error| self.not_ours(&path, error.into()))?;
            }
        }
        Ok(())
    }

    fn not_ours(&self, path: &Path, error: io::Error) -> Failure {
        let fix = match self.kind {
            Kind::V1 => {
                "run as root: groups of version 1 can't be given to a user; or boot with version 2 \
                 (systemd.unified_cgroup_hierarchy=1)"
            }
            Kind::V2 => {
                "run as root, or in a group of your own: systemd-run --user --scope -p Delegate=yes, \
                 Delegate=yes in the service, or a writable /sys/fs/cgroup in the container"
            }
        };
        Failure::Unfit {
            feature: "cgroup".to_owned(),
            problem: format!("{} can't be written ({error})", path.display()),
            fix: fix.to_owned(),
        }
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether this is version 2.
    pub(crate) fn is_unified(&self) -> bool {
        matches!(self.kind, Kind::V2)
    }

    /// For people: which version, where.
    pub(crate) fn describe(&self) -> String {
        let version = match self.kind {
            Kind::V1 => "version 1",
            Kind::V2 => "version 2",
        };
        let roots: Vec<_> = self
            .roots
            .iter()
            .map(|root| root.display().to_string())
            .collect();
        format!("{version} at {}", roots.join(", "))
    }

    /// Whether swap can be denied to a group, or need not be.
    pub(crate) fn controls_swap(&self) -> bool {
        match self.kind {
            Kind::V1 => self
                .roots
                .first()
                .is_some_and(|root| root.join("memory.memsw.limit_in_bytes").exists()),
            // The root group has no such file; every kernel that accounts
            // swap shows it below.
            Kind::V2 => true,
        }
    }

    /// The directories of the group at `path` below the roots.
    pub(super) fn directories(&self, path: &Path) -> Vec<PathBuf> {
        self.roots.iter().map(|root| root.join(path)).collect()
    }

    /// Makes the group at `path`, fit to have groups below it.
    pub(super) fn make_parent(&self, path: &Path) -> Result<(), Failure> {
        for directory in self.directories(path) {
            match std::fs::create_dir(&directory) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(self.not_ours(&directory, error));
                }
                _ => {}
            }
            if matches!(self.kind, Kind::V2) {
                pass_controllers(&directory)?;
            }
        }
        Ok(())
    }

    /// Version 2: lets the root hand its controllers down.
    pub(super) fn prepare_root(&self) -> Result<(), Failure> {
        match (self.kind, self.roots.first()) {
            (Kind::V2, Some(root)) => pass_controllers(root),
            _ => Ok(()),
        }
    }
}

/// Makes a version 2 group hand its controllers down. One with processes of its
/// own can't: they move into a leaf, and again if one of them forked meanwhile.
fn pass_controllers(group: &Path) -> Result<(), Failure> {
    let control = group.join("cgroup.subtree_control");
    let wanted = v2::CONTROLLERS
        .map(|controller| format!("+{controller}"))
        .join(" ");
    let mut patience = 10;
    loop {
        match std::fs::write(&control, &wanted) {
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) && patience > 0 => {
                patience -= 1;
                move_into_leaf(group)?;
            }
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) => {
                return Err(Failure::Unfit {
                    feature: "cgroup".to_owned(),
                    problem: format!(
                        "{} has processes of its own that can't be moved out of the way",
                        group.display()
                    ),
                    fix: "let nothing from outside of this container or service run in its group"
                        .to_owned(),
                });
            }
            other => {
                let attempt = format!("write {wanted} to {}", control.display());
                return other.map_err(Failure::step(attempt));
            }
        }
    }
}

fn move_into_leaf(group: &Path) -> Result<(), Failure> {
    let leaf = group.join(HOST_LEAF);
    std::fs::create_dir_all(&leaf).map_err(Failure::step(format!("make {}", leaf.display())))?;
    for process in file::read(&group.join("cgroup.procs"))?.lines() {
        // A process may have ended meanwhile; what matters is whether the
        // controllers can be passed on afterwards.
        if let Err(error) = std::fs::write(leaf.join("cgroup.procs"), process) {
            tracing::debug!(process, %error, "process not moved");
        }
    }
    Ok(())
}

/// The first controller that a version 2 group should be given and is not.
fn first_withheld(group: &Path) -> Option<Failure> {
    let offered = std::fs::read_to_string(group.join("cgroup.controllers")).unwrap_or_default();
    v2::CONTROLLERS
        .into_iter()
        .find(|wanted| !offered.split_whitespace().any(|one| one == *wanted))
        .map(|controller| withheld(controller, group))
}

/// Our own version 2 group as a directory.
fn unified_root(mounts: &str) -> Option<PathBuf> {
    let mount = mounts.lines().find_map(|line| {
        let (_, filesystem) = line.split_once(" - ")?;
        filesystem
            .starts_with("cgroup2 ")
            .then(|| line.split(' ').nth(4).map(PathBuf::from))?
    })?;
    let own = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let own = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let group = mount.join(own);
    if group.ends_with(HOST_LEAF) {
        return group.parent().map(Path::to_owned);
    }
    Some(if group.is_dir() { group } else { mount })
}

/// The mount of a version 1 hierarchy. Its root is the host's, or in a
/// container the container's own group.
fn legacy_root(mounts: &str, controller: &str) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        let (place, filesystem) = line.split_once(" - ")?;
        let mut fields = filesystem.split(' ');
        let wanted = fields.next() == Some("cgroup")
            && fields
                .nth(1)
                .is_some_and(|options| options.split(',').any(|option| option == controller));
        wanted.then(|| place.split(' ').nth(4).map(PathBuf::from))?
    })
}

fn missing(controller: &str) -> Failure {
    Failure::Unfit {
        feature: format!("cgroup.{controller}"),
        problem: format!("the {controller} controller is in neither cgroup version"),
        fix: "boot with it enabled (cgroup_enable=memory on some kernels) and mount /sys/fs/cgroup"
            .to_owned(),
    }
}

/// The kernel has version 2, but our own group is not given this controller.
fn withheld(controller: &str, group: &Path) -> Failure {
    Failure::Unfit {
        feature: format!("cgroup.{controller}"),
        problem: format!(
            "the group {} is not given the {controller} controller",
            group.display()
        ),
        fix: format!(
            "Delegate=yes in the service, or write +{controller} to cgroup.subtree_control of the \
             groups above it; a kernel whose root has none may need cgroup_enable={controller}"
        ),
    }
}
