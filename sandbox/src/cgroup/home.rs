//! A jail's own place among the groups, claimed by a lock, and named as the
//! jail's user ids are.

use super::users::Users;
use super::{Group, Layout, remove};
use crate::limits::Limits;
use crate::protocol::Failure;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::VecDeque;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const PARENT: &str = "assize";
/// Two user ids each; more would run into ids that systemd hands out.
const HOMES_MAX: u32 = 290;

/// Groups that rest at the same time, each until the kernel has freed what its
/// run left: a few milliseconds, in which a core can do as many short runs.
const RESTING_MAX: usize = 16;

/// The claimed place. The lock ends with the last process that holds it, so a
/// home whose lock can be had belongs to a dead jail.
#[derive(Debug)]
pub(crate) struct Home {
    layout: Layout,
    path: PathBuf,
    users: Users,
    groups: u64,
    /// Groups of earlier runs, the one that rests longest first.
    resting: VecDeque<Group>,
    /// A new one.
    ready: Option<Group>,
    /// Those that nobody has looked at since their runs.
    used: Vec<Group>,
    _lock: Flock<File>,
}

impl Home {
    /// Claims the first free home, after removing whatever dead jails have
    /// left behind.
    pub(crate) fn claim(layout: Layout) -> Result<Self, Failure> {
        layout.prepare_root()?;
        layout.make_parent(Path::new(PARENT))?;
        let mut claimed = None;
        for index in 0..HOMES_MAX {
            let home = path_of(index);
            let users = match claimed {
                None => Users::claim(index)?,
                Some(_) => None,
            };
            if users.is_some() {
                layout.make_parent(&home)?;
            } else if !exists(&layout, &home) {
                // Beyond ours, only homes that exist are looked at.
                continue;
            }
            let Some(lock) = try_lock(&layout, &home)? else {
                continue;
            };
            clear(&layout, &home)?;
            if let Some(users) = users {
                // Another start may have swept the home away in part, just
                // before the lock was ours.
                layout.make_parent(&home)?;
                claimed = Some((home, users, lock));
            } else {
                for directory in layout.directories(&home) {
                    remove(&directory)?;
                }
            }
        }
        let (path, users, lock) = claimed.ok_or_else(|| Failure::Unfit {
            feature: "cgroup".to_owned(),
            problem: format!("{HOMES_MAX} jails are running on this host already"),
            fix: "stop some of them".to_owned(),
        })?;
        Ok(Self {
            layout,
            path,
            users,
            groups: 0,
            resting: VecDeque::new(),
            ready: None,
            used: Vec::new(),
            _lock: lock,
        })
    }

    /// The host's user and group id that is root inside.
    pub(crate) fn root_id(&self) -> u32 {
        self.users.root()
    }

    /// The host's user and group id of the program.
    pub(crate) fn program_id(&self) -> u32 {
        self.users.program()
    }

    /// A group for one run: new, or proven to be as good as that.
    pub(crate) fn group(&mut self, limits: &Limits) -> Result<Group, Failure> {
        if let Some(ready) = self.ready.take() {
            if ready.is_for(limits) {
                return Ok(ready);
            }
            self.used.push(ready);
        }
        for index in 0..self.resting.len() {
            if let Some(group) = self.resting.get_mut(index)
                && group.renew(limits)?
                && let Some(group) = self.resting.remove(index)
            {
                return Ok(group);
            }
        }
        self.create(limits)
    }

    fn create(&mut self, limits: &Limits) -> Result<Group, Failure> {
        self.groups += 1;
        let path = self.path.join(format!("run-{}", self.groups));
        Group::create(&self.layout, self.layout.directories(&path), limits)
    }

    /// Takes a group back, in which everything is dead.
    pub(crate) fn take_back(&mut self, group: Group) {
        self.used.push(group);
    }

    /// Does what no run should wait for: groups that were taken back come to rest,
    /// or are removed if they can never be used again. If none rests, one is made for
    /// another run like the last.
    pub(crate) fn settle(&mut self) -> Result<(), Failure> {
        let mut like = None;
        for group in std::mem::take(&mut self.used) {
            like = Some(group.limits.clone());
            if group.is_spent()? {
                group.remove()?;
            } else {
                self.resting.push_back(group);
            }
            if self.resting.len() > RESTING_MAX
                && let Some(group) = self.resting.pop_front()
            {
                group.remove()?;
            }
        }
        if self.resting.is_empty()
            && let Some(limits) = like
        {
            // If it can't be made, whoever needs one is told.
            self.ready = self.create(&limits).ok();
        }
        Ok(())
    }

    /// Removes the home.
    pub(crate) fn leave(self) -> Result<(), Failure> {
        clear(&self.layout, &self.path)?;
        for directory in self.layout.directories(&self.path) {
            remove(&directory)?;
        }
        Ok(())
    }
}

fn path_of(index: u32) -> PathBuf {
    Path::new(PARENT).join(format!("jail-{index}"))
}

fn exists(layout: &Layout, home: &Path) -> bool {
    let directories = layout.directories(home);
    directories.iter().any(|directory| directory.exists())
}

/// Takes the lock of a home; none when somebody lives there, or when it was
/// removed between opening and locking.
fn try_lock(layout: &Layout, home: &Path) -> Result<Option<Flock<File>>, Failure> {
    let directories = layout.directories(home);
    // Every jail of a host sees the same last hierarchy.
    let Some(directory) = directories.last() else {
        return Ok(None);
    };
    let Ok(opened) = File::open(directory) else {
        return Ok(None);
    };
    let Ok(lock) = Flock::lock(opened, FlockArg::LockExclusiveNonblock) else {
        return Ok(None);
    };
    let locked = lock
        .metadata()
        .map_err(Failure::step(format!("look at {}", directory.display())))?;
    let current = std::fs::metadata(directory);
    Ok(current
        .is_ok_and(|current| current.ino() == locked.ino())
        .then_some(lock))
}

/// Kills what is left in the groups of a home and removes them.
fn clear(layout: &Layout, home: &Path) -> Result<(), Failure> {
    for directory in layout.directories(home) {
        let Ok(entries) = std::fs::read_dir(&directory) else {
            continue;
        };
        for entry in entries.flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                kill_all(&entry.path())?;
                remove(&entry.path())?;
            }
        }
    }
    Ok(())
}

fn kill_all(group: &Path) -> Result<(), Failure> {
    // Version 2 since Linux 5.14: at once, and nobody else by a number that was given anew.
    // The group is removed after this: who is born into it later would be killed, too.
    let at_once = group.join("cgroup.kill");
    if at_once.exists() {
        return super::file::write(&at_once, 1);
    }
    let processes = super::file::read(&group.join("cgroup.procs"))?;
    for process in processes.lines().filter_map(|line| line.parse().ok()) {
        // Gone already is as good as killed; `remove` finds out.
        if let Err(error) = kill(Pid::from_raw(process), Signal::SIGKILL) {
            tracing::debug!(process, %error, "leftover not killed");
        }
    }
    Ok(())
}
