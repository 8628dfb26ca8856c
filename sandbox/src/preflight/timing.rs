//! What makes the same program take a different time each run.

use super::Finding;
use super::host::Host;
use super::kernel::at_least;

const CPU: &str = "sys/devices/system/cpu";
const NODES: &str = "sys/devices/system/node";

pub(super) fn findings(host: &Host) -> Vec<Finding> {
    vec![
        governor(host),
        boost(host),
        address_layout(host),
        huge_pages(host),
        memory_nodes(host),
        entering_groups(host),
        core_dumps(host),
    ]
}

/// The kernel's frequencies are in kHz.
fn frequency(host: &Host, name: &str) -> Option<f64> {
    let text = host.read(format!("{CPU}/cpu0/cpufreq/{name}"))?;
    text.parse().ok().filter(|kilohertz| *kilohertz > 0.0)
}

fn governor(host: &Host) -> Finding {
    let name = "timing.governor";
    let policies = host.names(&format!("{CPU}/cpufreq"));
    let mut governors: Vec<_> = policies
        .iter()
        .filter_map(|policy| host.read(format!("{CPU}/cpufreq/{policy}/scaling_governor")))
        .collect();
    governors.sort();
    governors.dedup();
    match governors.iter().find(|governor| *governor != "performance") {
        None if governors.is_empty() => Finding::good(name, "frequency not set by this system"),
        None => Finding::good(name, "performance"),
        Some(governor) => {
            let low = frequency(host, "cpuinfo_min_freq");
            let high = frequency(host, "cpuinfo_max_freq");
            Finding::warning(
                name,
                format!("{governor}: cores are slow until they have been busy for a while"),
                match low.zip(high) {
                    Some((low, high)) => format!(
                        "short programs take up to {:.1} times as long (this host's frequencies)",
                        high / low
                    ),
                    None => "short programs take longer (this host does not tell its frequencies)"
                        .to_owned(),
                },
                "cpupower frequency-set -g performance",
            )
        }
    }
}

fn boost(host: &Host) -> Finding {
    let name = "timing.boost";
    // How the kernel's drivers call it, and which value means on.
    let switches = [
        ("cpufreq/boost", "1", "0"),
        ("intel_pstate/no_turbo", "0", "1"),
    ];
    let found = switches
        .iter()
        .find(|(file, on, _)| host.read(format!("{CPU}/{file}")).as_deref() == Some(on));
    let Some((file, _, off)) = found else {
        return Finding::good(name, "off, or not set by this system");
    };
    let base = frequency(host, "base_frequency");
    let high = frequency(host, "cpuinfo_max_freq");
    Finding::warning(
        name,
        "cores are faster while others idle",
        match base.zip(high) {
            Some((base, high)) => format!(
                "the same program takes up to {:.1} times as long on a busy host (this host's frequencies)",
                high / base
            ),
            None => {
                "the same program takes longer on a busy host, typically by 10 to 40 %".to_owned()
            }
        },
        format!("echo {off} > /{CPU}/{file}"),
    )
}

fn address_layout(host: &Host) -> Finding {
    let name = "timing.aslr";
    match host.read("proc/sys/kernel/randomize_va_space").as_deref() {
        Some("0") => Finding::good(name, "addresses are the same each run"),
        _ => Finding::warning(
            name,
            "addresses change from run to run, and with them what collides in caches",
            "CPU time of programs that live on their caches varies by some percent (depends on the program)",
            "set ASSIZE_FIXED_LAYOUT for workers, or sysctl kernel.randomize_va_space=0 on a host that only judges",
        ),
    }
}

fn huge_pages(host: &Host) -> Finding {
    let name = "timing.huge_pages";
    let setting = host.read("sys/kernel/mm/transparent_hugepage/enabled");
    if !setting.unwrap_or_default().contains("[always]") {
        return Finding::good(name, "only where programs ask for them");
    }
    Finding::warning(
        name,
        "given to every program when some are free",
        "a program may take up to 2 MiB more memory for each region, and less time, or not",
        "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
    )
}

fn memory_nodes(host: &Host) -> Finding {
    let name = "timing.numa";
    let is_node = |name: &String| {
        name.strip_prefix("node")
            .is_some_and(|number| number.parse::<u32>().is_ok())
    };
    let nodes = host.names(NODES).into_iter().filter(is_node).count();
    if nodes <= 1 {
        return Finding::good(name, "one memory node");
    }
    let distances = host
        .read(format!("{NODES}/node0/distance"))
        .unwrap_or_default();
    let farthest = distances
        .split(' ')
        .filter_map(|distance| distance.parse::<u32>().ok())
        .max()
        .unwrap_or(10);
    Finding::warning(
        name,
        format!("{nodes} memory nodes"),
        format!(
            "far memory takes up to {:.1} times as long as near memory (this host's firmware)",
            f64::from(farthest) / 10.0
        ),
        "run one worker per node under numactl --cpunodebind --membind",
    )
}

/// To move a process into a control group of version 2 the kernel waits until every core
/// has passed through it once, unless it has done so just before. In version 1 runs
/// enter as threads, for which it does not since Linux 5.5.
fn entering_groups(host: &Host) -> Finding {
    let name = "timing.groups";
    let mounts = host.read("proc/mounts").unwrap_or_default();
    let favoured = mounts.lines().any(|line| {
        let mut words = line.split(' ');
        let of_groups = words.nth(2).is_some_and(|kind| kind.starts_with("cgroup"));
        of_groups && line.contains("favordynmods")
    });
    let unified = mounts
        .lines()
        .any(|line| line.contains(" /sys/fs/cgroup cgroup2 "));
    let release = host.read("proc/sys/kernel/osrelease").unwrap_or_default();
    if favoured || (!unified && at_least(&release, (5, 5))) {
        return Finding::good(name, "entered at once");
    }
    Finding::warning(
        name,
        "the kernel lets a run wait before it enters its control group",
        "5 to 20 ms of wall time, no CPU time, of a run after a pause (measured)",
        if at_least(&release, (6, 0)) {
            "mount -o remount,favordynmods /sys/fs/cgroup"
        } else {
            "install Linux 6.0 or later"
        },
    )
}

/// A handler for core dumps costs host time on crashes. The kernel starts none for jailed
/// programs, but tells one that listens on a socket (Linux 6.16) of every crash: it does not
/// look at the limit of core dumps there, and nothing else of a process would be kept.
fn core_dumps(host: &Host) -> Finding {
    let name = "timing.core_dumps";
    let pattern = host
        .read("proc/sys/kernel/core_pattern")
        .unwrap_or_default();
    let (detail, cost) = if pattern.starts_with('|') {
        (
            format!("crashes of host programs start {pattern}"),
            "nothing for jailed programs, which never dump; a core and a disk while others' crashes are handled",
        )
    } else if pattern.starts_with('@') {
        (
            format!("crashes are sent to {pattern}, those of jailed programs as well"),
            "a core and a disk while crashes are handled; a service of the host reads what hostile programs made of their memory",
        )
    } else {
        return Finding::good(name, "no handler");
    };
    Finding::warning(name, detail, cost, "sysctl kernel.core_pattern=core")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preflight::Grade;
    use crate::preflight::host::Fake;

    /// Writes files, and tells what is then said of timing.
    fn finding(name: &str, files: &[(&str, &str)]) -> Finding {
        let fake = Fake::new();
        for (path, text) in files {
            fake.write(path, text);
        }
        let all = findings(&fake.host());
        all.into_iter().find(|it| it.name == name).unwrap()
    }

    #[test]
    fn a_host_that_tells_nothing_is_warned_of_little() {
        let warnings: Vec<_> = findings(&Fake::new().host())
            .into_iter()
            .filter(|finding| finding.grade != Grade::Good)
            .map(|finding| finding.name)
            .collect();
        assert_eq!(warnings, ["timing.aslr", "timing.groups"]);
    }

    #[test]
    fn a_governor_on_any_core_counts() {
        let performance = (
            "sys/devices/system/cpu/cpufreq/policy0/scaling_governor",
            "performance",
        );
        let other = (
            "sys/devices/system/cpu/cpufreq/policy1/scaling_governor",
            "schedutil",
        );
        let low = (
            "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_min_freq",
            "800000",
        );
        let high = (
            "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq",
            "3600000",
        );
        assert_eq!(
            finding("timing.governor", &[performance]).grade,
            Grade::Good
        );
        let warning = finding("timing.governor", &[performance, other, low, high]);
        assert!(warning.detail.starts_with("schedutil"), "{warning:?}");
        assert!(warning.cost.contains("4.5 times"), "{warning:?}");
        let silent = finding("timing.governor", &[other, high]);
        assert!(silent.cost.contains("does not tell"), "{silent:?}");
    }

    #[test]
    fn boost_is_switched_off_as_its_driver_has_it() {
        let boost = "sys/devices/system/cpu/cpufreq/boost";
        let no_turbo = "sys/devices/system/cpu/intel_pstate/no_turbo";
        assert_eq!(finding("timing.boost", &[(boost, "0")]).grade, Grade::Good);
        assert_eq!(
            finding("timing.boost", &[(no_turbo, "1")]).grade,
            Grade::Good
        );
        assert_eq!(
            finding("timing.boost", &[(boost, "1")]).fix,
            format!("echo 0 > /{boost}")
        );
        let base = (
            "sys/devices/system/cpu/cpu0/cpufreq/base_frequency",
            "2000000",
        );
        let high = (
            "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq",
            "3000000",
        );
        let warning = finding("timing.boost", &[(no_turbo, "0"), base, high]);
        assert_eq!(warning.fix, format!("echo 1 > /{no_turbo}"));
        assert!(warning.cost.contains("1.5 times"), "{warning:?}");
    }

    #[test]
    fn layout_pages_and_dumps() {
        let layout = |value| {
            finding(
                "timing.aslr",
                &[("proc/sys/kernel/randomize_va_space", value)],
            )
        };
        assert_eq!(layout("0").grade, Grade::Good);
        assert_eq!(layout("2").grade, Grade::Warning);
        let pages = |value| {
            let file = "sys/kernel/mm/transparent_hugepage/enabled";
            finding("timing.huge_pages", &[(file, value)]).grade
        };
        assert_eq!(pages("always [madvise] never"), Grade::Good);
        assert_eq!(pages("[always] madvise never"), Grade::Warning);
        let dumps = |value| {
            finding(
                "timing.core_dumps",
                &[("proc/sys/kernel/core_pattern", value)],
            )
        };
        assert_eq!(dumps("core").grade, Grade::Good);
        let started = dumps("|/usr/lib/systemd/systemd-coredump %P");
        assert_eq!(started.grade, Grade::Warning);
        assert!(
            started.cost.starts_with("nothing for jailed"),
            "{started:?}"
        );
        for pattern in ["@/run/dumps", "@@/run/dumps"] {
            let told = dumps(pattern);
            assert_eq!(told.grade, Grade::Warning);
            assert!(told.detail.contains("jailed programs as well"), "{told:?}");
        }
    }

    #[test]
    fn memory_nodes_are_counted() {
        let one = ("sys/devices/system/node/node0/distance", "10 21");
        let two = ("sys/devices/system/node/node1/distance", "21 10");
        let other = ("sys/devices/system/node/possible", "0-1");
        assert_eq!(finding("timing.numa", &[one, other]).grade, Grade::Good);
        let warning = finding("timing.numa", &[one, two, other]);
        assert!(warning.detail.starts_with("2 "), "{warning:?}");
        assert!(warning.cost.contains("2.1 times"), "{warning:?}");
    }

    #[test]
    fn groups_are_entered_at_once_where_nobody_is_waited_for() {
        let groups = |mounts: &str, release: &str| {
            let files = [
                ("proc/mounts", mounts),
                ("proc/sys/kernel/osrelease", release),
            ];
            finding("timing.groups", &files)
        };
        let unified = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0";
        let first = "none /sys/fs/cgroup/pids cgroup rw,pids 0 0";
        assert!(
            groups(unified, "6.1.0")
                .fix
                .starts_with("mount -o remount,")
        );
        assert!(groups(unified, "5.15.0").fix.starts_with("install"));
        assert!(groups(first, "5.4.0").fix.starts_with("install"));
        assert_eq!(groups(first, "5.15.0").grade, Grade::Good);
        for favoured in [
            "cgroup2 /sys/fs/cgroup cgroup2 rw,favordynmods 0 0",
            "none /sys/fs/cgroup/pids cgroup rw,pids 0 0\nnone /run/favordynmods cgroup rw,favordynmods,name=x 0 0",
        ] {
            assert_eq!(groups(favoured, "5.4.0").grade, Grade::Good);
        }
        // Of something else that happens to be called like that.
        let stranger = "none /srv/favordynmods tmpfs rw 0 0";
        let stranger = format!("{unified}\n{stranger}");
        assert_eq!(groups(&stranger, "6.1.0").grade, Grade::Warning);
    }
}
