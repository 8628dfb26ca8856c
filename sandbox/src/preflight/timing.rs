//! What makes the same program take a different time each run.

use super::{Finding, read};
use std::path::Path;

const CPU: &str = "/sys/devices/system/cpu";

pub(super) fn findings() -> Vec<Finding> {
    vec![
        siblings(),
        governor(),
        boost(),
        address_layout(),
        huge_pages(),
        memory_nodes(),
        core_dumps(),
    ]
}

fn siblings() -> Finding {
    match read(format!("{CPU}/smt/active")).as_deref() {
        Some("1") => Finding::warning(
            "timing.smt",
            "two hardware threads share a core, and slow each other down by up to a half",
            match one_of_each_core() {
                Some(cores) => {
                    format!("start workers with --cores {cores}: one thread of each core")
                }
                None => format!("echo off > {CPU}/smt/control"),
            },
        ),
        Some(_) => Finding::good("timing.smt", "one hardware thread per core"),
        None => Finding::good("timing.smt", "not told by this kernel"),
    }
}

/// The first hardware thread of each core, for `--cores`.
fn one_of_each_core() -> Option<String> {
    let threads = (0..1024).map_while(|thread| {
        let siblings = read(format!("{CPU}/cpu{thread}/topology/thread_siblings_list"))?;
        Some((thread, siblings))
    });
    let first = threads.filter(|(thread, siblings)| first_of(siblings) == Some(*thread));
    let cores: Vec<_> = first.map(|(thread, _)| thread.to_string()).collect();
    (!cores.is_empty()).then(|| cores.join(","))
}

/// The first of a list such as `0,4` or `0-1`.
fn first_of(list: &str) -> Option<u32> {
    list.split([',', '-']).next()?.parse().ok()
}

fn governor() -> Finding {
    let frequency = |name: &str| {
        let text = read(format!("{CPU}/cpu0/cpufreq/cpuinfo_{name}_freq"))?;
        text.parse::<u32>().ok().filter(|kilohertz| *kilohertz > 0)
    };
    match read(format!("{CPU}/cpu0/cpufreq/scaling_governor")) {
        None => Finding::good("timing.governor", "frequency not set by this system"),
        Some(name) if name == "performance" => Finding::good("timing.governor", name),
        Some(name) => {
            let slower = match (frequency("min"), frequency("max")) {
                (Some(low), Some(high)) => {
                    format!(
                        ", at up to {:.1} times less",
                        f64::from(high) / f64::from(low)
                    )
                }
                _ => String::new(),
            };
            Finding::warning(
                "timing.governor",
                format!("{name}: short programs run before the clock has sped up{slower}"),
                "cpupower frequency-set -g performance",
            )
        }
    }
}

fn boost() -> Finding {
    let on = read(format!("{CPU}/cpufreq/boost")).is_some_and(|boost| boost == "1")
        || read(format!("{CPU}/intel_pstate/no_turbo")).is_some_and(|off| off == "0");
    if !on {
        return Finding::good("timing.boost", "off, or not set by this system");
    }
    Finding::warning(
        "timing.boost",
        "cores are faster while others idle: the same program takes longer on a busy host",
        format!("echo 0 > {CPU}/cpufreq/boost, or echo 1 > {CPU}/intel_pstate/no_turbo"),
    )
}

fn address_layout() -> Finding {
    match read("/proc/sys/kernel/randomize_va_space").as_deref() {
        Some("0") => Finding::good("timing.aslr", "addresses are the same each run"),
        _ => Finding::warning(
            "timing.aslr",
            "addresses change from run to run, and with them cache behaviour by some percent",
            "set ASSIZE_FIXED_LAYOUT for workers, or sysctl kernel.randomize_va_space=0 on a host that only judges",
        ),
    }
}

fn huge_pages() -> Finding {
    let setting = read("/sys/kernel/mm/transparent_hugepage/enabled").unwrap_or_default();
    if !setting.contains("[always]") {
        return Finding::good("timing.huge_pages", "only where programs ask for them");
    }
    Finding::warning(
        "timing.huge_pages",
        "given when some are free: each region may take up to 2 MiB more memory, and less time",
        "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
    )
}

fn memory_nodes() -> Finding {
    let nodes = (0..64)
        .filter(|node| Path::new(&format!("/sys/devices/system/node/node{node}")).exists())
        .count();
    if nodes <= 1 {
        return Finding::good("timing.numa", "one memory node");
    }
    let farthest = read("/sys/devices/system/node/node0/distance").unwrap_or_default();
    let farthest = farthest
        .split(' ')
        .filter_map(|distance| distance.parse::<u32>().ok())
        .max()
        .unwrap_or(10);
    Finding::warning(
        "timing.numa",
        format!(
            "{nodes} memory nodes: far memory takes up to {:.1} times as long",
            f64::from(farthest) / 10.0
        ),
        "run one worker per node under numactl --cpunodebind --membind",
    )
}

/// A handler for core dumps costs host time on crashes; jailed programs are
/// excepted, others of the host are not.
fn core_dumps() -> Finding {
    let pattern = read("/proc/sys/kernel/core_pattern").unwrap_or_default();
    if !pattern.starts_with('|') {
        return Finding::good("timing.core_dumps", "no handler");
    }
    Finding::warning(
        "timing.core_dumps",
        format!("crashes of host programs start {pattern}"),
        "sysctl kernel.core_pattern=core",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_thread_of_a_core() {
        assert_eq!(first_of("3,7"), Some(3));
        assert_eq!(first_of("2-3"), Some(2));
        assert_eq!(first_of("0"), Some(0));
        assert_eq!(first_of(""), None);
    }
}
