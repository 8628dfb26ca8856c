//! `assize run`.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::{Assize, keys, write};

fn facts(args: &[&str], code: i32) -> Value {
    let all = [&["run", "--json"], args].concat();
    let done = Assize::new().run(&all).expect_code(code);
    let mut lines = done.lines();
    assert_eq!(lines.len(), 1, "{}", done.stdout);
    lines.remove(0)
}

#[test]
fn alone_it_is_a_wrapper() {
    let mut child = Assize::new()
        .command()
        .args(["run", "--", "sh", "-c", "cat; echo oops >&2"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"hello\n").unwrap();
    let done = crate::Done::from(child.wait_with_output().unwrap()).expect_code(0);
    assert_eq!(done.stdout, "hello\n");
    assert!(
        done.stderr.starts_with("oops\nexited with code 0\n"),
        "{}",
        done.stderr
    );
}

#[test]
fn facts_of_a_program_that_ends_by_itself() {
    let facts = facts(&["--", "sh", "-c", "echo four; exit 3"], 1);
    assert_eq!(facts["outcome"], "exited");
    assert_eq!(facts["exit_code"], 3);
    assert_eq!(facts["output_bytes"], 5);
    assert_eq!(
        keys(&facts),
        [
            "cpu_time_us",
            "disk_read_bytes",
            "disk_written_bytes",
            "exit_code",
            "files_bytes",
            "involuntary_switches",
            "kill_cause",
            "major_faults",
            "memory_peak_bytes",
            "minor_faults",
            "outcome",
            "output_bytes",
            "processes_peak",
            "sandbox",
            "setup_us",
            "signal",
            "stalled_cpu_us",
            "stalled_io_us",
            "stalled_memory_us",
            "syscall",
            "system_time_us",
            "total_us",
            "user_time_us",
            "voluntary_switches",
            "wall_time_us",
        ]
    );
    assert!(facts["minor_faults"].as_u64() > Some(10), "{facts}");
}

#[test]
fn signals_and_each_limit() {
    let died = facts(&["--", "sh", "-c", "kill -SEGV $$"], 1);
    assert_eq!(died["outcome"], "signalled");
    assert_eq!(died["signal"], 11);
    assert_eq!(died["exit_code"], Value::Null);
    let cause = |args: &[&str]| {
        let facts = facts(args, 1);
        assert_eq!(facts["outcome"], "killed", "{facts}");
        facts["kill_cause"].clone()
    };
    assert_eq!(
        cause(&[
            "--cpu-time",
            "100ms",
            "--wall-time",
            "60s",
            "--",
            "sh",
            "-c",
            "while :; do :; done"
        ]),
        "cpu_time"
    );
    assert_eq!(
        cause(&["--wall-time", "100ms", "--", "sleep", "60"]),
        "wall_time"
    );
    assert_eq!(
        cause(&["--idle-time", "200ms", "--", "sleep", "60"]),
        "idle"
    );
    assert_eq!(cause(&["--output", "1KiB", "--", "yes"]), "output");
    let hungry = [
        "--memory",
        "32MiB",
        "--",
        "python3",
        "-c",
        "x = [0] * 10**8",
    ];
    assert_eq!(cause(&hungry), "memory");
}

#[test]
fn programs_of_the_host_and_a_directory_to_start_in() {
    let directory = tempfile::tempdir().unwrap();
    write(
        directory.path(),
        "work/script.py",
        "print(open('data').read())",
    );
    write(directory.path(), "work/data", "from the host");
    let path = directory.path().to_str().unwrap();
    let work = format!("{path}/work");
    let assize = Assize::new();
    let done = assize
        .run(&["run", "--dir", &work, "--", "/usr/bin/python3", "script.py"])
        .expect_code(0);
    assert_eq!(done.stdout, "from the host\n");
    let program = format!("{path}/copy-of-cat");
    std::fs::copy("/bin/cat", &program).unwrap();
    let done = assize
        .run(&["run", "--dir", &work, "--", &program, "data"])
        .expect_code(0);
    assert_eq!(done.stdout, "from the host");
    let hidden = assize
        .run(&["run", "--", "cat", &format!("{work}/data")])
        .expect_code(1);
    assert!(hidden.stderr.contains("No such file"), "{}", hidden.stderr);
}

#[test]
fn streams_from_and_to_files() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    write(directory.path(), "in", "hello\n");
    let script = "cat; echo oops >&2";
    let facts = facts(
        &[
            "--stdin",
            &at("in"),
            "--stdout",
            &at("out"),
            "--stderr",
            &at("err"),
            "--",
            "sh",
            "-c",
            script,
        ],
        0,
    );
    assert_eq!(facts["output_bytes"], 11);
    assert_eq!(std::fs::read_to_string(at("out")).unwrap(), "hello\n");
    assert_eq!(std::fs::read_to_string(at("err")).unwrap(), "oops\n");
}

#[test]
fn repeated_runs_end_with_a_summary() {
    let assize = Assize::new();
    let done = assize
        .run(&[
            "run", "--json", "--repeat", "6", "--slots", "1", "--", "true",
        ])
        .expect_code(0);
    let lines = done.lines();
    assert_eq!(lines.len(), 7);
    assert!(lines.iter().take(6).all(|line| line["outcome"] == "exited"));
    let summary = lines.last().unwrap();
    assert_eq!(
        keys(summary),
        ["cpu_time_us", "runs", "runs_per_second", "total_us"]
    );
    assert_eq!(keys(&summary["total_us"]), ["max", "median", "min", "p90"]);
    assert_eq!(summary["runs"], json!(6));
    let failing = assize
        .run(&["run", "--repeat", "2", "--", "false"])
        .expect_code(1);
    assert!(
        failing.stdout.contains("not exited with code 0: 2"),
        "{}",
        failing.stdout
    );
}

#[test]
fn what_the_tracer_saw() {
    let directory = tempfile::tempdir().unwrap();
    let audit = directory.path().join("audit.json");
    let facts = facts(
        &[
            "--audit",
            audit.to_str().unwrap(),
            "--",
            "cat",
            "/etc/passwd",
        ],
        0,
    );
    assert_eq!(facts["sandbox"], "ptrace");
    let audit: Value = serde_json::from_slice(&std::fs::read(audit).unwrap()).unwrap();
    assert_eq!(
        keys(&audit),
        [
            "calls",
            "level",
            "log",
            "observed",
            "refused",
            "refused_dropped"
        ]
    );
    assert!(
        audit["calls"]["openat"]["count"].as_u64() > Some(0),
        "{audit}"
    );
}

#[test]
fn what_cannot_be_run() {
    let assize = Assize::new();
    let refused = |args: &[&str], reason: &str| {
        let done = assize.run(&[&["run"], args].concat()).expect_code(2);
        assert!(done.stderr.contains(reason), "{}", done.stderr);
        assert_eq!(done.stdout, "");
    };
    refused(&["--", "no-such-program"], "./no-such-program");
    refused(
        &["--", "./no-such-program"],
        "cannot open the program ./no-such-program",
    );
    refused(
        &["--sandbox", "unshare", "--audit", "/dev/null", "--", "true"],
        "--audit needs the tracer",
    );
    refused(
        &["--repeat", "2", "--slots", "60000", "--", "true"],
        "a core of its own",
    );
    refused(&["--dir", "/no/such/place", "--", "true"], "/no/such/place");
    refused(&["--dir", "/etc/passwd", "--", "true"], "not a directory");
    refused(&["--stdin", "/no/such/file", "--", "true"], "/no/such/file");
    refused(&["--memory", "much", "--", "true"], "--memory");
}
