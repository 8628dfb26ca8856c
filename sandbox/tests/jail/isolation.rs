//! What a program can see and touch: itself, and the system's files.

use crate::harness::*;
use assize_sandbox::Mode;
use std::collections::BTreeMap;

fn status(jail: &mut assize_sandbox::Jail) -> BTreeMap<String, String> {
    shell(jail, "cat /proc/self/status")
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(key, value)| (key.to_owned(), value.trim().to_owned()))
        .collect()
}

#[test]
fn no_privilege_is_left() {
    let status = status(&mut start());
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(status[set], "0000000000000000", "{set}");
    }
    assert_eq!(status["NoNewPrivs"], "1");
    assert_eq!(status["Seccomp"], "2");
    assert_eq!(status["Uid"], "1000\t1000\t1000\t1000");
    assert_eq!(status["Gid"], "1000\t1000\t1000\t1000");
    assert_eq!(status["Groups"], "");
}

#[test]
fn nobody_is_more_urgent_than_others() {
    let mut jail = start();
    for mode in [Mode::Unshare, Mode::Ptrace] {
        let mut spec = command(&["/bin/cat", "/proc/self/stat"]);
        spec.mode = mode;
        let (_, stat, _) = run_captured(&mut jail, spec);
        // Fields of proc(5) from the third, behind the name in brackets.
        let fields: Vec<_> = stat
            .rsplit_once(')')
            .unwrap()
            .1
            .split_whitespace()
            .collect();
        let [priority, nice] = [fields[15], fields[16]];
        let [real_time, policy] = [fields[37], fields[38]];
        assert_eq!([priority, nice, real_time, policy], ["20", "0", "0", "0"]);
    }
}

#[test]
fn signals_are_as_a_shell_would_leave_them() {
    let status = status(&mut start());
    for set in ["SigBlk", "SigIgn", "SigPnd", "ShdPnd"] {
        assert_eq!(status[set], "0000000000000000", "{set}");
    }
    assert_eq!(status["Umask"], "0022");
}

#[test]
fn namespaces_are_not_the_hosts() {
    let mut jail = start();
    for name in ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"] {
        let path = format!("/proc/self/ns/{name}");
        let host = std::fs::read_link(&path).unwrap();
        let inside = shell(&mut jail, &format!("readlink {path}"));
        assert_ne!(inside.trim(), host.to_str().unwrap(), "{name}");
    }
}

#[test]
fn processes_of_nobody_else_are_seen() {
    let mut jail = start();
    // The shell is process 2, after init, which hides itself.
    let seen = shell(&mut jail, "cd /proc; echo [0-9]*; echo $$");
    assert_eq!(seen, "2\n2\n");
    let listing = shell(&mut jail, "ls /proc");
    for hidden in ["sys", "kcore", "keys", "meminfo", "version", "mounts"] {
        assert!(!listing.lines().any(|name| name == hidden), "{listing}");
    }
}

#[test]
fn there_is_no_network() {
    let mut jail = start();
    let devices = shell(&mut jail, "tail -n +3 /proc/self/net/dev | cut -d: -f1");
    assert_eq!(devices.trim(), "lo");
    // Not even that one is up: it has no address.
    let addresses = shell(
        &mut jail,
        "cat /proc/self/net/if_inet6 /proc/self/net/fib_trie",
    );
    assert_eq!(addresses, "");
}

#[test]
fn names_are_not_the_hosts() {
    let mut jail = start();
    assert_eq!(shell(&mut jail, "uname -n"), "jail\n");
    assert_eq!(shell(&mut jail, "id -un; id -gn"), "program\nprogram\n");
    assert_eq!(
        shell(&mut jail, "cat /proc/self/cgroup | cut -d: -f3 | sort -u"),
        "/\n"
    );
}

#[test]
fn files_are_the_systems_only() {
    let mut jail = start();
    let root = shell(&mut jail, "ls -A /");
    let known = [
        "bin", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "sbin", "tmp", "usr",
    ];
    assert!(root.lines().all(|name| known.contains(&name)), "{root}");
    let devices = "fd\nfull\nnull\nrandom\nstderr\nstdin\nstdout\nurandom\nzero\n";
    assert_eq!(shell(&mut jail, "ls -A /dev"), devices);
    let users = shell(&mut jail, "cut -d: -f1 /etc/passwd");
    assert_eq!(users, "root\nprogram\n");
    assert_eq!(shell(&mut jail, "ls -A /tmp"), "");
}

#[test]
fn only_scratches_can_be_written() {
    let mut jail = start();
    let script =
        "for place in / /dev /etc /proc /proc/self /usr /usr/bin /usr/lib /etc/alternatives; do
        if echo 2>/dev/null > $place/new; then echo $place; fi; done
        if echo 2>/dev/null > /etc/passwd; then echo passwd; fi
        find / -xdev -writable -not -type l -not -path '/tmp*' 2>/dev/null
        : > /tmp/new";
    let writable = shell(&mut jail, script);
    let devices = [
        "/dev/full",
        "/dev/null",
        "/dev/random",
        "/dev/urandom",
        "/dev/zero",
    ];
    for place in writable.lines() {
        assert!(devices.contains(&place), "{place} can be written");
    }
}

#[test]
fn nothing_gains_privilege_by_its_file() {
    let mut jail = start();
    let mounts = shell(&mut jail, "cut -d' ' -f5,6 /proc/self/mountinfo");
    for mount in mounts.lines() {
        assert!(mount.contains("nosuid"), "{mount}");
        let (place, options) = mount.split_once(' ').unwrap();
        assert!(
            options.contains("nodev") || place.starts_with("/dev/"),
            "{mount}"
        );
    }
}
