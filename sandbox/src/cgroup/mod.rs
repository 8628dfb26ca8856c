//! Control groups: a group for each run, fresh or proven as good as that, below
//! a home that this jail has claimed host-wide.
//!
//! The two versions of the interface give the same facts; which one is used
//! is decided once, by where the memory and pids controllers are.

mod file;
mod home;
mod layout;
mod owner;
mod users;
mod v1;
mod v2;

pub(crate) use home::Home;
pub(crate) use layout::Layout;

use crate::facts::Stalls;
use crate::limits::Limits;
use crate::protocol::Failure;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the run has used up to now.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) cpu: Duration,
    pub(crate) user: Duration,
    pub(crate) system: Duration,
    pub(crate) memory_peak: u64,
    /// Processes that the kernel killed for the memory limit.
    pub(crate) memory_kills: u64,
    pub(crate) processes_peak: Option<u32>,
    pub(crate) stalls: Option<Stalls>,
}

/// The control group of one run: one directory per hierarchy.
#[derive(Debug)]
pub(crate) struct Group {
    directories: Vec<PathBuf>,
    /// Opened by us, because entering is allowed by who opened the file.
    entrances: Vec<File>,
    files: Files,
    limits: Limits,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    V1,
    V2,
}

impl Kind {
    /// The file that is written to enter a group. In version 1 one can enter as a single
    /// thread, which is all that a process of ours has: for a whole process the kernel
    /// first waits until no core is starting any, 5 to 20 ms after a pause.
    const fn entrance(self) -> &'static str {
        match self {
            Self::V1 => "tasks",
            Self::V2 => "cgroup.procs",
        }
    }
}

#[derive(Debug)]
enum Files {
    V1(v1::Files),
    V2(v2::Files),
}

impl Files {
    fn open(kind: Kind, directories: &[PathBuf], limits: &Limits) -> Result<Self, Failure> {
        match kind {
            Kind::V1 => v1::Files::open(directories, limits).map(Self::V1),
            Kind::V2 => v2::Files::open(directories, limits).map(Self::V2),
        }
    }
}

impl Group {
    /// Makes a group with these limits. `directories` are the places to make
    /// it in, as [`Layout::directories`] orders them.
    fn create(
        layout: &Layout,
        directories: Vec<PathBuf>,
        limits: &Limits,
    ) -> Result<Self, Failure> {
        for directory in &directories {
            std::fs::create_dir(directory)
                .map_err(Failure::step(format!("make {}", directory.display())))?;
        }
        let opened = Files::open(layout.kind(), &directories, limits).and_then(|files| {
            let entrances = directories
                .iter()
                .map(|directory| file::open_to_write(&directory.join(layout.kind().entrance())))
                .collect::<Result<_, _>>()?;
            Ok((files, entrances))
        });
        match opened {
            Ok((files, entrances)) => {
                let group = Self {
                    directories,
                    entrances,
                    files,
                    limits: limits.clone(),
                };
                // A notification is due only after the file has been read once.
                group.processes_refused()?;
                Ok(group)
            }
            Err(failure) => {
                remove_all(&directories)?;
                Err(failure)
            }
        }
    }

    /// Writing `0` to each of these makes the writer enter the group.
    pub(crate) fn entrances(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.entrances.iter().map(AsFd::as_fd)
    }

    /// User plus system time of all processes so far.
    pub(crate) fn cpu_time(&self) -> Result<Duration, Failure> {
        match &self.files {
            Files::V1(files) => files.cpu_time(),
            Files::V2(files) => files.cpu_time(),
        }
    }

    /// Becomes urgently readable when a process could not be made.
    pub(crate) fn process_events(&self) -> BorrowedFd<'_> {
        match &self.files {
            Files::V1(files) => files.process_events(),
            Files::V2(files) => files.process_events(),
        }
    }

    /// Whether the kernel tells all by itself: [`Self::process_events`] does so, a
    /// kill for memory takes the whole group, and the peak of memory is kept. If
    /// not, a look now and then must do. In version 1 the file of events never
    /// becomes readable, on kernels up to 6.18 at least.
    pub(crate) fn tells(&self) -> bool {
        match &self.files {
            Files::V1(_) => false,
            Files::V2(files) => files.tells_peak(),
        }
    }

    /// Whether [`Usage::memory_peak`] is the kernel's, or what looks have seen.
    pub(crate) fn tells_memory_peak(&self) -> bool {
        match &self.files {
            Files::V1(_) => true,
            Files::V2(files) => files.tells_peak(),
        }
    }

    /// Looks how much memory is in use, where the kernel keeps no peak.
    pub(crate) fn note_memory(&self) -> Result<(), Failure> {
        match &self.files {
            Files::V1(_) => Ok(()),
            Files::V2(files) => files.note_memory(),
        }
    }

    /// Processes that the kernel killed for the memory limit. Fails if it did for
    /// somebody else's.
    pub(crate) fn memory_kills(&self) -> Result<u64, Failure> {
        let kills = match &self.files {
            Files::V1(files) => files.memory_kills(),
            Files::V2(files) => files.memory_kills(),
        }?;
        match kills {
            0 => Ok(0),
            _ => self.usage().map(|usage| usage.memory_kills),
        }
    }

    /// How often a process could not be made for the limit. Fails if it was for
    /// somebody else's.
    pub(crate) fn processes_refused(&self) -> Result<u64, Failure> {
        let refused = match &self.files {
            Files::V1(files) => files.processes_refused(),
            Files::V2(files) => files.processes_refused(),
        }?;
        match refused {
            0 => Ok(0),
            _ => owner::own_refusals(refused, self.used()?.processes_peak, self.limits.processes),
        }
    }

    /// What was used. Fails if a process was killed for somebody else's memory limit.
    pub(crate) fn usage(&self) -> Result<Usage, Failure> {
        let usage = self.used()?;
        let limit = self.limits.memory.as_u64();
        owner::own_kills(usage.memory_kills, usage.memory_peak, limit)?;
        Ok(usage)
    }

    fn used(&self) -> Result<Usage, Failure> {
        match &self.files {
            Files::V1(files) => files.usage(),
            Files::V2(files) => files.usage(),
        }
    }

    /// Whether it can't become as good as a new one any more. In version 2 the
    /// peaks can't be reset on most kernels.
    fn is_spent(&self) -> Result<bool, Failure> {
        match &self.files {
            Files::V1(files) => files.is_spent(),
            Files::V2(_) => Ok(true),
        }
    }

    /// Whether it limits what these do: the rest is not for groups.
    fn is_for(&self, limits: &Limits) -> bool {
        let limited = |limits: &Limits| (limits.memory, limits.processes);
        limited(&self.limits) == limited(limits)
    }

    /// Makes the group as good as a new one with these limits, if nothing of its
    /// last run is left in it.
    fn renew(&mut self, limits: &Limits) -> Result<bool, Failure> {
        let renewed = match &mut self.files {
            Files::V1(files) => files.renew(limits)?,
            Files::V2(_) => false,
        };
        if renewed {
            self.limits = limits.clone();
        }
        Ok(renewed)
    }

    /// Removes the group. Everything in it must be dead.
    fn remove(self) -> Result<(), Failure> {
        drop(self.entrances);
        remove_all(&self.directories)
    }
}

fn remove_all(directories: &[PathBuf]) -> Result<(), Failure> {
    directories
        .iter()
        .try_for_each(|directory| remove(directory))
}

/// Removes one group's directory. A process that was just reaped may take the
/// kernel a moment to leave its group, so a busy group is tried again.
fn remove(directory: &Path) -> Result<(), Failure> {
    let mut patience = 200;
    loop {
        match std::fs::remove_dir(directory) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) && patience > 0 => {
                patience -= 1;
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(error) => {
                return Err(Failure::step(format!("remove {}", directory.display()))(
                    error,
                ));
            }
        }
    }
}
