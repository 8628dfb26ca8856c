//! `assize policy`.

use serde_json::json;

use crate::{Assize, echo_package, write};

const RULE: &str = "[[rule]]\nid = 'quiet'\nwhy = 'x'\naction = 'kill'\nsyscalls = ['getppid']\n";

#[test]
fn recorded_layer_allows_what_the_submissions_did_and_no_more() {
    let package = echo_package();
    let assize = Assize::new();
    let layers = assize.temporary().join("layers");
    let (path, layers) = (package.path().to_str().unwrap(), layers.to_str().unwrap());
    let done = assize
        .run(&["policy", "record", "--json", "--output", layers, path])
        .expect_code(0);
    let lines = done.lines();
    let [recorded] = lines.as_slice() else {
        panic!("{}", done.stdout);
    };
    assert_eq!(recorded["language"], "python3");
    assert_eq!(
        (&recorded["submissions"], &recorded["runs"]),
        (&json!(1), &json!(1))
    );
    assert!(
        recorded["calls"]["read"].as_u64().unwrap() > 10,
        "{recorded}"
    );
    assert!(recorded["calls"].get("mkdir").is_none(), "{recorded}");

    let layer = format!("{layers}/python3.toml");
    assize.run(&["policy", "check", &layer]).expect_code(0);
    for sandbox in ["unshare", "ptrace"] {
        let run = |script| {
            assize.run(&[
                "run",
                "--sandbox",
                sandbox,
                "--layer",
                &layer,
                "python3",
                "-c",
                script,
            ])
        };
        assert_eq!(run("print(1)").expect_code(0).stdout, "1\n");
        let refused = run("import os; os.mkdir('/tmp/x')").expect_code(1);
        assert!(
            refused.stderr.contains("Function not implemented"),
            "{}",
            refused.stderr
        );
    }
    std::fs::remove_dir_all(layers).unwrap();
    assize.assert_clean();
}

#[test]
fn recording_names_submissions_that_are_not_accepted() {
    let package = echo_package();
    write(
        package.path(),
        "submissions/accepted/wrong.py",
        "print('two')\n",
    );
    let path = package.path().to_str().unwrap();
    let done = Assize::new()
        .run(&["policy", "record", "--json", path])
        .expect_code(1);
    assert!(
        done.stderr.contains("wrong.py: WA instead of AC"),
        "{}",
        done.stderr
    );
    assert_eq!(done.lines()[0]["submissions"], 1);
}

#[test]
fn check_names_file_rule_and_fix() {
    let root = tempfile::tempdir().unwrap();
    let good = write(root.path(), "good.toml", RULE);
    let bad = write(
        root.path(),
        "bad.toml",
        &RULE.replace("getppid", "getpppid"),
    );
    let done = Assize::new()
        .run(&[
            "policy",
            "check",
            good.to_str().unwrap(),
            bad.to_str().unwrap(),
        ])
        .expect_code(1);
    let lines: Vec<&str> = done.stdout.lines().collect();
    assert!(
        lines[0].contains("good.toml: can be enforced"),
        "{}",
        done.stdout
    );
    let problem = "bad.toml: the rule quiet: unknown system call getpppid; did you mean getppid?";
    assert!(lines[1].ends_with(problem), "{}", done.stdout);
    let missing = Assize::new()
        .run(&["policy", "check", "--json", "/nowhere.toml"])
        .expect_code(1);
    assert!(
        missing.lines()[0]["problem"]
            .as_str()
            .unwrap()
            .contains("/nowhere.toml")
    );
}

#[test]
fn diff_tells_calls_that_differ() {
    let root = tempfile::tempdir().unwrap();
    let layer = write(root.path(), "layer.toml", RULE);
    let layer = layer.to_str().unwrap();
    let done = Assize::new()
        .run(&["policy", "diff", "contestant", layer])
        .expect_code(1);
    assert!(
        done.stdout.starts_with("getppid\n- allow [waiting: ")
            && done.stdout.contains("\n+ kill [quiet: x]"),
        "{}",
        done.stdout
    );
    let same = Assize::new()
        .run(&["policy", "diff", layer, layer])
        .expect_code(0);
    assert_eq!(same.stdout, "");
    let over = Assize::new()
        .run(&[
            "policy", "diff", "--json", "--over", "compiler", "compiler", layer,
        ])
        .expect_code(1);
    assert_eq!(over.lines()[0]["syscall"], "getppid");
}

#[test]
fn explain_tells_the_rule_and_why() {
    let explain = |args: &[&str], code| {
        let args = [&["policy", "explain"], args].concat();
        Assize::new().run(&args).expect_code(code)
    };
    let all = explain(&["socket"], 0).stdout;
    assert!(
        all.contains("deny EACCES if arg0 == 0x1 [local-socket: "),
        "{all}"
    );
    assert!(
        all.contains("kill if arg0 != 0x1 [network: ") && all.contains("otherwise: deny ENOSYS"),
        "{all}"
    );
    let one = explain(&["--json", "socket", "0x2"], 0).lines().remove(0);
    assert_eq!(one["rules"].as_array().unwrap().len(), 1);
    assert_eq!(one["rules"][0]["rule"], "network");
    let compiler = explain(&["--policy", "compiler", "socket", "2"], 0).stdout;
    assert!(compiler.starts_with("deny EACCES [servers: "), "{compiler}");
    assert!(
        explain(&["sokcet"], 2)
            .stderr
            .contains("did you mean socket?")
    );
}
