//! Each mistake gets its exit code and an error that names what and where.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::{Assize, Done, echo_package, write};

#[track_caller]
fn refused(args: &[&str], code: i32, reasons: &[&str]) {
    let assize = Assize::new();
    let done = assize
        .run(&[&["judge", "--json"], args].concat())
        .expect_code(code);
    assert_explained(&done, reasons);
    assert_eq!(done.stdout, "");
    assize.assert_clean();
}

#[track_caller]
fn assert_explained(done: &Done, reasons: &[&str]) {
    for reason in reasons {
        assert!(
            done.stderr.contains(reason),
            "no {reason:?} in {}",
            done.stderr
        );
    }
}

#[test]
fn packages_that_are_none() {
    refused(&[], 2, &["PACKAGE"]);
    refused(
        &["/no/such/package"],
        2,
        &["/no/such/package", "No such file"],
    );
    let empty = tempfile::tempdir().unwrap();
    refused(&[empty.path().to_str().unwrap()], 2, &["problem.yaml"]);
    let damaged = write(empty.path(), "damaged.zip", "PK\u{3}\u{4} and so on");
    refused(&[damaged.to_str().unwrap()], 2, &["damaged.zip", "zip"]);
}

#[test]
fn broken_packages() {
    let package = echo_package();
    let root = package.path().to_str().unwrap();
    write(package.path(), "problem.yaml", "name: [Echo\n");
    refused(&[root], 2, &["problem.yaml is not valid YAML", "line"]);
    write(
        package.path(),
        "problem.yaml",
        "name: Echo\nlimits:\n  time_limit: soon\n",
    );
    refused(&[root], 2, &["problem.yaml", "time_limit"]);
    write(
        package.path(),
        "problem.yaml",
        "name: Echo\nlimits:\n  time_limit: 1\n",
    );
    std::fs::remove_file(package.path().join("data/secret/1.ans")).unwrap();
    refused(&[root], 2, &["1.in has no answer file", "1.ans"]);
}

#[test]
fn submissions_that_cannot_be_judged() {
    let package = echo_package();
    let root = package.path().to_str().unwrap();
    refused(&[root, "no/such.py"], 2, &["no/such.py"]);
    refused(
        &["--language", "cobol", root],
        2,
        &["unknown language \"cobol\"", "python3"],
    );
    refused(
        &["--language-table", "/no/such/table", root],
        2,
        &["/no/such/table"],
    );
    write(
        package.path(),
        "submissions/accepted/echo.cobol",
        "STOP RUN.",
    );
    refused(
        &[root],
        2,
        &["submissions/accepted/echo.cobol", "no language"],
    );
    std::fs::remove_dir_all(package.path().join("submissions")).unwrap();
    refused(&[root], 2, &["no submissions", "submissions/accepted/"]);
}

#[test]
fn a_host_without_the_jail() {
    let package = echo_package();
    let assize = Assize::new();
    let mut command = assize.command();
    command
        .env("ASSIZE_JAIL", "/no/such/jail")
        .arg("judge")
        .arg(package.path());
    let done = Done::from(command.output().unwrap()).expect_code(3);
    assert_explained(&done, &["/no/such/jail"]);
    assize.assert_clean();
}

#[test]
fn a_user_who_may_not_make_jails() {
    let package = echo_package();
    let assize = Assize::new();
    let programs = assize.home.path().join("programs");
    std::fs::create_dir(&programs).unwrap();
    let built = std::path::Path::new(env!("CARGO_BIN_EXE_assize"));
    for name in ["assize", "assize-jail"] {
        std::fs::copy(built.with_file_name(name), programs.join(name)).unwrap();
    }
    for path in [assize.home.path(), &assize.temporary(), package.path()] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
    }
    let mut command = Command::new("setpriv");
    assize.set_environment(&mut command);
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
        .arg(programs.join("assize"))
        .arg("judge")
        .arg(package.path());
    let done = Done::from(command.output().unwrap()).expect_code(3);
    assert_explained(&done, &["this host can't run jails", "run as root"]);
    assert_eq!(done.stdout, "");
    assize.assert_clean();
}

#[test]
fn a_full_disk() {
    let package = echo_package();
    let assize = Assize::new();
    let script = "mkdir -p $XDG_CACHE_HOME && mount -t tmpfs -o size=64k tmpfs $XDG_CACHE_HOME && \
                  dd if=/dev/zero of=$XDG_CACHE_HOME/filler bs=4k 2>/dev/null; exec \"$@\"";
    let mut command = Command::new("unshare");
    assize.set_environment(&mut command);
    command
        .args([
            "-m",
            "sh",
            "-c",
            script,
            "sh",
            env!("CARGO_BIN_EXE_assize"),
            "judge",
        ])
        .arg(package.path());
    let done = Done::from(command.output().unwrap()).expect_code(3);
    let all = done.stdout + &done.stderr;
    assert!(all.contains("No space left on device"), "{all}");
    assize.assert_clean();
}
