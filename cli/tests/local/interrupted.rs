//! Ctrl-C: it ends at once and leaves nothing.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::{Assize, Done, echo_package, write};

fn interrupt(child: &Child) {
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

/// Whether any process has this among its arguments.
fn is_running(argument: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap();
    processes.flatten().any(|process| {
        let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0)
            .any(|part| part == argument.as_bytes())
    })
}

#[test]
fn a_run() {
    let assize = Assize::new();
    let mut child = assize
        .command()
        .args([
            "run",
            "--cpu-time",
            "60s",
            "--",
            "sh",
            "-c",
            "echo started; exec sleep 4021",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut String::new()).unwrap();
    interrupt(&child);
    let done = Done::from(child.wait_with_output().unwrap()).expect_code(130);
    assert_eq!(done.stderr, "assize: interrupted\n");
    assert!(!is_running("4021"));
}

#[test]
fn a_verification() {
    let assize = Assize::new();
    let package = echo_package();
    let name = "verified4021.py";
    let path = format!("submissions/accepted/{name}");
    write(package.path(), &path, "while True: pass\n");
    let limit = "problem_format_version: 2025-09\nname: Echo\nuuid: 2a1e8b4c-8d1f-4b5e-9c55-52a9c1f0d7aa\nlimits: {time_limit: 60}\n";
    write(package.path(), "problem.yaml", limit);
    let mut command = assize.command();
    command.args(["problem", "verify"]).arg(package.path());
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let is_judged = || is_running(name) || is_running(&format!("/box/{name}"));
    while !is_judged() {
        std::thread::sleep(Duration::from_millis(5));
    }
    interrupt(&child);
    let done = Done::from(child.wait_with_output().unwrap()).expect_code(130);
    assert!(
        done.stderr.ends_with("assize: interrupted\n"),
        "{}",
        done.stderr
    );
    assert_eq!(done.stdout, "");
    assert!(!is_judged());
    assize.assert_clean();
}

#[test]
fn a_judgement() {
    let assize = Assize::new();
    let package = echo_package();
    // Nothing gets out of a jail by which it could tell that it has begun.
    let name = "interrupted4021.py";
    let submission = write(package.path(), name, "while True: pass\n");
    let mut command = assize.command();
    command
        .args(["judge", "--json", "--time-limit", "60s"])
        .arg(package.path())
        .arg(submission);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let is_judged = || is_running(name) || is_running(&format!("/box/{name}"));
    while !is_judged() {
        std::thread::sleep(Duration::from_millis(5));
    }
    interrupt(&child);
    let done = Done::from(child.wait_with_output().unwrap()).expect_code(130);
    assert_eq!(done.stderr, "assize: interrupted\n");
    assert_eq!(done.stdout, "");
    assert!(!is_judged());
    assize.assert_clean();
}
