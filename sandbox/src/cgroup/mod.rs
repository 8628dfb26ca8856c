//! Control groups: a fresh group for each run, below a home that this jail
//! has claimed host-wide.
//!
//! The two versions of the interface give the same facts; which one is used
//! is decided once, by where the memory and pids controllers are.

mod file;
mod home;
mod layout;
mod v1;
mod v2;

pub(crate) use home::Home;
pub(crate) use layout::Layout;

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
}

/// The control group of one run: one directory per hierarchy.
#[derive(Debug)]
pub(crate) struct Group {
    kind: Kind,
    directories: Vec<PathBuf>,
    /// Opened by us, because entering is allowed by who opened the file.
    entrances: Vec<File>,
    cpu: File,
    process_events: File,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    V1,
    V2,
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
        match Self::open(layout, &directories, limits) {
            Ok((entrances, cpu, process_events)) => Ok(Self {
                kind: layout.kind(),
                directories,
                entrances,
                cpu,
                process_events,
            }),
            Err(failure) => {
                remove_all(&directories)?;
                Err(failure)
            }
        }
    }

    fn open(
        layout: &Layout,
        directories: &[PathBuf],
        limits: &Limits,
    ) -> Result<(Vec<File>, File, File), Failure> {
        match layout.kind() {
            Kind::V1 => v1::limit(directories, limits)?,
            Kind::V2 => v2::limit(directories, limits)?,
        }
        let entrances = directories
            .iter()
            .map(|directory| file::open_to_write(&directory.join("cgroup.procs")))
            .collect::<Result<_, _>>()?;
        let (cpu, process_events) = match layout.kind() {
            Kind::V1 => (
                v1::cpu_file(directories),
                v1::process_events_file(directories),
            ),
            Kind::V2 => (
                v2::cpu_file(directories),
                v2::process_events_file(directories),
            ),
        };
        let process_events = file::open(&process_events)?;
        // A notification is due only after the file has been read once.
        file::number_after(&process_events, "max")?;
        Ok((entrances, file::open(&cpu)?, process_events))
    }

    /// Writing `0` to each of these makes the writer enter the group.
    pub(crate) fn entrances(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.entrances.iter().map(AsFd::as_fd)
    }

    /// User plus system time of all processes so far.
    pub(crate) fn cpu_time(&self) -> Result<Duration, Failure> {
        match self.kind {
            Kind::V1 => v1::cpu_time(&self.cpu),
            Kind::V2 => v2::cpu_time(&self.cpu),
        }
    }

    /// Becomes urgently readable when a process could not be made.
    pub(crate) fn process_events(&self) -> BorrowedFd<'_> {
        self.process_events.as_fd()
    }

    /// Whether [`Self::process_events`] does so and a kill for memory takes
    /// the whole group. In version 1 a look now and then must do: its file
    /// never becomes readable, on kernels up to 6.18 at least.
    pub(crate) fn tells(&self) -> bool {
        matches!(self.kind, Kind::V2)
    }

    /// Processes that the kernel killed for the memory limit.
    pub(crate) fn memory_kills(&self) -> Result<u64, Failure> {
        match self.kind {
            Kind::V1 => v1::memory_kills(&self.directories),
            Kind::V2 => v2::memory_kills(&self.directories),
        }
    }

    /// How often a process could not be made for the limit.
    pub(crate) fn processes_refused(&self) -> Result<u64, Failure> {
        file::number_after(&self.process_events, "max")
    }

    pub(crate) fn usage(&self) -> Result<Usage, Failure> {
        match self.kind {
            Kind::V1 => v1::usage(&self.directories, self.cpu_time()?),
            Kind::V2 => v2::usage(&self.directories, &self.cpu),
        }
    }

    /// Removes the group. Everything in it must be dead.
    pub(crate) fn remove(self) -> Result<(), Failure> {
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
