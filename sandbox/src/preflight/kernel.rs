//! The kernel's version and features, and our own rights.

use super::{Finding, read};
use crate::protocol::Failure;
use crate::rootless;
use crate::stage::LANDLOCK_FIRST;
use crate::sys::seccomp::can_listen;
use crate::sys::{landlock, probe};

/// System calls of the sandbox that a kernel, or the filter of a container
/// around us, may lack; with the version that brought them.
const CALLS: [(&str, libc::c_long, &str); 8] = [
    ("execveat", libc::SYS_execveat, "3.19"),
    ("pidfd_send_signal", libc::SYS_pidfd_send_signal, "5.1"),
    ("open_tree", libc::SYS_open_tree, "5.2"),
    ("move_mount", libc::SYS_move_mount, "5.2"),
    ("clone3", libc::SYS_clone3, "5.3"),
    ("openat2", libc::SYS_openat2, "5.6"),
    ("close_range", libc::SYS_close_range, "5.9"),
    ("mount_setattr", libc::SYS_mount_setattr, "5.12"),
];

const NAMESPACES: [&str; 7] = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"];

/// Actions that filters use; `trace` in ptrace mode.
const ACTIONS: [&str; 4] = ["kill_process", "errno", "trace", "allow"];

pub(super) fn findings() -> Vec<Finding> {
    let mut findings = vec![
        version(),
        rights(),
        seccomp(),
        landlock(),
        namespaces(),
        filesystems(),
        proc(),
    ];
    // Some calls are refused to whom lacks the rights, which was said already.
    if rootless::missing_capabilities().is_empty() {
        findings.push(calls());
    }
    findings
}

fn version() -> Finding {
    let release = read("/proc/sys/kernel/osrelease").unwrap_or_default();
    match at_least(&release, (5, 12)) {
        true => Finding::good("kernel.version", release),
        false => Finding::unfit(
            "kernel.version",
            format!("Linux {release} is older than 5.12"),
            "install a newer kernel",
        ),
    }
}

/// Whether a release such as `6.1.0-50-amd64` is of this version or later.
pub(super) fn at_least(release: &str, wanted: (u32, u32)) -> bool {
    let mut numbers = release
        .split(|letter: char| !letter.is_ascii_digit())
        .map_while(|number| number.parse().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= wanted
}

fn rights() -> Finding {
    let missing = rootless::missing_capabilities();
    if missing.is_empty() {
        return match rootless::owner() {
            None => Finding::good("rights", "may make namespaces, mounts and user maps"),
            Some(user) => Finding::good(
                "rights",
                format!(
                    "root of a user namespace, made by user {user}: jails are as for root, but can't \
                     have more files open than the user may, and settings of the host stay as they are"
                ),
            ),
        };
    }
    match rootless::Ranges::find() {
        Err(Failure::Unfit { problem, fix, .. }) => Finding::unfit("rights", problem, fix),
        _ => Finding::unfit(
            "rights",
            format!("the capabilities {} are missing", missing.join(", ")),
            "run as root, in a container with these capabilities added",
        ),
    }
}

fn calls() -> Finding {
    let missing: Vec<_> = CALLS
        .iter()
        .filter(|(_, number, _)| !probe::has_call(*number))
        .map(|(name, _, since)| format!("{name} (Linux {since})"))
        .collect();
    if missing.is_empty() {
        return Finding::good("kernel.calls", "all system calls of the sandbox are there");
    }
    Finding::unfit(
        "kernel.calls",
        format!("refused or missing: {}", missing.join(", ")),
        "install a newer kernel, or relax the system call filter of the container around this",
    )
}

fn seccomp() -> Finding {
    let Some(available) = read("/proc/sys/kernel/seccomp/actions_avail") else {
        return Finding::unfit(
            "seccomp",
            "the kernel has no system call filters",
            "use a kernel with CONFIG_SECCOMP_FILTER",
        );
    };
    let missing: Vec<_> = ACTIONS
        .into_iter()
        .filter(|action| !available.split(' ').any(|other| other == *action))
        .collect();
    if missing.is_empty() {
        return Finding::good("seccomp", format!("actions {available}"));
    }
    Finding::unfit(
        "seccomp",
        format!("filters lack the actions {}", missing.join(", ")),
        "install a newer kernel",
    )
}

/// Who hears of forbidden calls: without it their names are not known.
pub(super) fn listener() -> Finding {
    if can_listen() {
        return Finding::good("seccomp.listener", "forbidden calls are told by name");
    }
    Finding::warning(
        "seccomp.listener",
        "there can be no listener at a filter",
        "forbidden calls end a run without being named, and in a child that child alone",
        "start this outside of a container whose manager answers system calls (seccomp notify)",
    )
}

/// The second wall: jails work without it.
fn landlock() -> Finding {
    match landlock::version() {
        version if version >= LANDLOCK_FIRST => {
            Finding::good("landlock", format!("version {version} of the interface"))
        }
        version => Finding::warning(
            "landlock",
            format!("version {version} of the interface, {LANDLOCK_FIRST} is needed"),
            "jails have one wall less",
            "use Linux 5.19 or newer with CONFIG_SECURITY_LANDLOCK, and landlock in the lsm= parameter",
        ),
    }
}

fn namespaces() -> Finding {
    let missing: Vec<_> = NAMESPACES
        .into_iter()
        .filter(|name| !std::path::Path::new("/proc/self/ns").join(name).exists())
        .collect();
    if !missing.is_empty() {
        return Finding::unfit(
            "namespaces",
            format!(
                "the kernel has no namespaces of kind {}",
                missing.join(", ")
            ),
            "use a kernel with all CONFIG_*_NS options",
        );
    }
    let forbidden = NAMESPACES.into_iter().find(|name| {
        read(format!("/proc/sys/user/max_{name}_namespaces")).is_some_and(|most| most == "0")
    });
    match forbidden {
        None => Finding::good("namespaces", "all kinds may be made"),
        Some(name) => Finding::unfit(
            "namespaces",
            format!("user.max_{name}_namespaces is 0"),
            format!("sysctl user.max_{name}_namespaces=10000"),
        ),
    }
}

fn filesystems() -> Finding {
    let known = read("/proc/filesystems").unwrap_or_default();
    let has = |name: &str| {
        known
            .lines()
            .any(|line| line.ends_with(&format!("\t{name}")))
    };
    if has("tmpfs") && has("proc") {
        return Finding::good("filesystems", "tmpfs and proc");
    }
    Finding::unfit(
        "filesystems",
        "the kernel lacks tmpfs or proc",
        "use a kernel with CONFIG_TMPFS and CONFIG_PROC_FS",
    )
}

/// The kernel refuses a new /proc to whom it is shown with holes.
fn proc() -> Finding {
    let mounts = read("/proc/self/mountinfo").unwrap_or_default();
    let hidden = mounts
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .find(|place| {
            place
                .strip_prefix("/proc/")
                .is_some_and(|rest| !rest.starts_with("sys/fs/binfmt_misc"))
        });
    match hidden {
        None => Finding::good("proc", "fully visible"),
        Some(place) => Finding::unfit(
            "proc",
            format!(
                "{place} is covered by another mount, so jails can't have a /proc of their own"
            ),
            "run the container with an unmasked /proc (systempaths=unconfined)",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        assert!(at_least("6.1.0-50-cloud-amd64", (5, 12)));
        assert!(at_least("5.12.0", (5, 12)));
        assert!(at_least("5.100-rc1", (5, 12)));
        assert!(!at_least("5.9.16", (5, 12)));
        assert!(!at_least("4.19.0", (5, 12)));
        assert!(!at_least("", (5, 12)));
    }
}
