//! The policies of languages and problems: what a tracer refuses besides what all
//! programs are refused.

use std::collections::BTreeSet;

use assize_common::{SandboxMode, Stop, Verdict};
use assize_worker::judge::Judged;

use crate::court::{TestPackage, chain, try_judge_under};

/// Tries what solutions do not do, and prints what came of it.
const CURIOUS_C: &str = r#"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void *count(void *counted) { ++*(int *)counted; return NULL; }
static const char *came(int ok) { return ok ? "allowed" : "refused"; }

int main(void) {
  int counted = 0;
  pthread_t thread;
  if (pthread_create(&thread, NULL, count, &counted) || pthread_join(thread, NULL)) return 1;
  printf("threads %s\n", came(counted == 1));
  printf("itself %s\n", came(fopen("/proc/self/maps", "r") != NULL));
  pid_t child = fork();
  if (child == 0) _exit(0);
  printf("fork %s\n", came(child > 0));
  printf("shell %s\n", came(system("exit 0") == 0));
  printf("settings %s\n", came(fopen("/etc/passwd", "r") != NULL));
  printf("mounts %s\n", came(fopen("/proc/self/mountinfo", "r") != NULL));
  fflush(stdout);
  execl("/usr/bin/true", "true", NULL);
  puts("exec refused");
}
"#;

const CURIOUS_PYTHON: &str = r#"
import os, threading
thread = threading.Thread(target=lambda: print("threads allowed"))
thread.start()
thread.join()
try:
    if os.fork() == 0:
        os._exit(0)
    print("fork allowed")
except PermissionError:
    print("fork refused")
print("shell", "allowed" if os.system("exit 0") == 0 else "refused", flush=True)
try:
    os.execl("/usr/bin/true", "true")
except PermissionError:
    print("exec refused")
"#;

fn judge(sandbox: SandboxMode, name: &str, source: &str, output: &str) -> Judged {
    let package = TestPackage::new("limits:\n  time_limit: 5\n")
        .with_testcase("secret/1", "", output)
        .with(&format!("submissions/accepted/{name}"), source);
    try_judge_under(sandbox, &package, name, Stop::FirstFailure)
        .unwrap_or_else(|error| panic!("{name}: {}", chain(&error)))
}

#[test]
fn languages_have_policies_under_ptrace() {
    let all = "threads allowed\nitself allowed\nfork allowed\nshell allowed\nsettings allowed\nmounts allowed\n";
    let few = "threads allowed\nitself allowed\nfork refused\nshell refused\nsettings refused\nmounts refused\n\
               exec refused\n";
    let python_all = "threads allowed\nfork allowed\nshell allowed\n";
    let python_few = "threads allowed\nfork refused\nshell refused\nexec refused\n";
    for (name, source, all, few, rules) in [
        (
            "curious.c",
            CURIOUS_C,
            all,
            few,
            ["alone-by-clone", "look-around", "one-program"].as_slice(),
        ),
        (
            "curious.py",
            CURIOUS_PYTHON,
            python_all,
            python_few,
            &["alone-by-clone", "one-program"],
        ),
    ] {
        let untraced = judge(SandboxMode::Unshare, name, source, all);
        assert_eq!(untraced.verdict, Verdict::Ac, "{name}: {untraced:?}");
        let traced = judge(SandboxMode::Ptrace, name, source, few);
        assert_eq!(traced.verdict, Verdict::Ac, "{name}: {traced:?}");
        // libc asks for clone3 first, which is refused to all.
        let by = refusing_rules(&traced);
        assert_eq!(
            by.iter()
                .map(String::as_str)
                .filter(|rule| *rule != "clone3")
                .collect::<Vec<_>>(),
            rules,
            "{name}"
        );
    }
}

/// The rules that have refused something in any run.
fn refusing_rules(judged: &Judged) -> BTreeSet<String> {
    let runs = judged.audits.iter();
    runs.flat_map(|run| run.unwrap().decode().unwrap().audit.refused)
        .map(|call| call.rule)
        .collect()
}

const RULES: &str = r#"
[[path]]
id = "no-maps"
why = "the layout of memory is what this problem asks for"
action = "deny"
errno = "EACCES"
access = ["read"]
paths = ["/proc/self/maps"]

[[path]]
id = "accounts"
why = "would allow what the language's policy refuses"
action = "trace"
access = ["read"]
paths = ["/etc/passwd"]

[[sequence]]
id = "files-before-input"
why = "who has read the input only computes"
after = ["read"]
when = [{ arg = 0, is = "equal", value = 0 }]
syscalls = ["open", "openat"]
action = "deny"
errno = "EPERM"

[[budget]]
id = "few-questions"
why = "three are enough"
syscalls = ["getppid"]
count = 3
action = "kill"
"#;

const ASKS_C: &str = r#"
#include <stdio.h>
#include <unistd.h>

static void look(const char *path) {
  printf("%s %s\n", path, fopen(path, "r") ? "allowed" : "refused");
}

int main(void) {
  look("/proc/self/maps");
  look("/proc/self/status");
  look("/etc/passwd");
  int questions = getchar() - '0';
  look("/proc/self/status");
  fflush(stdout);
  while (questions--) getppid();
}
"#;

#[test]
fn problems_have_rules_under_ptrace() {
    let output = "/proc/self/maps refused\n/proc/self/status allowed\n/etc/passwd refused\n/proc/self/status refused\n";
    let package = TestPackage::new("limits:\n  time_limit: 5\n")
        .with_testcase("secret/1", "3\n", output)
        .with_testcase("secret/2", "4\n", output)
        .with("assize-policy.toml", RULES)
        .with("submissions/accepted/asks.c", ASKS_C);
    let judged = try_judge_under(SandboxMode::Ptrace, &package, "asks.c", Stop::End)
        .unwrap_or_else(|error| panic!("{}", chain(&error)));
    let verdicts: Vec<_> = judged.runs.iter().map(|run| run.verdict).collect();
    assert_eq!(verdicts, [Verdict::Ac, Verdict::Sv], "{judged:?}");
    let by = refusing_rules(&judged);
    assert_eq!(
        by.into_iter().collect::<Vec<_>>(),
        [
            "look-around",
            "problem:few-questions",
            "problem:files-before-input",
            "problem:no-maps"
        ]
    );
}
