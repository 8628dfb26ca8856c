//! The tracer follows whatever programs do, and changes none of it.

use crate::harness::*;
use assize_sandbox::{
    Audit, AuditEntry, AuditLevel, Decision, Facts, FileIn, Jail, KillCause, LayerOf, Mode,
    Outcome, PolicyLayer, Spec,
};
use bytesize::ByteSize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::process::Command;
use std::time::Duration;

struct Traced {
    jail: Jail,
    program: OwnedFd,
}

impl Traced {
    fn new() -> Self {
        Self {
            jail: start(),
            program: compile("traced"),
        }
    }

    fn spec(&self, args: &[&str], mode: Mode) -> Spec {
        let program = self.program.as_fd().try_clone_to_owned().unwrap();
        let mut spec = spec(program);
        spec.args = [&["program"], args]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect();
        spec.mode = mode;
        spec
    }

    fn run(&mut self, args: &[&str], mode: Mode) -> (Facts, String) {
        let spec = self.spec(args, mode);
        let (facts, stdout, stderr) = run_captured(&mut self.jail, spec);
        assert_eq!(stderr, "", "{args:?} in {mode:?}");
        (facts, stdout)
    }

    /// Runs in both modes; they must end alike and print the same.
    fn both(&mut self, args: &[&str]) -> (Outcome, String, Audit) {
        let (untraced, said) = self.run(args, Mode::Unshare);
        assert_eq!(untraced.audit, None);
        let (traced, said_traced) = self.run(args, Mode::Ptrace);
        assert_eq!(said_traced, said, "{args:?}");
        assert_eq!(traced.outcome, untraced.outcome, "{args:?}");
        (traced.outcome, said, traced.audit.unwrap())
    }

    /// Runs traced; the run must be killed for this call.
    fn forbidden(&mut self, args: &[&str], syscall: &str) -> Audit {
        let (facts, said) = self.run(args, Mode::Ptrace);
        let cause = KillCause::Policy {
            syscall: Some(syscall.to_owned()),
        };
        assert_eq!(facts.outcome, killed(cause), "{args:?}");
        assert_eq!(said, "", "{args:?}");
        let audit = facts.audit.unwrap();
        let last = audit.refused.last().unwrap();
        assert_eq!(
            (last.syscall.as_str(), last.decision),
            (syscall, Decision::Kill)
        );
        audit
    }
}

fn count(audit: &Audit, syscall: &str) -> u64 {
    audit.calls.get(syscall).map_or(0, |call| call.count)
}

#[test]
fn threads_and_processes() {
    let mut traced = Traced::new();
    let (outcome, said, audit) = traced.both(&["threads"]);
    assert_eq!((outcome, said.as_str()), (exited(0), "joined\n"));
    assert_eq!(count(&audit, "openat"), 400);
    assert_eq!(count(&audit, "clone"), 8);

    let (outcome, said, audit) = traced.both(&["forks"]);
    assert_eq!((outcome, said.as_str()), (exited(0), "sum 10\n"));
    assert_eq!(count(&audit, "openat"), 40);

    let (outcome, said, audit) = traced.both(&["vforks"]);
    assert_eq!((outcome, said.as_str()), (exited(0), "0\n0\n0\n0\n"));
    assert_eq!(count(&audit, "vfork"), 4);
    // The program's own exec comes before the audit.
    assert_eq!(count(&audit, "execve"), 4);

    let (outcome, said, audit) = traced.both(&["exec_from_thread"]);
    assert_eq!((outcome, said.as_str()), (exited(0), "executed\n"));
    assert_eq!(count(&audit, "execve"), 1);

    let (outcome, ..) = traced.both(&["main_thread_ends_first"]);
    assert_eq!(outcome, exited(5));
    let (outcome, ..) = traced.both(&["orphans"]);
    assert_eq!(outcome, exited(0));
    assert_usable(&mut traced.jail);
}

#[test]
fn signals_and_stops() {
    let mut traced = Traced::new();
    let (outcome, said, _) = traced.both(&["signals"]);
    assert_eq!((outcome, said.as_str()), (exited(0), "1\n1\n1\n1\n1\n"));
    let (outcome, said, _) = traced.both(&["stops"]);
    let expected = "stopped 1 by 19\nstopped 1 by 19\nexited 7\n";
    assert_eq!((outcome, said.as_str()), (exited(0), expected));
    let (outcome, said, _) = traced.both(&["stopped_threads"]);
    assert_eq!((outcome, said.as_str()), (exited(0), "killed by 9\n"));
    let (outcome, ..) = traced.both(&["crash"]);
    assert_eq!(outcome, Outcome::Signalled { signal: 11 });
    let (outcome, ..) = traced.both(&["abort"]);
    assert_eq!(outcome, Outcome::Signalled { signal: 6 });
    let (outcome, said, _) = traced.both(&["child_crash"]);
    assert_eq!((outcome, said.as_str()), (exited(0), "aborted by 6\n"));
    assert_usable(&mut traced.jail);
}

#[test]
fn denied_calls_fail_and_the_program_goes_on() {
    let mut traced = Traced::new();
    let (outcome, said, audit) = traced.both(&["denied"]);
    let expected = "socket 13\nclone3 38\nsetuid 1\n9999 38\n-1 38\n";
    assert_eq!((outcome, said.as_str()), (exited(0), expected));
    let refused: Vec<_> = audit
        .refused
        .iter()
        .map(|refused| (refused.syscall.as_str(), refused.decision))
        .collect();
    let deny = |errno| Decision::Deny { errno };
    let expected = [
        ("socket", deny(13)),
        ("clone3", deny(38)),
        ("setuid", deny(1)),
        ("9999", deny(38)),
        ("-1", deny(38)),
    ];
    assert_eq!(refused, expected);
    let socket = audit.refused.first().unwrap();
    assert_eq!(socket.arguments.get(..3), Some(&[1, 1, 0][..]));
}

#[test]
fn audit_is_bounded() {
    let mut traced = Traced::new();
    let (facts, _) = traced.run(&["deny_for_ever"], Mode::Ptrace);
    assert_eq!(facts.outcome, exited(0));
    let audit = facts.audit.unwrap();
    // What does not fit is counted.
    let refused = audit.refused.len() as u64 + audit.refused_dropped;
    assert!(refused >= 20_000, "{refused}");
    assert!(audit.refused_dropped > 0);
    assert_eq!(count(&audit, "socket"), 10_000);
    assert_eq!(count(&audit, "unknown"), 10_000);
    assert!(audit.calls.len() < 20, "{:?}", audit.calls);
}

#[test]
fn forbidden_call_ends_the_run() {
    let mut traced = Traced::new();
    let audit = traced.forbidden(&["forbidden"], "socket");
    let AuditEntry { arguments, .. } = audit.refused.last().unwrap();
    assert_eq!(arguments.get(..3), Some(&[2, 1, 0][..]));
    traced.forbidden(&["forbidden_in_thread"], "socket");
    traced.forbidden(&["forbidden_in_child"], "socket");
    traced.forbidden(&["forbidden_untraced"], "socket");
    traced.forbidden(&["own_filter"], "prctl");
    traced.forbidden(&["i386"], "i386:getpid");
    traced.forbidden(&["x32"], "x32:getpid");
    assert_usable(&mut traced.jail);
}

#[test]
fn whom_a_program_wanted_to_reach_is_told() {
    let mut traced = Traced::new();
    for (program, syscall, address) in [
        ("connects", "connect", "10.0.0.7:80"),
        ("sends", "sendto", "unix /run/docker.sock"),
    ] {
        let audit = traced.forbidden(&[program], syscall);
        let call = audit.refused.last().unwrap();
        assert_eq!(call.paths, [address]);
        assert!(call.to_string().contains(address), "{call}");
    }
    // Allowed, because no filter sees the address of a message.
    let mut spec = traced.spec(&["sends_message"], Mode::Ptrace);
    spec.audit = AuditLevel::Decisions;
    let (facts, said, _) = run_captured(&mut traced.jail, spec);
    assert_eq!((facts.outcome, said.as_str()), (exited(0), "message -1\n"));
    let mut log = facts.audit.unwrap().log.entries().collect::<Vec<_>>();
    log.retain(|call| call.syscall == "sendmsg");
    let [call] = &log[..] else { panic!("{log:?}") };
    assert_eq!(call.paths, ["unix /run/docker.sock"]);
    assert_eq!(call.rule, "messages");
}

#[test]
fn limits_hold() {
    let mut traced = Traced::new();
    let mut spec = traced.spec(&["for_ever"], Mode::Ptrace);
    spec.limits.wall_time = Duration::from_millis(200);
    let (facts, ..) = run_captured(&mut traced.jail, spec);
    assert_eq!(facts.outcome, killed(KillCause::WallTime));
    let mut spec = traced.spec(&["for_ever"], Mode::Ptrace);
    spec.limits.cpu_time = Duration::from_millis(200);
    let (facts, ..) = run_captured(&mut traced.jail, spec);
    assert_eq!(facts.outcome, killed(KillCause::CpuTime));
    let canceller = traced.jail.canceller();
    let spec = traced.spec(&["for_ever"], Mode::Ptrace);
    canceller.cancel();
    let (facts, ..) = run_captured(&mut traced.jail, spec);
    assert_eq!(facts.outcome, killed(KillCause::Cancelled));
    assert_usable(&mut traced.jail);
}

#[test]
fn threads_that_end_while_stopped() {
    let mut traced = Traced::new();
    for seed in 0..150 {
        let (facts, _) = traced.run(&["exit_race", &seed.to_string()], Mode::Ptrace);
        assert_eq!(facts.outcome, exited(3), "seed {seed}");
        let killed_for = facts.audit.unwrap().refused.into_iter().find(|refused| {
            // libc tries it before clone.
            refused.syscall != "clone3"
        });
        assert_eq!(killed_for, None);
    }
    let (outcome, said, _) = traced.both(&["kill_race"]);
    assert_eq!((outcome, said.as_str()), (exited(0), "all killed\n"));
    assert_usable(&mut traced.jail);
}

#[test]
fn everybody_gets_a_turn() {
    let mut traced = Traced::new();
    let mut spec = traced.spec(&["turns"], Mode::Ptrace);
    spec.audit = AuditLevel::Decisions;
    let (facts, ..) = run_captured(&mut traced.jail, spec);
    assert_eq!(facts.outcome, exited(0));
    let mut calls = BTreeMap::new();
    for call in facts.audit.unwrap().log.entries() {
        if call.syscall == "openat" {
            *calls.entry(call.thread).or_insert(0_u64) += 1;
        }
    }
    assert_eq!(calls.len(), 7, "{calls:?}");
    let (fewest, most) = (calls.values().min(), calls.values().max());
    assert!(most < fewest.map(|fewest| fewest * 2).as_ref(), "{calls:?}");
}

#[test]
fn program_that_can_not_be_executed_is_an_error() {
    let mut jail = start();
    let mut spec = command(&["/nowhere"]);
    spec.mode = Mode::Ptrace;
    let error = jail.run(spec).unwrap_err();
    assert!(!error.is_fatal(), "{error}");
    assert_usable(&mut jail);
}

#[test]
fn dynamic_program() {
    let mut jail = start();
    let script = "for word in a b c; do echo $word | cat; done; ls /usr/bin | wc -l";
    let said = [Mode::Unshare, Mode::Ptrace].map(|mode| {
        let mut spec = command(&["/bin/sh", "-c", script]);
        spec.mode = mode;
        let (facts, stdout, stderr) = run_captured(&mut jail, spec);
        assert_eq!((facts.outcome, stderr.as_str()), (exited(0), ""));
        stdout
    });
    assert_eq!(said.iter().collect::<BTreeSet<_>>().len(), 1);
}

#[test]
fn python() {
    let script = "import subprocess, threading, json\n\
                  threads = [threading.Thread(target=lambda: open('/etc/passwd').read()) for _ in range(4)]\n\
                  [t.start() for t in threads]; [t.join() for t in threads]\n\
                  print(json.dumps(subprocess.run(['/bin/echo', 'child'], capture_output=True).stdout.decode()))";
    let mut jail = start();
    for mode in [Mode::Unshare, Mode::Ptrace] {
        let mut spec = command(&["/usr/bin/python3", "-c", script]);
        spec.mode = mode;
        let (facts, stdout, stderr) = run_captured(&mut jail, spec);
        assert_eq!(
            (facts.outcome, stderr.as_str()),
            (exited(0), ""),
            "{mode:?}"
        );
        assert_eq!(stdout, "\"child\\n\"\n");
    }
}

#[test]
fn java() {
    let directory = tempfile::tempdir().unwrap();
    let source = "public class Main { public static void main(String[] a) throws Exception {\
                  Thread t = new Thread(() -> System.out.println(\"thread\")); t.start(); t.join();\
                  System.out.println(new java.util.Scanner(System.in).hasNext()); } }";
    let file = directory.path().join("Main.java");
    std::fs::write(&file, source).unwrap();
    let compiled = Command::new("javac").arg(&file).status().unwrap();
    assert!(compiled.success());
    let class = directory.path().join("Main.class");
    let mut jail = start();
    for mode in [Mode::Unshare, Mode::Ptrace] {
        let mut spec = command(&["/usr/bin/java", "-Xmx64m", "-cp", "/tmp", "Main"]);
        spec.mode = mode;
        spec.limits.memory = ByteSize::gib(1);
        spec.limits.processes = 64;
        spec.limits.cpu_time = Duration::from_secs(20);
        spec.files = vec![FileIn {
            path: "/tmp/Main.class".into(),
            content: File::open(&class).unwrap().into(),
            executable: false,
        }];
        let (facts, stdout, stderr) = run_captured(&mut jail, spec);
        assert_eq!(
            (facts.outcome, stderr.as_str()),
            (exited(0), ""),
            "{mode:?}"
        );
        assert_eq!(stdout, "thread\nfalse\n");
    }
}

#[test]
fn time_spent_tracing_is_not_the_programs() {
    let mut traced = Traced::new();
    // Stops at calls, and for signals.
    for args in [&["many_files"][..], &["traps", "20000"]] {
        let (untraced, _) = traced.run(args, Mode::Unshare);
        let (facts, _) = traced.run(args, Mode::Ptrace);
        // What is taken off brings it nearer to the untraced program's time.
        let (own, plain) = (facts.cpu_time, untraced.cpu_time);
        let charged = own + facts.tracing_time;
        assert!(
            own.abs_diff(plain) < charged.abs_diff(plain),
            "{args:?} {facts:?} {plain:?}"
        );
        assert_eq!(untraced.tracing_time, Duration::ZERO);
    }
}

#[test]
fn tracing_does_not_decide_about_a_limit() {
    let mut traced = Traced::new();
    let mut run = |args: &[&str], mode, limit| {
        let mut spec = traced.spec(args, mode);
        spec.limits.cpu_time = limit;
        run_captured(&mut traced.jail, spec).0
    };
    let ample = Duration::from_secs(30);
    let few = run(&["compute_and_call", "4000"], Mode::Ptrace, ample);
    let stops_that_cost_as_much = 4000 * few.cpu_time.as_nanos() / few.tracing_time.as_nanos();
    let mut differences = |args: &[&str]| {
        let own = run(args, Mode::Unshare, ample).cpu_time;
        let mut found = Vec::new();
        for (limit, outcome) in [
            (own.mul_f64(1.6), exited(0)),
            (own.mul_f64(0.6), killed(KillCause::CpuTime)),
        ] {
            for mode in [Mode::Unshare, Mode::Ptrace] {
                let facts = run(args, mode, limit);
                if facts.outcome != outcome {
                    found.push(format!("{args:?} {mode:?} {own:?} {facts:?}"));
                }
            }
        }
        found
    };
    // Few traced calls, and so many that as much is charged for them as the program uses itself.
    for calls in [10, stops_that_cost_as_much] {
        let args = ["compute_and_call", &calls.to_string()];
        // A virtual machine's processor may be faster in one run than in the next.
        let tries: Vec<_> = (0..3)
            .map(|_| differences(&args))
            .take_while(|found| !found.is_empty())
            .collect();
        assert!(tries.len() < 3, "{tries:#?}");
    }
}

#[test]
fn levels_record_more_and_more() {
    let mut traced = Traced::new();
    let mut run = |level| {
        let mut spec = traced.spec(&["forks"], Mode::Ptrace);
        spec.audit = level;
        let (facts, stdout, _) = run_captured(&mut traced.jail, spec);
        assert_eq!((facts.outcome, stdout.as_str()), (exited(0), "sum 10\n"));
        facts.audit.unwrap()
    };
    let summary = run(AuditLevel::Summary);
    assert!(summary.log.is_empty());
    assert_eq!(count(&summary, "openat"), 40);
    assert_eq!(count(&summary, "wait4"), 0);

    let decisions = run(AuditLevel::Decisions);
    let entries: Vec<_> = decisions.log.entries().collect();
    assert_eq!(entries.len() as u64, decisions.log.len());
    let opened = entries.iter().filter(|call| call.syscall == "openat");
    let opened: Vec<_> = opened.collect();
    assert_eq!(opened.len(), 40);
    for call in opened {
        assert_eq!(call.result, Some(3));
        assert_eq!(call.paths, ["/etc/passwd"]);
        assert_eq!(
            (call.decision, call.rule.as_str()),
            (Decision::Allow, "look")
        );
        let text = call.to_string();
        assert!(
            text.contains("openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY) = 3  [look]"),
            "{text}"
        );
    }

    let full = run(AuditLevel::Full);
    assert_eq!(count(&full, "wait4"), 4);
    assert_eq!(count(&full, "close"), 40);
    let stored = full.encode().unwrap();
    assert_eq!(Audit::decode(&stored).unwrap(), full);
    Audit::decode(stored.get(1..).unwrap()).unwrap_err();
    assert_usable(&mut traced.jail);
}

/// The kernel emulates such a call and has no stop at its end, at which others are recorded.
#[test]
fn calls_by_the_page_of_old_programs_are_followed() {
    let budget = "[[budget]]
        id = 'times'
        why = 'what this test is about'
        syscalls = ['time']
        count = 100
        action = 'kill'";
    let mut traced = Traced::new();
    for (level, layer) in [
        (AuditLevel::Full, None),
        (AuditLevel::Summary, Some(budget)),
    ] {
        let mut spec = traced.spec(&["time_by_page"], Mode::Ptrace);
        spec.audit = level;
        let layer = layer.map(|layer| PolicyLayer::parse(LayerOf::Language, layer).unwrap());
        spec.layers.extend(layer);
        let (facts, said, _) = run_captured(&mut traced.jail, spec);
        assert_eq!(facts.outcome, exited(0));
        if said == "no page\n" {
            eprintln!("skipped: this kernel has no vsyscall page");
            return;
        }
        assert_eq!(said, "told\n");
        let audit = facts.audit.unwrap();
        assert_eq!((count(&audit, "time"), count(&audit, "openat")), (8, 3));
        if level == AuditLevel::Full {
            let recorded = |name| {
                let entries = audit.log.entries().filter(move |call| call.syscall == name);
                entries.map(|call| call.result).collect::<Vec<_>>()
            };
            assert_eq!(recorded("time"), [None; 8]);
            assert_eq!(recorded("openat"), [Some(3); 3]);
        }
    }
    assert_usable(&mut traced.jail);
}

#[test]
fn killed_run_leaves_its_audit() {
    let mut traced = Traced::new();
    let mut spec = traced.spec(&["for_ever"], Mode::Ptrace);
    spec.audit = AuditLevel::Decisions;
    spec.limits.wall_time = Duration::from_millis(300);
    let (facts, ..) = run_captured(&mut traced.jail, spec);
    // What was seen is there although the run was killed from outside.
    assert_eq!(facts.outcome, killed(KillCause::WallTime));
    let audit = facts.audit.unwrap();
    let logged = audit.log.len() + audit.log.dropped();
    // One may have been under way.
    assert!(audit.calls.values().map(|call| call.count).sum::<u64>() - logged <= 1);
    let times: Vec<_> = audit.log.entries().map(|call| call.time).collect();
    assert_eq!(times.len() as u64, audit.log.len());
    assert!(times.is_sorted());
}
