//! Version 1: memory, pids and cpuacct, each in its own hierarchy.

use super::{Usage, file};
use crate::limits::Limits;
use crate::protocol::Failure;
use bytesize::ByteSize;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The hierarchies, in the order of a group's directories.
pub(super) const CONTROLLERS: [&str; 3] = ["memory", "pids", "cpuacct"];

/// Memory that the kernel may still count for a group in which nothing is
/// left: the batches of pages that cores keep for what comes next, and what it
/// frees a moment later. It is gone long before a program nears its limit, but
/// shows in the peak of one that uses next to nothing.
const RESIDUE_MAX: u64 = 512 * 1024;

/// The files of one group.
#[derive(Debug)]
pub(super) struct Files {
    limiting: Limiting,
    memory_usage: File,
    memory_peak: File,
    oom_control: File,
    cpu: File,
    cpu_user: File,
    cpu_system: File,
    process_events: File,
    processes: File,
    /// Linux 6.12 and later.
    processes_peak: Option<File>,
    /// Counters that can't be reset, as they were when the run began.
    kills_before: u64,
    refused_before: u64,
}

impl Files {
    /// Opens the files of a new group and sets its limits.
    pub(super) fn open(directories: &[PathBuf], limits: &Limits) -> Result<Self, Failure> {
        let at = |index: usize| {
            directories
                .get(index)
                .map_or(Path::new(""), PathBuf::as_path)
        };
        let (memory, pids, cpuacct) = (at(0), at(1), at(2));
        file::write(&memory.join("memory.swappiness"), 0)?;
        Ok(Self {
            limiting: Limiting::open(memory, pids, limits)?,
            memory_usage: file::open(&memory.join("memory.usage_in_bytes"))?,
            memory_peak: file::open_both(&memory.join("memory.max_usage_in_bytes"))?,
            oom_control: file::open(&memory.join("memory.oom_control"))?,
            cpu: file::open_both(&cpuacct.join("cpuacct.usage"))?,
            cpu_user: file::open(&cpuacct.join("cpuacct.usage_user"))?,
            cpu_system: file::open(&cpuacct.join("cpuacct.usage_sys"))?,
            process_events: file::open(&pids.join("pids.events"))?,
            processes: file::open(&pids.join("pids.current"))?,
            processes_peak: File::open(pids.join("pids.peak")).ok(),
            kills_before: 0,
            refused_before: 0,
        })
    }

    pub(super) fn process_events(&self) -> BorrowedFd<'_> {
        self.process_events.as_fd()
    }

    pub(super) fn cpu_time(&self) -> Result<Duration, Failure> {
        file::number(&self.cpu).map(Duration::from_nanos)
    }

    pub(super) fn memory_kills(&self) -> Result<u64, Failure> {
        let kills = file::number_after(&self.oom_control, "oom_kill")?;
        Ok(kills.saturating_sub(self.kills_before))
    }

    pub(super) fn processes_refused(&self) -> Result<u64, Failure> {
        let refused = file::number_after(&self.process_events, "max")?;
        Ok(refused.saturating_sub(self.refused_before))
    }

    pub(super) fn usage(&self) -> Result<Usage, Failure> {
        Ok(Usage {
            cpu: self.cpu_time()?,
            user: file::number(&self.cpu_user).map(Duration::from_nanos)?,
            system: file::number(&self.cpu_system).map(Duration::from_nanos)?,
            memory_peak: file::number(&self.memory_peak)?,
            memory_kills: self.memory_kills()?,
            processes_peak: self.processes_peak()?,
            stalls: None,
        })
    }

    fn processes_peak(&self) -> Result<Option<u32>, Failure> {
        let Some(peak) = &self.processes_peak else {
            return Ok(None);
        };
        Ok(u32::try_from(file::number(peak)?).ok())
    }

    /// Whether it had more than one process, because the peak of that can't be
    /// reset.
    pub(super) fn is_spent(&self) -> Result<bool, Failure> {
        Ok(self.processes_peak()?.is_some_and(|peak| peak > 1))
    }

    /// Makes the group as good as new with these limits; whether that was possible.
    /// It is not while memory is still counted that is not next to nothing, or
    /// for which there is not ample room: the kernel refuses a limit below it.
    pub(super) fn renew(&mut self, limits: &Limits) -> Result<bool, Failure> {
        let residue = RESIDUE_MAX.min(limits.memory.as_u64() / 2);
        if file::number(&self.processes)? > 0 || file::number(&self.memory_usage)? > residue {
            return Ok(false);
        }
        self.limiting.set(limits)?;
        file::reset(&self.memory_peak)?;
        file::reset(&self.cpu)?;
        self.kills_before = file::number_after(&self.oom_control, "oom_kill")?;
        self.refused_before = file::number_after(&self.process_events, "max")?;
        Ok(true)
    }
}

/// The files that limit, and what is in them.
#[derive(Debug)]
struct Limiting {
    memory: File,
    /// Memory plus swap: limited to the same means no swap. The file is absent
    /// where the kernel does not account swap; preflight then refuses a host that
    /// has some.
    with_swap: Option<File>,
    processes: File,
    memory_is: ByteSize,
    processes_is: u32,
}

impl Limiting {
    /// Of a new group, which has no limits yet.
    fn open(memory: &Path, pids: &Path, limits: &Limits) -> Result<Self, Failure> {
        let with_swap = memory.join("memory.memsw.limit_in_bytes");
        let mut limiting = Self {
            memory: file::open_to_write(&memory.join("memory.limit_in_bytes"))?,
            with_swap: match with_swap.exists() {
                true => Some(file::open_to_write(&with_swap)?),
                false => None,
            },
            processes: file::open_to_write(&pids.join("pids.max"))?,
            memory_is: ByteSize(u64::MAX),
            processes_is: u32::MAX,
        };
        limiting.set(limits)?;
        Ok(limiting)
    }

    fn set(&mut self, limits: &Limits) -> Result<(), Failure> {
        let wanted = limits.memory;
        if wanted != self.memory_is {
            // At no time may the one with swap be less than the other.
            let mut files = [Some(&self.memory), self.with_swap.as_ref()];
            if wanted > self.memory_is {
                files.reverse();
            }
            for file in files.into_iter().flatten() {
                file::set(file, wanted.as_u64())?;
            }
            self.memory_is = wanted;
        }
        if limits.processes != self.processes_is {
            file::set(&self.processes, limits.processes)?;
            self.processes_is = limits.processes;
        }
        Ok(())
    }
}
