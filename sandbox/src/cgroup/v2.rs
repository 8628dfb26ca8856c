//! Version 2: one directory with all controllers.

use super::{Usage, file};
use crate::facts::Stalls;
use crate::limits::Limits;
use crate::protocol::Failure;
use std::fs::File;
use std::io;
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
    /// Of cpu, memory and io; none where the kernel has no such files.
    pressure: Option<[File; 3]>,
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
            pressure: open_pressure(group).ok(),
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
            stalls: self.stalls()?,
        })
    }

    fn stalls(&self) -> Result<Option<Stalls>, Failure> {
        let Some([cpu, memory, io]) = &self.pressure else {
            return Ok(None);
        };
        let told = || -> Result<_, Failure> {
            Ok(Stalls {
                cpu: stalled(cpu)?,
                memory: stalled(memory)?,
                io: stalled(io)?,
            })
        };
        match told() {
            // Linux before 5.14 shows the files of what is switched off.
            Err(Failure::Step { errno, .. }) if errno == libc::EOPNOTSUPP => Ok(None),
            told => told.map(Some),
        }
    }
}

/// The total in a line such as `some avg10=0.00 avg60=0.00 avg300=0.00 total=1234`.
fn stalled(file: &File) -> Result<Duration, Failure> {
    let text = file::reread(file)?;
    text.lines()
        .find_map(|line| line.strip_prefix("some ")?.rsplit_once("total="))
        .and_then(|(_, total)| total.trim().parse().ok())
        .map(Duration::from_micros)
        .ok_or_else(|| file::unreadable("no total of `some`"))
}

fn open_pressure(group: &Path) -> io::Result<[File; 3]> {
    Ok([
        File::open(group.join("cpu.pressure"))?,
        File::open(group.join("memory.pressure"))?,
        File::open(group.join("io.pressure"))?,
    ])
}
