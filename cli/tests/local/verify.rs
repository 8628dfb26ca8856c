//! `assize problem verify`.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Assize, Done, echo_package, example, keys, scoring_package, write};

const CHECK_INPUT: &str =
    "import sys\nsys.exit(42 if sys.stdin.read() in ('one\\n', 'two\\n') else 43)\n";

/// A package with nothing to complain about.
fn good_package() -> TempDir {
    let package = echo_package();
    write(package.path(), "input_validators/check.py", CHECK_INPUT);
    write(
        package.path(),
        "submissions/wrong_answer/two.py",
        "print('two')\n",
    );
    package
}

fn verify(package: &TempDir, options: &[&str], code: i32) -> String {
    let assize = Assize::new();
    let root = package.path().to_str().unwrap();
    let args = [&["problem", "verify"], options, &[root]].concat();
    let done = assize.run(&args).expect_code(code);
    assize.assert_clean();
    done.stdout
}

fn verify_json(package: &TempDir, code: i32) -> Value {
    serde_json::from_str(&verify(package, &["--json"], code)).unwrap()
}

/// A finding of this severity about `subject`, with `part` in its words.
#[track_caller]
fn assert_found(report: &Value, severity: &str, subject: &str, part: &str) {
    let findings = report["findings"].as_array().unwrap();
    let fits = |finding: &Value| {
        finding["severity"] == severity
            && finding["subject"] == subject
            && finding["problem"].as_str().unwrap().contains(part)
            && !finding["fix"].as_str().unwrap().is_empty()
    };
    assert!(findings.iter().any(fits), "{part}: {findings:#?}");
}

#[test]
fn a_good_package() {
    let package = good_package();
    let report = verify_json(&package, 0);
    assert_eq!(
        keys(&report),
        [
            "content_hash",
            "findings",
            "is_fine",
            "name",
            "package",
            "submissions",
            "testcases",
            "time_limit",
        ]
    );
    assert_eq!(report["is_fine"], true);
    assert_eq!(report["findings"], json!([]));
    assert_eq!(report["testcases"], json!(["secret/1"]));
    assert_eq!(report["time_limit"]["time_limit_ms"], 1000);
    assert_eq!(report["time_limit"]["is_stated"], true);
    let wrong = &report["submissions"][1];
    assert_eq!(
        keys(wrong),
        [
            "as_expected",
            "expected",
            "groups",
            "name",
            "runs",
            "score",
            "verdict"
        ]
    );
    assert_eq!(wrong["verdict"], "WA");
    assert_eq!(wrong["as_expected"], true);

    let table = verify(&package, &[], 0);
    for part in [
        "✓  submissions/accepted/echo.py",
        "✓  submissions/wrong_answer/two.py  WA/PE     WA",
        "one letter for each test case: . AC, W WA, - not run",
        "time limit: 1000 ms, stated by the package",
        "fine: nothing found",
    ] {
        assert!(table.contains(part), "{part}:\n{table}");
    }
}

#[test]
fn a_time_limit_is_found() {
    let package = good_package();
    write(
        package.path(),
        "problem.yaml",
        "problem_format_version: 2025-09\nname: Echo\nuuid: 2a1e8b4c-8d1f-4b5e-9c55-52a9c1f0d7aa\n",
    );
    let report = verify_json(&package, 0);
    let limit = &report["time_limit"];
    assert_eq!(limit["is_stated"], false);
    let found = limit["time_limit_ms"].as_u64().unwrap();
    assert!(found > 0 && found >= limit["at_least_ms"].as_u64().unwrap());
}

#[test]
fn a_wrong_input_validator() {
    let package = good_package();
    write(
        package.path(),
        "input_validators/check.py",
        "import sys\nprint('too short')\nsys.exit(43)\n",
    );
    let report = verify_json(&package, 1);
    assert_eq!(report["is_fine"], false);
    assert_found(
        &report,
        "error",
        "secret/1",
        "check.py rejects the input: too short",
    );
}

#[test]
fn validators_that_change_their_minds() {
    let package = good_package();
    // It decides by a clock that differs between two runs.
    let fickle = "import sys, time\nsys.exit(42 + time.monotonic_ns() // 1000 % 2)\n";
    write(package.path(), "input_validators/check.py", fickle);
    for number in 0..30 {
        write(
            package.path(),
            &format!("data/secret/r{number}.in"),
            "one\n",
        );
        write(
            package.path(),
            &format!("data/secret/r{number}.ans"),
            "one\n",
        );
    }
    let report = verify_json(&package, 1);
    let findings = report["findings"].as_array().unwrap();
    let fickle = findings.iter().any(|finding| {
        finding["severity"] == "error"
            && finding["subject"] == "input_validators/check.py"
            && finding["problem"]
                .as_str()
                .unwrap()
                .contains("answers differently when run again")
    });
    assert!(fickle, "{findings:#?}");
}

#[test]
fn submissions_that_are_not_as_declared_and_duplicates() {
    let package = good_package();
    let root = package.path();
    write(
        root,
        "submissions/wrong_answer/right.py",
        "print(input())\n",
    );
    write(root, "data/secret/2.in", "one\n");
    write(root, "data/secret/2.ans", "one\n");
    let report = verify_json(&package, 1);
    let right = "submissions/wrong_answer/right.py";
    assert_found(&report, "error", right, "got AC, expected WA or PE");
    assert_found(&report, "warning", "secret/2", "the same as that of");
    assert_eq!(report["findings"].as_array().unwrap().len(), 2, "{report}");

    let table = verify(&package, &["--once", "--jobs", "3"], 1);
    for part in [
        "✗  submissions/wrong_answer/right.py  WA/PE     AC",
        "error: submissions/wrong_answer/right.py: got AC, expected WA or PE\n  fix: ",
        "warning: secret/2: the input is the same as that of secret/1\n  fix: ",
        "not fine: errors: 1, warnings: 1",
    ] {
        assert!(table.contains(part), "{part}:\n{table}");
    }
}

#[test]
fn warnings_alone_are_fine() {
    let package = echo_package();
    let report = verify_json(&package, 0);
    assert_eq!(report["is_fine"], true);
    assert_found(
        &report,
        "warning",
        "input validators",
        "inputs are not checked",
    );
    assert_found(&report, "warning", "submissions", "none fails");
}

#[test]
fn what_is_said_of_many_is_said_once() {
    let package = good_package();
    for number in 0..5 {
        let name = format!("data/secret/more{number}");
        write(package.path(), &format!("{name}.in"), "two\n");
        write(package.path(), &format!("{name}.ans"), "two\n");
    }
    let table = verify(&package, &["--once"], 0);
    let line = "warning: 5 times (secret/more0, secret/more1, secret/more2, …): no example submission fails on it\n";
    assert!(table.contains(line), "{table}");
    assert_eq!(table.matches("no example submission").count(), 1, "{table}");
    let report: Value = serde_json::from_str(&verify(&package, &["--json", "--once"], 0)).unwrap();
    assert_found(&report, "warning", "secret/more4", "no example submission");
}

#[test]
fn an_archive_is_verified_as_its_directory_is() {
    let package = good_package();
    let place = tempfile::tempdir().unwrap();
    let zip = place.path().join("echo.zip");
    let bytes = assize_common::package::Package::pack(package.path()).unwrap();
    std::fs::write(&zip, bytes).unwrap();
    let assize = Assize::new();
    let args = [
        "problem",
        "verify",
        "--json",
        "--once",
        zip.to_str().unwrap(),
    ];
    let done = assize.run(&args).expect_code(0);
    assize.assert_clean();
    let directory = verify_json(&package, 0);
    for key in ["findings", "testcases", "content_hash"] {
        assert_eq!(done.lines()[0][key], directory[key], "{key}");
    }
}

#[test]
fn a_host_without_the_jail_verifies_nothing() {
    let package = good_package();
    let assize = Assize::new();
    let mut command = assize.command();
    command
        .env("ASSIZE_JAIL", "/no/such/jail")
        .args(["problem", "verify"])
        .arg(package.path());
    let done = Done::from(command.output().unwrap()).expect_code(3);
    assert!(done.stderr.contains("/no/such/jail"), "{}", done.stderr);
    assert_eq!(done.stdout, "");
}

#[test]
fn a_page_of_its_own() {
    let package = good_package();
    // A name that warnings repeat, and an output that a message repeats.
    write(package.path(), "submissions/accepted/a<b>&c.py", "");
    let evil = "print('<script>\"one\"</script>')\n";
    write(package.path(), "submissions/wrong_answer/two.py", evil);
    write(
        package.path(),
        "problem.yaml",
        "problem_format_version: 2025-09\nname: <b>Echo</b>\nuuid: 2a1e8b4c-8d1f-4b5e-9c55-52a9c1f0d7aa\nlimits: {time_limit: 1}\n",
    );
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("report.html");
    verify(&package, &["--html", path.to_str().unwrap()], 0);
    let page = std::fs::read_to_string(path).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>"));
    for part in [
        "&lt;b&gt;Echo&lt;/b&gt;",
        "a&lt;b&gt;&amp;c.py",
        "&lt;script&gt;",
    ] {
        assert!(page.contains(part), "{part}:\n{page}");
    }
    for part in ["<b>", "<script", "http://", "https://", "src=", "href="] {
        assert!(!page.contains(part), "{part}:\n{page}");
    }
}

#[test]
fn scores_are_shown() {
    let package = scoring_package();
    write(package.path(), "input_validators/check.py", CHECK_INPUT);
    let report = verify_json(&package, 0);
    assert_eq!(report["submissions"][1]["score"], "12.5");
    assert_eq!(
        report["submissions"][1]["groups"],
        json!([{"name": "secret", "score": "12.5"}])
    );
    let table = verify(&package, &["--once"], 0);
    assert!(table.contains("   12.5  "), "{table}");
}

#[test]
fn what_can_not_be_read() {
    let package = good_package();
    write(package.path(), "problem.yaml", "name: [");
    assert_eq!(verify(&package, &[], 2), "");
    Assize::new()
        .run(&["problem", "verify", "/nowhere"])
        .expect_code(2);
}

#[test]
fn an_example_package() {
    let package = example("greeting");
    let done = Assize::new()
        .run(&["problem", "verify", "--json", "--once", &package])
        .expect_code(0);
    assert_eq!(done.lines()[0]["is_fine"], true);
}
