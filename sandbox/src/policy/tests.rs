//! Tests of policies: what is refused at load, and which rule wins.

use super::effective::FIRST;
use super::*;

const RULE: &str = "[[rule]]\nid = 'one'\nwhy = 'x'\naction = 'allow'\n";

fn problem(layer: &str) -> String {
    PolicyLayer::parse(layer).unwrap_err().to_string()
}

fn effective(layers: &[&str]) -> Effective {
    let layers: Vec<_> = layers
        .iter()
        .map(|layer| PolicyLayer::parse(layer).unwrap())
        .collect();
    let policy = merge(PolicyName::Contestant, &layers).unwrap();
    let filter = compile::compile(&policy, Stops::Decided).unwrap();
    Effective::new(&policy, filter).unwrap()
}

fn decides(policy: &Effective, ids: &[String], access: Access, path: &str) -> Option<String> {
    let rule = policy.paths.decide(access, path.as_bytes())?;
    ids.get(usize::from(rule)).cloned()
}

#[test]
fn shipped_policies_compile() {
    Policies::compile().unwrap();
}

#[test]
fn unknown_name_is_an_error() {
    assert!(problem(&format!("{RULE}syscalls = ['frobnicate']")).contains("frobnicate"));
}

#[test]
fn contradiction_is_an_error() {
    let rules = format!(
        "{RULE}syscalls = ['ptrace']\n[[rule]]\nid = 'two'\nwhy = 'y'\naction = 'kill'\n\
         syscalls = ['ptrace']"
    );
    assert!(problem(&rules).contains("ptrace"));
}

#[test]
fn rule_needs_reason_and_one_id() {
    let rule = RULE.replace("'x'", "''");
    assert!(problem(&format!("{rule}syscalls = ['read']")).contains("reason"));
    let rule = format!("{RULE}syscalls = ['read']\n");
    let again = rule.replace("read", "write");
    assert!(problem(&format!("{rule}{again}")).contains("two rules"));
}

#[test]
fn patterns_are_canonical() {
    for path in ["etc", "/etc/../x", "/etc/", "/e*c", "/a//b", "/./a"] {
        let rule = format!(
            "[[path]]\nid = 'p'\nwhy = 'x'\naction = 'kill'\naccess = ['read']\npaths = ['{path}']"
        );
        assert!(problem(&rule).contains(path), "{path}");
    }
}

#[test]
fn most_specific_pattern_decides() {
    let layer = "
        [[path]]
        id = 'all'
        why = 'x'
        action = 'kill'
        access = ['read', 'write']
        paths = ['/**']
        [[path]]
        id = 'library'
        why = 'x'
        action = 'allow'
        access = ['read']
        paths = ['/usr/**', '/etc/passwd']
        [[path]]
        id = 'soft'
        why = 'x'
        action = 'deny'
        errno = 'EACCES'
        access = ['read']
        paths = ['/usr/share/*', '/usr/secret/**']";
    let policy = effective(&[layer]);
    let layer = PolicyLayer::parse(layer).unwrap();
    let ids = rule_ids(PolicyName::Contestant, &[layer]);
    let read = |path| decides(&policy, &ids, Access::Read, path).unwrap();
    for (path, rule) in [
        ("/", "all"),
        ("/etc", "all"),
        ("/etc/passwd", "library"),
        ("/etc/passwd2", "all"),
        ("/usr", "library"),
        ("/usr/lib/a/b", "library"),
        ("/usrx", "all"),
        ("/usr/share", "library"),
        ("/usr/share/a", "soft"),
        ("/usr/share/a/b", "library"),
        ("/usr/secret", "soft"),
        ("/usr/secret/a/b", "soft"),
    ] {
        assert_eq!(read(path), rule, "{path}");
    }
    assert_eq!(
        decides(&policy, &ids, Access::Write, "/usr/lib").unwrap(),
        "all"
    );
    assert_eq!(decides(&policy, &ids, Access::Stat, "/usr/lib"), None);
    assert!(policy.paths.restrict(Access::Write));
    assert!(!policy.paths.restrict(Access::Exec));
}

#[test]
fn higher_layer_wins() {
    let path = |id: &str, action: &str| {
        format!(
            "[[path]]\nid = '{id}'\nwhy = 'x'\naction = '{action}'\naccess = ['read']\npaths = ['/etc/*']\n\
             [[rule]]\nid = '{id}-rule'\nwhy = 'x'\naction = '{action}'\nsyscalls = ['getpid']"
        )
    };
    let (low, high) = (path("low", "kill"), path("high", "trace"));
    let policy = effective(&[&low, &high]);
    let layers = [&low, &high].map(|layer| PolicyLayer::parse(layer).unwrap());
    let ids = rule_ids(PolicyName::Contestant, &layers);
    assert_eq!(
        decides(&policy, &ids, Access::Read, "/etc/x").unwrap(),
        "high"
    );
    assert_eq!(policy.action(FIRST), TracedAction::Allow);
    assert_eq!(ids.get(usize::from(FIRST)).unwrap(), "high-rule");
}

#[test]
fn history_counts_and_remembers() {
    let policy = effective(&["
        [[budget]]
        id = 'few'
        why = 'x'
        syscalls = ['getpid', 'getuid']
        count = 2
        action = 'kill'
        [[sequence]]
        id = 'no-exec-after-input'
        why = 'x'
        after = ['read']
        when = [{ arg = 0, is = 'equal', value = 0 }]
        syscalls = ['execve']
        action = 'deny'
        errno = 'EPERM'"]);
    let mut history = History::default();
    let (getpid, getuid, read, execve) = (39, 102, 0, 59);
    let mut call = |number, argument| {
        let rule = policy.remember(&mut history, number, &[argument, 0, 0, 0, 0, 0]);
        rule.map(|rule| policy.action(rule))
    };
    assert_eq!(call(getpid, 0), None);
    assert_eq!(call(getuid, 0), None);
    assert_eq!(call(getpid, 0), Some(TracedAction::Kill));
    assert_eq!(call(execve, 0), None);
    assert_eq!(call(read, 3), None);
    assert_eq!(call(execve, 0), None);
    assert_eq!(call(read, 0), None);
    assert_eq!(call(execve, 0), Some(TracedAction::Deny(libc::EPERM)));
}
