//! One problem in every format, written as the format has it: read, judged, and
//! compared with what the format's own judges make of it.
//!
//! The problem: print the double of a number. Three submissions: right, right for
//! small numbers only, and always wrong.

use assize_common::Verdict;

use crate::court::{TestPackage, judge};

const RIGHT: &str = "print(2 * int(input()))\n";
const SMALL: &str = "n = int(input())\nprint(2 * n if n < 100 else 0)\n";
const WRONG: &str = "print('no')\n";

/// A validator of ICPC that compares with the answer.
const VALIDATOR: &str = "\
import sys
want = open(sys.argv[2]).read().split()
sys.exit(42 if sys.stdin.read().split() == want else 43)
";

fn with_data(package: TestPackage) -> TestPackage {
    package
        .with_testcase("sample/1", "1\n", "2\n")
        .with_testcase("secret/a/1", "2\n", "4\n")
        .with_testcase("secret/a/2", "3\n", "6\n")
        .with_testcase("secret/b/1", "4\n", "8\n")
        .with_testcase("secret/b/2", "500\n", "1000\n")
        .with("submissions/accepted/right.py", RIGHT)
        .with("submissions/wrong_answer/wrong.py", WRONG)
}

/// Verdict and score of each submission; what the package declares must hold too.
#[track_caller]
fn expect(package: &TestPackage, expected: [(&str, Verdict, Option<&str>); 3]) {
    let read = assize_common::package::Package::read(package.path()).unwrap();
    assert_eq!(read.warnings, Vec::<String>::new());
    for (name, verdict, score) in expected {
        let judged = judge(package, name);
        let shown = judged.score.as_ref().map(ToString::to_string);
        assert_eq!(
            (judged.verdict, shown.as_deref()),
            (verdict, score),
            "{name}: {:?}",
            judged.runs
        );
        let mut submissions = read.submissions.iter();
        let declared = submissions.find(|one| one.program.name.ends_with(name));
        assert!(
            judged.offence(&declared.unwrap().expectation).is_none(),
            "{name}"
        );
    }
}

#[test]
fn legacy_icpc() {
    let package = with_data(TestPackage::bare(
        "problem.yaml",
        "problem_format_version: legacy-icpc\nname: Double\nuuid: 2a1e8b4c-8d1f-4b5e-9c55-52a9c1f0d7aa\nvalidation: default\n",
    ))
    .with(".timelimit", "5\n")
    .with("submissions/wrong_answer/small.py", SMALL);
    expect(
        &package,
        [
            ("right.py", Verdict::Ac, None),
            ("small.py", Verdict::Wa, None),
            ("wrong.py", Verdict::Wa, None),
        ],
    );
}

/// Kattis' grader: the worst of a group, the sum of groups; a submission is accepted
/// with the points that it has.
#[test]
fn legacy() {
    let package = with_data(TestPackage::bare(
        "problem.yaml",
        "name: Double\ntype: scoring\nvalidation: custom\ngrading:\n  objective: max\n",
    ))
    .with("domjudge-problem.ini", "timelimit = 5\n")
    .with("output_validators/validate.py", VALIDATOR)
    .with(
        "data/testdata.yaml",
        "on_reject: continue\ngrader_flags: ignore_sample\nrange: 0 100\n",
    )
    .with(
        "data/secret/testdata.yaml",
        "grader_flags: first_error accept_if_any_accepted\nrange: 0 100\n",
    )
    .with(
        "data/secret/a/testdata.yaml",
        "on_reject: break\naccept_score: 40\nrange: 0 40\ngrader_flags: min\n",
    )
    .with(
        "data/secret/b/testdata.yaml",
        "on_reject: break\naccept_score: 60\nrange: 0 60\ngrader_flags: min\n",
    )
    .with("submissions/partially_accepted/small.py", SMALL);
    expect(
        &package,
        [
            ("right.py", Verdict::Ac, Some("100")),
            ("small.py", Verdict::Ac, Some("40")),
            ("wrong.py", Verdict::Wa, Some("0")),
        ],
    );
}

#[test]
fn draft_of_2023() {
    let package = with_data(TestPackage::bare(
        "problem.yaml",
        "problem_format_version: 2023-07-draft\nname: Double\nuuid: 2a1e8b4c-8d1f-4b5e-9c55-52a9c1f0d7aa\ntype: scoring\nlimits:\n  time_limit: 5\n",
    ))
    .with("output_validator/validate.py", VALIDATOR)
    .with(
        "data/secret/test_group.yaml",
        "scoring:\n  score: 100\n  aggregation: sum\n",
    )
    .with(
        "data/secret/a/test_group.yaml",
        "scoring:\n  score: 40\n  aggregation: pass-fail\n  require_pass: sample\n",
    )
    .with(
        "data/secret/b/test_group.yaml",
        "scoring:\n  score: 60\n  aggregation: min\n  require_pass: [sample, secret/a]\n",
    )
    .with("submissions/partially_accepted/small.py", SMALL);
    expect(
        &package,
        [
            ("right.py", Verdict::Ac, Some("100")),
            ("small.py", Verdict::Wa, Some("40")),
            ("wrong.py", Verdict::Wa, Some("0")),
        ],
    );
}

#[test]
fn format_of_2025() {
    let package = with_data(TestPackage::new(
        "type: scoring\nlimits:\n  time_limit: 5\n",
    ))
    .with(
        "data/secret/test_group.yaml",
        "max_score: 100\nscore_aggregation: sum\n",
    )
    .with(
        "data/secret/a/test_group.yaml",
        "max_score: 40\nscore_aggregation: pass-fail\n",
    )
    .with(
        "data/secret/b/test_group.yaml",
        "max_score: 60\nscore_aggregation: sum\nrequire_pass: secret/a\n",
    )
    .with("submissions/partially_accepted/small.py", SMALL);
    expect(
        &package,
        [
            ("right.py", Verdict::Ac, Some("100")),
            // Half of the second group.
            ("small.py", Verdict::Wa, Some("70")),
            ("wrong.py", Verdict::Wa, Some("0")),
        ],
    );
}

/// An interactor that tells the number, and a checker that looks at what it noted.
#[test]
fn polygon() {
    let interactor = "\
import sys
number = open(sys.argv[1]).read().strip()
print(number, flush=True)
answer = sys.stdin.readline()
if not answer.strip().isdigit():
    print('wrong output format a number is wanted', file=sys.stderr)
    sys.exit(2)
open(sys.argv[2], 'w').write(answer)
print('ok noted', file=sys.stderr)
";
    let checker = "\
import sys
got, want = (open(path).read().split() for path in sys.argv[2:4])
print('ok' if got == want else 'wrong answer', file=sys.stderr)
sys.exit(0 if got == want else 1)
";
    let test = |number: u32, group: &str, points: u32| {
        format!(r#"<test method="manual" group="{group}" points="{points}" cmd="{number}"/>"#)
    };
    let tests = [
        test(2, "a", 0),
        test(3, "a", 40),
        test(4, "b", 20),
        test(500, "b", 40),
    ];
    let xml = format!(
        r#"<problem short-name="double">
    <judging input-file="" output-file="">
        <testset name="tests">
            <time-limit>5000</time-limit>
            <memory-limit>268435456</memory-limit>
            <input-path-pattern>tests/%02d</input-path-pattern>
            <answer-path-pattern>tests/%02d.a</answer-path-pattern>
            <tests>{}</tests>
            <groups>
                <group name="a" points-policy="complete-group"/>
                <group name="b" points-policy="each-test"><dependencies><dependency group="a"/></dependencies></group>
            </groups>
        </testset>
    </judging>
    <assets>
        <checker name="check.py" type="testlib"><source path="check.py"/></checker>
        <interactor><source path="talk.py"/></interactor>
        <solutions>
            <solution tag="main"><source path="right.py"/></solution>
            <solution tag="wrong-answer"><source path="small.py"/></solution>
            <solution tag="presentation-error"><source path="wrong.py"/></solution>
        </solutions>
    </assets>
</problem>"#,
        tests.join("")
    );
    let mut package = TestPackage::bare("problem.xml", &xml)
        .with("talk.py", interactor)
        .with("check.py", checker)
        .with("right.py", RIGHT)
        .with("small.py", SMALL)
        .with("wrong.py", WRONG);
    for (at, number) in [2, 3, 4, 500].into_iter().enumerate() {
        let place = format!("tests/{:02}", at + 1);
        package = package
            .with(&place, &format!("{number}\n"))
            .with(&format!("{place}.a"), &format!("{}\n", 2 * number));
    }
    expect(
        &package,
        [
            ("right.py", Verdict::Ac, Some("100")),
            ("small.py", Verdict::Wa, Some("60")),
            ("wrong.py", Verdict::Pe, Some("0")),
        ],
    );
}

#[test]
fn dmoj() {
    let init = "\
checker: {name: floats, args: {precision: 4}}
pretest_test_cases:
- {in: 1.in, out: 1.out}
test_cases:
- batched:
  - {in: 2.in, out: 2.out}
  - {in: 3.in, out: 3.out}
  points: 40
- batched:
  - {in: 4.in, out: 4.out}
  - {in: 5.in, out: 5.out}
  points: 50
  dependencies: [1]
- {in: 2.in, out: 2.out, points: 10}
";
    let mut package = TestPackage::bare("init.yml", init)
        .with(".timelimit", "5\n")
        .with("submissions/accepted/right.py", RIGHT)
        .with("submissions/partially_accepted/small.py", SMALL)
        .with("submissions/wrong_answer/wrong.py", WRONG);
    for (at, number) in [1, 2, 3, 4, 500].into_iter().enumerate() {
        package = package
            .with(&format!("{}.in", at + 1), &format!("{number}\r\n"))
            .with(&format!("{}.out", at + 1), &format!("{}.00001", 2 * number));
    }
    expect(
        &package,
        [
            ("right.py", Verdict::Ac, Some("100")),
            ("small.py", Verdict::Wa, Some("50")),
            ("wrong.py", Verdict::Wa, Some("0")),
        ],
    );
    // A checker of the jury, and one that talks.
    let programs = |init: &str| {
        TestPackage::bare("init.yml", init)
            .with(".timelimit", "5\n")
            .with("1.in", "7\n")
            .with("1.out", "14\n")
            .with("submissions/accepted/right.py", RIGHT)
            .with("submissions/wrong_answer/wrong.py", WRONG)
    };
    let check = "\
import sys
got, want = (open(path).read().split() for path in sys.argv[2:4])
sys.exit(0 if got == want else 1)
";
    let cases = "test_cases: [{in: 1.in, out: 1.out}]\n";
    let checked = programs(&format!(
        "{cases}checker: {{name: bridged, args: {{files: check.py, lang: PY3}}}}\n"
    ))
    .with("check.py", check);
    let talk = "\
import sys
print(open(sys.argv[1]).read(), flush=True)
sys.exit(0 if input() == open(sys.argv[2]).read().strip() else 1)
";
    let talked = programs(&format!(
        "{cases}interactive: {{files: talk.py, lang: PY3}}\n"
    ))
    .with("talk.py", talk);
    for package in [checked, talked] {
        assert_eq!(judge(&package, "right.py").verdict, Verdict::Ac);
        assert_eq!(judge(&package, "wrong.py").verdict, Verdict::Wa);
    }
}
