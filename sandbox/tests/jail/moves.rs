//! What a path rule refuses is refused under any other name, too.

use crate::harness::*;
use assize_sandbox::{AuditLevel, LayerOf, Mode, PolicyLayer};

const RULES: &str = "
    [[path]]
    id = 'program'
    why = 'what this test is about'
    action = 'deny'
    errno = 'EACCES'
    access = ['exec']
    paths = ['/tmp/program', '/tmp/data/**']
    [[path]]
    id = 'unseen'
    why = 'the same'
    action = 'deny'
    errno = 'EACCES'
    access = ['stat']
    paths = ['/tmp/unseen']
    [[path]]
    id = 'secret'
    why = 'the same'
    action = 'deny'
    errno = 'EACCES'
    access = ['read']
    paths = ['/tmp/box/inner/secret', '/tmp/kept/*', '/tmp/closed/**']
    [[path]]
    id = 'open'
    why = 'the same'
    action = 'allow'
    access = ['read']
    paths = ['/tmp/closed/*']
    [[path]]
    id = 'absent'
    why = 'the same'
    action = 'deny'
    errno = 'EACCES'
    access = ['write']
    paths = ['/tmp/absent/only']";

const EACCES: i32 = 13;

#[test]
fn what_is_refused_can_not_be_moved_away() {
    let mut spec = program("moves", &[]);
    spec.mode = Mode::Ptrace;
    spec.audit = AuditLevel::Decisions;
    spec.layers = vec![PolicyLayer::parse(LayerOf::Language, RULES).unwrap()];
    let mut jail = start();
    let (facts, said, _) = run_captured(&mut jail, spec);
    assert_eq!(facts.outcome, exited(0));
    let expected = [
        ("executed", EACCES),
        ("link-program", EACCES),
        ("rename-program", EACCES),
        ("link-unseen", EACCES),
        ("rename-parent", EACCES),
        ("rename-above", EACCES),
        ("rename-relative", EACCES),
        ("rename-children", EACCES),
        ("rename-excepted", EACCES),
        ("rename-inside", 0),
        ("rename-data", 0),
        ("link-data", 0),
        ("rename-to-execute", EACCES),
        ("link-to-execute", EACCES),
        ("exchange", EACCES),
        ("rename-under-a-rule", EACCES),
        ("rename-free", 0),
        ("link-free", 0),
        ("reopened", EACCES),
        ("unlinked", 0),
        ("reopened-unlinked", EACCES),
        ("named-so", 0),
        ("executed-unlinked", EACCES),
        ("link-unlinked", EACCES),
    ];
    let expected = expected.map(|(name, errno)| format!("{name} {errno}\n"));
    assert_eq!(said, expected.concat());
    let audit = facts.audit.unwrap();
    let rules = audit.refused.iter().map(|call| call.rule.as_str());
    let rules: Vec<_> = rules.filter(|rule| *rule != "clone3").collect();
    let expected = [
        &["program"; 3][..],
        &["unseen"],
        &["secret"; 5],
        &["program"; 2],
        &["secret"],
        &["absent"],
        &["secret"; 2],
        &["program"; 2],
    ];
    assert_eq!(rules, expected.concat());
}

/// Also without rules, so that a search finds it.
#[test]
fn what_is_recorded_is_what_was_meant() {
    let mut spec = program("moves", &["around"]);
    spec.mode = Mode::Ptrace;
    spec.audit = AuditLevel::Decisions;
    let (facts, ..) = run_captured(&mut start(), spec);
    assert_eq!(facts.outcome, exited(0));
    let log = facts.audit.unwrap().log;
    let paths = |name| {
        let calls = log.entries().filter(move |call| call.syscall == name);
        calls.flat_map(|call| call.paths).collect::<Vec<_>>()
    };
    assert_eq!(paths("chdir"), ["/proc"]);
    let opened = paths("openat");
    let maps = opened.iter().filter(|path| *path == "/proc/self/maps");
    assert_eq!(maps.count(), 3, "{opened:?}");
}
