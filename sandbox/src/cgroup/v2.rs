//! Version 2: one directory with all controllers.

use super::{Usage, file};
use crate::facts::Stalls;
use crate::limits::Limits;
use crate::protocol::Failure;
use std::cell::Cell;
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
    memory_peak: Peak,
    memory_events: File,
    cpu: File,
    process_events: File,
    /// Linux 6.7 and later.
    processes_peak: Option<File>,
    /// Of cpu, memory and io; none where the kernel has no such files.
    pressure: Option<[File; 3]>,
}

/// The most memory that was in use.
#[derive(Debug)]
enum Peak {
    Told(File),
    /// Linux before 5.19: as seen by looking, which may miss it, except that a run
    /// which was killed for memory had used all.
    Seen {
        now: File,
        most: Cell<u64>,
        limit: u64,
    },
}

impl Peak {
    fn open(group: &Path, limits: &Limits) -> Result<Self, Failure> {
        match File::open(group.join("memory.peak")) {
            Ok(peak) => Ok(Self::Told(peak)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::Seen {
                now: file::open(&group.join("memory.current"))?,
                most: Cell::new(0),
                limit: limits.memory.as_u64(),
            }),
            Err(error) => Err(Failure::step("open memory.peak")(error)),
        }
    }

    fn note(&self) -> Result<(), Failure> {
        if let Self::Seen { now, most, .. } = self {
            most.set(most.get().max(file::number(now)?));
        }
        Ok(())
    }

    /// In bytes.
    fn get(&self, kills: u64) -> Result<u64, Failure> {
        self.note()?;
        match self {
            Self::Told(peak) => file::number(peak),
            Self::Seen { limit, .. } if kills > 0 => Ok(*limit),
            Self::Seen { most, .. } => Ok(most.get()),
        }
    }
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
            memory_peak: Peak::open(group, limits)?,
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

    /// Whether the kernel tells the peak of memory.
    pub(super) fn tells_peak(&self) -> bool {
        matches!(self.memory_peak, Peak::Told(_))
    }

    /// Looks how much memory is in use, where the kernel keeps no peak.
    pub(super) fn note_memory(&self) -> Result<(), Failure> {
        self.memory_peak.note()
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
        let memory_kills = self.memory_kills()?;
        Ok(Usage {
            cpu: file::find(&cpu, "usage_usec").map(Duration::from_micros)?,
            user: file::find(&cpu, "user_usec").map(Duration::from_micros)?,
            system: file::find(&cpu, "system_usec").map(Duration::from_micros)?,
            memory_peak: self.memory_peak.get(memory_kills)?,
            memory_kills,
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

#[cfg(test)]
mod tests {
    use super::*;
    use bytesize::ByteSize;
    use std::fs;

    /// A group with these files beside those that every version 2 has.
    fn group(more: &[(&str, &str)]) -> tempfile::TempDir {
        let group = tempfile::tempdir().unwrap();
        let common = [
            ("memory.events", "low 0\nmax 3\noom 0\noom_kill 0\n"),
            ("cpu.stat", "usage_usec 7\nuser_usec 4\nsystem_usec 3\n"),
            ("pids.events", "max 0\n"),
        ];
        for (name, text) in common.iter().chain(more) {
            fs::write(group.path().join(name), text).unwrap();
        }
        group
    }

    fn open(group: &tempfile::TempDir) -> Files {
        let limits = Limits {
            memory: ByteSize::mib(64),
            processes: 16,
            ..Limits::of_tests()
        };
        Files::open(&[group.path().to_owned()], &limits).unwrap()
    }

    #[test]
    fn every_limit_is_written() {
        let group = group(&[("memory.peak", "1\n"), ("memory.swap.max", "max\n")]);
        open(&group);
        let written = |name| fs::read_to_string(group.path().join(name)).unwrap();
        assert_eq!(written("memory.max"), (64 << 20).to_string());
        assert_eq!(written("memory.swap.max"), "0");
        assert_eq!(written("memory.oom.group"), "1");
        assert_eq!(written("pids.max"), "16");
    }

    #[test]
    fn newest_kernels_tell_both_peaks() {
        let files = open(&group(&[("memory.peak", "4096\n"), ("pids.peak", "2\n")]));
        let usage = files.usage().unwrap();
        assert_eq!((usage.memory_peak, usage.processes_peak), (4096, Some(2)));
        assert!(files.tells_peak());
    }

    #[test]
    fn peak_is_looked_for_where_the_kernel_tells_none() {
        let group = group(&[("memory.current", "4096\n")]);
        let files = open(&group);
        assert!(!files.tells_peak());
        fs::write(group.path().join("memory.current"), "81920\n").unwrap();
        files.note_memory().unwrap();
        fs::write(group.path().join("memory.current"), "0\n").unwrap();
        let usage = files.usage().unwrap();
        assert_eq!((usage.memory_peak, usage.processes_peak), (81920, None));
        fs::write(group.path().join("memory.events"), "oom_kill 1\n").unwrap();
        assert_eq!(files.usage().unwrap().memory_peak, 64 << 20);
    }
}
