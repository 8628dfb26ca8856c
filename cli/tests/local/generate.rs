//! `assize problem generate`.

use tempfile::TempDir;

use crate::{Assize, write};

/// A package of Polygon with one test, of which it has the programs only.
fn package(attributes: &str) -> TempDir {
    let package = tempfile::tempdir().unwrap();
    let xml = format!(
        r#"<problem><judging><testset name="tests">
            <input-path-pattern>tests/%02d</input-path-pattern>
            <answer-path-pattern>tests/%02d.a</answer-path-pattern>
            <tests><test method="generated" {attributes}/></tests>
        </testset></judging>
        <files><executables>
            <executable><source path="files/gen.py" type="python.3"/></executable>
        </executables></files>
        <assets><solutions>
            <solution tag="main"><source path="main.py" type="python.3"/></solution>
        </solutions></assets></problem>"#
    );
    write(package.path(), "problem.xml", &xml);
    write(
        package.path(),
        "files/gen.py",
        "import sys\nprint(sys.argv[1])\n",
    );
    write(package.path(), "main.py", "print(2 * int(input()))\n");
    package
}

#[test]
fn what_is_missing_is_made_once() {
    let package = package(r#"cmd="gen 21""#);
    let root = package.path().to_str().unwrap();
    let assize = Assize::new();
    let generate = || assize.run(&["problem", "generate", root]).expect_code(0);
    assert!(generate().stderr.contains("tests/01.a"));
    let read = |path| std::fs::read_to_string(package.path().join(path)).unwrap();
    assert_eq!(
        (read("tests/01"), read("tests/01.a")),
        ("21\n".to_owned(), "42\n".to_owned())
    );
    assert!(generate().stderr.contains("nothing is missing"));
    assize.assert_clean();
}

#[test]
fn what_can_not_be_made() {
    for (attributes, code, part) in [
        (r#"cmd="gen 1" from-file="2""#, 2, "several files"),
        (r#"cmd="gen""#, 3, "files/gen.py on tests/01"),
    ] {
        let package = package(attributes);
        let root = package.path().to_str().unwrap();
        let done = Assize::new()
            .run(&["problem", "generate", root])
            .expect_code(code);
        assert!(done.stderr.contains(part), "{}", done.stderr);
        assert!(!package.path().join("tests/01").exists());
    }
}
