//! Verifying packages: good ones, and everything that can be wrong with one.

use assize_common::Verdict;
use assize_worker::verify::{Severity, Verification};

use crate::court::{TestPackage, verify};

const CHECK_INPUT: &str = "import sys\nn = sys.stdin.read()\nsys.exit(42 if n == f'{int(n)}\\n' and int(n) < 10 else 1)\n";
const DOUBLE: &str = "print(2 * int(input()))\n";
const WRONG: &str = "n = int(input())\nprint(2 * n if n < 3 else 0)\n";

fn good() -> TestPackage {
    TestPackage::new("")
        .with_testcase("sample/1", "1\n", "2\n")
        .with_testcase("secret/1", "3\n", "6\n")
        .with("data/invalid_input/big.in", "10\n")
        .with_testcase("invalid_output/a", "2\n", "4\n")
        .with("data/invalid_output/a.out", "5\n")
        .with_testcase("valid_output/a", "2\n", "4\n")
        .with("data/valid_output/a.out", " 4")
        .with("input_validators/check.py", CHECK_INPUT)
        .with("submissions/accepted/double.py", DOUBLE)
        .with("submissions/wrong_answer/wrong.py", WRONG)
}

#[test]
fn a_good_package_without_a_time_limit() {
    let verification = verify(&good(), true);
    assert!(verification.is_fine(), "{:#?}", verification.findings);
    assert_eq!(verification.findings, []);
    assert_eq!(verification.testcases, ["sample/1", "secret/1"]);
    let time_limit = verification.time_limit;
    assert!(!time_limit.is_stated && time_limit.time_limit_ms.is_multiple_of(1000));
    assert!(time_limit.at_least_ms.unwrap() <= time_limit.time_limit_ms);
    let wrong = &verification.submissions[1];
    assert_eq!(
        (wrong.verdict, wrong.as_expected),
        (Some(Verdict::Wa), true)
    );
    assert_eq!(wrong.runs.len(), 2);
    assert!(
        serde_json::to_string(&verification)
            .unwrap()
            .contains("\"findings\":[]")
    );
}

#[test]
fn everything_that_is_wrong_is_found() {
    let package = good()
        .with(".timelimit", "2\n")
        .with_testcase("secret/2", "3\n", "6\n")
        .with_testcase("secret/3", "12\n", "24\n")
        .with_testcase("secret/4", "0\n", "0\n")
        .with("data/invalid_input/fine.in", "9\n")
        .with("data/invalid_output/a.out", "4\n")
        .with("data/valid_output/a.out", "5\n")
        .with("submissions/wrong_answer/right.py", DOUBLE)
        .with(
            "submissions/accepted/broken.c",
            "int main(void) { return }\n",
        )
        .with("submissions/accepted/text.txt", "");
    let verification = verify(&package, false);
    assert!(!verification.is_fine());
    let found = |severity, subject: &str, part: &str| {
        let fits = verification.findings.iter().any(|finding| {
            finding.severity == severity
                && finding.subject == subject
                && finding.problem.contains(part)
        });
        assert!(fits, "{subject}: {part}\n{:#?}", verification.findings);
    };
    found(Severity::Warning, "secret/2", "same as that of secret/1");
    found(Severity::Error, "secret/3", "check.py rejects");
    found(
        Severity::Error,
        "invalid_input/fine",
        "no input validator rejects",
    );
    found(
        Severity::Error,
        "invalid_output/a",
        "accepts this invalid output",
    );
    found(Severity::Error, "valid_output/a", "rejects it");
    found(
        Severity::Error,
        "submissions/wrong_answer/right.py",
        "got AC, expected WA or PE",
    );
    found(
        Severity::Error,
        "submissions/accepted/broken.c",
        "got CE, expected AC: ",
    );
    found(
        Severity::Error,
        "submissions/accepted/text.txt",
        "no language",
    );
    found(
        Severity::Warning,
        "secret/4",
        "no example submission fails on it",
    );
}

#[test]
fn what_changes_its_mind_is_found() {
    let random = "import random\nn = int(input())\nprint(random.choice([0, 2 * n]))\n";
    let mut package = good().with("submissions/mixed/dice.py", random);
    for number in 0..20 {
        package = package.with_testcase(&format!("secret/r{number}"), "7\n", "14\n");
    }
    let verification = verify(&package, true);
    let again = verification.findings.iter().find(|finding| {
        finding.subject == "submissions/mixed/dice.py" && finding.problem.contains("again")
    });
    assert!(again.is_some(), "{:#?}", verification.findings);
}

/// Spaces do not matter to the validator.
#[test]
fn what_writes_something_else_and_is_judged_alike_is_found() {
    let dice = "import random\nprint(' ' * random.randrange(10000), 2 * int(input()))\n";
    let package = good().with("submissions/accepted/dice.py", dice);
    let verification = verify(&package, true);
    let findings: Vec<_> = verification
        .findings
        .iter()
        .filter(|finding| finding.problem.contains("when run again"))
        .collect();
    assert_eq!(findings.len(), 1, "{findings:#?}");
    let (subject, problem) = (&findings[0].subject, &findings[0].problem);
    assert_eq!(subject, "submissions/accepted/dice.py");
    assert!(problem.starts_with("writes something else on"), "{problem}");
}

#[test]
fn margins_of_the_time_limit() {
    let busy = |seconds: f64| {
        format!(
            "import time\nwhile time.process_time() < {seconds}: pass\nprint(2 * int(input()))\n"
        )
    };
    let package =
        TestPackage::new("limits: {time_limit: 1, time_multipliers: {ac_to_time_limit: 20, time_limit_to_tle: 20}}\n")
            .with_testcase("secret/1", "3\n", "6\n")
            .with("input_validators/check.py", CHECK_INPUT)
            .with("submissions/accepted/close.py", &busy(0.1))
            .with("submissions/time_limit_exceeded/near.py", &busy(2.0))
            .with(
                "submissions/time_limit_exceeded/far.py",
                "while True: pass\n",
            );
    let verification = verify(&package, false);
    let shown = format!("{:#?}", verification.findings);
    let about = |subject: &str| {
        let findings = verification.findings.iter();
        findings
            .filter(|finding| finding.severity == Severity::Error)
            .filter(|finding| finding.subject.ends_with(subject))
            .count()
    };
    assert_eq!(
        (about("time limit"), about("near.py"), about("far.py")),
        (1, 1, 0),
        "{shown}"
    );
    assert_eq!(
        verification.time_limit.slow_ones_keep_the_margin,
        Some(false)
    );
    assert!(verification.time_limit.at_least_ms.unwrap() >= 2000);
}

#[test]
fn some_submission_bounds_the_time_limit_from_below() {
    let package = good().with(".timelimit", "2\n").with(
        "submissions/submissions.yaml",
        "'*': {use_for_time_limit: false}\naccepted: {use_for_time_limit: false}\n\
         wrong_answer: {use_for_time_limit: false}\n",
    );
    let verification = verify(&package, false);
    let findings = verification.findings.iter();
    let found = findings.filter(|finding| finding.subject == "time limit");
    let severities: Vec<_> = found.map(|finding| finding.severity).collect();
    assert_eq!(
        severities,
        [Severity::Error],
        "{:#?}",
        verification.findings
    );
}

#[test]
fn input_validators_see_the_files_of_test_cases() {
    let check = "import sys\n\
        valid = open('deep/limit.txt').read() == sys.argv[1] and not sys.stdin.read()\n\
        sys.exit(42 if valid else 43)\n";
    let package = TestPackage::new("limits:\n  time_limit: 2\n")
        .with_testcase("secret/1", "", "seven")
        .with("data/secret/1.yaml", "args: [seven]\n")
        .with("data/secret/1.files/deep/limit.txt", "seven")
        .with("data/invalid_input/1.in", "")
        .with("data/invalid_input/1.yaml", "args: [seven]\n")
        .with("data/invalid_input/1.files/deep/limit.txt", "eight")
        .with("input_validators/check.py", check)
        .with(
            "submissions/accepted/read.py",
            "print(open('deep/limit.txt').read())\n",
        )
        .with("submissions/wrong_answer/six.py", "print('six')\n");
    let verification = verify(&package, false);
    assert_eq!(verification.findings, []);

    let package = package.with("data/secret/1.files/check.py", "");
    let verification = verify(&package, false);
    let [finding] = &verification.findings[..] else {
        panic!("{:#?}", verification.findings);
    };
    assert_eq!(finding.subject, "input_validators/check.py");
    assert!(finding.problem.contains("secret/1.files"), "{finding:?}");
}

#[test]
fn a_model_solution_is_right() {
    let package = good().with(
        "submissions/submissions.yaml",
        "wrong_answer/wrong.py:\n  model_solution: true\n",
    );
    let verification = verify(&package, false);
    let [finding] = &verification.findings[..] else {
        panic!("{:#?}", verification.findings);
    };
    assert_eq!(finding.subject, "submissions/wrong_answer/wrong.py");
    assert!(
        finding.problem.contains("the model solution gets WA"),
        "{finding:?}"
    );
}

/// The findings about `subject`, as severity and words.
fn about<'a>(verification: &'a Verification, subject: &str) -> Vec<(Severity, &'a str)> {
    let findings = verification.findings.iter();
    findings
        .filter(|finding| finding.subject == subject)
        .map(|finding| (finding.severity, finding.problem.as_str()))
        .collect()
}

#[test]
fn what_no_input_validator_checks_is_an_error() {
    let package = good()
        .with("input_validators/check.ctd", "INT(1, 9)")
        .with("data/invalid_input/fine.in", "9\n");
    let verification = verify(&package, false);
    assert!(!verification.is_fine());
    let unsupported = about(&verification, "input_validators/check.ctd");
    let [(Severity::Error, words)] = unsupported[..] else {
        panic!("{:#?}", verification.findings);
    };
    assert!(words.contains("checks no input"), "{words}");
    assert_eq!(
        about(&verification, "invalid_input/fine"),
        [(
            Severity::Error,
            "no input validator that can be run rejects this invalid input"
        )]
    );
    assert_eq!(about(&verification, "invalid_input/big"), []);

    std::fs::remove_file(package.path().join("input_validators/check.py")).unwrap();
    let verification = verify(&package, false);
    let [(Severity::Error, words)] = about(&verification, "invalid_input/big")[..] else {
        panic!("{:#?}", verification.findings);
    };
    assert!(words.starts_with("not checked"), "{words}");
}

#[test]
fn an_input_validator_that_dies_rejects_nothing() {
    let dying = "import os, sys\n\
        n = int(sys.stdin.read())\n\
        if n > 9: os.kill(os.getpid(), 11)\n\
        sys.exit(42)\n";
    let package = good().with("input_validators/check.py", dying);
    let verification = verify(&package, false);
    assert_eq!(
        about(&verification, "invalid_input/big"),
        [(
            Severity::Error,
            "input_validators/check.py gives no answer: ended by signal 11"
        )],
        "{:#?}",
        verification.findings
    );
}

#[test]
fn outputs_of_several_passes_are_checked_in_the_first() {
    // 4 is right and the end, 5 goes on, all else is wrong.
    let validator = "import sys\n\
        got = sys.stdin.read().split()\n\
        if got == ['5']: open(sys.argv[3] + 'nextpass.in', 'w').write('1')\n\
        sys.exit(42 if got in (['4'], ['5']) else 43)\n";
    let mut package = TestPackage::new("type: multi-pass\nlimits:\n  time_limit: 2\n")
        .with_testcase("secret/1", "2\n", "4\n")
        .with("input_validators/check.py", CHECK_INPUT)
        .with("output_validator/check.py", validator)
        .with("submissions/accepted/double.py", DOUBLE)
        .with("submissions/wrong_answer/wrong.py", "print(3)\n");
    for (name, output) in [
        ("invalid_output/right", "4"),
        ("invalid_output/more", "5"),
        ("invalid_output/wrong", "6"),
        ("valid_output/right", "4"),
        ("valid_output/more", "5"),
        ("valid_output/wrong", "6"),
    ] {
        package = package
            .with_testcase(name, "2\n", "4\n")
            .with(&format!("data/{name}.out"), output);
    }
    let verification = verify(&package, false);
    let shown = format!("{:#?}", verification.findings);
    let severity = |subject: &str| {
        let found = about(&verification, subject);
        found.first().map(|(severity, _)| *severity)
    };
    assert_eq!(severity("invalid_output/right"), Some(Severity::Error));
    assert_eq!(severity("invalid_output/more"), Some(Severity::Warning));
    assert_eq!(
        about(&verification, "valid_output/wrong"),
        [(
            Severity::Error,
            "the output validator rejects it, without a message"
        )]
    );
    for fine in [
        "invalid_output/wrong",
        "valid_output/right",
        "valid_output/more",
    ] {
        assert_eq!(severity(fine), None, "{fine}: {shown}");
    }
}

#[test]
fn a_fickle_output_validator_is_found() {
    let fickle = "import os, sys\nsys.exit(42 + os.urandom(1)[0] % 2)\n";
    let mut package = good().with("output_validator/check.py", fickle);
    for number in 0..12 {
        let name = format!("valid_output/r{number}");
        package = package
            .with_testcase(&name, "2\n", "4\n")
            .with(&format!("data/{name}.out"), "4\n");
    }
    let verification = verify(&package, true);
    let mut findings = verification.findings.iter();
    let found = findings.any(|finding| {
        finding.severity == Severity::Error
            && finding.problem == "the output validator answers differently when run again"
    });
    assert!(found, "{:#?}", verification.findings);
}

#[test]
fn a_score_that_changes_is_found() {
    let validator = "import sys\n\
        open(sys.argv[3] + 'score_multiplier.txt', 'w').write(sys.stdin.read())\n\
        sys.exit(42)\n";
    let package = TestPackage::new("type: scoring\nlimits:\n  time_limit: 2\n")
        .with_testcase("secret/1", "2\n", "4\n")
        .with("input_validators/check.py", CHECK_INPUT)
        .with("output_validator/score.py", validator)
        .with(
            "submissions/accepted/dice.py",
            "import random\nprint(random.randrange(10**9) / 10**9)\n",
        );
    let verification = verify(&package, true);
    assert!(
        about(&verification, "submissions/accepted/dice.py")
            .contains(&(Severity::Warning, "gets another score when run again")),
        "{:#?}",
        verification.findings
    );
    let wrong = about(&verification, "submissions");
    assert!(
        matches!(wrong[..], [(Severity::Warning, _)]),
        "no wrong submission: {wrong:?}"
    );
}

#[test]
fn conversations_have_no_outputs_to_check() {
    let package = TestPackage::new("type: interactive\nlimits:\n  time_limit: 2\n")
        .with_testcase("secret/1", "2\n", "4\n")
        .with_testcase("invalid_output/a", "2\n", "4\n")
        .with("data/invalid_output/a.out", "4\n")
        .with("input_validators/check.py", CHECK_INPUT)
        .with(
            "output_validator/talk.py",
            "import sys\nsys.exit(42 if input() == '4' else 43)\n",
        )
        .with("submissions/accepted/four.py", "print(4)\n")
        .with("submissions/wrong_answer/five.py", "print(5)\n");
    let verification = verify(&package, false);
    let [(Severity::Warning, words)] = about(&verification, "invalid_output/a")[..] else {
        panic!("{:#?}", verification.findings);
    };
    assert!(words.starts_with("not run"), "{words}");
}
