//! What happens to system calls that no program of a contest needs.

use crate::harness::*;
use assize_sandbox::{Jail, KillCause, Mode, Outcome, PolicyName};

/// What the program does, and the call that it makes for that.
const FATAL: [(&str, &str); 32] = [
    ("ptrace", "ptrace"),
    ("process_vm_readv", "process_vm_readv"),
    ("process_vm_writev", "process_vm_writev"),
    ("mount", "mount"),
    ("umount", "umount2"),
    ("chroot", "chroot"),
    ("pivot_root", "pivot_root"),
    ("unshare", "unshare"),
    ("setns", "setns"),
    ("clone-user", "clone"),
    ("clone-mount", "clone"),
    ("inet", "socket"),
    ("inet6", "socket"),
    ("netlink", "socket"),
    ("vsock", "socket"),
    ("packet", "socket"),
    ("bind", "bind"),
    ("io_uring", "io_uring_setup"),
    ("keyctl", "keyctl"),
    ("add_key", "add_key"),
    ("bpf", "bpf"),
    ("perf", "perf_event_open"),
    ("userfaultfd", "userfaultfd"),
    ("modify_ldt", "modify_ldt"),
    ("personality", "personality"),
    ("module", "init_module"),
    ("kexec", "kexec_load"),
    ("reboot", "reboot"),
    ("handle", "open_by_handle_at"),
    ("mknod", "mknod"),
    ("sethostname", "sethostname"),
    ("seccomp", "seccomp"),
];

const DENIED: [(&str, i32); 11] = [
    ("unix", libc::EACCES),
    ("setuid", libc::EPERM),
    ("shmget", libc::ENOSYS),
    ("clone3", libc::ENOSYS),
    ("affinity", libc::EPERM),
    ("inotify", libc::ENOSYS),
    ("dnotify", libc::EINVAL),
    ("dnotify-upper", libc::EINVAL),
    ("lease", libc::EINVAL),
    ("fcntl-unknown", libc::ENOSYS),
    ("unknown", libc::ENOSYS),
];

/// The run must be killed for this call, in both modes.
fn assert_killed_for(jail: &mut Jail, what: &str, syscall: &str) {
    let cause = KillCause::Policy {
        syscall: Some(syscall.to_owned()),
    };
    for mode in [Mode::Unshare, Mode::Ptrace] {
        let mut spec = program("forbidden", &[what]);
        spec.mode = mode;
        let facts = jail.run(spec).unwrap();
        assert_eq!(
            facts.outcome,
            killed(cause.clone()),
            "{what} in mode {mode:?}"
        );
    }
}

#[test]
fn attacks_end_the_run() {
    let mut jail = start();
    for (what, syscall) in FATAL {
        assert_killed_for(&mut jail, what, syscall);
    }
    assert_usable(&mut jail);
}

#[test]
fn other_architectures_end_the_run() {
    if !cfg!(target_arch = "x86_64") {
        return;
    }
    let mut jail = start();
    for (what, syscall) in [("i386", "i386:getpid"), ("x32", "x32:getpid")] {
        assert_killed_for(&mut jail, what, syscall);
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

/// With any other limit than 1, even with 0, the kernel gives a crash to a handler of
/// the host.
#[test]
fn limit_of_core_dumps_stays() {
    let mut jail = start();
    for mode in [Mode::Unshare, Mode::Ptrace] {
        for observe in [false, mode == Mode::Ptrace] {
            let mut spec = program("core_limit", &[]);
            (spec.mode, spec.observe) = (mode, observe);
            let (facts, said, _) = run_captured(&mut jail, spec);
            assert_eq!(facts.outcome, exited(0));
            assert_eq!(said, "own: 1 1\nchild: 1 1\nexecuted: 1 1\n", "{mode:?}");
        }
    }
}

/// Runtimes set others, also to less, and ask for all.
#[test]
fn other_limits_can_be_lowered() {
    let mut jail = start();
    let lowered = "ulimit -n 10 && ulimit -n && ulimit -s 512 && ulimit -s && ulimit -c";
    let said = shell(&mut jail, lowered);
    assert_eq!(said, "10\n512\n0\n");
}

/// What lasts longer than the run, what makes calls that no tracer sees, and what would
/// have init look up paths in other mounts than the program has.
#[test]
fn some_attacks_end_a_run_that_is_only_observed() {
    let mut jail = start();
    let observed = |jail: &mut Jail, what: &str| {
        let mut spec = program("forbidden", &[what]);
        (spec.mode, spec.observe) = (Mode::Ptrace, true);
        jail.run(spec).unwrap().outcome
    };
    for (what, syscall) in [
        ("add_key", "add_key"),
        ("request_key", "request_key"),
        ("keyctl", "keyctl"),
        ("io_uring", "io_uring_setup"),
        ("io_uring_enter", "io_uring_enter"),
        ("io_uring_register", "io_uring_register"),
        ("unshare", "unshare"),
        ("setns", "setns"),
        ("clone-user", "clone"),
        ("clone-mount", "clone"),
        ("clone-pid", "clone"),
        ("seccomp", "seccomp"),
    ] {
        let cause = KillCause::Policy {
            syscall: Some(syscall.to_owned()),
        };
        assert_eq!(observed(&mut jail, what), killed(cause), "{what}");
    }
    let through = observed(&mut jail, "userfaultfd");
    assert!(matches!(through, Outcome::Exited { .. }), "{through:?}");
    assert_usable(&mut jail);
}
