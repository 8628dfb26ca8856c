//! Version 2: one directory with all controllers.

use super::{Usage, file};
use crate::limits::Limits;
use crate::protocol::Failure;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Controllers that a group needs; `cpu.stat` is there without any.
pub(super) const CONTROLLERS: [&str; 2] = ["memory", "pids"];

/// The files of one group.
#[derive(Debug)]
pub(super) struct Files {
    memory_peak: File,
    memory_events: File,
    cpu: File,
    process_events: File,
    /// Linux 6.7 and later.
    processes_peak: Option<File>,
}

impl Files {
    /// Sets the limits of a new group and opens its files.
    pub(super) fn open(directories: &[PathBuf], limits: &Limits) -> Result<Self, Failure> {
        let group = directories.first().map_or(Path::new(""), PathBuf::as_path);
        file::write(&group.join("memory.max"), limits.memory.as_u64())?;
        let swap = group.join("memory.swap.max");
        if swap.exists() {
            file::write(&swap, 0)?;
        }
        file::write(&group.join("memory.oom.group"), 1)?;
        file::write(&group.join("pids.max"), limits.processes)?;
        Ok(Self {
            memory_peak: file::open(&group.join("memory.peak"))?,
            memory_events: file::open(&group.join("memory.events"))?,
            cpu: file::open(&group.join("cpu.stat"))?,
            process_events: file::open(&group.join("pids.events"))?,
            processes_peak: File::open(group.join("pids.peak")).ok(),
        })
    }

    pub(super) fn process_events(&self) -> BorrowedFd<'_> {
        self.process_events.as_fd()
    }

    pub(super) fn cpu_time(&self) -> Result<Duration, Failure> {
        file::number_after(&self.cpu, "usage_usec").map(Duration::from_micros)
    }

    pub(super) fn memory_kills(&self) -> Result<u64, Failure> {
        file::number_after(&self.memory_events, "oom_kill")
    }

    pub(super) fn processes_refused(&self) -> Result<u64, Failure> {
        file::number_after(&self.process_events, "max")
    }

    pub(super) fn usage(&self) -> Result<Usage, Failure> {
        let cpu = file::reread(&self.cpu)?;
        let processes_peak = match &self.processes_peak {
            Some(peak) => u32::try_from(file::number(peak)?).ok(),
            None => None,
        };
        Ok(Usage {
            cpu: file::find(&cpu, "usage_usec").map(Duration::from_micros)?,
            user: file::find(&cpu, "user_usec").map(Duration::from_micros)?,
            system: file::find(&cpu, "system_usec").map(Duration::from_micros)?,
            memory_peak: file::number(&self.memory_peak)?,
            memory_kills: self.memory_kills()?,
            processes_peak,
        })
    }
}
