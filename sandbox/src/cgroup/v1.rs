//! Version 1: memory, pids and cpuacct, each in its own hierarchy.

use super::{Usage, file};
use crate::limits::Limits;
use crate::protocol::Failure;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The hierarchies, in the order of a group's directories.
pub(super) const CONTROLLERS: [&str; 3] = ["memory", "pids", "cpuacct"];

fn at(directories: &[PathBuf], index: usize) -> &Path {
    directories
        .get(index)
        .map_or(Path::new(""), PathBuf::as_path)
}

pub(super) fn limit(directories: &[PathBuf], limits: &Limits) -> Result<(), Failure> {
    let (memory, pids) = (at(directories, 0), at(directories, 1));
    file::write(
        &memory.join("memory.limit_in_bytes"),
        limits.memory.as_u64(),
    )?;
    // Memory plus swap limited to the same means no swap. The file is absent
    // where the kernel does not account swap; preflight then refuses a host
    // that has some.
    let with_swap = memory.join("memory.memsw.limit_in_bytes");
    if with_swap.exists() {
        file::write(&with_swap, limits.memory.as_u64())?;
    }
    file::write(&memory.join("memory.swappiness"), 0)?;
    file::write(&pids.join("pids.max"), limits.processes)
}

pub(super) fn cpu_file(directories: &[PathBuf]) -> PathBuf {
    at(directories, 2).join("cpuacct.usage")
}

pub(super) fn process_events_file(directories: &[PathBuf]) -> PathBuf {
    at(directories, 1).join("pids.events")
}

pub(super) fn cpu_time(usage: &File) -> Result<Duration, Failure> {
    file::parse(&file::reread(usage)?).map(Duration::from_nanos)
}

pub(super) fn memory_kills(directories: &[PathBuf]) -> Result<u64, Failure> {
    let control = file::read(&at(directories, 0).join("memory.oom_control"))?;
    file::find(&control, "oom_kill")
}

pub(super) fn usage(directories: &[PathBuf], cpu: Duration) -> Result<Usage, Failure> {
    let (memory, pids, cpuacct) = (at(directories, 0), at(directories, 1), at(directories, 2));
    Ok(Usage {
        cpu,
        user: Duration::from_nanos(file::number(&cpuacct.join("cpuacct.usage_user"))?),
        system: Duration::from_nanos(file::number(&cpuacct.join("cpuacct.usage_sys"))?),
        memory_peak: file::number(&memory.join("memory.max_usage_in_bytes"))?,
        memory_kills: memory_kills(directories)?,
        // Linux 6.12 and later.
        processes_peak: file::number(&pids.join("pids.peak"))
            .ok()
            .and_then(|peak| u32::try_from(peak).ok()),
    })
}
