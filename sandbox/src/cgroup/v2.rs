//! Version 2: one directory with all controllers.

use super::{Usage, file};
use crate::limits::Limits;
use crate::protocol::Failure;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Controllers that a group needs; `cpu.stat` is there without any.
pub(super) const CONTROLLERS: [&str; 2] = ["memory", "pids"];

fn directory(directories: &[PathBuf]) -> &Path {
    directories.first().map_or(Path::new(""), PathBuf::as_path)
}

pub(super) fn limit(directories: &[PathBuf], limits: &Limits) -> Result<(), Failure> {
    let group = directory(directories);
    file::write(&group.join("memory.max"), limits.memory.as_u64())?;
    let swap = group.join("memory.swap.max");
    if swap.exists() {
        file::write(&swap, 0)?;
    }
    file::write(&group.join("memory.oom.group"), 1)?;
    file::write(&group.join("pids.max"), limits.processes)
}

pub(super) fn cpu_file(directories: &[PathBuf]) -> PathBuf {
    directory(directories).join("cpu.stat")
}

pub(super) fn process_events_file(directories: &[PathBuf]) -> PathBuf {
    directory(directories).join("pids.events")
}

pub(super) fn cpu_time(stat: &File) -> Result<Duration, Failure> {
    file::number_after(stat, "usage_usec").map(Duration::from_micros)
}

pub(super) fn memory_kills(directories: &[PathBuf]) -> Result<u64, Failure> {
    let events = file::read(&directory(directories).join("memory.events"))?;
    file::find(&events, "oom_kill")
}

pub(super) fn usage(directories: &[PathBuf], stat: &File) -> Result<Usage, Failure> {
    let group = directory(directories);
    Ok(Usage {
        cpu: cpu_time(stat)?,
        user: file::number_after(stat, "user_usec").map(Duration::from_micros)?,
        system: file::number_after(stat, "system_usec").map(Duration::from_micros)?,
        memory_peak: file::number(&group.join("memory.peak"))?,
        memory_kills: memory_kills(directories)?,
        processes_peak: file::number(&group.join("pids.peak"))
            .ok()
            .and_then(|peak| u32::try_from(peak).ok()),
    })
}
