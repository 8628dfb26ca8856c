//! Path rules hold, whichever way a program goes to a file and however fast
//! it changes its mind.

use crate::harness::*;
use assize_sandbox::{
    Audit, AuditEntry, AuditLevel, Decision, FileIn, Jail, KillCause, LayerOf, Mode, Mount,
    Outcome, PolicyLayer, Spec,
};
use bytesize::ByteSize;
use std::collections::BTreeSet;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

const SECRET: &str = "
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

struct Secret {
    jail: Jail,
    program: OwnedFd,
    directory: tempfile::TempDir,
}

impl Secret {
    fn new() -> Self {
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

    fn spec(&self, args: &[&str], layer: &str) -> Spec {
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

    fn run(&mut self, spec: Spec) -> (Outcome, String, Audit) {
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

mod libc_errno {
    pub(super) const ENOENT: i32 = 2;
    pub(super) const EBADF: i32 = 9;
    pub(super) const EACCES: i32 = 13;
    pub(super) const EFAULT: i32 = 14;
    pub(super) const ENOTDIR: i32 = 20;
    pub(super) const EINVAL: i32 = 22;
    pub(super) const ENAMETOOLONG: i32 = 36;
    pub(super) const ENOSYS: i32 = 38;
    pub(super) const ELOOP: i32 = 40;
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

fn race(kind: &str, expected: &str) {
    let seconds = std::env::var("ASSIZE_RACE_SECONDS").unwrap_or_else(|_| "4".to_owned());
    let mut secret = Secret::new();
    let mut spec = secret.spec(&[kind, &seconds], SECRET);
    spec.audit = AuditLevel::Summary;
    spec.limits.cpu_time = Duration::from_secs(70);
    spec.limits.wall_time = Duration::from_secs(90);
    let (outcome, said, _) = secret.run(spec);
    assert_eq!((outcome, said.as_str()), (exited(0), expected));
}

#[test]
fn memory_changed_by_a_thread_wins_no_race() {
    race("thread", "opened and refused\n");
}

#[test]
fn memory_changed_by_a_process_wins_no_race() {
    race("process", "opened and refused\n");
}

#[test]
fn link_changed_by_a_process_wins_no_race() {
    race("link", "opened and refused\n");
}

#[test]
fn memory_changed_by_the_end_of_a_thread_wins_no_race() {
    race("ends", "refused and never read\n");
}

/// Who executes waits for the other threads' ends, and must not be waited for meanwhile.
#[test]
fn threads_that_open_files_while_one_executes() {
    let mut secret = Secret::new();
    for layer in [SECRET, &[SECRET, EXEC].concat()] {
        let mut spec = secret.spec(&["exec-in-threads", "4"], layer);
        spec.audit = AuditLevel::Summary;
        let (outcome, said, _) = secret.run(spec);
        assert_eq!((outcome, said.as_str()), (exited(0), "executed\n"));
    }
}

/// What a thread executes takes the place of the first thread, whose own call may be
/// looked at just then. What is loaded is refused in any case.
#[test]
fn what_a_thread_executes_is_looked_at() {
    let layer = SECRET.to_owned()
        + "
        [[path]]
        id = 'library'
        why = 'what is loaded beside a program that may be executed'
        action = 'deny'
        errno = 'EACCES'
        access = ['exec']
        paths = ['/usr/lib/**']";
    let mut secret = Secret::new();
    for _ in 0..20 {
        let spec = secret.spec(&["exec-in-threads", "8", "/bin/echo"], &layer);
        let (outcome, said, _) = secret.run(spec);
        let cause = KillCause::Policy {
            syscall: Some("execve".to_owned()),
        };
        assert_eq!((outcome, said.as_str()), (killed(cause), ""));
    }
}

/// Between a stop and our look at it somebody may be killed.
#[test]
fn who_is_killed_at_any_moment_does_not_break_the_tracer() {
    let mut secret = Secret::new();
    let exec = [SECRET, EXEC].concat();
    for (level, layer) in [
        (AuditLevel::Summary, SECRET),
        (AuditLevel::Full, SECRET),
        (AuditLevel::Summary, &exec),
    ] {
        let mut spec = secret.spec(&["kill", "50"], layer);
        spec.audit = level;
        let (outcome, said, _) = secret.run(spec);
        assert_eq!((outcome, said.as_str()), (exited(0), "killed\n"));
    }
}

#[test]
fn who_is_left_at_a_call_dies_with_the_program() {
    let mut secret = Secret::new();
    for left in (1..5).cycle().take(20) {
        let (outcome, said, _) = secret.run(secret.spec(&["leave", &left.to_string()], SECRET));
        assert_eq!((outcome, said.as_str()), (exited(0), "left\n"));
    }
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

/// As the layer for languages that need to know nothing but themselves.
#[test]
fn a_threads_directory_is_that_of_its_process() {
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
    let layer = "
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
    spec.layers = vec![PolicyLayer::parse(LayerOf::Language, layer).unwrap()];
    let (facts, stdout, _) = run_captured(&mut jail, spec);
    assert_eq!(facts.outcome, exited(0));
    assert_eq!(stdout, "refused\nread\n".repeat(4));
}

const EXEC: &str = "
    [[path]]
    id = 'forbidden-program'
    why = 'what this test is about'
    action = 'kill'
    access = ['exec']
    paths = ['/tmp/forbidden']";

#[test]
fn exec_is_decided_by_what_is_loaded() {
    let mut secret = Secret::new();
    let end = compile("end");
    let files = |spec: &mut Spec| {
        spec.limits.output = ByteSize::mib(16);
        for path in ["/tmp/allowed", "/tmp/forbidden"] {
            spec.files.push(FileIn {
                path: path.into(),
                content: end.as_fd().try_clone_to_owned().unwrap(),
                executable: true,
            });
        }
    };
    let mut spec = secret.spec(&["exec", "5"], EXEC);
    files(&mut spec);
    let (outcome, ..) = secret.run(spec);
    assert_eq!(outcome, exited(0));
    // Sooner or later the link names what is forbidden: at the look or after.
    // Whoever stands still when the run is killed must not be waited for.
    for _ in 0..10 {
        let mut spec = secret.spec(&["exec", "100000", "swap"], EXEC);
        files(&mut spec);
        let (outcome, _, audit) = secret.run(spec);
        let cause = KillCause::Policy {
            syscall: Some("execve".to_owned()),
        };
        assert_eq!(outcome, killed(cause));
        assert_eq!(audit.refused.last().unwrap().rule, "forbidden-program");
    }
}

const EXEC_ONE: &str = "
    [[path]]
    id = 'one-program'
    why = 'what this test is about'
    action = 'trace'
    access = ['exec']
    paths = ['/tmp/allowed']
    [[path]]
    id = 'no-other'
    why = 'the same'
    action = 'deny'
    errno = 'EACCES'
    access = ['exec']
    paths = ['/**']";

#[test]
fn a_copy_of_what_may_be_executed_may_not() {
    let mut secret = Secret::new();
    let mut spec = secret.spec(&["execute-copies"], EXEC_ONE);
    spec.files.push(FileIn {
        path: "/tmp/allowed".into(),
        content: compile("end"),
        executable: true,
    });
    let (outcome, said, audit) = secret.run(spec);
    assert_eq!(outcome, exited(0));
    // What could be executed says nothing.
    let ways = ["copy", "memfd", "memfd-proc", "o-path", "deleted"];
    let refused = ways.map(|way| format!("{way} {}\n", libc_errno::EACCES));
    assert_eq!(said, format!("{}removed 0\n", refused.concat()));
    let rules: Vec<_> = audit
        .refused
        .iter()
        .map(|call| call.rule.as_str())
        .collect();
    let rules: Vec<_> = rules.into_iter().filter(|rule| *rule != "clone3").collect();
    assert_eq!(rules, ["no-other"; 5]);
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
