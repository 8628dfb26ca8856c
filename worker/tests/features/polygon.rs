//! Packages of Polygon, with a checker that ends as testlib's do.

use assize_common::package::Package;
use assize_common::{Stop, Verdict};
use assize_worker::cancel::Cancel;
use assize_worker::judging_error::JudgingError;

use crate::court::{TestPackage, chain, judge, new_judge, try_judge, verify};

/// Ends with the code that the output says, if the input and answer are there.
const CHECKER: &str = r#"
#include "lib.h"
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
    char in[9], out[9], ans[9];
    if (argc != 4) return 3;
    if (fscanf(fopen(argv[1], "r"), "%8s", in) != 1) return 3;
    if (fscanf(fopen(argv[3], "r"), "%8s", ans) != 1) return 3;
    if (fscanf(fopen(argv[2], "r"), "%8s", out) != 1) return 2;
    fprintf(stderr, "points 25 of %s", in);
    return atoi(out);
}
"#;

fn polygon(points: &str) -> TestPackage {
    let xml = format!(
        r#"<problem short-name="end">
    <judging input-file="" output-file="" treat-points-from-checker-as-percent="true">
        <testset name="tests">
            <time-limit>2000</time-limit>
            <memory-limit>268435456</memory-limit>
            <input-path-pattern>tests/%02d</input-path-pattern>
            <answer-path-pattern>tests/%02d.a</answer-path-pattern>
            <tests><test {points}/><test {points}/></tests>
        </testset>
    </judging>
    <files><resources><file path="files/lib.h"/></resources></files>
    <assets>
        <checker name="check.c" type="testlib"><source path="files/check.c"/></checker>
        <solutions>
            <solution tag="main"><source path="solutions/main.py"/></solution>
            <solution tag="wrong-answer"><source path="solutions/arg.py"/></solution>
        </solutions>
    </assets>
</problem>"#
    );
    TestPackage::bare("problem.xml", &xml)
        .with("files/lib.h", "")
        .with("files/check.c", CHECKER)
        .with("tests/01", "one\n")
        .with("tests/01.a", "x\n")
        .with("tests/02", "two\n")
        .with("tests/02.a", "x\n")
        .with("solutions/main.py", "print(0)\n")
        .with("solutions/arg.py", "print(7 if input() == 'two' else 0)\n")
}

#[test]
fn exit_codes_of_checkers() {
    let ending = |output: &str| {
        let package = polygon("").with("solutions/main.py", &format!("print('{output}')\n"));
        try_judge(&package, "main.py", Stop::FirstFailure)
    };
    for (output, verdict) in [
        ("0", Verdict::Ac),
        ("1", Verdict::Wa),
        ("2", Verdict::Pe),
        ("4", Verdict::Pe),
        ("8", Verdict::Pe),
        ("", Verdict::Pe),
    ] {
        assert_eq!(ending(output).unwrap().verdict, verdict, "{output:?}");
    }
    for (output, part) in [
        ("3", "failed: points 25 of one"),
        ("5", "exit code 5"),
        ("7", "none to give"),
    ] {
        let error = chain(&ending(output).unwrap_err());
        assert!(
            error.contains("files/check.c on secret/01") && error.contains(part),
            "{error}"
        );
    }
}

/// An interactor that does what the input says, word by word, before a checker.
const INTERACTOR: &str = "\
import os, sys
for word in open(sys.argv[1]).read().split():
    if word == 'hear': sys.stdin.readline()
    elif word == 'note': open(sys.argv[2], 'w').write('noted')
    elif word == 'flood':
        try:
            with open(sys.argv[2], 'wb', 0) as full:
                for _ in range(32): full.write(b'x' * (1 << 20))
        except OSError: pass
    elif word == 'crash': os.kill(os.getpid(), 11)
    else: sys.exit(int(word))
";

/// Checks what was noted, or ends as the answer file says.
const NOTES_CHECKER: &str = "\
import os, sys
code = open(sys.argv[3]).read().strip()
if code: os.kill(os.getpid(), 11) if code == 'crash' else sys.exit(int(code))
sys.exit(0 if open(sys.argv[2]).read() == 'noted' else 1)
";

fn conversation(interactor: &str, checker: &str) -> TestPackage {
    let xml = r#"<problem short-name="talk">
    <judging input-file="" output-file="">
        <testset name="tests">
            <time-limit>1000</time-limit>
            <memory-limit>268435456</memory-limit>
            <input-path-pattern>tests/%02d</input-path-pattern>
            <answer-path-pattern>tests/%02d.a</answer-path-pattern>
            <tests><test/></tests>
        </testset>
    </judging>
    <assets>
        <checker name="check.py" type="testlib"><source path="check.py"/></checker>
        <interactor><source path="talk.py"/></interactor>
        <solutions>
            <solution tag="main"><source path="says.py"/></solution>
            <solution tag="wrong-answer"><source path="crashes.py"/></solution>
        </solutions>
    </assets>
</problem>"#;
    TestPackage::bare("problem.xml", xml)
        .with("talk.py", INTERACTOR)
        .with("check.py", NOTES_CHECKER)
        .with("tests/01", interactor)
        .with("tests/01.a", checker)
        .with("says.py", "print('hello')\n")
        .with(
            "crashes.py",
            "print('hello', flush=True)\nraise Exception\n",
        )
}

#[test]
fn endings_of_interactors_and_of_the_checker_after_them() {
    for (interactor, checker, submission, verdict) in [
        ("hear note 0", "", "says.py", Verdict::Ac),
        // Nothing was noted.
        ("hear 0", "", "says.py", Verdict::Wa),
        ("hear note 0", "1", "says.py", Verdict::Wa),
        ("hear note 0", "2", "says.py", Verdict::Pe),
        // The checker is not asked.
        ("hear note 1", "0", "says.py", Verdict::Wa),
        ("hear 2", "0", "says.py", Verdict::Pe),
        ("hear note 0", "0", "crashes.py", Verdict::Rte),
    ] {
        let package = conversation(interactor, checker);
        let verdict_is = judge(&package, submission).verdict;
        assert_eq!(
            verdict_is, verdict,
            "{interactor:?} {checker:?} {submission}"
        );
    }
    for (interactor, checker, part) in [
        ("hear 3", "", "talk.py on secret/01: failed"),
        ("hear 5", "", "talk.py on secret/01: exit code 5"),
        (
            "hear 7",
            "",
            "talk.py on secret/01: gives points where there are none",
        ),
        ("hear crash", "", "talk.py on secret/01: ended by signal 11"),
        (
            "hear flood 0",
            "",
            "talk.py on secret/01: wrote more than 8.0 MiB",
        ),
        ("hear note 0", "3", "check.py on secret/01: failed"),
        ("hear note 0", "5", "check.py on secret/01: exit code 5"),
        (
            "hear note 0",
            "crash",
            "check.py on secret/01: ended by signal 11",
        ),
    ] {
        let error = try_judge(
            &conversation(interactor, checker),
            "says.py",
            Stop::FirstFailure,
        );
        let error = chain(&error.expect_err(interactor));
        assert!(error.contains(part), "{interactor:?} {checker:?}: {error}");
    }
}

/// Where its testlib would not take it for a file.
#[test]
fn checkers_are_told_the_test_set_and_the_group() {
    let tells = "#include <stdio.h>\n#include \"lib.h\"\nint main(int n, char **a) {\n\
        for (int i = 4; i < n; i++) fprintf(stderr, \"%s \", a[i]);\n}\n";
    let package = polygon("group=\"a\"").with("files/check.c", tells);
    let told = |package: &TestPackage| judge(package, "main.py").runs[0].message.clone();
    assert_eq!(told(&package), None);
    let package = package.with("files/lib.h", "// checker.setTestset(argv[++i]);\n");
    assert_eq!(told(&package), None, "it takes its arguments itself");
    let tells = format!("// registerTestlibCmd(n, a);\n{tells}");
    let package = package.with("files/check.c", &tells);
    assert_eq!(told(&package).as_deref(), Some("--testset tests --group a"));
}

#[test]
fn points_of_checkers() {
    let judged = judge(&polygon("points=\"10\""), "arg.py");
    assert_eq!(judged.score.unwrap().to_string(), "12.5");
    assert_eq!(judged.verdict, Verdict::Ac);
    assert_eq!(judged.runs[1].message.as_deref(), Some("points 25 of two"));
    assert_eq!(
        judge(&polygon("points=\"10\""), "main.py")
            .score
            .unwrap()
            .to_string(),
        "20"
    );
}

#[test]
fn samples_give_points_too() {
    let package = polygon("points=\"10\" sample=\"true\"");
    let judged = judge(&package, "arg.py");
    assert_eq!(judged.score.unwrap().to_string(), "12.5");
    assert_eq!(judged.runs[1].testcase, "sample/02");
}

#[test]
fn validators_of_inputs_end_with_zero() {
    let valid = "import sys\nsys.exit(0 if sys.stdin.read() == 'one\\n' else 3)\n";
    let xml = std::fs::read_to_string(polygon("").path().join("problem.xml")).unwrap();
    let xml = xml.replace(
        "<solutions>",
        "<validators><validator><source path=\"valid.py\"/></validator></validators><solutions>",
    );
    let package = polygon("")
        .with("problem.xml", &xml)
        .with("valid.py", valid);
    let findings = verify(&package, false).findings;
    let of_validator: Vec<_> = findings
        .iter()
        .filter(|finding| finding.problem.contains("valid.py"))
        .map(|finding| finding.subject.as_str())
        .collect();
    assert_eq!(of_validator, ["secret/02"], "{findings:?}");
}

/// A package that has its first input and nothing else of its tests.
fn ungenerated() -> TestPackage {
    let xml = r#"<problem short-name="sum">
    <judging input-file="" output-file="">
        <testset name="tests">
            <time-limit>2000</time-limit>
            <memory-limit>268435456</memory-limit>
            <input-path-pattern>tests/%02d</input-path-pattern>
            <answer-path-pattern>answers/%02d</answer-path-pattern>
            <tests><test method="manual"/><test cmd="gen 3 -x"/></tests>
        </testset>
    </judging>
    <files>
        <resources><file path="files/lib.h"/></resources>
        <executables><executable><source path="files/gen.c" type="c.gcc"/></executable></executables>
    </files>
    <assets>
        <checker name="check.c" type="testlib"><source path="files/check.c"/></checker>
        <solutions><solution tag="main"><source path="solutions/main.py" type="python.3"/></solution></solutions>
    </assets>
</problem>"#;
    TestPackage::bare("problem.xml", xml)
        .with("files/lib.h", "#include <stdio.h>\n")
        .with("files/check.c", "int main(void) { return 0; }\n")
        .with(
            "files/gen.c",
            "#include \"lib.h\"\nint main(int n, char **a) { printf(\"%d %s %s\\n\", n, a[1], a[2]); }\n",
        )
        .with("solutions/main.py", "print(input() + '!')\n")
        .with("tests/01", "one\n")
}

fn generate(package: &TestPackage) -> Result<(), JudgingError> {
    let directory = tempfile::tempdir().unwrap();
    let judge = new_judge(&directory);
    let generation = Package::generation(package.path()).unwrap();
    judge.generate(
        &mut judge.slot(0, None),
        &generation,
        package.path(),
        &mut |_| (),
        &Cancel::default(),
    )
}

#[test]
fn what_is_missing_is_generated() {
    let package = ungenerated();
    let error = Package::read(package.path()).unwrap_err().to_string();
    assert!(error.contains("assize problem generate"), "{error}");
    generate(&package).unwrap();
    for (path, content) in [
        ("tests/01", "one\n"),
        ("answers/01", "one!\n"),
        ("tests/02", "3 3 -x\n"),
        ("answers/02", "3 3 -x!\n"),
    ] {
        let made = std::fs::read_to_string(package.path().join(path)).unwrap();
        assert_eq!(made, content, "{path}");
    }
    assert!(
        Package::generation(package.path())
            .unwrap()
            .steps
            .is_empty()
    );
    assert_eq!(judge(&package, "main.py").verdict, Verdict::Ac);
}

#[test]
fn a_generator_that_fails_is_named() {
    let fails = "#include <stdio.h>\nint main(void) { puts(\"half\"); fputs(\"odd\", stderr); return 3; }\n";
    let package = ungenerated().with("files/gen.c", fails);
    let error = chain(&generate(&package).unwrap_err());
    assert!(
        error.contains("files/gen.c on tests/02")
            && error.contains("code: 3")
            && error.contains("odd"),
        "{error}"
    );
    assert!(!package.path().join("tests/02").exists());
    assert!(package.path().join("answers/01").exists());
}

#[test]
fn nothing_is_generated_outside_of_the_package() {
    let outside = tempfile::tempdir().unwrap();
    let package = ungenerated();
    let generation = Package::generation(package.path()).unwrap();
    std::os::unix::fs::symlink(outside.path(), package.path().join("answers")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let judge = new_judge(&directory);
    let (mut slot, cancel) = (judge.slot(0, None), Cancel::default());
    let made = judge.generate(&mut slot, &generation, package.path(), &mut |_| (), &cancel);
    assert!(chain(&made.unwrap_err()).contains("not within the package"));
    assert_eq!(outside.path().read_dir().unwrap().count(), 0);
}

#[test]
fn tests_of_its_validator_are_run() {
    let xml = std::fs::read_to_string(polygon("").path().join("problem.xml")).unwrap();
    let validators = r#"<validators><validator><source path="files/valid.py"/><testset>
        <input-path-pattern>files/v/%d</input-path-pattern>
        <tests><test verdict="invalid"/><test verdict="valid"/></tests>
        </testset></validator></validators><solutions>"#;
    let package = polygon("")
        .with("problem.xml", &xml.replace("<solutions>", validators))
        .with("solutions/arg.py", "print(1)\n")
        .with("files/lib.h", "")
        .with("files/valid.py", "import sys\nsys.exit(len(input()) > 3)\n")
        .with("files/v/1", "fine\n")
        .with("files/v/2", "bad\n");
    let verification = verify(&package, false);
    assert!(verification.is_fine(), "{:#?}", verification.findings);
    let package = package
        .with("files/v/1", "bad\n")
        .with("files/v/2", "fine\n");
    let verification = verify(&package, false);
    let wrong: Vec<_> = verification
        .findings
        .iter()
        .filter(|finding| finding.severity == assize_worker::verify::Severity::Error)
        .map(|finding| finding.subject.as_str())
        .collect();
    assert_eq!(wrong, ["validator-tests/01", "validator-tests/02"]);
}
