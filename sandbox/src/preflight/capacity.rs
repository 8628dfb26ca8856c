//! How much there is to run programs with.

use super::host::Host;
use super::{Finding, read};
use bytesize::ByteSize;
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::statvfs::statvfs;

const LOW_DISK: ByteSize = ByteSize::gib(1);
const LOW_MEMORY: ByteSize = ByteSize::gib(1);
const FEW_FILES: u64 = 1024;

pub(super) fn findings(host: &Host) -> Vec<Finding> {
    vec![cores(), memory(), huge_pages(host), disk(), open_files()]
}

fn cores() -> Finding {
    let name = "capacity.cores";
    match std::thread::available_parallelism().map_or(1, usize::from) {
        1 => Finding::warning(
            name,
            "1",
            "programs share it with everything else: judging is slow, and times are unsteady",
            "give the host a second core",
        ),
        cores => Finding::good(name, cores.to_string()),
    }
}

fn memory() -> Finding {
    let name = "capacity.memory";
    let text = read("/proc/meminfo").unwrap_or_default();
    let available = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))
        .and_then(|rest| rest.trim().strip_suffix(" kB")?.parse().ok())
        .map_or(ByteSize::b(0), ByteSize::kib);
    if available < LOW_MEMORY {
        return Finding::warning(
            name,
            format!("only {available} available"),
            "programs that use what they may can make the host slow, or its kernel kill something",
            "give the host more memory than all slots' limits together",
        );
    }
    Finding::good(name, format!("{available} available"))
}

/// Pages that are set aside, or may be: no control group of memory counts them. Policies
/// refuse them, a layer may not.
fn huge_pages(host: &Host) -> Finding {
    const POOLS: &str = "sys/kernel/mm/hugepages";
    let name = "capacity.huge_pages";
    let pools = host.names(POOLS);
    let used = pools.iter().find_map(|pool| {
        let settings = ["nr_hugepages", "nr_overcommit_hugepages"];
        settings.into_iter().find_map(|setting| {
            let count = host.read(format!("{POOLS}/{pool}/{setting}"))?;
            (count != "0").then(|| format!("{count} in {pool}/{setting}"))
        })
    });
    match used {
        None => Finding::good(name, "none set aside"),
        Some(found) => Finding::warning(
            name,
            found,
            "memory that runs can't have, and that a layer which allows MAP_HUGETLB gives beyond every limit",
            "sysctl vm.nr_hugepages=0 vm.nr_overcommit_hugepages=0, unless something else of the host needs them",
        ),
    }
}

fn disk() -> Finding {
    let name = "capacity.disk";
    let directory = std::env::temp_dir();
    let free = statvfs(&directory).map_or(0, |stat| stat.blocks_available() * stat.fragment_size());
    let free = ByteSize::b(free);
    let detail = format!("{free} free at {}", directory.display());
    if free < LOW_DISK {
        return Finding::warning(
            name,
            detail,
            "compilers and large outputs may fail, which is a judging error",
            "free some, or set TMPDIR elsewhere",
        );
    }
    Finding::good(name, detail)
}

/// Without the right to raise a hard limit, a run can't have more than this.
fn open_files() -> Finding {
    let name = "capacity.open_files";
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((0, 0));
    if hard < FEW_FILES {
        return Finding::warning(
            name,
            format!("{hard} at most"),
            "a problem that allows more can't be judged",
            "raise the hard limit (ulimit -Hn, LimitNOFILE=)",
        );
    }
    Finding::good(name, format!("{hard} at most"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preflight::Grade;
    use crate::preflight::host::Fake;

    #[test]
    fn huge_pages_of_any_size_are_told() {
        let pools = "sys/kernel/mm/hugepages";
        let fake = Fake::new();
        assert_eq!(huge_pages(&fake.host()).grade, Grade::Good);
        for setting in ["nr_hugepages", "nr_overcommit_hugepages"] {
            fake.write(&format!("{pools}/hugepages-2048kB/{setting}"), "0");
        }
        assert_eq!(huge_pages(&fake.host()).grade, Grade::Good);
        fake.write(
            &format!("{pools}/hugepages-1048576kB/nr_overcommit_hugepages"),
            "4",
        );
        let found = huge_pages(&fake.host());
        assert_eq!(found.grade, Grade::Warning);
        assert!(found.detail.contains("hugepages-1048576kB"), "{found:?}");
    }
}
