//! Tests of policies: what is refused at load, and which rule wins.

use super::effective::FIRST;
use super::*;
use assize_policy::{Access, PolicyLayerError};

const RULE: &str = "[[rule]]\nid = 'one'\nwhy = 'x'\naction = 'allow'\n";

fn parse(layer: &str) -> Result<PolicyLayer, PolicyLayerError> {
    PolicyLayer::parse(LayerOf::Language, layer)
}

fn problem(layer: &str) -> String {
    parse(layer).unwrap_err().to_string()
}

fn effective(layers: &[&str]) -> Effective {
    let layers: Vec<_> = layers.iter().map(|layer| parse(layer).unwrap()).collect();
    put_together(&layers)
}

fn put_together(layers: &[PolicyLayer]) -> Effective {
    let merged = merge(PolicyName::Contestant, layers).unwrap();
    let filter = compile::compile(&merged.policy, Stops::Decided).unwrap();
    Effective::new(&merged, filter).unwrap()
}

fn decides(policy: &Effective, ids: &[String], access: Access, path: &str) -> Option<String> {
    let rule = policy.paths.decide(access, path.as_bytes())?;
    ids.get(usize::from(rule)).cloned()
}

#[test]
fn shipped_policies_compile() {
    let mut policies = Policies::default();
    for name in [PolicyName::Contestant, PolicyName::Compiler] {
        for stops in [Stops::None, Stops::Decided, Stops::All] {
            policies.find(name, stops, &[]).unwrap();
        }
    }
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
fn rules_that_could_both_hold_must_do_the_same() {
    let rules = |one: &str, other: &str| {
        format!(
            "{RULE}syscalls = ['ioctl']\nwhen = [{one}]\n[[rule]]\nid = 'two'\nwhy = 'y'\n\
             action = 'kill'\nsyscalls = ['ioctl']\nwhen = [{other}]"
        )
    };
    let low = "{ arg = 1, is = 'equal', mask = 0xf, value = 1 }";
    let refused = problem(&rules(
        low,
        "{ arg = 1, is = 'equal', mask = 0xf0, value = 0x10 }",
    ));
    assert!(refused.contains("one and two"), "{refused}");
    problem(&rules(low, "{ arg = 2, is = 'equal', value = 2 }"));
    problem(&rules(low, "{ arg = 1, is = 'not_equal', value = 2 }"));
    let fine = rules(low, "{ arg = 1, is = 'equal', mask = 0xff, value = 2 }");
    parse(&fine).unwrap();
}

#[test]
fn conditions_that_no_filter_can_express_are_refused() {
    let rule = |when| format!("{RULE}syscalls = ['ioctl']\nwhen = [{when}]");
    for (when, says) in [
        ("{ arg = 6, is = 'equal', value = 1 }", "0 to 5"),
        (
            "{ arg = 1, is = 'not_equal', mask = 1, value = 1 }",
            "no mask",
        ),
        (
            "{ arg = 1, is = 'equal', mask = 1, value = 2 }",
            "leaves out",
        ),
    ] {
        let problem = problem(&rule(when));
        assert!(
            problem.contains("the rule one") && problem.contains(says),
            "{problem}"
        );
    }
}

#[test]
fn explanation_names_the_rule_and_its_reason() {
    let policy = EffectivePolicy::shipped(PolicyName::Contestant, &[]).unwrap();
    let explained = policy.explain("socket").unwrap();
    let rules: Vec<_> = explained
        .rules
        .iter()
        .map(|rule| rule.rule.as_str())
        .collect();
    assert_eq!(rules, ["local-socket", "network"]);
    assert_eq!(explained.rules[1].conditions, ["arg0 != 0x1"]);
    let decided = |name, arguments| {
        let decided = policy.decide(name, &arguments).unwrap();
        (decided.rule, decided.action)
    };
    let is = |rule: &str, action: &str| (rule.to_owned(), action.to_owned());
    assert_eq!(decided("socket", [2; 6]), is("network", "kill"));
    assert_eq!(decided("socket", [1; 6]), is("local-socket", "deny EACCES"));
    assert_eq!(decided("clone", [0x1_0000_0011; 6]), is("threads", "trace"));
    assert_eq!(decided("vmsplice", [0; 6]), is("kernel", "kill"));
    assert_eq!(decided("uselib", [0; 6]), is("default", "deny ENOSYS"));
    let budget = "[[budget]]\nid='few'\nwhy='x'\nsyscalls=['read']\ncount=3\naction='kill'";
    let policy = EffectivePolicy::parse(budget, PolicyName::Compiler).unwrap();
    let explained = policy.explain("read").unwrap();
    assert_eq!(explained.traced[0].says, "kill after 3 of read");
    assert!(
        policy
            .explain("raed")
            .unwrap_err()
            .to_string()
            .contains("read?")
    );
}

#[test]
fn difference_is_what_programs_notice() {
    let contestant = EffectivePolicy::shipped(PolicyName::Contestant, &[]).unwrap();
    let compiler = EffectivePolicy::shipped(PolicyName::Compiler, &[]).unwrap();
    let differences = contestant.differences(&compiler);
    let names: Vec<_> = differences.iter().map(|one| one.syscall.as_str()).collect();
    assert_eq!(
        names,
        [
            "socket",
            "connect",
            "accept",
            "bind",
            "listen",
            "accept4",
            "name_to_handle_at"
        ]
    );
    let connect = &differences[1];
    assert_eq!(connect.before[0].action, "kill");
    assert_eq!(connect.after[0].action, "deny EACCES");
    let renamed = format!("{RULE}syscalls = ['getppid']");
    let renamed = EffectivePolicy::parse(&renamed, PolicyName::Contestant).unwrap();
    assert_eq!(contestant.differences(&renamed), []);
}

#[test]
fn narrowed_layer_allows_what_was_used_and_no_more() {
    let contestant = EffectivePolicy::shipped(PolicyName::Contestant, &[]).unwrap();
    let used = ["read", "write", "clone", "ptrace"]
        .map(str::to_owned)
        .into();
    let layer = contestant.narrowed_to(&used, "two \"odd\" programs");
    let narrowed = EffectivePolicy::parse(&layer, PolicyName::Contestant).unwrap();
    let action = |name, argument| narrowed.decide(name, &[argument; 6]).unwrap().action;
    for name in ["read", "write", "exit_group", "execveat"] {
        assert_eq!(
            action(name, 0),
            contestant.decide(name, &[0; 6]).unwrap().action,
            "{name}"
        );
    }
    assert_eq!(action("clone", 0), "trace");
    assert_eq!(action("clone", 0x2000_0000), "kill");
    assert_eq!(action("getpid", 0), "deny ENOSYS");
    assert_eq!(action("prctl", 15), "deny ENOSYS");
    assert_eq!(action("ptrace", 0), "kill");
    let again = narrowed.narrowed_to(&used, "the same");
    assert!(again.ends_with("syscalls = [\n]\n"), "{again}");
}

#[test]
fn whole_policies_are_read_like_layers() {
    let whole = format!("extends = 'contestant'\n{RULE}syscalls = ['connect']");
    let whole = EffectivePolicy::parse(&whole, PolicyName::Compiler).unwrap();
    assert_eq!(whole.decide("connect", &[0; 6]).unwrap().action, "allow");
    assert_eq!(whole.decide("bind", &[0; 6]).unwrap().action, "kill");
    let alone = format!("default = 'EPERM'\n{RULE}syscalls = ['connect']");
    let alone = EffectivePolicy::parse(&alone, PolicyName::Compiler).unwrap();
    assert_eq!(alone.decide("read", &[0; 6]).unwrap().action, "deny EPERM");
    assert!(EffectivePolicy::parse("default = 'EWHAT'", PolicyName::Compiler).is_err());
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
    let layer = parse(layer).unwrap();
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
    let layers = [&low, &high].map(|layer| parse(layer).unwrap());
    let ids = rule_ids(PolicyName::Contestant, &layers);
    assert_eq!(
        decides(&policy, &ids, Access::Read, "/etc/x").unwrap(),
        "high"
    );
    assert_eq!(policy.action(FIRST), TracedAction::Allow);
    assert_eq!(ids.get(usize::from(FIRST)).unwrap(), "high-rule");
}

fn merged_problem(layer: &str) -> String {
    let layers = [parse(layer).unwrap()];
    merge(PolicyName::Contestant, &layers).unwrap_err()
}

fn rule(action: &str, calls: &str) -> String {
    format!("[[rule]]\nid = 'own'\nwhy = 'x'\naction = {action}\nsyscalls = [{calls}]\n")
}

/// Nothing a layer says takes back what holds for the observed, too.
#[test]
fn layers_loosen_nothing_that_holds_always() {
    for (call, firm) in [
        ("prctl", "own-filter"),
        ("seccomp", "own-filter-call"),
        ("unshare", "namespaces"),
        ("clone", "clone-namespaces"),
        ("io_uring_enter", "rings"),
        ("add_key", "keys"),
        ("setrlimit", "limit-of-core-dumps"),
        ("prlimit64", "limit-of-core-dumps-by-prlimit"),
    ] {
        for action in ["'allow'", "'trace'", "'kill'"] {
            let problem = merged_problem(&rule(action, &format!("'getpid', '{call}'")));
            let named = [call, "own", firm]
                .iter()
                .all(|name| problem.contains(name));
            assert!(named, "{action}: {problem}");
        }
    }
    let new_mounts = "when = [{ arg = 0, is = 'equal', mask = 0x20000, value = 0x20000 }]";
    for action in ["'allow'", "'kill'\nalways = true"] {
        let problem = merged_problem(&(rule(action, "'clone'") + new_mounts));
        assert!(problem.contains("clone-namespaces"), "{problem}");
    }
    // What it says beside them stands beside them.
    let threads = rule("'allow'", "'clone'")
        + "when = [{ arg = 0, is = 'equal', mask = 0x7e020000, value = 0 }]";
    let policy = EffectivePolicy::parse(&threads, PolicyName::Contestant).unwrap();
    let clone = |flags| policy.decide("clone", &[flags; 6]).unwrap().rule;
    assert_eq!(
        (clone(0), clone(0x20000)),
        ("own".into(), "clone-namespaces".into())
    );
}

/// Who refuses a whole call to everybody need not repeat how the layer below refuses it.
#[test]
fn layers_may_refuse_more_than_what_holds_always() {
    let denied = "'deny'\nerrno = 'EPERM'";
    let firm = "'kill'\nalways = true";
    for action in [denied, firm] {
        let calls = "'prctl', 'clone', 'setns', 'userfaultfd', 'add_key', 'prlimit64'";
        let layer = rule(action, calls);
        let policy = EffectivePolicy::parse(&layer, PolicyName::Contestant).unwrap();
        for (call, decides) in [
            ("prctl", "own"),
            ("setns", "own"),
            ("unshare", "namespaces"),
        ] {
            assert_eq!(policy.decide(call, &[22; 6]).unwrap().rule, decides);
        }
    }
    // Of several layers, too: the higher one says what it says over the lower one's.
    let [low, high] = ["'getpid', 'setns'", "'setns'"].map(|calls| rule(firm, calls));
    let layers = [low, high.replace("'own'", "'higher'")].map(|layer| parse(&layer).unwrap());
    let policy = EffectivePolicy::shipped(PolicyName::Contestant, &layers).unwrap();
    let decides = |call| policy.decide(call, &[0; 6]).unwrap().rule;
    assert_eq!(
        (decides("setns"), decides("getpid")),
        ("higher".into(), "own".into())
    );
}

#[test]
fn paths_that_nobody_could_decide_about_are_not_allowed() {
    let layer = rule("'allow'", "'getpid', 'inotify_add_watch'");
    let path = "[[path]]\nid='p'\nwhy='x'\naction='kill'\naccess=['read']\npaths=['/etc/**']\n";
    EffectivePolicy::parse(&layer, PolicyName::Contestant).unwrap();
    let refused = EffectivePolicy::parse(&(layer + path), PolicyName::Contestant);
    let problem = refused.unwrap_err().to_string();
    assert!(
        problem.contains("own") && problem.contains("inotify_add_watch"),
        "{problem}"
    );
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

/// A problem's and a flag's layer are laid over one of a language that says the
/// opposite: whatever one of the three refuses is refused, by the strictest.
#[test]
fn layers_that_only_add_take_nothing_back() {
    let path = |id: &str, action: &str, path: &str| {
        format!(
            "[[path]]\nid = '{id}'\nwhy = 'x'\naction = {action}\naccess = ['read']\npaths = ['{path}']\n"
        )
    };
    let deny = "'deny'\nerrno = 'EACCES'";
    let budget = |id: &str, action: &str| {
        format!(
            "[[budget]]\nid = '{id}'\nwhy = 'x'\nsyscalls = ['fork']\ncount = 0\naction = {action}\n"
        )
    };
    let language = [
        path("a", "'kill'", "/a/**"),
        path("b", deny, "/b"),
        path("c", "'trace'", "/c"),
        budget("f", "'kill'"),
    ];
    let problem = [
        path("all", deny, "/**"),
        path("a", "'trace'", "/a/**"),
        path("b", "'trace'", "/b"),
        budget("f", deny),
    ];
    let flag = [path("c", "'kill'", "/c")];
    // The order they are given in says nothing.
    let layers = [
        PolicyLayer::parse(LayerOf::Flag, &flag.concat()).unwrap(),
        PolicyLayer::parse(LayerOf::Problem, &problem.concat()).unwrap(),
        parse(&language.concat()).unwrap(),
    ];
    let ids = rule_ids(PolicyName::Contestant, &layers);
    let policy = put_together(&layers);
    for (path, rule) in [
        ("/a/x", "a"),
        ("/b", "b"),
        ("/c", "flag:c"),
        ("/d", "problem:all"),
    ] {
        let decided = decides(&policy, &ids, Access::Read, path);
        assert_eq!(decided.as_deref(), Some(rule), "{path}");
    }
    assert_eq!(decides(&policy, &ids, Access::Write, "/d"), None);
    let mut history = History::default();
    let fork = names::native("fork").unwrap();
    let against = policy.remember(&mut history, fork, &[0; 6]).unwrap();
    assert_eq!(ids.get(usize::from(against)).unwrap(), "f");
}
