//! Problems of DMOJ through the reader.

use std::io::{Cursor, Write as _};
use std::time::Duration;

use bytesize::ByteSize;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::super::grading::{Aggregation, Grading, ScoredMember};
use super::super::test_package::TestPackage;
use super::super::{
    CheckerProtocol, DmojChecker, FloatError, FormatVersion, Kind, OutputValidator, Package,
};

fn problem(init: &str) -> TestPackage {
    let package = TestPackage::empty()
        .with("init.yml", init)
        .with(".timelimit", "1.5\n")
        .with("check.py", "");
    ["1", "2", "3", "4"]
        .into_iter()
        .fold(package, |package, name| {
            package
                .with(&format!("{name}.in"), "1\r\n2")
                .with(&format!("{name}.out"), "3\n")
        })
}

const CASES: &str = "test_cases: [{in: 1.in, out: 1.out}]\n";

fn read(init: &str) -> Package {
    Package::read(problem(init).path()).unwrap()
}

fn error(init: &str) -> String {
    let error = Package::read(problem(init).path()).unwrap_err();
    assert!(error.is_fault_of_package());
    error.to_string()
}

fn validator(init: &str) -> OutputValidator {
    read(&format!("{CASES}{init}")).output_validator
}

fn names(package: &Package) -> Vec<&str> {
    let testcases = package.testcases.iter();
    testcases.map(|testcase| testcase.name.as_str()).collect()
}

#[test]
fn cases_and_batches_with_points_and_dependencies() {
    let read = read(
        "\
points: 10
test_cases:
- {in: 1.in, out: 1.out}
- batched:
  - {in: 2.in, out: 2.out}
  - {in: 3.in, out: 3.out}
  points: 20.5
- batched: [{in: 4.in, out: 4.out, points: 99}]
  dependencies: [1]
",
    );
    assert_eq!(read.format, FormatVersion::Dmoj);
    assert_eq!(read.limits.time_limit, Duration::from_millis(1500));
    assert_eq!(read.limits.output.as_u64(), 25_165_824);
    assert_eq!(
        names(&read),
        [
            "secret/01",
            "secret/batch1/01",
            "secret/batch1/02",
            "secret/batch2/01"
        ]
    );
    let Grading::Scoring(secret) = &read.grading else {
        panic!("{:?}", read.grading);
    };
    assert_eq!(secret.max_score, Some("40.5".parse().unwrap()));
    let [
        ScoredMember::Testcase { index: 0, .. },
        ScoredMember::Group(first),
        ScoredMember::Group(second),
    ] = secret.members.as_slice()
    else {
        panic!("{secret:?}");
    };
    assert_eq!(first.aggregation, Aggregation::Min);
    assert_eq!(first.max_score, Some("20.5".parse().unwrap()));
    assert_eq!(second.require_pass, ["secret/batch1"]);
    assert_eq!(second.max_score, Some(10.into()));
    assert_eq!(
        read.warnings.len(),
        1,
        "points within a batch: {:?}",
        read.warnings
    );
    let input = std::fs::read(&read.testcases[0].input).unwrap();
    assert_eq!(input, b"1\n2\n");
}

#[test]
fn nothing_counts_after_a_pretest_that_fails() {
    let package = problem(
        "\
pretest_test_cases: [{in: 1.in, out: 1.out, points: 5}]
test_cases: [{in: 2.in, out: 2.out, binary_data: true}]
",
    );
    let read = Package::read(package.path()).unwrap();
    assert_eq!(names(&read), ["secret/pretest-01", "secret/01"]);
    let Grading::Scoring(secret) = &read.grading else {
        panic!("{:?}", read.grading);
    };
    let [_, ScoredMember::Group(after)] = secret.members.as_slice() else {
        panic!("{secret:?}");
    };
    assert_eq!(after.require_pass, ["secret/pretest-01"]);
    assert_eq!(secret.max_score, Some(1.into()));
    let input = std::fs::read(&read.testcases[1].input).unwrap();
    assert_eq!(input, b"1\r\n2");
}

#[test]
fn nothing_counts_after_a_batch_without_points_that_fails() {
    let package = problem(
        "\
test_cases:
- {batched: [{in: 1.in, out: 1.out}], points: 0}
- {in: 2.in, out: 2.out, points: 10}
",
    );
    let read = Package::read(package.path()).unwrap();
    let Grading::Scoring(secret) = &read.grading else {
        panic!("{:?}", read.grading);
    };
    let [_, ScoredMember::Group(after)] = secret.members.as_slice() else {
        panic!("{secret:?}");
    };
    assert_eq!(after.require_pass, ["secret/batch1"]);
}

fn archive(names: &[&str]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for name in names {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(name.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn archives_with_names_that_tell() {
    let zip = archive(&["a 1.in", "a 1.out", "b.2-1.in", "b.2-1.out"]);
    let package =
        problem("archive: data.zip\ntest_cases: {case_points: [3, 4]}\n").with("data.zip", &zip);
    let read = Package::read(package.path()).unwrap();
    assert_eq!(names(&read), ["secret/01", "secret/batch1/01"]);
    let input = std::fs::read_to_string(&read.testcases[0].input).unwrap();
    assert_eq!(input, "a 1.in\n");
    let place = read.testcases[1].answer.clone();
    let copy = read.clone();
    drop(read);
    assert!(place.exists());
    drop(copy);
    assert!(!place.exists(), "it goes with the package");

    let listed = problem("archive: data.zip\ntest_cases: [{in: b.2-1.in, out: 1.out}]\n")
        .with("data.zip", &zip);
    assert_eq!(names(&Package::read(listed.path()).unwrap()), ["secret/01"]);
    let hostile = problem("archive: data.zip\n").with("data.zip", archive(&["../1.in"]));
    let error = Package::read(hostile.path()).unwrap_err().to_string();
    assert!(error.contains("`..`"), "{error}");
    let bare = self::error("test_cases: {}\n");
    assert!(bare.contains("archive"), "{bare}");
}

#[test]
fn checkers_by_name() {
    let dmoj = |init: &str| match validator(init) {
        OutputValidator::Dmoj(checker) => checker,
        other => panic!("{other:?}"),
    };
    assert_eq!(dmoj(""), DmojChecker::Standard);
    assert_eq!(dmoj("checker: easy"), DmojChecker::Easy);
    assert_eq!(
        dmoj("checker: {name: floats, args: {precision: 3}}"),
        DmojChecker::Floats {
            tolerance: 1e-3,
            error: FloatError::Either
        }
    );
    assert_eq!(
        dmoj("checker: {name: sorted, args: {split_on: whitespace}}"),
        DmojChecker::Unordered
    );
    assert_eq!(
        dmoj("checker: {name: identical, args: {pe_allowed: false}}"),
        DmojChecker::Identical {
            tells_presentation: false
        }
    );
}

#[test]
fn programs_that_check_and_talk() {
    let bridged =
        "checker: {name: bridged, args: {files: [check.cpp], lang: CPP17, type: testlib}}";
    let package = problem(&format!("{CASES}{bridged}\n"))
        .with("check.cpp", "")
        .with("testlib.h", "");
    let read = Package::read(package.path()).unwrap();
    let OutputValidator::Checker { program, protocol } = &read.output_validator else {
        panic!("{:?}", read.output_validator);
    };
    assert!(matches!(protocol, CheckerProtocol::Testlib(_)));
    assert_eq!(program.language.as_deref(), Some("cpp"));
    assert_eq!(program.files.len(), 2);

    let talks = problem(&format!(
        "{CASES}interactive: {{files: talk.py, lang: PY3}}\n"
    ))
    .with("talk.py", "");
    let read = Package::read(talks.path()).unwrap();
    assert_eq!(read.kind, Kind::Interactive);
    assert!(matches!(
        read.output_validator,
        OutputValidator::Interactor {
            protocol: CheckerProtocol::ExitCode,
            ..
        }
    ));
}

#[test]
fn what_can_not_be_honoured_is_refused_with_its_key() {
    for (init, key) in [
        ("custom_judge: judge.py", "`custom_judge`"),
        (
            "signature_grader: {entry: a.c, header: a.h}",
            "`signature_grader`",
        ),
        ("generator: gen.cpp", "`generator`"),
        ("checker: linecount", "`checker`"),
        ("checker: check.py", "`checker`"),
        (
            "checker: {name: bridged, args: {files: check.cpp}}",
            "`checker.args.files`",
        ),
        (
            "checker: {name: floats, args: {error_mode: odd}}",
            "`checker.args.error_mode`",
        ),
        (
            "checker: {name: bridged, args: {files: 1.in, type: coci}}",
            "`checker.args.type`",
        ),
        (
            "interactive: {files: 1.in, args_format_string: x}",
            "`interactive.args_format_string`",
        ),
    ] {
        let error = error(&format!("{CASES}{init}\n"));
        assert!(
            error.contains(key) && error.starts_with("init.yml"),
            "{init}: {error}"
        );
    }
    for (init, part) in [
        ("test_cases: [{in: 9.in}]", "9.in: missing"),
        ("test_cases: []", "no test cases"),
        (
            "test_cases: [{in: 1.in, generator_args: [1]}]",
            "generator_args",
        ),
        ("test_cases: [{batched: [{batched: []}]}]", "do not nest"),
        (
            "test_cases: [{batched: [{in: 1.in}], dependencies: [1]}]",
            "earlier batch",
        ),
        ("test_cases: [{in: 1.in, checker: easy}]", "another checker"),
        ("test_cases: [{in: 1.in, points: -1}]", "less than nothing"),
    ] {
        let error = error(&format!("{init}\n"));
        assert!(error.contains(part), "{init}: {error}");
    }
    let unknown = read(&format!("{CASES}colour: red\n"));
    assert_eq!(
        unknown.warnings,
        ["init.yml: unknown key `colour` is ignored"]
    );
}

#[test]
fn nothing_that_is_stated_is_dropped_without_a_word() {
    for (init, key) in [
        ("short_circuit: false", "short_circuit"),
        ("unbuffered: true", "unbuffered"),
        ("wall_time_factor: 5", "wall_time_factor"),
        (
            "checker: {name: bridged, args: {files: check.py, lang: OCAML}}",
            "checker.args.lang",
        ),
        (
            "interactive: {files: check.py, preprocessing_time: 5}",
            "interactive.preprocessing_time",
        ),
        ("interactive: {files: check.py}\nchecker: easy", "checker"),
    ] {
        let warnings = read(&format!("{CASES}{init}\n")).warnings;
        let [warning] = &warnings[..] else {
            panic!("{init}: {warnings:?}");
        };
        let start = format!("init.yml: `{key}` is ignored: ");
        assert!(warning.starts_with(&start), "{init}: {warning}");
    }
    let warnings = read("test_cases: [{batched: [{in: 1.in, points: 3}]}]\n").warnings;
    assert!(warnings[0].contains("points"), "{warnings:?}");
}

#[test]
fn limits_of_checkers_are_honoured() {
    let args = "files: check.py, time_limit: 3, memory_limit: 65536, compiler_time_limit: 30";
    let limits = read(&format!(
        "{CASES}checker: {{name: bridged, args: {{{args}}}}}\n"
    ))
    .limits;
    assert_eq!(limits.validation_time, Duration::from_secs(3));
    assert_eq!(limits.validation_memory, ByteSize::mib(64));
    assert_eq!(limits.compilation_time, Duration::from_secs(30));
}
