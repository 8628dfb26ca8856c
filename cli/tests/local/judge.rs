//! `assize judge`.

use assize_common::ContentHash;
use assize_common::package::Package;
use assize_worker::disk_cache::DiskCache;
use bytesize::ByteSize;
use serde_json::{Value, json};

use crate::{Assize, echo_package, example, keys, scoring_package, write};

fn column<'a>(lines: &'a [Value], name: &str) -> Vec<&'a str> {
    lines
        .iter()
        .map(|line| line[name].as_str().unwrap())
        .collect()
}

#[test]
fn a_whole_package_as_directory_and_as_archive() {
    let assize = Assize::new();
    let directory = example("greeting");
    let done = assize
        .run(&["judge", "--json", "--jobs", "2", &directory])
        .expect_code(0);
    let lines = done.lines();
    assert_eq!(
        column(&lines, "submission"),
        [
            "submissions/accepted/Main.java",
            "submissions/accepted/greet.c",
            "submissions/accepted/greet.py",
            "submissions/rejected/syntax_error.py",
            "submissions/rejected/undeclared.c",
            "submissions/run_time_error/two_words.py",
            "submissions/wrong_answer/first_word.cpp",
            "submissions/wrong_answer/title_case.py",
        ]
    );
    assert_eq!(
        column(&lines, "verdict"),
        ["AC", "AC", "AC", "CE", "CE", "RTE", "WA", "WA"]
    );
    assert!(lines.iter().all(|line| line["as_expected"] == true));

    let zip = assize.home.path().join("greeting.zip");
    std::fs::write(&zip, Package::pack(directory.as_ref()).unwrap()).unwrap();
    let zipped = assize
        .run(&["judge", "--json", zip.to_str().unwrap()])
        .expect_code(0)
        .lines();
    assert_eq!(column(&zipped, "submission"), column(&lines, "submission"));
    assert_eq!(column(&zipped, "verdict"), column(&lines, "verdict"));
    assize.assert_clean();
}

#[test]
fn outputs_are_in_no_language() {
    let assize = Assize::new();
    let package = echo_package();
    let root = package.path();
    write(
        root,
        "problem.yaml",
        "problem_format_version: 2025-09\nname: Echo\ntype: submit-answer\nuuid: 2a1e8b4c-8d1f-4b5e-9c55-52a9c1f0d7aa\nlimits: {time_limit: 1}\n",
    );
    std::fs::remove_dir_all(root.join("submissions")).unwrap();
    write(root, "submissions/accepted/right/1.out", "one\n");
    let lines = assize
        .run(&["judge", "--json", root.to_str().unwrap()])
        .expect_code(0)
        .lines();
    assert_eq!(column(&lines, "verdict"), ["AC"]);
}

/// The example contest, whose margins are wide enough for a busy machine.
#[test]
fn all_example_packages() {
    let mut complaints = Vec::new();
    let packages = std::fs::read_dir(example("")).unwrap();
    let packages = packages.map(|entry| entry.unwrap().path());
    for package in packages.filter(|path| path.is_dir()) {
        let assize = Assize::new();
        let package = package.to_str().unwrap();
        let done = assize.run(&["judge", "--jobs", "2", package]);
        if done.code != 0 {
            complaints.push(format!(
                "{package}: exit code {}\n{}{}",
                done.code, done.stdout, done.stderr
            ));
        }
        assize.assert_clean();
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn the_fields_of_a_line() {
    let package = echo_package();
    let done = Assize::new()
        .run(&["judge", "--json", package.path().to_str().unwrap()])
        .expect_code(0);
    let line = &done.lines()[0];
    assert_eq!(
        keys(line),
        [
            "as_expected",
            "compile",
            "cpu_time_ms",
            "expected",
            "language",
            "memory_bytes",
            "runs",
            "sandbox",
            "score",
            "submission",
            "verdict",
            "wall_time_ms",
        ]
    );
    assert_eq!(line["language"], "python3");
    assert_eq!(line["expected"], json!(["AC"]));
    assert_eq!(line["score"], Value::Null);
    assert_eq!(
        line["sandbox"],
        json!({"mode": "unshare", "reason": "not flagged"})
    );
    let run = &line["runs"][0];
    assert_eq!(
        keys(run),
        [
            "cpu_time_ms",
            "exit",
            "kill_cause",
            "memory_bytes",
            "message",
            "testcase",
            "verdict",
            "wall_time_ms",
        ]
    );
    assert_eq!(run["testcase"], "secret/1");
    assert_eq!(run["exit"], json!({"how": "exited", "code": 0}));
}

#[test]
fn what_is_not_as_expected_is_explained() {
    let package = echo_package();
    write(
        package.path(),
        "submissions/accepted/broken.c",
        "int main(void) { return nothing; }\n",
    );
    write(
        package.path(),
        "submissions/accepted/two.py",
        "print('two')\n",
    );
    let root = package.path().to_str().unwrap();
    let done = Assize::new().run(&["judge", root]).expect_code(1);
    for part in [
        "✓  submissions/accepted/echo.py",
        "✗  submissions/accepted/two.py",
        "submissions/accepted/two.py: WA, expected AC\n  secret/1: WA ",
        "submissions/accepted/broken.c: CE, expected AC\n",
        "‘nothing’ undeclared",
        "not as expected: 2 of 3",
    ] {
        assert!(done.stdout.contains(part), "{part}:\n{}", done.stdout);
    }
    let only = Assize::new()
        .run(&["judge", root, "submissions/accepted/echo.py"])
        .expect_code(0);
    assert!(
        only.stdout.contains("all as expected: 1"),
        "{}",
        only.stdout
    );
}

#[test]
fn scores_are_exact() {
    let package = scoring_package();
    let root = package.path().to_str().unwrap();
    let assize = Assize::new();
    let lines = assize
        .run(&["judge", "--json", root])
        .expect_code(0)
        .lines();
    assert_eq!(column(&lines, "score"), ["25", "12.5"]);
    let table = assize.run(&["judge", root]).expect_code(0).stdout;
    assert!(
        table.contains("score") && table.contains("  12.5  "),
        "{table}"
    );
}

#[test]
fn submissions_by_path_within_and_from_elsewhere() {
    let assize = Assize::new();
    let package = echo_package();
    let root = package.path().to_str().unwrap();
    let elsewhere = write(assize.home.path(), "work/guess.py", "print('two')\n");
    let elsewhere = elsewhere.to_str().unwrap();
    let many = write(
        assize.home.path(),
        "many/main.c",
        "int answer(void);\nint main(void) { return answer(); }\n",
    );
    write(
        assize.home.path(),
        "many/answer.c",
        "#include <stdio.h>\nint answer(void) { puts(\"one\"); return 0; }\n",
    );
    let many = many.parent().unwrap().to_str().unwrap();
    let inside = format!("{root}/submissions/accepted/echo.py");
    let args = [
        "judge",
        "--json",
        root,
        "submissions/accepted/",
        &inside,
        elsewhere,
        many,
    ];
    let lines = assize.run(&args).expect_code(0).lines();
    assert_eq!(
        column(&lines, "submission"),
        ["submissions/accepted/echo.py", &inside, elsewhere, many]
    );
    assert_eq!(column(&lines, "verdict"), ["AC", "AC", "WA", "AC"]);
    assert_eq!(lines[1]["expected"], json!(["AC"]));
    assert_eq!(lines[2]["expected"], json!([]));
}

#[test]
fn under_the_tracer() {
    let package = echo_package();
    let root = package.path().to_str().unwrap();
    let args = ["judge", "--json", "--sandbox", "ptrace", root];
    let line = Assize::new().run(&args).expect_code(0).lines().remove(0);
    assert_eq!(
        line["sandbox"],
        json!({"mode": "ptrace", "reason": "requested"})
    );
}

#[test]
fn all_test_cases_only_when_asked_for() {
    let package = echo_package();
    write(package.path(), "data/secret/2.in", "two\n");
    write(package.path(), "data/secret/2.ans", "two\n");
    write(
        package.path(),
        "submissions/wrong_answer/three.py",
        "print('three')\n",
    );
    let root = package.path().to_str().unwrap();
    let runs = |option: &[&str]| {
        let args = [
            &["judge", "--json"],
            option,
            &[root, "submissions/wrong_answer"],
        ]
        .concat();
        let line = Assize::new().run(&args).expect_code(0).lines().remove(0);
        line["runs"].as_array().unwrap().len()
    };
    assert_eq!(runs(&[]), 1);
    assert_eq!(runs(&["--all"]), 2);
}

#[test]
fn another_time_limit() {
    let package = echo_package();
    write(
        package.path(),
        "submissions/time_limit_exceeded/slow.py",
        "while True: pass\n",
    );
    let root = package.path().to_str().unwrap();
    let args = [
        "judge",
        "--json",
        "--time-limit",
        "100ms",
        root,
        "submissions/time_limit_exceeded",
    ];
    let line = Assize::new().run(&args).expect_code(0).lines().remove(0);
    assert!(line["cpu_time_ms"].as_u64().unwrap() < 1000, "{line}");
}

#[test]
fn two_at_once() {
    let assize = Assize::new();
    let cache = assize.home.path().join("cache/assize/programs");
    let held = DiskCache::open(&cache, ByteSize::gib(1)).unwrap();
    let package = echo_package();
    assize
        .run(&["judge", package.path().to_str().unwrap()])
        .expect_code(0);
    assize.assert_clean();
    let refill = |_: &std::path::Path| Ok::<_, std::io::Error>(());
    held.get_or_fill_unless(ContentHash::of(b"still ours"), || false, refill)
        .unwrap();
}

#[test]
fn test_cases_at_once_change_nothing() {
    let package = example("greeting");
    let assize = Assize::new();
    let judged = |options: &[&str]| {
        let args = [&["judge", "--json"], options, &[package.as_str()]].concat();
        let done = assize.run(&args).expect_code(0);
        let lines = done.lines();
        let verdicts = |line: &Value| -> Vec<(Value, Value)> {
            let runs = line["runs"].as_array().unwrap().iter();
            runs.map(|run| (run["testcase"].clone(), run["verdict"].clone()))
                .collect()
        };
        let runs: Vec<_> = lines.iter().map(verdicts).collect();
        let texts = |name| column(&lines, name).join(" ");
        (texts("submission"), texts("verdict"), runs)
    };
    assert_eq!(judged(&["--tests-at-once", "3"]), judged(&[]));
    assize.assert_clean();
}
