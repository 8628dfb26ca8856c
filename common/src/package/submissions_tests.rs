//! What is expected of submissions, through the reader.

use std::collections::BTreeSet;

use super::test_package::TestPackage;
use super::{JudgedTestcase, Package, TimeBound};
use crate::Verdict;
use crate::message::RunReport;

fn read(package: &TestPackage) -> Package {
    Package::read(package.path()).unwrap()
}

fn error(package: &TestPackage) -> String {
    Package::read(package.path()).unwrap_err().to_string()
}

fn expected(package: &TestPackage, name: &str) -> BTreeSet<Verdict> {
    let package = read(package);
    let submission = package
        .submissions
        .iter()
        .find(|submission| submission.program.name.ends_with(name));
    submission.unwrap().expectation.verdicts()
}

/// What is wrong with these verdicts of the only submission besides the minimal
/// package's own, by the names of test cases.
fn offence(package: &TestPackage, runs: &[(&str, Verdict)]) -> Option<String> {
    let package = read(package);
    let submission = package.submissions.last().unwrap();
    let testcases: Vec<_> = runs
        .iter()
        .map(|(name, verdict)| JudgedTestcase {
            name,
            verdict: *verdict,
            message: None,
        })
        .collect();
    let failed = runs.iter().find(|(_, verdict)| *verdict != Verdict::Ac);
    let verdict = failed.map_or(Verdict::Ac, |(_, verdict)| *verdict);
    submission.expectation.offence(verdict, &testcases)
}

#[test]
fn directories_say_what_is_expected() {
    use Verdict::{Ac, Mle, Ole, Pe, Rte, Sv, Tle, Wa};
    let mut package = TestPackage::minimal();
    let directories = [
        "accepted",
        "wrong_answer",
        "time_limit_exceeded",
        "run_time_error",
        "brute_force",
        "mixed",
    ];
    for directory in directories {
        package = package.with(&format!("submissions/{directory}/{directory}.py"), "");
    }
    let crash = [Rte, Mle, Ole, Sv];
    assert_eq!(expected(&package, "/accepted.py"), [Ac].into());
    assert_eq!(expected(&package, "/wrong_answer.py"), [Wa, Pe].into());
    assert_eq!(expected(&package, "/time_limit_exceeded.py"), [Tle].into());
    assert_eq!(expected(&package, "/run_time_error.py"), crash.into());
    assert_eq!(
        expected(&package, "/brute_force.py"),
        [Tle, Rte, Mle, Ole, Sv].into()
    );
    assert_eq!(expected(&package, "/mixed.py"), [].into());
}

#[test]
fn metadata_adds_to_the_directories_or_replaces_them() {
    use Verdict::{Mle, Tle, Wa};
    let package = TestPackage::minimal()
        .with("submissions/wrong_answer/a.py", "")
        .with("submissions/mixed/hog.cpp", "")
        .with(
            "submissions/submissions.yaml",
            "mixed/*.cpp:\n  permitted: [AC, MLE]\n  required: [MLE]\n  language: cpp\n  entrypoint: main\n\
             wrong_answer:\n  permitted: [AC, WA, TLE]\n\
             accepted/a.py:\n  authors: Me\n  secret/1*:\n    permitted: [AC]\n",
        );
    assert_eq!(expected(&package, "hog.cpp"), [Mle].into());
    assert_eq!(
        expected(&package, "wrong_answer/a.py"),
        [Wa, Verdict::Pe].into()
    );
    let model = read(&package);
    assert_eq!(
        model.submissions[1].program.language.as_deref(),
        Some("cpp")
    );
    assert_eq!(model.warnings, Vec::<String>::new());
    let slow = package.with(
        "submissions/submissions.yaml",
        "wrong_answer:\n  required: [TLE]\n  permitted: [TLE]\n",
    );
    assert_eq!(expected(&slow, "wrong_answer/a.py"), [Tle].into());
    let typo = slow.with(
        "submissions/submissions.yaml",
        "accepted:\n  required: [OK]\n",
    );
    assert!(error(&typo).contains("\"OK\""));
}

#[test]
fn annotations_count_outside_the_official_directories() {
    use Verdict::{Ce, Mle, Pe, Tle, Wa};
    let package = TestPackage::minimal()
        .with(
            "submissions/mixed/a.cpp",
            "// @expected_results@: wrong_answer, TIMELIMIT\n",
        )
        .with(
            "submissions/rejected/b.cpp",
            "/* @EXPECTED_RESULTS@: COMPILER-ERROR */\n",
        )
        .with(
            "submissions/rejected/c.cpp",
            "// @EXPECTED_RESULTS@: MEMORY_LIMIT_EXCEEDED\n",
        )
        .with(
            "submissions/accepted/d.cpp",
            "// @EXPECTED_RESULTS@: WRONG-ANSWER\n",
        );
    assert_eq!(expected(&package, "a.cpp"), [Wa, Pe, Tle].into());
    assert_eq!(expected(&package, "b.cpp"), [Ce].into());
    assert_eq!(expected(&package, "c.cpp"), [Mle].into());
    assert_eq!(expected(&package, "d.cpp"), [Verdict::Ac].into());
    assert!(read(&package).warnings[0].contains("d.cpp"));
    let typo = package.with("submissions/mixed/e.cpp", "// @EXPECTED_RESULTS@: FINE\n");
    assert!(error(&typo).contains("\"FINE\""));
    let twice = typo.with(
        "submissions/mixed/e.cpp",
        "@EXPECTED_RESULTS@: CORRECT\n@EXPECTED_RESULTS@: CORRECT\n",
    );
    assert!(error(&twice).contains("more than once"));
}

#[test]
fn patterns_name_test_cases_by_braces_and_stars_too() {
    use Verdict::{Ac, Tle};
    let with = |metadata: &str| {
        TestPackage::minimal()
            .with("submissions/mixed/slow.py", "")
            .with("submissions/submissions.yaml", metadata)
    };
    for pattern in ["\"{sample,secret}/1\"", "\"s*/1\"", "\"*/1\"", "secret/1"] {
        let package = with(&format!(
            "mixed/slow.py:\n  {pattern}:\n    permitted: [AC]\n"
        ));
        assert_eq!(read(&package).warnings, Vec::<String>::new(), "{pattern}");
        assert_eq!(
            offence(&package, &[("secret/1", Tle), ("secret/2", Ac)]).as_deref(),
            Some("but only AC is permitted on secret/1, which got TLE"),
        );
        assert_eq!(
            offence(&package, &[("secret/1", Ac), ("secret/2", Tle)]),
            None
        );
    }
    let typo = with("mixed/slow.py:\n  secrets: {}\n");
    assert!(read(&typo).warnings[0].contains("secrets"));
}

#[test]
fn a_use_for_the_time_limit_is_a_further_demand() {
    use Verdict::{Ac, Rte, Tle};
    let entry = |text: &str| {
        TestPackage::minimal()
            .with("submissions/mixed/slow.py", "")
            .with(
                "submissions/submissions.yaml",
                format!("mixed/slow.py: {text}\n"),
            )
    };
    let upper = entry("{required: [RTE], use_for_time_limit: upper}");
    assert_eq!(
        offence(&upper, &[("secret/1", Tle)]).as_deref(),
        Some("but not MLE or OLE or RTE or SV on any test case")
    );
    assert!(offence(&upper, &[("secret/1", Rte)]).is_some());
    assert_eq!(
        offence(&upper, &[("secret/1", Rte), ("secret/2", Tle)]),
        None
    );
    let bounds = |package: &TestPackage| {
        let submissions = read(package).submissions;
        submissions
            .last()
            .unwrap()
            .expectation
            .time_bounds("secret/1")
    };
    assert_eq!(bounds(&upper), [TimeBound::Upper]);
    let lower = entry("{use_for_time_limit: lower}");
    assert!(offence(&lower, &[("secret/1", Tle)]).is_some());
    assert_eq!(offence(&lower, &[("secret/1", Ac)]), None);
    assert_eq!(bounds(&lower), [TimeBound::Lower]);
}

#[test]
fn an_annotation_is_about_the_whole_and_adds_to_submissions_yaml() {
    use Verdict::{Ac, Rte, Tle, Wa};
    let annotated = TestPackage::minimal().with(
        "submissions/mixed/wrong.py",
        "# @EXPECTED_RESULTS@: WRONG-ANSWER\n",
    );
    let later_crash = [("secret/1", Wa), ("secret/2", Rte)];
    assert_eq!(offence(&annotated, &later_crash), None);
    assert_eq!(
        offence(&annotated, &[("secret/1", Tle)]).as_deref(),
        Some("expected WA or PE")
    );
    let entry = "mixed:\n  permitted: [AC, WA]\n";
    let both = annotated.with("submissions/submissions.yaml", entry);
    assert_eq!(
        offence(&both, &later_crash).as_deref(),
        Some("but only AC or WA or PE is permitted on secret/2, which got RTE")
    );
    assert_eq!(offence(&both, &[("secret/1", Ac), ("secret/2", Wa)]), None);
}

#[test]
fn messages_are_those_of_the_validator() {
    let run = |verdict: Verdict, message: &str| -> RunReport {
        let run = serde_json::json!({
            "testcase": "secret/1", "verdict": verdict, "cpu_time_ms": 1, "wall_time_ms": 1,
            "memory_bytes": 1, "exit": {"how": "exited", "code": 0}, "kill_cause": null,
            "message": message,
        });
        serde_json::from_value(run).unwrap()
    };
    for (verdict, message, words) in [
        (Verdict::Wa, "too small", Some("too small")),
        (
            Verdict::Tle,
            "too slow; the validator said of the pass before: too small",
            Some("too small"),
        ),
        (Verdict::Rte, "exit code 1; it printed: too small", None),
        (
            Verdict::Rte,
            "exit code 1; the validator said: too small",
            Some("too small"),
        ),
    ] {
        let run = run(verdict, message);
        assert_eq!(JudgedTestcase::from(&run).message, words);
    }
}

#[test]
fn entries_that_match_no_submission_are_told() {
    let package = TestPackage::minimal().with(
        "submissions/submissions.yaml",
        "nothere/*:\n  permitted: [AC]\n./accepted/a.py:\n  model_solution: true\naccepted/*:\n  permitted: [AC]\n\
         rejected:\n  permitted: [WA]\n",
    );
    let warnings = read(&package).warnings;
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    for pattern in ["`nothere/*`", "`./accepted/a.py`", "`rejected`"] {
        let named = |warning: &String| warning.contains(pattern);
        assert!(warnings.iter().any(named), "{pattern}: {warnings:?}");
    }
}

#[test]
fn the_points_that_were_expected_are_said() {
    let offence = |entry: &str, total: &str| {
        let package = TestPackage::minimal()
            .with(
                "problem.yaml",
                "problem_format_version: 2025-09\nname: T\nuuid: 2a1e8b4c-8d1f-4b5e-9c55-52a9c1f0d7aa\ntype: scoring\nlimits: {time_limit: 1}\n",
            )
            .with("submissions/submissions.yaml", entry);
        let read = read(&package);
        let groups = [crate::GroupScore {
            name: "secret".to_owned(),
            score: total.parse().unwrap(),
        }];
        let expectation = &read.submissions[0].expectation;
        expectation.score_offence(&total.parse().unwrap(), &groups)
    };
    for (entry, total, expected) in [
        (
            "accepted/*: {score: 50}\n",
            "100",
            Some("but expected 50 points"),
        ),
        (
            "accepted/*: {score: [10, 20]}\n",
            "5",
            Some("but expected 10 to 20 points"),
        ),
        ("accepted/*: {score: [10, 20]}\n", "15", None),
        (
            "accepted/*: {secret: {score: 7}}\n",
            "8",
            Some("but expected 7 points of secret, which gave 8"),
        ),
    ] {
        assert_eq!(offence(entry, total).as_deref(), expected, "{entry}");
    }
}
