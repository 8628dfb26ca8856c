//! Grading against a slow reference, and the early end of judging.

use std::path::PathBuf;
use std::time::Duration;

use assize_common::package::grading::{
    Aggregation, Grader, GraderGroup, GraderMember, Grading as Rules, Objective, OnReject,
    ScoreMode, ScoreRange, ScoredGroup, ScoredMember, VerdictMode,
};
use assize_common::package::{Limits, Package, Program, StaticTest, StaticValidator, Testcase};
use assize_common::{Award, Score, Verdict};
use bytesize::ByteSize;
use proptest::prelude::*;
use proptest::sample::select;

use super::{Graded, Grading, GradingError, Results, Test, TestResult};

fn package(names: &[String], rules: Rules) -> Package {
    let second = Duration::from_secs(1);
    let size = ByteSize::mib(1);
    let limits = Limits {
        time_limit: second,
        memory: size,
        output: size,
        code: size,
        compilation_time: second,
        compilation_memory: size,
        validation_time: second,
        validation_memory: size,
        validation_output: size,
    };
    let testcases = names
        .iter()
        .map(|name| Testcase::new(name.clone(), PathBuf::new(), PathBuf::new()))
        .collect();
    Package {
        grading: rules,
        ..Package::plain("Test".to_owned(), limits, testcases)
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn results(package: &Package, verdicts: &[(Verdict, Option<Award>)]) -> Results {
    let mut results = Results::none(package);
    for (index, (verdict, award)) in verdicts.iter().enumerate() {
        let result = TestResult {
            verdict: *verdict,
            award: award.clone(),
        };
        results.set(Test::Testcase(index), result);
    }
    results
}

fn plain(verdicts: &[Verdict]) -> Vec<(Verdict, Option<Award>)> {
    verdicts.iter().map(|verdict| (*verdict, None)).collect()
}

fn testcase(index: usize, max_score: Option<u64>) -> ScoredMember {
    ScoredMember::Testcase {
        index,
        max_score: max_score.map(Score::from),
    }
}

fn group(
    name: &str,
    aggregation: Aggregation,
    max_score: Option<u64>,
    members: Vec<ScoredMember>,
) -> ScoredGroup {
    ScoredGroup {
        name: name.to_owned(),
        aggregation,
        max_score: max_score.map(Score::from),
        require_pass: Vec::new(),
        members,
    }
}

/// sample/1, then groups a (all or nothing, 30), b (the least, 20, after sample)
/// and c (the sum of 2 × 25, after a).
fn olympiad() -> Package {
    let mut b = group(
        "secret/b",
        Aggregation::Min,
        Some(20),
        vec![testcase(3, Some(20)), testcase(4, Some(20))],
    );
    b.require_pass = names(&["sample"]);
    let mut c = group(
        "secret/c",
        Aggregation::Sum,
        Some(50),
        vec![testcase(5, Some(25)), testcase(6, Some(25))],
    );
    c.require_pass = names(&["secret/a"]);
    let a = group(
        "secret/a",
        Aggregation::PassFail,
        Some(30),
        vec![testcase(1, None), testcase(2, None)],
    );
    let secret = group(
        "secret",
        Aggregation::Sum,
        Some(100),
        [a, b, c].map(ScoredMember::Group).into(),
    );
    let names = names(&[
        "sample/1",
        "secret/a/1",
        "secret/a/2",
        "secret/b/1",
        "secret/b/2",
        "secret/c/1",
        "secret/c/2",
    ]);
    package(&names, Rules::Scoring(secret))
}

fn points(text: &str) -> Option<Award> {
    Some(Award::Points(text.parse().unwrap()))
}

fn part(text: &str) -> Option<Award> {
    Some(Award::Multiplier(text.parse().unwrap()))
}

#[test]
fn an_olympiad_problem() {
    use Verdict::{Ac, Rte, Tle, Wa};
    let package = olympiad();
    let grading = Grading::of(&package);
    for (verdicts, score, verdict) in [
        ([Ac, Ac, Ac, Ac, Ac, Ac, Ac], 100, Ac),
        // A sample that fails closes b.
        ([Wa, Ac, Ac, Ac, Ac, Ac, Ac], 80, Wa),
        // What fails in a closes c as well.
        ([Ac, Ac, Tle, Ac, Ac, Ac, Rte], 20, Tle),
        ([Ac, Ac, Ac, Ac, Wa, Ac, Ac], 80, Wa),
        ([Ac, Ac, Ac, Ac, Ac, Ac, Rte], 75, Rte),
    ] {
        let graded = grading
            .grade(&results(&package, &plain(&verdicts)))
            .unwrap();
        assert_eq!(
            (graded.score.unwrap(), graded.verdict),
            (score.into(), verdict)
        );
    }
}

#[test]
fn validators_give_points() {
    use Verdict::{Ac, Wa};
    let package = olympiad();
    let grade = |b: Option<Award>, c: (Verdict, Option<Award>)| {
        let mut all = plain(&[Ac; 7]);
        all[4].1 = b;
        all[6] = c;
        Grading::of(&package).grade(&results(&package, &all))
    };
    let graded = grade(part("0.5"), (Ac, points("0.125"))).unwrap();
    assert_eq!(graded.score.unwrap().to_string(), "65.125");
    assert_eq!(graded.verdict, Ac);
    let groups: Vec<String> = graded
        .groups
        .iter()
        .map(|group| format!("{} {}", group.name, group.score))
        .collect();
    assert_eq!(
        groups,
        [
            "secret/a 30",
            "secret/b 10",
            "secret/c 25.125",
            "secret 65.125"
        ]
    );
    assert_eq!(
        grade(points("0"), (Wa, None)).unwrap().score,
        Some(Score::from(55))
    );
    for (b, c, problem) in [
        (part("1.5"), None, "not between"),
        (part("-1"), None, "not between"),
        (points("-1"), None, "less than nothing"),
        (points("20.5"), None, "more than its maximum of 20"),
        (None, points("26"), "more than its maximum of 25"),
    ] {
        let error = grade(b, (Ac, c)).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
    let mut all = plain(&[Ac; 7]);
    all[1].1 = points("3");
    let error = Grading::of(&package)
        .grade(&results(&package, &all))
        .unwrap_err();
    assert!(error.to_string().contains("secret/a/1"), "{error}");
}

#[test]
fn unbounded_points_come_from_the_validator() {
    use Verdict::Ac;
    let members = vec![testcase(0, None), testcase(1, None)];
    let rules = Rules::Scoring(group("secret", Aggregation::Sum, None, members));
    let package = package(&names(&["secret/1", "secret/2"]), rules);
    let grade = |awards: [Option<Award>; 2]| {
        let all: Vec<_> = awards.into_iter().map(|award| (Ac, award)).collect();
        Grading::of(&package).grade(&results(&package, &all))
    };
    let graded = grade([points("1e3"), points("0.5")]).unwrap();
    assert_eq!(graded.score.unwrap().to_string(), "1000.5");
    assert!(grade([points("1"), None]).is_err());
    assert!(grade([points("1"), part("1")]).is_err());
}

#[test]
fn a_group_must_not_exceed_its_maximum() {
    let members = vec![testcase(0, Some(60)), testcase(1, Some(60))];
    let rules = Rules::Scoring(group("secret", Aggregation::Sum, Some(100), members));
    let package = package(&names(&["secret/1", "secret/2"]), rules);
    let error = Grading::of(&package)
        .grade(&results(&package, &plain(&[Verdict::Ac; 2])))
        .unwrap_err();
    assert!(matches!(error, GradingError::Group { .. }), "{error}");
    let fine = Grading::of(&package).grade(&results(&package, &plain(&[Verdict::Ac, Verdict::Wa])));
    assert_eq!(fine.unwrap().score, Some(Score::from(60)));
}

#[test]
fn what_was_not_judged_and_counts_is_no_result() {
    let package = olympiad();
    let mut all = results(&package, &plain(&[Verdict::Ac; 7]));
    all.testcases[5] = None;
    let error = Grading::of(&package).grade(&all).unwrap_err();
    assert_eq!(error.to_string(), "secret/c/1 counts and was not judged");
}

fn grader_group(name: &str, members: Vec<GraderMember>) -> GraderGroup {
    GraderGroup {
        name: name.to_owned(),
        members,
        on_reject: OnReject::Continue,
        verdict_mode: VerdictMode::WorstError,
        accept_if_any_accepted: false,
        ignore_sample: false,
        score_mode: ScoreMode::Sum,
        accept_score: Score::from(10),
        reject_score: Score::zero(),
        range: ScoreRange::default(),
    }
}

#[test]
fn graders_combine_verdicts_and_scores() {
    use Verdict::{Ac, Mle, Rte, Sv, Tle, Wa};
    let grade = |verdicts: &[Verdict], change: &dyn Fn(&mut GraderGroup)| {
        let members = (0..verdicts.len()).map(GraderMember::Testcase).collect();
        let mut root = grader_group("data", members);
        change(&mut root);
        let scoring = Some(Objective::Maximize);
        let names: Vec<_> = (0..verdicts.len())
            .map(|at| format!("secret/{at}"))
            .collect();
        let package = package(&names, Rules::Grader(Grader { root, scoring }));
        let graded = Grading::of(&package).grade(&results(&package, &plain(verdicts)));
        graded.map(|graded| (graded.verdict, graded.score.unwrap().to_string()))
    };
    let ok = |verdict: Verdict, score: &str| Ok((verdict, score.to_owned()));
    let same = |_: &mut GraderGroup| {};
    assert_eq!(grade(&[Ac, Ac, Ac], &same), ok(Ac, "30"));
    assert_eq!(
        grade(&[Ac, Wa, Tle, Mle], &same),
        ok(Mle, "0"),
        "not accepted: no score"
    );
    assert_eq!(grade(&[Wa, Rte, Sv], &same), ok(Sv, "0"));
    let always = |group: &mut GraderGroup| group.verdict_mode = VerdictMode::AlwaysAccept;
    assert_eq!(grade(&[Ac, Wa, Ac], &always), ok(Ac, "20"));
    let first = |group: &mut GraderGroup| group.verdict_mode = VerdictMode::FirstError;
    assert_eq!(grade(&[Ac, Wa, Rte], &first), ok(Wa, "0"));
    let any = |group: &mut GraderGroup| {
        group.accept_if_any_accepted = true;
        group.score_mode = ScoreMode::Average;
    };
    assert_eq!(grade(&[Wa, Ac, Rte], &any), ok(Ac, "3.333333333"));
    assert_eq!(grade(&[Wa, Rte], &any), ok(Rte, "0"));
    let broken_off = |group: &mut GraderGroup| {
        always(group);
        group.on_reject = OnReject::Break;
        group.score_mode = ScoreMode::Max;
        group.reject_score = Score::from(3);
    };
    assert_eq!(
        grade(&[Wa, Ac], &broken_off),
        ok(Ac, "3"),
        "the rest is absent"
    );
    let ignoring = |group: &mut GraderGroup| group.ignore_sample = true;
    assert_eq!(grade(&[Wa, Ac], &ignoring), ok(Ac, "10"));
    let ignoring_and_breaking = |group: &mut GraderGroup| {
        group.ignore_sample = true;
        group.on_reject = OnReject::Break;
    };
    assert_eq!(grade(&[Wa, Ac], &ignoring_and_breaking), ok(Ac, "10"));
    assert_eq!(grade(&[Wa, Ac, Wa], &ignoring_and_breaking), ok(Wa, "0"));
    let narrow = |group: &mut GraderGroup| group.range.max = Some(Score::from(15));
    assert!(grade(&[Ac, Ac], &narrow).is_err());
}

/// A validator of sources, with a test in each of these groups.
fn static_tests(groups: &[&str]) -> StaticValidator {
    let test = |group: &&str| StaticTest {
        group: (*group).to_owned(),
        args: Vec::new(),
    };
    StaticValidator {
        program: Program {
            name: "static_validator/a.py".to_owned(),
            files: Vec::new(),
            language: None,
            entry_point: None,
        },
        tests: groups.iter().map(test).collect(),
    }
}

#[test]
fn groups_are_in_the_order_of_their_test_cases() {
    let mut package = package(&names(&["secret/a/1", "secret/a-b/1"]), Rules::PassFail);
    package.static_validator = Some(static_tests(&["secret/a-b"]));
    let order = [Test::Testcase(0), Test::Static(0), Test::Testcase(1)];
    assert_eq!(Grading::of(&package).order(), order);
}

#[test]
fn a_static_test_comes_first_in_its_group() {
    use assize_common::package::OutputValidator;
    let names = names(&["sample/1", "secret/a/1", "secret/b/1"]);
    let mut package = package(&names, Rules::PassFail);
    package.output_validator = OutputValidator::Default;
    package.static_validator = Some(static_tests(&["secret/a", "secret/b", "secret/c"]));
    let grading = Grading::of(&package);
    let order = [
        Test::Testcase(0),
        Test::Static(0),
        Test::Testcase(1),
        Test::Static(1),
        Test::Testcase(2),
        Test::Static(2),
    ];
    assert_eq!(grading.order(), order);
    let mut all = results(&package, &plain(&[Verdict::Ac; 3]));
    for index in 0..3 {
        let verdict = if index == 1 { Verdict::Wa } else { Verdict::Ac };
        all.set(
            Test::Static(index),
            TestResult {
                verdict,
                award: None,
            },
        );
    }
    assert_eq!(grading.grade(&all).unwrap().verdict, Verdict::Wa);
    assert!(grading.needs(Test::Static(1), &all) && !grading.needs(Test::Testcase(2), &all));
}

/// What a random problem is made of: for each of its groups an aggregation, the
/// number of test cases and which earlier groups (`0` is the sample) it requires.
#[derive(Debug, Clone)]
struct Plan {
    secret: Aggregation,
    groups: Vec<(Aggregation, usize, Vec<bool>)>,
}

fn aggregation() -> impl Strategy<Value = Aggregation> {
    select(vec![
        Aggregation::PassFail,
        Aggregation::Sum,
        Aggregation::Min,
    ])
}

fn plan() -> impl Strategy<Value = Plan> {
    let group = (
        aggregation(),
        1_usize..4,
        prop::collection::vec(any::<bool>(), 6),
    );
    (aggregation(), prop::collection::vec(group, 1..6))
        .prop_map(|(secret, groups)| Plan { secret, groups })
}

fn from_plan(plan: &Plan) -> Package {
    let mut names = vec!["sample/1".to_owned()];
    let mut members = Vec::new();
    for (at, (own, count, requires)) in plan.groups.iter().enumerate() {
        let aggregation = if plan.secret == Aggregation::PassFail {
            Aggregation::PassFail
        } else {
            *own
        };
        let name = format!("secret/g{at}");
        let max = 12 * u64::try_from(at + 1).unwrap();
        let tests: Vec<usize> = (names.len()..names.len() + count).collect();
        names.extend((0..*count).map(|test| format!("{name}/{test}")));
        let each = match aggregation {
            Aggregation::PassFail => None,
            Aggregation::Sum => Some(max / u64::try_from(*count).unwrap()),
            Aggregation::Min => Some(max),
        };
        let tests = tests
            .into_iter()
            .map(|index| testcase(index, each))
            .collect();
        let mut group = group(&name, aggregation, Some(max), tests);
        if requires[0] {
            group.require_pass.push("sample".to_owned());
        }
        for (earlier, required) in members.iter().zip(&requires[1..]) {
            if let ScoredMember::Group(earlier) = earlier
                && *required
                && earlier.aggregation == Aggregation::PassFail
            {
                group.require_pass.push(earlier.name.clone());
            }
        }
        members.push(ScoredMember::Group(group));
    }
    let secret = group("secret", plan.secret, Some(1000), members);
    package(&names, Rules::Scoring(secret))
}

/// The text of the format, word by word and in floating point: a group is not run
/// unless all it requires is accepted, and then all its test cases count as failed.
fn reference(package: &Package, all: &Results) -> f64 {
    let Rules::Scoring(secret) = &package.grading else {
        panic!("scoring expected");
    };
    let mut accepted = vec![(
        "sample".to_owned(),
        all.testcases[0].as_ref().unwrap().verdict == Verdict::Ac,
    )];
    let mut scores = Vec::new();
    let as_float = |score: &Score| score.to_string().parse::<f64>().unwrap();
    for member in &secret.members {
        let ScoredMember::Group(group) = member else {
            panic!("a group expected");
        };
        let is_accepted = |name: &String| accepted.iter().any(|(other, yes)| other == name && *yes);
        let runs = group.require_pass.iter().all(is_accepted);
        let tests: Vec<(bool, f64)> = group
            .members
            .iter()
            .map(|member| {
                let ScoredMember::Testcase { index, max_score } = member else {
                    panic!("a test case expected");
                };
                let result = all.testcases[*index].as_ref().unwrap();
                let max = max_score.as_ref().map_or(0.0, as_float);
                let points = match &result.award {
                    Some(Award::Multiplier(part)) => max * as_float(part),
                    _ => max,
                };
                let passes = runs && result.verdict == Verdict::Ac;
                (passes, if passes { points } else { 0.0 })
            })
            .collect();
        let passes = tests.iter().all(|(passes, _)| *passes);
        let points = tests.iter().map(|(_, points)| *points);
        scores.push((
            passes,
            match group.aggregation {
                Aggregation::PassFail if passes => as_float(group.max_score.as_ref().unwrap()),
                Aggregation::PassFail => 0.0,
                Aggregation::Sum => points.sum(),
                Aggregation::Min => points.fold(f64::INFINITY, f64::min),
            },
        ));
        accepted.push((group.name.clone(), passes));
    }
    let points = scores.iter().map(|(_, points)| *points);
    match secret.aggregation {
        Aggregation::PassFail if scores.iter().all(|(passes, _)| *passes) => 1000.0,
        Aggregation::PassFail => 0.0,
        Aggregation::Sum => points.sum(),
        Aggregation::Min => points.fold(f64::INFINITY, f64::min),
    }
}

/// Mostly accepted, so that not everything is lost at once.
fn verdicts(count: usize) -> impl Strategy<Value = Vec<(Verdict, Option<u8>)>> {
    use Verdict::{Ac, Rte, Tle, Wa};
    let verdict = select(vec![Ac, Ac, Ac, Ac, Ac, Wa, Tle, Rte]);
    prop::collection::vec((verdict, prop::option::of(0_u8..=4)), count)
}

fn with_awards(package: &Package, outcomes: &[(Verdict, Option<u8>)]) -> Results {
    let Rules::Scoring(secret) = &package.grading else {
        panic!("scoring expected");
    };
    let mut all = Results::none(package);
    let mut set = |index: usize, may_award: bool| {
        let (verdict, quarters) = outcomes[index];
        let award = quarters
            .filter(|_| may_award && verdict == Verdict::Ac)
            .map(|quarters| {
                Award::Multiplier(format!("{}", f64::from(quarters) / 4.0).parse().unwrap())
            });
        all.set(Test::Testcase(index), TestResult { verdict, award });
    };
    set(0, false);
    for member in &secret.members {
        let ScoredMember::Group(group) = member else {
            panic!("a group expected");
        };
        for member in &group.members {
            if let ScoredMember::Testcase { index, .. } = member {
                set(*index, group.aggregation != Aggregation::PassFail);
            }
        }
    }
    all
}

/// Judges in order, leaving out what is not needed.
fn judge_in_order(package: &Package, all: &Results) -> (Graded, usize) {
    let grading = Grading::of(package);
    let mut judged = Results::none(package);
    let mut left_out = 0;
    for test in grading.order() {
        if grading.needs(test, &judged) {
            judged.set(test, all.of(test).unwrap().clone());
        } else {
            left_out += 1;
        }
    }
    (grading.grade(&judged).unwrap(), left_out)
}

/// A random tree for the legacy grader over `count` test cases.
fn grader_tree() -> impl Strategy<Value = (Package, usize)> {
    let settings = (
        any::<bool>(),
        select(vec![
            VerdictMode::WorstError,
            VerdictMode::FirstError,
            VerdictMode::AlwaysAccept,
        ]),
        any::<bool>(),
        select(vec![
            ScoreMode::Sum,
            ScoreMode::Average,
            ScoreMode::Min,
            ScoreMode::Max,
        ]),
        1_usize..4,
    );
    prop::collection::vec(settings, 3..6).prop_map(|all| {
        let mut names = Vec::new();
        let mut groups = Vec::new();
        for (at, (breaks, verdict_mode, any, score_mode, count)) in all.into_iter().enumerate() {
            let first = names.len();
            let name = format!("secret/g{at}");
            names.extend((0..count).map(|test| format!("{name}/{test}")));
            let members = (first..names.len()).map(GraderMember::Testcase).collect();
            groups.push(GraderGroup {
                on_reject: if breaks {
                    OnReject::Break
                } else {
                    OnReject::Continue
                },
                verdict_mode,
                accept_if_any_accepted: any,
                score_mode,
                ..grader_group(&format!("data/{name}"), members)
            });
        }
        // The first becomes the root, the second holds half of the rest.
        let mut inner = groups.split_off(2);
        let mut second = groups.remove(1);
        let rest = inner.split_off(inner.len() / 2);
        let boxed = |group: GraderGroup| GraderMember::Group(Box::new(group));
        second.members.extend(inner.into_iter().map(boxed));
        let mut root = groups.remove(0);
        root.members.push(boxed(second));
        root.members.extend(rest.into_iter().map(boxed));
        let count = names.len();
        let scoring = Some(Objective::Maximize);
        (
            package(&names, Rules::Grader(Grader { root, scoring })),
            count,
        )
    })
}

proptest! {
    #[test]
    fn scores_are_those_of_the_reference(
        (plan, outcomes) in plan().prop_flat_map(|plan| {
            let count = 1 + plan.groups.iter().map(|(_, count, _)| count).sum::<usize>();
            (Just(plan), verdicts(count))
        })
    ) {
        let package = from_plan(&plan);
        let all = with_awards(&package, &outcomes);
        let graded = Grading::of(&package).grade(&all).unwrap();
        let score: f64 = graded.score.as_ref().unwrap().to_string().parse().unwrap();
        prop_assert!((score - reference(&package, &all)).abs() < 1e-6, "{graded:?}");
        prop_assert_eq!(judge_in_order(&package, &all).0, graded);
    }

    #[test]
    fn leaving_out_changes_no_grader(
        ((package, _), outcomes) in grader_tree().prop_flat_map(|(package, count)| {
            (Just((package, count)), verdicts(count))
        })
    ) {
        let all = results(&package, &plain(&outcomes.iter().map(|(verdict, _)| *verdict).collect::<Vec<_>>()));
        let graded = Grading::of(&package).grade(&all).unwrap();
        prop_assert_eq!(judge_in_order(&package, &all).0, graded);
    }

    /// Judged in any order, what is left out never changes the result.
    #[test]
    fn the_order_of_judging_does_not_matter(
        (plan, outcomes, order) in plan().prop_flat_map(|plan| {
            let count = 1 + plan.groups.iter().map(|(_, count, _)| count).sum::<usize>();
            let order = Just((0..count).collect::<Vec<_>>()).prop_shuffle();
            (Just(plan), verdicts(count), order)
        })
    ) {
        let package = from_plan(&plan);
        let all = with_awards(&package, &outcomes);
        let grading = Grading::of(&package);
        let mut judged = Results::none(&package);
        for test in order.into_iter().map(Test::Testcase) {
            if grading.needs(test, &judged) {
                judged.set(test, all.of(test).unwrap().clone());
            }
        }
        prop_assert_eq!(grading.grade(&judged), grading.grade(&all));
    }
}

#[test]
fn the_first_failure_ends_a_pass_fail_problem() {
    use Verdict::{Ac, Tle, Wa};
    let package = package(
        &names(&["sample/1", "secret/1", "secret/2"]),
        Rules::PassFail,
    );
    let all = results(&package, &plain(&[Ac, Tle, Wa]));
    let (graded, left_out) = judge_in_order(&package, &all);
    assert_eq!((graded.verdict, left_out), (Tle, 1));
}

#[test]
fn what_cannot_count_is_left_out() {
    use Verdict::{Ac, Wa};
    let package = olympiad();
    let all = results(&package, &plain(&[Wa, Wa, Ac, Ac, Ac, Ac, Ac]));
    let (graded, left_out) = judge_in_order(&package, &all);
    assert_eq!((graded.score, left_out), (Some(Score::zero()), 5));
}
