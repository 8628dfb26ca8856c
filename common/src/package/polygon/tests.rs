//! Packages of Polygon through the reader.

use std::time::Duration;

use bytesize::ByteSize;

use super::super::grading::{Aggregation, Grading, ScoredMember};
use super::super::test_package::TestPackage;
use super::super::{
    CheckerPoints, CheckerProtocol, FormatVersion, Kind, OutputValidator, Package,
    ValidatorTestKind,
};
use crate::Verdict;

/// A problem.xml with these tests, groups and attributes of `judging`.
fn xml(judging: &str, tests: &str, groups: &str, more: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="utf-8" standalone="no"?>
<problem revision="3" short-name="sum">
    <names><name language="russian" value="Сумма"/><name language="english" value="Sum"/></names>
    <judging cpu-name="x" input-file="" output-file="" {judging}>
        <testset name="tests">
            <time-limit>1500</time-limit>
            <memory-limit>268435456</memory-limit>
            <test-count>2</test-count>
            <input-path-pattern>tests/%02d</input-path-pattern>
            <answer-path-pattern>tests/%02d.a</answer-path-pattern>
            <tests>{tests}</tests>
            {groups}
        </testset>
    </judging>
    <files><resources><file path="files/testlib.h" type="h.g++"/></resources></files>
    <assets>
        <checker name="std::ncmp.cpp" type="testlib"><source path="files/check.cpp" type="cpp.g++17"/></checker>
        <solutions>
            <solution tag="main"><source path="solutions/main.cpp" type="cpp.g++17"/></solution>
            <solution tag="wrong-answer"><source path="solutions/bad.py" type="python.3"/></solution>
            <solution tag="rejected"><source path="solutions/worse.py" type="python.3"/></solution>
        </solutions>
        {more}
    </assets>
</problem>"#
    )
}

fn package(xml: &str) -> TestPackage {
    TestPackage::empty()
        .with("problem.xml", xml)
        .with("files/testlib.h", "")
        .with("files/check.cpp", "")
        .with("solutions/main.cpp", "")
        .with("solutions/bad.py", "")
        .with("solutions/worse.py", "")
        .with("tests/01", "1\n")
        .with("tests/01.a", "1\n")
        .with("tests/02", "2\n")
        .with("tests/02.a", "2\n")
}

const PLAIN: &str =
    r#"<test method="manual" sample="true"/><test cmd="gen 2" method="generated"/>"#;

fn error(xml: &str) -> String {
    Package::read(package(xml).path()).unwrap_err().to_string()
}

#[test]
fn a_plain_problem() {
    let package = package(&xml("", PLAIN, "", ""));
    let read = Package::read(package.path()).unwrap();
    assert_eq!(
        (read.format, read.name.as_str()),
        (FormatVersion::Polygon, "Sum")
    );
    assert_eq!(read.limits.time_limit, Duration::from_millis(1500));
    assert_eq!(read.limits.memory, ByteSize::mib(256));
    let names: Vec<_> = read
        .testcases
        .iter()
        .map(|testcase| testcase.name.as_str())
        .collect();
    assert_eq!(names, ["sample/01", "secret/02"]);
    assert_eq!(read.grading, Grading::PassFail);
    let OutputValidator::Checker { program, protocol } = &read.output_validator else {
        panic!("{:?}", read.output_validator);
    };
    let files: Vec<_> = program
        .files
        .iter()
        .map(|file| file.name.as_str())
        .collect();
    assert_eq!(
        (files, *protocol),
        (
            vec!["check.cpp", "testlib.h"],
            CheckerProtocol::Testlib(CheckerPoints::Absolute)
        )
    );
    let expected: Vec<_> = read
        .submissions
        .iter()
        .map(|submission| submission.expectation.verdicts())
        .collect();
    assert_eq!(expected[0], [Verdict::Wa].into());
    assert_eq!(expected[1], [Verdict::Ac].into());
    assert!(!expected[2].contains(&Verdict::Ac) && expected[2].len() > 3);
    assert!(read.submissions[1].is_model);
    assert_eq!(read.warnings, Vec::<String>::new());
}

#[test]
fn types_of_sources_tell_the_language() {
    let package = package(&xml("", PLAIN, "", "").replace("python.3", "python.2"));
    let read = Package::read(package.path()).unwrap();
    let languages: Vec<_> = read
        .submissions
        .iter()
        .map(|submission| submission.program.language.as_deref())
        .collect();
    assert_eq!(
        languages,
        [Some("python2"), Some("cpp"), Some("python2")],
        "by name: bad.py, main.cpp, worse.py"
    );
    for (source_type, code) in [
        ("python.pypy2", Some("python2")),
        ("python.pypy3-64", Some("python3")),
        ("java11", Some("java")),
        ("java.8", Some("java")),
        ("kotlin17", Some("kotlin")),
        ("cpp.ms", Some("cpp")),
        ("pas.fpc", Some("pascal")),
        ("q.sharp", None),
    ] {
        let found = super::programs::language(source_type);
        assert_eq!(found.as_deref(), code, "{source_type}");
    }
}

#[test]
fn groups_with_points_and_dependencies() {
    let tests = r#"<test method="manual" group="0" points="0"/><test group="a b" points="40.5"/>"#;
    let groups = r#"<groups>
        <group name="0" points-policy="each-test"/>
        <group name="a b" points="40.50" points-policy="complete-group">
            <dependencies><dependency group="0"/></dependencies>
        </group>
    </groups>"#;
    let judging = r#"treat-points-from-checker-as-percent="true""#;
    let read = Package::read(package(&xml(judging, tests, groups, "")).path()).unwrap();
    let Grading::Scoring(secret) = &read.grading else {
        panic!("{:?}", read.grading);
    };
    assert_eq!(secret.max_score.as_ref().unwrap().to_string(), "40.5");
    let [ScoredMember::Group(first), ScoredMember::Group(second)] = &secret.members[..] else {
        panic!("{secret:?}");
    };
    assert_eq!(first.aggregation, Aggregation::Sum);
    assert_eq!(second.aggregation, Aggregation::PassFail);
    assert_eq!(second.require_pass, ["secret/0"]);
    assert_eq!(read.testcases[1].name, "secret/a b/02");
    assert!(matches!(
        read.output_validator,
        OutputValidator::Checker {
            protocol: CheckerProtocol::Testlib(CheckerPoints::Percent),
            ..
        }
    ));
}

#[test]
fn what_can_not_be_honoured_is_refused() {
    let late = r#"<groups><group name="0"><dependencies><dependency group="1"/></dependencies></group></groups>"#;
    let grouped = r#"<test group="0" points="1"/><test group="1" points="1"/>"#;
    let more_points = r#"<groups><group name="1" points="3"/></groups>"#;
    let odd = r#"<groups><group name="0" points-policy="half"/></groups>"#;
    for (judging, tests, groups, more, part) in [
        (r#"run-count="2""#, PLAIN, "", "", "judging.run-count"),
        ("", grouped, late, "", "does not come before"),
        ("", grouped, odd, "", "\"half\""),
        (
            "",
            grouped,
            more_points,
            "",
            "3 points for group 1, whose tests have 1",
        ),
        (
            "",
            r#"<test group="1"/>"#,
            more_points,
            "",
            "whose tests have 0",
        ),
        ("", r#"<test points="many"/>"#, "", "", "points of test 1"),
        ("", "", "", "", "no secret test case"),
    ] {
        let error = error(&xml(judging, tests, groups, more));
        assert!(error.contains(part), "{error}");
    }
    let files = xml("", PLAIN, "", "").replace("input-file=\"\"", "input-file=\"a.in\"");
    assert!(error(&files).contains("judging.input-file"));
    assert!(error("<problem").contains("not XML"));
    let bomb = "<!DOCTYPE p [<!ENTITY a 'b'>]><problem>&a;</problem>";
    assert!(error(bomb).contains("not XML"));
}

#[test]
fn interactors_validators_and_standard_checkers() {
    let more = r#"<interactor><source path="files/talk.cpp"/></interactor>
        <validators><validator><source path="files/valid.cpp"/></validator></validators>"#;
    let text = xml("", PLAIN, "", more).replace("\"files/check.cpp\"", "\"files/ncmp.cpp\"");
    let package = package(&text)
        .with("files/talk.cpp", "")
        .with("files/valid.cpp", "");
    let read = Package::read(package.path()).unwrap();
    assert_eq!(read.kind, Kind::Interactive);
    let programs = read.output_validator.programs();
    let names: Vec<_> = programs
        .iter()
        .map(|program| program.name.as_str())
        .collect();
    // The standard checker is found as its copy.
    assert_eq!(names, ["files/talk.cpp", "files/check.cpp"]);
    for program in programs.into_iter().chain(&read.input_validators) {
        let header = program.files.last().map(|file| file.name.as_str());
        assert_eq!(header, Some("testlib.h"), "{}", program.name);
    }
    assert_eq!(read.input_validators[0].name, "files/valid.cpp");
    let args = &read.testcases[0].input_validator_args;
    assert_eq!(args.of(&read.input_validators[0]), ["--testset", "tests"]);
    assert_eq!(read.warnings, Vec::<String>::new());
}

#[test]
fn what_must_be_generated_is_named() {
    let three = format!("{PLAIN}<test method=\"generated\" cmd=\"gen 100 7\"/>");
    let text = xml("", &three, "", "");
    let error_text = error(&text);
    assert!(
        error_text.contains("tests/03: missing") && error_text.contains("`gen 100 7`"),
        "{error_text}"
    );
    let with_input = package(&text).with("tests/03", "");
    let error = Package::read(with_input.path()).unwrap_err().to_string();
    assert!(
        error.contains("tests/03.a") && error.contains("main solution"),
        "{error}"
    );
    let lost = xml("", PLAIN, "", "").replace("std::ncmp.cpp", "own.cpp");
    let lost = lost.replace("files/check.cpp", "files/own.cpp");
    assert!(self::error(&lost).contains("files/own.cpp: missing"));
}

#[test]
fn tests_of_the_validator_and_of_the_checker() {
    let validators = r#"<validators><validator><source path="files/valid.cpp"/><testset>
        <test-count>3</test-count>
        <input-path-pattern>files/v/%02d</input-path-pattern>
        <tests><test verdict="invalid" testset="tests" group="a"/><test verdict="valid"/><test verdict="invalid"/></tests>
        </testset></validator></validators>"#;
    let tests = r#"<testset>
        <input-path-pattern>files/c/%d</input-path-pattern>
        <output-path-pattern>files/c/%d.o</output-path-pattern>
        <answer-path-pattern>files/c/%d.a</answer-path-pattern>
        <tests><test verdict="wrong-answer"/><test verdict="crashed"/></tests></testset></checker>"#;
    let text = xml("", PLAIN, "", validators).replace("</checker>", tests);
    let mut package = package(&text);
    for file in ["valid.cpp", "v/01", "v/02", "c/1", "c/1.o", "c/1.a"] {
        package = package.with(&format!("files/{file}"), "");
    }
    let read = Package::read(package.path()).unwrap();
    let found: Vec<_> = read
        .validator_tests
        .iter()
        .map(|test| (test.name.as_str(), &test.of))
        .collect();
    assert!(
        matches!(
            found[..],
            [
                ("validator-tests/01", ValidatorTestKind::InvalidInput),
                ("validator-tests/02", ValidatorTestKind::ValidInput),
                (
                    "checker-tests/01",
                    ValidatorTestKind::Output { valid: false, .. }
                ),
            ]
        ),
        "{found:?}"
    );
    let args = read.validator_tests[0].input_validator_args.clone();
    assert_eq!(
        args.of(&read.input_validators[0]),
        ["--testset", "tests", "--group", "a"]
    );
    let [lost, crashed] = &read.warnings[..] else {
        panic!("{:?}", read.warnings);
    };
    assert!(lost.contains("files/v/03 is missing"), "{lost}");
    assert!(crashed.contains("\"crashed\""), "{crashed}");
}

#[test]
fn what_is_not_known_or_does_not_fit_is_told() {
    let unknown =
        xml("foo=\"1\"", PLAIN, "<bar/>", "").replace(">2</test-count>", ">3</test-count>");
    let read = Package::read(package(&unknown).path()).unwrap();
    let warned = |part: &str| read.warnings.iter().any(|warning| warning.contains(part));
    assert!(
        warned("`foo` of <judging>") && warned("<bar> in <testset>") && warned("`test-count` is 3"),
        "{:?}",
        read.warnings
    );
    let huge = xml("", PLAIN, "", "").replace("268435456", "99999999999999");
    let error_text = error(&huge);
    assert!(
        error_text.contains("memory-limit") && error_text.contains("64.0 GiB at most"),
        "{error_text}"
    );
}
