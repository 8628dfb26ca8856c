//! Path rules hold for what is executed, by its name and as it is loaded.

use crate::harness::*;
use crate::paths::{SECRET, Secret, libc_errno};
use assize_sandbox::{AuditLevel, FileIn, KillCause, Spec};
use bytesize::ByteSize;
use std::os::fd::AsFd;

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

pub(crate) const EXEC: &str = "
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

/// It keeps the name that it had, whatever is called so now.
#[test]
fn a_removed_interpreter_is_looked_at() {
    let mut secret = Secret::new();
    let mut spec = secret.spec(&["removed-interpreter"], EXEC);
    spec.files.push(FileIn {
        path: "/tmp/forbidden".into(),
        content: compile("end"),
        executable: true,
    });
    let (outcome, _, audit) = secret.run(spec);
    let cause = KillCause::Policy {
        syscall: Some("execve".to_owned()),
    };
    assert_eq!(outcome, killed(cause));
    assert_eq!(audit.refused.last().unwrap().rule, "forbidden-program");
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
