//! Whole packages through the reader.

use std::collections::BTreeMap;
use std::time::Duration;

use bytesize::ByteSize;

use super::test_package::TestPackage;
use super::{
    FormatVersion, InputValidatorArgs, Kind, OutputValidator, Package, PackageError, Program,
    ShownOutput, Timing, ValidatorTest, ValidatorTestKind,
};
use crate::language::LanguageTable;

fn read(package: &TestPackage) -> Package {
    Package::read(package.path()).unwrap()
}

fn error(package: &TestPackage) -> String {
    Package::read(package.path()).unwrap_err().to_string()
}

fn yaml(extra: &str) -> TestPackage {
    let base =
        "problem_format_version: 2025-09\nname: Test\nuuid: 2a1e8b4c-8d1f-4b5e-9c55-52a9c1f0d7aa\n";
    TestPackage::minimal().with("problem.yaml", format!("{base}{extra}"))
}

#[test]
fn a_minimal_package_of_each_generation() {
    let package = read(&TestPackage::minimal());
    assert_eq!(
        (package.format, package.kind),
        (FormatVersion::V2025_09, Kind::PassFail)
    );
    assert_eq!(package.limits.time_limit, Duration::from_secs(2));
    assert_eq!(package.limits.memory, ByteSize::mib(2048));
    assert_eq!(package.warnings, Vec::<String>::new());
    let package = read(&TestPackage::legacy());
    assert_eq!(package.format, FormatVersion::Legacy);
    assert_eq!(package.limits.time_limit, Duration::from_millis(1500));
    assert_eq!(package.warnings, Vec::<String>::new());
}

#[test]
fn test_cases_come_in_order_with_samples_first() {
    let mut package = TestPackage::minimal();
    for name in [
        "secret/b-1",
        "secret/b/1",
        "secret/a10",
        "secret/a9",
        "sample/9",
    ] {
        package = package
            .with(&format!("data/{name}.in"), "")
            .with(&format!("data/{name}.ans"), "");
    }
    let names: Vec<_> = read(&package)
        .testcases
        .into_iter()
        .map(|testcase| testcase.name)
        .collect();
    assert_eq!(
        names,
        [
            "sample/9",
            "secret/1",
            "secret/a10",
            "secret/a9",
            "secret/b/1",
            "secret/b-1"
        ]
    );
}

#[test]
fn limits_have_units() {
    let limits = "limits:\n  time_limit: 0.5\n  time_resolution: 0.1\n  memory: 64\n  output: 2\n  code: 3\n  validation_time: 7\n";
    let limits = read(&yaml(limits)).limits;
    assert_eq!(limits.time_limit, Duration::from_millis(500));
    assert_eq!(
        (limits.memory, limits.output, limits.code),
        (ByteSize::mib(64), ByteSize::mib(2), ByteSize::kib(3))
    );
    assert_eq!(limits.validation_time, Duration::from_secs(7));
    assert!(error(&yaml("limits:\n  time_limit: 0.5\n")).contains("time_resolution"));
    for odd in ["-1", "1e-12", "1.0000001"] {
        let limits = format!("limits:\n  time_limit: {odd}\n");
        assert!(
            error(&yaml(&limits)).contains("`limits.time_limit`"),
            "{odd}"
        );
    }
    assert!(error(&yaml("limits:\n  time_limit: 1\n  memory: 1.5\n")).contains("`limits.memory`"));
}

#[test]
fn the_time_limit_is_looked_for_in_three_places() {
    assert!(matches!(
        Package::read(yaml("").path()),
        Err(PackageError::NoTimeLimit)
    ));
    let ini = yaml("").with(
        "domjudge-problem.ini",
        "; a comment\ntimelimit = '3'\ncolour = red\n",
    );
    assert_eq!(read(&ini).limits.time_limit, Duration::from_secs(3));
    let both = ini.with(".timelimit", "4\n");
    let package = read(&both);
    assert_eq!(package.limits.time_limit, Duration::from_secs(3));
    assert!(
        package.warnings[0].contains(".timelimit"),
        "{:?}",
        package.warnings
    );
    assert!(error(&yaml("").with(".timelimit", "fast")).contains("\"fast\""));
    assert!(
        error(&yaml("").with("domjudge-problem.ini", "special_run = x\n")).contains("special_run")
    );
}

#[test]
fn what_is_missing_is_named() {
    assert!(matches!(
        Package::read(TestPackage::empty().path()),
        Err(PackageError::NotAPackage { .. })
    ));
    let package = TestPackage::minimal().with("data/secret/2.in", "");
    assert!(error(&package).contains("data/secret/2.ans"));
    let package = TestPackage::minimal().with("data/secret/2.ans", "");
    assert!(error(&package).contains("data/secret/2.ans"));
    let package = TestPackage::minimal();
    std::fs::remove_file(package.path().join("data/secret/1.in")).unwrap();
    std::fs::remove_file(package.path().join("data/secret/1.ans")).unwrap();
    assert!(matches!(
        Package::read(package.path()),
        Err(PackageError::NoTestcases)
    ));
}

#[test]
fn what_is_not_supported_is_refused_with_file_and_key() {
    for (file, content, key) in [
        (
            "problem.yaml",
            "problem_format_version: 2031-01\n",
            "2031-01",
        ),
        ("data/testdata.yaml", "grading: custom\n", "`grading`"),
        ("domjudge-problem.ini", "special_run = x\n", "`special_run`"),
        (
            "domjudge-problem.ini",
            "special_compare = x\n",
            "`special_compare`",
        ),
        ("data/secret/1.files/x", "", "1.files"),
    ] {
        let error = error(&TestPackage::legacy().with(file, content));
        assert!(
            error.contains(file.split(".files").next().unwrap()),
            "{error}"
        );
        assert!(error.contains(key), "{error}");
    }
    let several = TestPackage::legacy()
        .with("problem.yaml", "validation: custom\n")
        .with("output_validators/a.py", "")
        .with("output_validators/b.py", "");
    let programs = read(&several).output_validator;
    assert_eq!(programs.programs().len(), 2);
    let header = several.with("output_validators/b.h", "");
    assert!(error(&header).contains("output_validators/b.h: not a program by itself"));
}

#[test]
fn types_that_exclude_each_other() {
    let limit = "limits:\n  time_limit: 1\n";
    for (types, part) in [
        ("[pass-fail, scoring]", "exclude"),
        ("[submit-answer, multi-pass]", "exclude"),
        ("[interactive, submit-answer]", "exclude"),
        ("[interactive, interactive]", "twice"),
        ("batch", "unknown type"),
    ] {
        let error = error(&yaml(&format!("type: {types}\n{limit}")));
        assert!(error.contains("`type`") && error.contains(part), "{error}");
    }
    for (extra, part) in [
        (
            "limits: {time_limit: 1, validation_passes: 3}\n",
            "multi-pass",
        ),
        (
            "type: multi-pass\nlimits: {time_limit: 1, validation_passes: 1}\n",
            "at least 2",
        ),
        (
            "limits: {time_limit: 1, time_multipliers: {ac_to_time_limit: 0.5}}\n",
            "at least 1",
        ),
        ("limits: {time_limit: 1}\nlanguages: []\n", "`languages`"),
        (
            "limits: {time_limit: 1}\nconstants: {1x: 3}\n",
            "`constants.1x`",
        ),
        (
            "limits: {time_limit: 1}\nconstants: {x: {tex: 3}}\n",
            "`constants.x`",
        ),
    ] {
        let error = error(&yaml(extra));
        assert!(error.contains(part), "{error}");
    }
    let passes = read(
        &yaml("type: multi-pass\nlimits: {time_limit: 1, validation_passes: 5}\n")
            .with("output_validator/a.py", ""),
    );
    assert_eq!(passes.passes, 5);
}

#[test]
fn outputs_need_no_time_limit() {
    let package = Package::read(yaml("type: submit-answer\n").path()).unwrap();
    assert!(package.timing.time_limit_is_stated);
}

#[test]
fn a_time_limit_may_be_left_to_be_found() {
    let provisional = Duration::from_secs(9);
    let package =
        yaml("limits: {time_multipliers: {time_limit_to_tle: 3}, time_resolution: 0.5}\n");
    let read = Package::read_unfinished(package.path(), provisional).unwrap();
    assert_eq!(read.limits.time_limit, provisional);
    assert_eq!(
        read.timing,
        Timing {
            time_limit_is_stated: false,
            resolution: Duration::from_millis(500),
            ac_to_time_limit: 2.0,
            time_limit_to_tle: 3.0,
        }
    );
    let stated = Package::read_unfinished(TestPackage::legacy().path(), provisional).unwrap();
    assert_eq!(stated.limits.time_limit, Duration::from_millis(1500));
    assert!(stated.timing.time_limit_is_stated);
    assert_eq!(stated.timing.ac_to_time_limit, 5.0);
}

#[test]
fn tests_of_validators_are_read() {
    let package = TestPackage::minimal()
        .with("data/invalid_input/a.in", "")
        .with(
            "data/invalid_input/test_group.yaml",
            "input_validator_args: {check: [--small]}\n",
        )
        .with("data/invalid_output/b.in", "")
        .with("data/invalid_output/b.ans", "")
        .with("data/invalid_output/b.out", "")
        .with(
            "data/invalid_output/b.yaml",
            "output_validator_args: [case_sensitive]\n",
        )
        .with("data/valid_output/c.in", "")
        .with("data/valid_output/c.ans", "")
        .with("data/valid_output/c.out", "");
    let tests = read(&package).validator_tests;
    let names: Vec<_> = tests.iter().map(|test| test.name.as_str()).collect();
    assert_eq!(
        names,
        ["invalid_input/a", "invalid_output/b", "valid_output/c"]
    );
    assert_eq!(tests[0].of, ValidatorTestKind::InvalidInput);
    let check = Program {
        name: "input_validators/check.py".to_owned(),
        files: Vec::new(),
        language: None,
        entry_point: None,
    };
    assert_eq!(tests[0].input_validator_args.of(&check), ["--small"]);
    let valid = |test: &ValidatorTest| match &test.of {
        ValidatorTestKind::Output { valid, args, .. } => (*valid, args.len()),
        ValidatorTestKind::InvalidInput | ValidatorTestKind::ValidInput => panic!("{test:?}"),
    };
    assert_eq!(
        (valid(&tests[1]), valid(&tests[2])),
        ((false, 1), (true, 0))
    );
    let missing = package.with("data/valid_output/d.in", "");
    assert!(error(&missing).contains("data/valid_output/d.ans"));
}

#[test]
fn settings_of_test_cases() {
    let package = TestPackage::minimal()
        .with(
            "data/secret/test_group.yaml",
            "full_feedback: true\nargs: [a]\n",
        )
        .with(
            "data/secret/1.yaml",
            "input_validator_args: [x]\nhint: h\ndescription: d\nfull_feedback: false\n",
        )
        .with("data/secret/2.in", "")
        .with("data/secret/2.ans", "")
        .with("data/secret/2.out", "");
    let testcases = read(&package).testcases;
    let feedback: Vec<_> = testcases
        .iter()
        .map(|testcase| testcase.full_feedback)
        .collect();
    assert_eq!(feedback, [false, true]);
    assert_eq!(testcases[0].args, ["a"]);
    assert_eq!(testcases[0].shown_output, ShownOutput::Answer);
    assert!(matches!(testcases[1].shown_output, ShownOutput::Output(_)));
    let package = package.with("data/secret/1.ans.download", "see the statement");
    assert_eq!(read(&package).testcases[0].shown_output, ShownOutput::Text);
    let shown = package.with("data/secret/2.ans.statement", "");
    assert!(read(&shown).warnings[0].contains(".out, .ans.statement"));
    let typo = shown.with("data/secret/3.yaml", "");
    assert!(error(&typo).contains("add 3.in"));
    let orphan = TestPackage::minimal().with("data/secret/9.files/x", "");
    assert!(error(&orphan).contains("add 9.in"));
    let name = TestPackage::minimal()
        .with("data/secret/test_group.in", "")
        .with("data/secret/test_group.ans", "");
    assert!(error(&name).contains("rename it"));
}

#[test]
fn arguments_and_constants_are_what_was_written() {
    let package = yaml("limits: {time_limit: 1}\nconstants: {k: 1.10, big: {value: 18446744073709551616, tex: 007}}\n")
        .with("output_validator/a.py", "")
        .with(
            "data/secret/1.yaml",
            "args: [1.10, 007, 0x10, yes, 2026-01-01]\noutput_validator_args: [1e3, '{{k}}']\n\
             input_validator_args: {check: [1.]}\n",
        );
    let package = read(&package);
    let testcase = &package.testcases[0];
    assert_eq!(testcase.args, ["1.10", "007", "0x10", "yes", "2026-01-01"]);
    assert_eq!(testcase.output_validator_args, ["1e3", "{{k}}"]);
    let by_name = BTreeMap::from([("check".to_owned(), vec!["1.".to_owned()])]);
    assert_eq!(
        testcase.input_validator_args,
        InputValidatorArgs::ByName(by_name)
    );
    let replaced = package
        .constants
        .replace(b"{{k}} {{big}} {{big.tex}}")
        .into_owned();
    assert_eq!(
        String::from_utf8(replaced).unwrap(),
        "1.10 18446744073709551616 007"
    );
    let flags = TestPackage::legacy()
        .with("problem.yaml", "validation: custom\nvalidator_flags: 1.0\n")
        .with("output_validators/a.py", "")
        .with("data/testdata.yaml", "output_validator_flags: 2.50\n");
    let args = &read(&flags).testcases[0].output_validator_args;
    assert_eq!(*args, ["1.0", "2.50"]);
    for nothing in ["[null]", "[~]", "[[a]]"] {
        let args = format!("args: {nothing}\n");
        let package = TestPackage::minimal().with("data/secret/1.yaml", args);
        assert!(error(&package).contains("`args`"), "{nothing}");
    }
}

#[test]
fn flags_of_legacy_validators_may_name_them() {
    let package = TestPackage::legacy()
        .with("problem.yaml", "validation: custom\n")
        .with("output_validators/check.py", "")
        .with(
            "data/testdata.yaml",
            "output_validator_flags: {name: check, flags: a b}\n\
             input_validator_flags: {name: in, flags: c}\n",
        );
    let testcase = &read(&package).testcases[0];
    assert_eq!(testcase.output_validator_args, ["a", "b"]);
    let other = package.with(
        "data/testdata.yaml",
        "output_validator_flags: {name: chek, flags: a b}\n",
    );
    assert!(error(&other).contains("\"chek\""));
    let odd = other.with("data/testdata.yaml", "output_validator_flags: {flag: a}\n");
    assert!(error(&odd).contains("`name` and `flags`"));
}

#[test]
fn attachments_and_included_files_are_kept() {
    let package = yaml("languages: [python3]\nlimits:\n  time_limit: 1\n")
        .with("attachments/tool.py", "")
        .with("attachments/templates/python3/a.py", "")
        .with("attachments/more/x", "")
        .with("include/default/a.txt", "")
        .with("include/cpp/a.h", "")
        .with("include/stray.h", "");
    let package = read(&package);
    let names: Vec<_> = package
        .attachments
        .iter()
        .map(|file| file.name.as_str())
        .collect();
    assert_eq!(names, ["more/x", "templates/python3/a.py", "tool.py"]);
    let languages: Vec<_> = package.include.keys().map(String::as_str).collect();
    assert_eq!(languages, ["cpp", "default"]);
    let warned = |part: &str| {
        package
            .warnings
            .iter()
            .any(|warning| warning.contains(part))
    };
    assert!(
        warned("attachments/more/x") && warned("include/stray.h") && warned("does not allow cpp"),
        "{:?}",
        package.warnings
    );
}

#[test]
fn input_validators_that_can_not_run_are_warned_about() {
    let package = TestPackage::minimal()
        .with("input_validators/a.ctd", "")
        .with("input_validators/b/build", "")
        .with("input_validators/c.py", "")
        .with("input_validators/README.md", "");
    let package = read(&package);
    assert_eq!(package.input_validators.len(), 1);
    let unsupported = package.unsupported_input_validators.iter();
    let unsupported: Vec<_> = unsupported.map(|it| it.name.as_str()).collect();
    assert_eq!(
        unsupported,
        ["input_validators/a.ctd", "input_validators/b"]
    );
    assert_eq!(package.warnings.len(), 2, "{:?}", package.warnings);
}

#[test]
fn limits_that_no_host_could_honour_are_refused() {
    for (limit, key, bound) in [
        ("memory: 99999999", "limits.memory", "64.0 GiB"),
        (
            "validation_memory: 65537",
            "limits.validation_memory",
            "64.0 GiB",
        ),
        (
            "compilation_memory: 18446744073709551615",
            "limits.compilation_memory",
            "64.0 GiB",
        ),
        ("output: 16385", "limits.output", "16.0 GiB"),
        (
            "validation_output: 16385",
            "limits.validation_output",
            "16.0 GiB",
        ),
        ("code: 1048577", "limits.code", "1.0 GiB"),
        (
            "validation_time: 86401",
            "limits.validation_time",
            "86400 seconds",
        ),
    ] {
        let (_, value) = limit.split_once(": ").unwrap();
        let error = error(&yaml(&format!("limits: {{time_limit: 1, {limit}}}\n")));
        for part in [key, value, bound] {
            assert!(error.contains(part), "{part}: {error}");
        }
    }
    read(&yaml(
        "limits: {time_limit: 1, memory: 65536, code: 1048576, output: 16384}\n",
    ));
}

#[test]
fn what_problem_yaml_states_oddly_is_told() {
    let warnings = |extra: &str| {
        let problem = format!(
            "problem_format_version: 2025-09\nname: T\n{extra}\nlimits: {{time_limit: 1}}\n"
        );
        read(&TestPackage::minimal().with("problem.yaml", problem)).warnings
    };
    let uuid = "uuid: 2a1e8b4c-8d1f-4b5e-9c55-52a9c1f0d7aa\n";
    for (stated, part) in [
        ("uuid: nope".to_owned(), "\"nope\" is no UUID"),
        (format!("{uuid}embargo_until: soon"), "\"soon\" is neither"),
        (format!("{uuid}languages: [klingon, cpp]"), "\"klingon\""),
    ] {
        let found = warnings(&stated);
        assert!(found.len() == 1 && found[0].contains(part), "{found:?}");
    }
    for fine in ["2026-11-29", "2026-11-29T18:00:00Z"] {
        assert_eq!(
            warnings(&format!("{uuid}embargo_until: {fine}\nlanguages: [ada]")),
            Vec::<String>::new()
        );
    }
    let own = warnings(&format!("{uuid}languages: [klingon]"));
    assert!(own[0].contains("unless the host has"), "{own:?}");
}

#[test]
fn arguments_for_input_validators_that_are_not_there() {
    let package = TestPackage::minimal()
        .with("input_validators/check.py", "")
        .with(
            "data/secret/test_group.yaml",
            "input_validator_args: {nope: [a], check: [b]}\n",
        )
        .with("data/secret/2.in", "")
        .with("data/secret/2.ans", "");
    let warnings = read(&package).warnings;
    assert!(
        warnings.len() == 1 && warnings[0].contains("\"nope\""),
        "{warnings:?}"
    );
}

#[test]
fn groups_without_a_test_case_are_warned_of() {
    for (kind, settings) in [("pass-fail", ""), ("scoring", "max_score: 50\n")] {
        let package = yaml(&format!("type: {kind}\nlimits: {{time_limit: 1}}\n"))
            .with("data/secret/g1/1.in", "")
            .with("data/secret/g1/1.ans", "")
            .with("data/secret/g1/test_group.yaml", settings);
        std::fs::remove_file(package.path().join("data/secret/1.in")).unwrap();
        std::fs::remove_file(package.path().join("data/secret/1.ans")).unwrap();
        let empty = package.with("data/secret/g2/test_group.yaml", settings);
        let warnings = read(&empty).warnings;
        let expected = "data/secret/g2/test_group.yaml: a group without a test case";
        assert!(
            warnings.iter().any(|told| told.starts_with(expected)),
            "{warnings:?}"
        );
    }
}

#[test]
fn licenses_and_scores_out_of_place() {
    let package = TestPackage::legacy().with("problem.yaml", "license: mine\n");
    assert!(read(&package).warnings[0].contains("\"mine\""));
    for (content, part) in [
        ("validation: custom score\n", "needs `type: scoring`"),
        ("grading: {objective: min}\n", "only for problems"),
        ("type: scoring\ngrading: {accept_score: 5}\n", "move it"),
        (
            "problem_format_version: legacy-icpc\ntype: scoring\n",
            "no scoring",
        ),
    ] {
        let error = error(&TestPackage::legacy().with("problem.yaml", content));
        assert!(error.contains(part), "{error}");
    }
    let partial = TestPackage::legacy().with("submissions/partially_accepted/a.py", "");
    assert!(error(&partial).contains("submissions/partially_accepted"));
    let score =
        TestPackage::minimal().with("submissions/submissions.yaml", "accepted:\n  score: 1\n");
    assert!(error(&score).contains("`accepted.score`"));
}

#[test]
fn broken_yaml_and_odd_types_are_named() {
    assert!(matches!(
        Package::read(yaml("name: twice\n").path()),
        Err(PackageError::Yaml { .. })
    ));
    assert!(error(&yaml("limits: 3\n")).contains("`limits`"));
    assert!(error(&TestPackage::minimal().with("problem.yaml", "- a list\n")).contains("mapping"));
    assert!(error(&TestPackage::minimal().with("problem.yaml", b"name: \xff\n")).contains("UTF-8"));
    assert!(
        error(&yaml(
            "validation: default\nlimits:\n  time_limit: 1\ntype: []\n"
        ))
        .contains("empty list")
    );
}

#[test]
fn unknown_keys_are_warnings() {
    let warnings = read(&yaml("colour: red\nlimits:\n  time_limit: 1\n  speed: 3\n")).warnings;
    assert!(
        warnings.iter().any(|warning| warning.contains("`colour`")),
        "{warnings:?}"
    );
    assert!(
        warnings
            .iter()
            .any(|warning| warning.contains("`limits.speed`")),
        "{warnings:?}"
    );
}

#[test]
fn the_name_may_be_in_several_languages() {
    let package = TestPackage::minimal().with(
        "problem.yaml",
        "problem_format_version: 2025-09\nname:\n  de: Prüfung\n  en: Exam\nuuid: 2a1e8b4c-8d1f-4b5e-9c55-52a9c1f0d7aa\nlimits:\n  time_limit: 1\n",
    );
    assert_eq!(read(&package).name, "Exam");
}

#[test]
fn validator_arguments_are_inherited_by_the_rules_of_each_generation() {
    let package = TestPackage::minimal()
        .with(
            "data/secret/test_group.yaml",
            "output_validator_args: [case_sensitive]\n",
        )
        .with("data/secret/dir/2.in", "")
        .with("data/secret/dir/2.ans", "")
        .with(
            "data/secret/dir/2.yaml",
            "output_validator_args: [float_tolerance, 1e-6]\nargs: [x]\n",
        )
        .with("data/sample/0.in", "")
        .with("data/sample/0.ans", "");
    let testcases = read(&package).testcases;
    let args: Vec<_> = testcases
        .iter()
        .map(|testcase| testcase.output_validator_args.join(" "))
        .collect();
    assert_eq!(args, ["", "case_sensitive", "float_tolerance 1e-6"]);
    assert_eq!(testcases[2].args, ["x"]);

    let package = TestPackage::legacy()
        .with("problem.yaml", "validator_flags: case_sensitive\n")
        .with(
            "data/testdata.yaml",
            "output_validator_flags: float_tolerance 1e-9\n",
        );
    assert_eq!(
        read(&package).testcases[0].output_validator_args,
        ["case_sensitive", "float_tolerance", "1e-9"]
    );

    let package =
        TestPackage::minimal().with("data/secret/1.yaml", "output_validator_args: [exact]\n");
    assert!(error(&package).contains("\"exact\""));
}

#[test]
fn groups_are_all_or_nothing() {
    let grouped = TestPackage::minimal()
        .with(
            "data/secret/g/test_group.yaml",
            "output_validator_args: [case_sensitive]\n",
        )
        .with("data/secret/g/2.in", "")
        .with("data/secret/g/2.ans", "");
    assert!(error(&grouped).contains("outside all groups"));
    std::fs::remove_file(grouped.path().join("data/secret/1.in")).unwrap();
    std::fs::remove_file(grouped.path().join("data/secret/1.ans")).unwrap();
    assert_eq!(
        read(&grouped).testcases[0].output_validator_args,
        ["case_sensitive"]
    );
    assert!(error(&grouped.with("data/secret/g/h/test_group.yaml", "")).contains("inside another"));
}

#[test]
fn validators() {
    let custom = TestPackage::minimal().with("output_validator/check.py", "");
    assert!(
        matches!(read(&custom).output_validator, OutputValidator::Custom(program) if program.name == "output_validator/check.py")
    );
    let directory = custom.with("output_validator/__main__.py", "");
    assert!(
        matches!(read(&directory).output_validator, OutputValidator::Custom(program) if program.files.len() == 2)
    );
    assert!(error(&directory.with("output_validator/run", "")).contains("build and run"));

    assert!(
        error(&yaml("type: interactive\nlimits:\n  time_limit: 1\n")).contains("output_validator/")
    );
    let legacy = TestPackage::legacy().with("problem.yaml", "validation: custom interactive\n");
    assert!(error(&legacy).contains("output_validators/"));
    let legacy = legacy
        .with("output_validators/check/a.cpp", "")
        .with("output_validators/check/a.h", "");
    let package = read(&legacy);
    assert_eq!(package.kind, Kind::Interactive);
    assert!(
        matches!(package.output_validator, OutputValidator::Custom(program) if program.files.len() == 2)
    );
    assert!(error(&legacy.with("output_validators/other.py", "")).contains("more than one"));
    let unused = TestPackage::legacy().with("output_validators/a.py", "");
    assert!(matches!(
        read(&unused).output_validator,
        OutputValidator::Default
    ));
    assert!(read(&unused).warnings[0].contains("unused"));
}

#[test]
fn languages_of_programs() {
    let table = LanguageTable::embedded().unwrap();
    let package = TestPackage::minimal()
        .with("submissions/accepted/mixed/a.cpp", "")
        .with("submissions/accepted/mixed/b.c", "")
        .with("submissions/accepted/mixed/c.h", "")
        .with("submissions/accepted/text.txt", "")
        .with("submissions/accepted/two/a.py", "")
        .with("submissions/accepted/two/b.java", "");
    let found: Vec<_> = read(&package)
        .submissions
        .iter()
        .map(
            |submission| match submission.program.find_language(&table) {
                Ok(language) => language.code.clone(),
                Err(error) => error.to_string(),
            },
        )
        .collect();
    assert_eq!(found[..2], ["python3", "cpp"]);
    assert!(found[2].contains("text.txt"), "{found:?}");
    assert!(found[3].contains("java, python3"), "{found:?}");
}

#[test]
fn settings_where_2025_09_has_none_do_not_hold() {
    let package = TestPackage::minimal().with(
        "data/test_group.yaml",
        "output_validator_args: [case_sensitive]\n",
    );
    let package = read(&package);
    assert!(
        package.warnings[0].contains("ignored"),
        "{:?}",
        package.warnings
    );
    let [testcase] = package.testcases.as_slice() else {
        panic!("{:?}", package.testcases);
    };
    assert!(testcase.output_validator_args.is_empty(), "{testcase:?}");
}
