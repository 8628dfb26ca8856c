//! What happens to system calls that no program of a contest needs.

use crate::harness::*;
use assize_sandbox::{KillCause, Outcome, PolicyName};

const FATAL: [&str; 32] = [
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "mount",
    "umount",
    "chroot",
    "pivot_root",
    "unshare",
    "setns",
    "clone-user",
    "clone-mount",
    "inet",
    "inet6",
    "netlink",
    "vsock",
    "packet",
    "bind",
    "io_uring",
    "keyctl",
    "add_key",
    "bpf",
    "perf",
    "userfaultfd",
    "modify_ldt",
    "personality",
    "module",
    "kexec",
    "reboot",
    "handle",
    "mknod",
    "sethostname",
    "seccomp",
];

const DENIED: [(&str, i32); 7] = [
    ("unix", libc::EACCES),
    ("setuid", libc::EPERM),
    ("shmget", libc::ENOSYS),
    ("clone3", libc::ENOSYS),
    ("affinity", libc::EPERM),
    ("inotify", libc::ENOSYS),
    ("unknown", libc::ENOSYS),
];

fn is_policy(outcome: &Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Killed {
            cause: KillCause::Policy { .. }
        }
    )
}

#[test]
fn attacks_end_the_run() {
    let mut jail = start();
    for name in FATAL {
        let facts = jail.run(program("forbidden", &[name])).unwrap();
        assert!(is_policy(&facts.outcome), "{name}: {:?}", facts.outcome);
    }
    assert_usable(&mut jail);
}

#[test]
fn other_architectures_end_the_run() {
    if !cfg!(target_arch = "x86_64") {
        return;
    }
    let mut jail = start();
    for name in ["i386", "x32"] {
        let facts = jail.run(program("forbidden", &[name])).unwrap();
        assert!(is_policy(&facts.outcome), "{name}: {:?}", facts.outcome);
    }
}

#[test]
fn what_libraries_try_is_denied_only() {
    let mut jail = start();
    for (name, errno) in DENIED {
        let facts = jail.run(program("forbidden", &[name])).unwrap();
        assert_eq!(facts.outcome, exited(10 + errno), "{name}");
    }
}

/// Their namespace is the jail's, so nothing may ever be made in it.
#[test]
fn nothing_can_be_left_in_the_ipc_namespace() {
    let mut jail = start();
    for policy in [PolicyName::Contestant, PolicyName::Compiler] {
        for name in ["shmget", "semget", "msgget", "mq_open"] {
            let mut spec = program("forbidden", &[name]);
            spec.policy = policy;
            let facts = jail.run(spec).unwrap();
            assert_eq!(facts.outcome, exited(10 + libc::ENOSYS), "{name}");
        }
    }
}

#[test]
fn compilers_may_look_for_a_network_in_vain() {
    let mut jail = start();
    for name in ["inet", "bind"] {
        let mut spec = program("forbidden", &[name]);
        spec.policy = PolicyName::Compiler;
        let facts = jail.run(spec).unwrap();
        assert_eq!(facts.outcome, exited(10 + libc::EACCES), "{name}");
    }
}
