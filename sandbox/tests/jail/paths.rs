//! Path rules hold, whichever way a program goes to a file.

use crate::harness::*;
use assize_sandbox::{
    Audit, AuditEntry, AuditLevel, Decision, Jail, KillCause, LayerOf, Mode, Mount, Outcome,
    PolicyLayer, Spec,
};
use std::collections::BTreeSet;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};

pub(crate) const SECRET: &str = "
    [[path]]
    id = 'secret'
    why = 'what this test is about'
    action = 'deny'
    errno = 'EACCES'
    access = ['read', 'write']
    paths = ['/data/secret']
    [[path]]
    id = 'data'
    why = 'beside it'
    action = 'allow'
    access = ['read']
    paths = ['/data/*']";

pub(crate) struct Secret {
    pub(crate) jail: Jail,
    program: OwnedFd,
    directory: tempfile::TempDir,
}

impl Secret {
    pub(crate) fn new() -> Self {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("open"), "open").unwrap();
        std::fs::write(directory.path().join("secret"), "secret").unwrap();
        std::fs::set_permissions(&directory, PermissionsExt::from_mode(0o755)).unwrap();
        Self {
            jail: start(),
            program: compile("paths"),
            directory,
        }
    }

    pub(crate) fn spec(&self, args: &[&str], layer: &str) -> Spec {
        let mut spec = spec(self.program.as_fd().try_clone_to_owned().unwrap());
        spec.args = [&["program"], args]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect();
        spec.mode = Mode::Ptrace;
        spec.audit = AuditLevel::Decisions;
        spec.layers = vec![PolicyLayer::parse(LayerOf::Language, layer).unwrap()];
        spec.mounts = vec![Mount {
            source: File::open(&self.directory).unwrap().into(),
            target: "/data".into(),
        }];
        spec
    }

    pub(crate) fn run(&mut self, spec: Spec) -> (Outcome, String, Audit) {
        let (facts, stdout, stderr) = run_captured(&mut self.jail, spec);
        assert_eq!(stderr, "");
        (facts.outcome, stdout, facts.audit.unwrap())
    }
}

/// Names of attempts that the rule must stop.
const STOPPED: &[&str] = &[
    "absolute",
    "slashes",
    "dots",
    "relative",
    "relative-dots",
    "dirfd",
    "dirfd-dots",
    "link",
    "link-to-link",
    "link-to-directory",
    "relative-link",
    "proc-root",
    "proc-thread",
    "proc-pid",
    "proc-cwd",
    "link-to-proc",
    "proc-fd-directory",
    "reopen",
    "reopen-dev",
    "openat2",
    "openat2-write",
    "beneath",
    "upper-bits",
    "hard-link",
    "hard-link-fd",
    "rename",
    "long",
    "end-of-page",
    "thread",
    "fork",
    "vfork",
    "untraced",
    "write",
    "truncate",
];

/// And what the others end in.
const OTHERS: &[(&str, i32)] = &[
    ("allowed", 0),
    ("link-nofollow", libc_errno::ELOOP),
    ("o-path", 0),
    ("other-root", libc_errno::EINVAL),
    ("too-long", libc_errno::ENAMETOOLONG),
    ("null", libc_errno::EFAULT),
    ("unmapped", libc_errno::EFAULT),
    ("kernel", libc_errno::EFAULT),
    ("over-the-end", libc_errno::EFAULT),
    ("clone3", libc_errno::ENOSYS),
    ("stat", 0),
    ("stat-fd", 0),
    ("missing", libc_errno::ENOENT),
    ("no-directory", libc_errno::ENOTDIR),
    ("long-name", libc_errno::ENAMETOOLONG),
    ("closed", libc_errno::EBADF),
    ("closed-itself", libc_errno::EBADF),
];

pub(crate) mod libc_errno {
    pub(crate) const ENOENT: i32 = 2;
    pub(crate) const EBADF: i32 = 9;
    pub(crate) const EACCES: i32 = 13;
    pub(crate) const EFAULT: i32 = 14;
    pub(crate) const EEXIST: i32 = 17;
    pub(crate) const ENOTDIR: i32 = 20;
    pub(crate) const EINVAL: i32 = 22;
    pub(crate) const ENAMETOOLONG: i32 = 36;
    pub(crate) const ENOSYS: i32 = 38;
    pub(crate) const ELOOP: i32 = 40;
}

#[test]
fn every_way_to_a_file_is_the_same_way() {
    let mut secret = Secret::new();
    let (outcome, said, audit) = secret.run(secret.spec(&[], SECRET));
    assert_eq!(outcome, exited(0));
    let mut left: Vec<_> = said.lines().collect();
    let stopped = STOPPED.iter().map(|name| (*name, libc_errno::EACCES));
    for (name, errno) in stopped.chain(OTHERS.iter().copied()) {
        let line = format!("{name} {errno}");
        let at = left.iter().position(|other| *other == line);
        assert!(at.is_some(), "no {line:?} in {said}");
        left.swap_remove(at.unwrap());
    }
    assert_eq!(left, Vec::<&str>::new());
    // Refused under one name, whatever it was called.
    let by_rule = |call: &&AuditEntry| call.rule == "secret";
    let (refused, others): (Vec<_>, Vec<_>) = audit.refused.iter().partition(by_rule);
    assert_eq!(refused.len(), STOPPED.len());
    // What fails anyway is no refusal.
    let others: BTreeSet<_> = others.iter().map(|call| &*call.syscall).collect();
    assert_eq!(others, BTreeSet::from(["clone3", "openat2"]));
    for errno in [
        libc_errno::EBADF,
        libc_errno::EFAULT,
        libc_errno::ENAMETOOLONG,
    ] {
        let failed = |call: AuditEntry| {
            (call.decision, call.result) == (Decision::Allow, Some(i64::from(-errno)))
        };
        assert!(audit.log.entries().any(failed), "{errno}");
    }
    for call in refused {
        assert_eq!(call.paths.last().unwrap(), "/data/secret");
        assert_eq!(call.decision, Decision::Deny { errno: 13 });
    }
    assert!(audit.log.entries().any(|call| call.rule == "data"));
    assert_usable(&mut secret.jail);
}

#[test]
fn forbidden_path_ends_the_run() {
    let mut secret = Secret::new();
    let layer = SECRET
        .replace("action = 'deny'", "action = 'kill'")
        .replace("errno = 'EACCES'", "");
    let (outcome, said, audit) = secret.run(secret.spec(&[], &layer));
    let cause = KillCause::Policy {
        syscall: Some("openat".to_owned()),
    };
    assert_eq!((outcome, said.as_str()), (killed(cause), "allowed 0\n"));
    let last = audit.log.entries().last().unwrap();
    assert_eq!(
        (last.decision, last.rule.as_str()),
        (Decision::Kill, "secret")
    );

    // Observed only, it goes on, and is told of.
    let mut spec = secret.spec(&[], &layer);
    spec.observe = true;
    let (outcome, said, audit) = secret.run(spec);
    assert_eq!(outcome, exited(0));
    assert!(said.contains("absolute 0\n"), "{said}");
    assert!(audit.observed);
    let observed = |call: &assize_sandbox::AuditEntry| call.decision == Decision::Observe;
    assert!(audit.refused.iter().filter(|call| observed(call)).count() > 20);
}

fn lines(ends: &[(&str, i32)]) -> String {
    ends.iter()
        .map(|(name, errno)| format!("{name} {errno}\n"))
        .collect()
}

/// What one rule lets pass because the run is only observed, another one may still refuse.
#[test]
fn what_is_let_through_is_looked_at() {
    let rule = |kind: &str, calls: &str| {
        format!("[[{kind}]]\nid = 'calls'\nwhy = 'x'\naction = 'kill'\nsyscalls = {calls}\n")
    };
    let opens = rule("rule", "['open', 'openat', 'openat2']");
    let clones = rule("budget", "['clone', 'fork', 'vfork']") + "count = 0\n";
    let mut secret = Secret::new();
    for layer in [opens, clones] {
        let mut spec = secret.spec(&[], &(layer + SECRET));
        spec.observe = true;
        let (outcome, said, audit) = secret.run(spec);
        assert_eq!(outcome, exited(0));
        for (name, errno) in STOPPED.iter().map(|name| (*name, libc_errno::EACCES)) {
            assert!(
                said.contains(&format!("{name} {errno}\n")),
                "{name}: {said}"
            );
        }
        let observed = |call: &&AuditEntry| call.decision == Decision::Observe;
        let mut observed = audit.refused.iter().filter(observed);
        assert!(observed.all(|call| call.rule == "calls"));
        // What it would have been killed for is told of those that are both.
        let failed = |call: &AuditEntry| {
            call.rule == "secret" || call.rule == "calls" && call.result == Some(-13)
        };
        assert_eq!(audit.log.entries().filter(failed).count(), STOPPED.len());
    }
}

/// A layer that lets clones pass does not let children pass.
#[test]
fn a_child_of_an_allowed_clone_is_traced() {
    let clone = "
        [[rule]]
        id = 'clone'
        why = 'what this test is about'
        action = 'allow'
        syscalls = ['clone']
        when = [{ arg = 0, is = 'equal', mask = 0x7e020000, value = 0 }]";
    let mut secret = Secret::new();
    let (outcome, said, _) = secret.run(secret.spec(&[], &[SECRET, clone].concat()));
    assert_eq!(outcome, exited(0));
    assert!(said.contains("untraced 13\n"), "{said}");
}

#[test]
fn a_look_that_makes_nothing_follows_links() {
    let mut secret = Secret::new();
    let layer = SECRET.replace("['read', 'write']", "['stat']");
    let (outcome, said, _) = secret.run(secret.spec(&["look"], &layer));
    let expected = lines(&[
        ("look", libc_errno::EACCES),
        ("look-and-make", libc_errno::EACCES),
        ("make", libc_errno::EEXIST),
        ("look-at-link", 0),
    ]);
    assert_eq!((outcome, said), (exited(0), expected));
}

/// To read something is not to change it, though a descriptor for one does for the other.
#[test]
fn changes_by_descriptor_are_changes() {
    let mut secret = Secret::new();
    let layer = SECRET.replace("['read', 'write']", "['write']");
    let (outcome, said, _) = secret.run(secret.spec(&["change-by-descriptor"], &layer));
    let expected = lines(&[
        ("fchmod", libc_errno::EACCES),
        ("fchown", libc_errno::EACCES),
        ("futimens", libc_errno::EACCES),
        ("fchmod-other", 0),
        ("fchmod-closed", libc_errno::EBADF),
    ]);
    assert_eq!((outcome, said), (exited(0), expected));
}

/// As the layer for languages that need to know nothing but themselves.
const OWN: &str = "
    [[path]]
    id = 'own'
    why = 'what this test is about'
    action = 'allow'
    access = ['read']
    paths = ['/proc/self/**']
    [[path]]
    id = 'own-mounts'
    why = 'the same'
    action = 'deny'
    errno = 'EACCES'
    access = ['read']
    paths = ['/proc/self/mountinfo']";

#[test]
fn a_threads_directory_is_that_of_its_process() {
    let mut secret = Secret::new();
    let (outcome, said, _) = secret.run(secret.spec(&["own-numbers"], OWN));
    let expected = lines(&[
        ("thread", libc_errno::EACCES),
        ("process", libc_errno::EACCES),
        ("child", 0),
    ]);
    assert_eq!((outcome, said), (exited(0), expected));
    let mut jail = start();
    let mut spec = command(&[
        "/bin/sh",
        "-c",
        "for path in self thread-self self/task/2 self/task/2/../../task/2; do
            read line < /proc/$path/mountinfo || echo refused
            read line < /proc/$path/stat && echo read
        done 2> /dev/null",
    ]);
    spec.mode = Mode::Ptrace;
    spec.layers = vec![PolicyLayer::parse(LayerOf::Language, OWN).unwrap()];
    let (facts, stdout, _) = run_captured(&mut jail, spec);
    assert_eq!(facts.outcome, exited(0));
    assert_eq!(stdout, "refused\nread\n".repeat(4));
}

#[test]
fn history_decides() {
    let mut secret = Secret::new();
    let budget = "
        [[budget]]
        id = 'five-files'
        why = 'enough for anybody'
        syscalls = ['openat', 'open']
        count = 5
        action = 'kill'";
    let (outcome, said, audit) = secret.run(secret.spec(&[], budget));
    let cause = KillCause::Policy {
        syscall: Some("openat".to_owned()),
    };
    assert_eq!(outcome, killed(cause));
    assert_eq!(said.lines().count(), 5, "{said}");
    assert_eq!(audit.refused.last().unwrap().rule, "five-files");

    let mut jail = start();
    let mut spec = command(&[
        "/bin/sh",
        "-c",
        "/bin/echo one; read line; /bin/echo two; echo $?",
    ]);
    spec.mode = Mode::Ptrace;
    spec.layers = vec![
        PolicyLayer::parse(
            LayerOf::Language,
            "[[sequence]]
         id = 'no-exec-after-input'
         why = 'a solution has no reason to'
         after = ['read']
         when = [{ arg = 0, is = 'equal', value = 0 }]
         syscalls = ['execve']
         action = 'deny'
         errno = 'EPERM'",
        )
        .unwrap(),
    ];
    let (facts, stdout, _) = run_captured(&mut jail, spec);
    assert_eq!((facts.outcome, stdout.as_str()), (exited(0), "one\n126\n"));
    let last = facts.audit.unwrap().refused.pop().unwrap();
    assert_eq!(
        (last.syscall.as_str(), last.rule.as_str()),
        ("execve", "no-exec-after-input")
    );
}

/// A call that a signal interrupts is made again by the kernel, and is one all the same.
#[test]
fn interrupted_calls_are_counted_once() {
    let budget = |count| {
        format!(
            "[[budget]]
            id = 'reads'
            why = 'what this test is about'
            syscalls = ['read']
            count = {count}
            action = 'kill'"
        )
    };
    let mut jail = start();
    for (count, end) in [
        (2, exited(0)),
        (
            1,
            killed(KillCause::Policy {
                syscall: Some("read".to_owned()),
            }),
        ),
    ] {
        let mut spec = program("traced", &["read_again", "20"]);
        spec.mode = Mode::Ptrace;
        spec.layers = vec![PolicyLayer::parse(LayerOf::Language, &budget(count)).unwrap()];
        let (facts, said, _) = run_captured(&mut jail, spec);
        assert_eq!(facts.outcome, end);
        assert!(said.starts_with("read 1\n"), "{said}");
    }
}
