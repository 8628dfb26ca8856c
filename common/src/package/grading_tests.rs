//! Groups and points of every version of the format.

use super::grading::{
    Aggregation, Grader, GraderGroup, GraderMember, Grading, Objective, OnReject, ScoreMode,
    ScoreRange, ScoredGroup, ScoredMember, VerdictMode,
};
use super::test_package::TestPackage;
use super::{JudgedTestcase, Package, PackageError};
use crate::{Score, Verdict};

const HEAD: &str = "name: Test\nuuid: 2a1e8b4c-8d1f-4b5e-9c55-52a9c1f0d7aa\ntype: scoring\nlimits:\n  time_limit: 1\n";

/// A scoring package with these test cases below `data/`.
fn scoring(version: &str, testcases: &[&str]) -> TestPackage {
    let head = format!("problem_format_version: {version}\n{HEAD}");
    with_testcases(TestPackage::empty().with("problem.yaml", head), testcases)
}

fn legacy(problem: &str, testcases: &[&str]) -> TestPackage {
    let package = TestPackage::empty()
        .with("problem.yaml", problem)
        .with(".timelimit", "1");
    with_testcases(package, testcases)
}

fn with_testcases(package: TestPackage, testcases: &[&str]) -> TestPackage {
    testcases.iter().fold(package, |package, name| {
        package
            .with(&format!("data/{name}.in"), "")
            .with(&format!("data/{name}.ans"), "")
    })
}

fn read(package: &TestPackage) -> Result<Package, PackageError> {
    Package::read(package.path())
}

fn error(package: &TestPackage) -> String {
    read(package).unwrap_err().to_string()
}

fn secret(package: &TestPackage) -> ScoredGroup {
    match read(package).unwrap().grading {
        Grading::Scoring(secret) => secret,
        other => panic!("{other:?}"),
    }
}

fn grader(package: &TestPackage) -> Grader {
    match read(package).unwrap().grading {
        Grading::Grader(grader) => grader,
        other => panic!("{other:?}"),
    }
}

/// The tree in short: `name(aggregation max: members)`, `#` for test cases, `S`
/// for static tests.
fn shape(group: &ScoredGroup) -> String {
    let points = |score: &Option<Score>| score.as_ref().map_or("-".to_owned(), ToString::to_string);
    let members: Vec<String> = group
        .members
        .iter()
        .map(|member| match member {
            ScoredMember::Testcase { index, max_score } => {
                format!("#{index}={}", points(max_score))
            }
            ScoredMember::StaticTest { index, max_score } => {
                format!("S{index}={}", points(max_score))
            }
            ScoredMember::Group(inner) => shape(inner),
        })
        .collect();
    let aggregation = match group.aggregation {
        Aggregation::PassFail => "pass",
        Aggregation::Sum => "sum",
        Aggregation::Min => "min",
    };
    let name = group.name.rsplit('/').next().unwrap_or_default();
    format!(
        "{name}({aggregation} {}: {})",
        points(&group.max_score),
        members.join(" ")
    )
}

#[test]
fn without_groups_the_test_cases_share_the_points() {
    let package = scoring(
        "2025-09",
        &["sample/1", "secret/1", "secret/2", "secret/d/3"],
    );
    assert_eq!(
        shape(&secret(&package)),
        "secret(sum 100: #1=33.333333333 #2=33.333333333 #3=33.333333333)"
    );
    let package = package.with("data/secret/test_group.yaml", "max_score: unbounded\n");
    assert_eq!(shape(&secret(&package)), "secret(sum -: #1=- #2=- #3=-)");
    let package = package.with(
        "data/secret/test_group.yaml",
        "max_score: 7\nscore_aggregation: min\n",
    );
    assert_eq!(shape(&secret(&package)), "secret(min 7: #1=7 #2=7 #3=7)");
}

#[test]
fn groups_have_points_of_their_own() {
    let package = scoring(
        "2025-09",
        &["secret/a/1", "secret/a/2", "secret/b/1", "secret/c/1"],
    )
    .with(
        "data/secret/a/test_group.yaml",
        "max_score: 30\nrequire_pass: sample\n",
    )
    .with(
        "data/secret/b/test_group.yaml",
        "max_score: 20\nscore_aggregation: sum\nrequire_pass: [sample, secret/a]\n",
    )
    .with(
        "data/secret/c/test_group.yaml",
        "max_score: 50\nscore_aggregation: min\n",
    );
    let secret = secret(&package);
    assert_eq!(
        shape(&secret),
        "secret(sum 100: a(pass 30: #0=30 #1=30) b(sum 20: #2=20) c(min 50: #3=50))"
    );
    let ScoredMember::Group(b) = &secret.members[1] else {
        panic!("{secret:?}");
    };
    assert_eq!(b.require_pass, ["sample", "secret/a"]);
    assert!(read(&package).unwrap().warnings.is_empty());
    let less = package.with("data/secret/a/test_group.yaml", "max_score: 29\n");
    assert!(read(&less).unwrap().warnings[0].contains("99 points"));
}

#[test]
fn what_groups_must_not_say() {
    let package = || scoring("2025-09", &["secret/a/1", "secret/b/1"]);
    for (secret, a, b, part) in [
        ("", "", "max_score: 5", "a/test_group.yaml: `max_score`"),
        (
            "",
            "max_score: 5",
            "max_score: 5\nrequire_pass: secret/c",
            "no earlier group",
        ),
        (
            "",
            "max_score: 5\nrequire_pass: secret/b",
            "max_score: 5",
            "no earlier group",
        ),
        (
            "",
            "max_score: 5\nscore_aggregation: sum",
            "max_score: 5\nrequire_pass: secret/a",
            "pass-fail aggregation",
        ),
        (
            "score_aggregation: pass-fail",
            "max_score: 5\nscore_aggregation: sum",
            "max_score: 5",
            "must be pass-fail",
        ),
        (
            "require_pass: secret/a",
            "max_score: 5",
            "max_score: 5",
            "no earlier group",
        ),
        (
            "max_score: -1",
            "max_score: 5",
            "max_score: 5",
            "not negative",
        ),
        (
            "score_aggregation: max",
            "max_score: 5",
            "max_score: 5",
            "`pass-fail`, `sum` or `min`",
        ),
        (
            "",
            "max_score: 5\nstatic_validator_args: [a]",
            "max_score: 5",
            "only together",
        ),
        (
            "",
            "max_score: 5\nstatic_validation_score: x",
            "max_score: 5",
            "whole number",
        ),
        (
            "",
            "max_score: 5\nscore_aggregation: sum\nstatic_validation_score: pass-fail",
            "max_score: 5",
            "needs a group",
        ),
        // By default secret adds up and groups in it are pass-fail.
        (
            "static_validation_score: pass-fail",
            "max_score: 5",
            "max_score: 5",
            "data/secret/test_group.yaml: `static_validation_score`: `pass-fail` needs a group",
        ),
        (
            "",
            "max_score: 5\nstatic_validation_score: 5",
            "max_score: 5",
            "points need a group",
        ),
    ] {
        let package = package()
            .with("static_validator/check.py", "")
            .with("data/secret/test_group.yaml", secret)
            .with("data/secret/a/test_group.yaml", a)
            .with("data/secret/b/test_group.yaml", b);
        let error = error(&package);
        assert!(error.contains(part), "{error}");
    }
    let without = package()
        .with(
            "data/secret/a/test_group.yaml",
            "max_score: 5\nstatic_validation_score: pass-fail\n",
        )
        .with("data/secret/b/test_group.yaml", "max_score: 5\n");
    assert!(error(&without).contains("static_validator/"));
    let sample = package()
        .with("data/sample/test_group.yaml", "max_score: 5\n")
        .with("data/secret/a/test_group.yaml", "max_score: 5\n");
    assert!(error(&sample).contains("data/sample/test_group.yaml"));
    let pass_fail = TestPackage::minimal().with("data/secret/test_group.yaml", "max_score: 3\n");
    assert!(error(&pass_fail).contains("of the type scoring"));
}

#[test]
fn static_tests_take_points_from_the_others() {
    let package = scoring("2025-09", &["secret/a/1", "secret/a/2"])
        .with("static_validator/check.py", "")
        .with(
            "data/secret/a/test_group.yaml",
            "max_score: 100\nscore_aggregation: sum\nstatic_validation_score: 40\nstatic_validator_args: [x]\n",
        )
        .with(
            "data/secret/b/test_group.yaml",
            "max_score: 0\nstatic_validation_score: pass-fail\n",
        );
    assert_eq!(
        shape(&secret(&package)),
        "secret(sum 100: a(sum 100: S0=40 #0=30 #1=30) b(pass 0: S1=0))"
    );
    let validator = read(&package).unwrap().static_validator.unwrap();
    assert_eq!(validator.tests[0].args, ["x"]);
    assert_eq!(validator.tests[1].group, "secret/b");
    let much = package.with(
        "data/secret/a/test_group.yaml",
        "max_score: 100\nscore_aggregation: sum\nstatic_validation_score: 140\n",
    );
    assert!(error(&much).contains("less than the 140 points"));
}

#[test]
fn a_group_of_a_static_test_alone_may_be_required() {
    let package = scoring("2025-09", &["secret/a/1", "secret/c/1"])
        .with("static_validator/check.py", "")
        .with("data/secret/a/test_group.yaml", "max_score: 40\n")
        .with(
            "data/secret/b/test_group.yaml",
            "max_score: 0\nstatic_validation_score: pass-fail\n",
        )
        .with(
            "data/secret/c/test_group.yaml",
            "max_score: 60\nrequire_pass: [secret/a, secret/b]\n",
        );
    assert_eq!(
        shape(&secret(&package)),
        "secret(sum 100: a(pass 40: #0=40) b(pass 0: S0=0) c(pass 60: #1=60))"
    );
    let later = package.with(
        "data/secret/a/test_group.yaml",
        "max_score: 40\nrequire_pass: secret/b\n",
    );
    assert!(error(&later).contains("no earlier group"));
    let nested = scoring("2023-07-draft", &["secret/b/1"])
        .with("static_validator/check.py", "")
        .with(
            "data/secret/a/x/test_group.yaml",
            "static_validation: true\n",
        )
        .with(
            "data/secret/b/test_group.yaml",
            "scoring: {require_pass: secret/a/x}\n",
        );
    assert_eq!(
        shape(&secret(&nested)),
        "secret(sum 100: a(pass 50: x(pass 50: S0=50)) b(pass 50: #0=50))"
    );
}

#[test]
fn constants_stand_in_group_files() {
    let head = format!("problem_format_version: 2025-09\n{HEAD}constants:\n  points: 42\n");
    let package = with_testcases(
        TestPackage::empty().with("problem.yaml", head),
        &["secret/1"],
    )
    .with("data/secret/test_group.yaml", "max_score: {{points}}\n");
    assert_eq!(shape(&secret(&package)), "secret(sum 42: #0=42)");
}

#[test]
fn the_draft_nests_groups_and_shares_out_what_is_left() {
    let package = scoring(
        "2023-07-draft",
        &[
            "sample/1",
            "secret/0",
            "secret/a/1",
            "secret/a/b/1",
            "secret/c/1",
        ],
    )
    .with(
        "data/test_group.yaml",
        "output_validator_args: [case_sensitive]\n",
    )
    .with(
        "data/secret/a/test_group.yaml",
        "scoring: {score: 40, aggregation: sum}\n",
    )
    .with(
        "data/secret/c/test_group.yaml",
        "scoring: {require_pass: [sample, secret/a/b, secret/0]}\n",
    );
    let secret = secret(&package);
    assert_eq!(
        shape(&secret),
        "secret(sum 100: #1=30 a(sum 40: #2=20 b(pass 20: #3=20)) c(pass 30: #4=30))"
    );
    let args = &read(&package).unwrap().testcases[3].output_validator_args;
    assert_eq!(*args, ["case_sensitive"]);
    let much = package.with("data/secret/a/test_group.yaml", "scoring: {score: 140}\n");
    assert!(error(&much).contains("less than the 140 points"));
    let statics = scoring("2023-07-draft", &["secret/1"])
        .with("static_validator/a.py", "")
        .with(
            "data/secret/test_group.yaml",
            "scoring: {aggregation: sum}\nstatic_validation: {args: a b}\n",
        );
    assert_eq!(
        shape(&self::secret(&statics)),
        "secret(sum 100: S0=50 #0=50)"
    );
}

#[test]
fn legacy_groups_inherit_what_they_do_not_say() {
    let package = legacy(
        "type: scoring\ngrading: {objective: min, show_test_data_groups: true}\n",
        &["sample/1", "secret/a/1", "secret/b/1", "secret/b/2"],
    )
    .with(
        "data/testdata.yaml",
        "on_reject: continue\ngrader_flags: ignore_sample max\nrange: -inf 100\n",
    )
    .with(
        "data/secret/b/testdata.yaml",
        "accept_score: 2.5\nreject_score: -1\ngrader_flags: first_error avg accept_if_any_accepted\nrange: 0 +inf\n",
    );
    let grader = grader(&package);
    assert_eq!(grader.scoring, Some(Objective::Minimize));
    let root = &grader.root;
    assert!(root.ignore_sample && root.on_reject == OnReject::Continue);
    assert_eq!(
        (root.name.as_str(), root.score_mode),
        ("data", ScoreMode::Max)
    );
    let group = |of: &GraderGroup, at: usize| match &of.members[at] {
        GraderMember::Group(group) => GraderGroup::clone(group),
        GraderMember::Testcase(index) => panic!("test case {index}"),
    };
    let secret = group(root, 1);
    assert!(!secret.ignore_sample, "it is for the root alone");
    assert_eq!(secret.score_mode, ScoreMode::Max);
    assert_eq!(
        secret.range,
        ScoreRange {
            min: None,
            max: Some(100.into())
        }
    );
    assert_eq!(group(&secret, 0).members, [GraderMember::Testcase(1)]);
    let b = group(&secret, 1);
    assert_eq!(b.name, "data/secret/b");
    assert_eq!(
        b.members,
        [GraderMember::Testcase(2), GraderMember::Testcase(3)]
    );
    assert_eq!(
        (b.verdict_mode, b.score_mode),
        (VerdictMode::FirstError, ScoreMode::Average)
    );
    assert!(b.accept_if_any_accepted && b.on_reject == OnReject::Continue);
    assert_eq!(
        (b.accept_score, b.reject_score.to_string()),
        ("2.5".parse().unwrap(), "-1".to_owned())
    );
}

#[test]
fn legacy_settings_that_change_nothing_are_plain_pass_fail() {
    for (settings, plain) in [
        ("on_reject: break\ngrader_flags: worst_error sum", true),
        ("on_reject: continue\ngrader_flags: first_error", true),
        ("on_reject: continue", false),
        ("grader_flags: always_accept", false),
        ("grader_flags: accept_if_any_accepted", false),
        ("grader_flags: ignore_sample", false),
    ] {
        let package =
            legacy("name: x\n", &["sample/1", "secret/1"]).with("data/testdata.yaml", settings);
        let grading = read(&package).unwrap().grading;
        assert_eq!(grading == Grading::PassFail, plain, "{settings}");
        assert!(!grading.gives_scores());
    }
}

#[test]
fn what_legacy_groups_must_not_say() {
    for (problem, file, settings, part) in [
        (
            "type: scoring",
            "data/secret/testdata.yaml",
            "grader_flags: ignore_sample",
            "data/testdata.yaml only",
        ),
        (
            "type: scoring",
            "data/testdata.yaml",
            "grader_flags: ignore_sample",
            "without a sample",
        ),
        (
            "type: scoring",
            "data/testdata.yaml",
            "grader_flags: median",
            "\"median\"",
        ),
        (
            "type: scoring",
            "data/testdata.yaml",
            "range: 5 1",
            "`range`",
        ),
        ("type: scoring", "data/testdata.yaml", "range: 5", "`range`"),
        (
            "type: scoring",
            "data/testdata.yaml",
            "range: inf 5",
            "`range`",
        ),
        (
            "type: scoring",
            "data/testdata.yaml",
            "accept_score: many",
            "`accept_score`",
        ),
        (
            "type: scoring",
            "data/testdata.yaml",
            "on_reject: stop",
            "`on_reject`",
        ),
        (
            "name: x",
            "data/testdata.yaml",
            "accept_score: 1",
            "only for problems",
        ),
    ] {
        let package = legacy(problem, &["secret/1"]).with(file, settings);
        let error = error(&package);
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn partial_submissions_and_their_scores() {
    let package = legacy("type: scoring\n", &["sample/1", "secret/1"])
        .with("data/testdata.yaml", "range: 0 100\n")
        .with(
            "submissions/partially_accepted/a.py",
            "# @EXPECTED_SCORE@: 40\n",
        )
        .with("submissions/mixed/b.py", "# @EXPECTED_SCORE@: 2.5 */\n");
    let submissions = read(&package).unwrap().submissions;
    let met = |at: usize, score: u64| {
        let submission = &submissions[at];
        submission
            .expectation
            .are_scores_met(&Score::from(score), &[])
    };
    assert_eq!(
        submissions[1].program.name,
        "submissions/partially_accepted/a.py"
    );
    assert!(met(1, 40) && !met(1, 41) && !met(1, 100) && !met(0, 2));
    let text = "mixed/*:\n  score: [1, 3]\n  secret/g:\n    score: 1.5\n";
    let metadata = package.with("submissions/submissions.yaml", text);
    assert_eq!(read(&metadata).unwrap().submissions.len(), 2);
    let odd = metadata.with(
        "submissions/submissions.yaml",
        "mixed/*:\n  score: [3, 1]\n",
    );
    assert!(error(&odd).contains("`mixed/*.score`"));
}

#[test]
fn an_annotation_is_about_what_the_grader_says() {
    let package = legacy("type: scoring\n", &["secret/1", "secret/2"]).with(
        "submissions/mixed/half.py",
        "# @EXPECTED_RESULTS@: ACCEPTED\n",
    );
    let submissions = read(&package).unwrap().submissions;
    let expectation = &submissions[0].expectation;
    assert_eq!(expectation.verdicts(), [Verdict::Ac].into());
    let runs = [Verdict::Wa, Verdict::Ac].map(|verdict| JudgedTestcase {
        name: "secret/1",
        verdict,
        message: None,
    });
    assert_eq!(expectation.offence(Verdict::Ac, &runs), None);
    assert!(expectation.offence(Verdict::Wa, &runs).is_some());
}
