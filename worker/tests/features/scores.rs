//! Points: groups, validators that give them, and legacy graders.

use assize_common::Stop;
use assize_common::Verdict;

use crate::court::{TestPackage, chain, judge, try_judge};

/// Right up to the number in its name.
fn right_up_to(limit: u32) -> String {
    format!("n = int(input())\nprint(2 * n if n <= {limit} else 0)\n")
}

fn groups() -> TestPackage {
    TestPackage::new("type: scoring\nlimits:\n  time_limit: 2\n")
        .with_testcase("sample/1", "1\n", "2\n")
        .with_testcase("secret/a/1", "2\n", "4\n")
        .with_testcase("secret/a/2", "3\n", "6\n")
        .with("data/secret/a/test_group.yaml", "max_score: 30\n")
        .with_testcase("secret/b/1", "2\n", "4\n")
        .with_testcase("secret/b/2", "5\n", "10\n")
        .with(
            "data/secret/b/test_group.yaml",
            "max_score: 45\nscore_aggregation: sum\n",
        )
        .with_testcase("secret/c/1", "1\n", "2\n")
        .with(
            "data/secret/c/test_group.yaml",
            "max_score: 25\nrequire_pass: [sample, secret/a]\n",
        )
        .with("submissions/accepted/all.py", &right_up_to(9))
        .with("submissions/mixed/four.py", &right_up_to(4))
        .with("submissions/mixed/two.py", &right_up_to(2))
}

#[test]
fn groups_add_up() {
    let package = groups();
    for (name, score, verdict, runs) in [
        ("all.py", "100", Verdict::Ac, 6),
        ("four.py", "77.5", Verdict::Wa, 6),
        // Group c is not judged, since a failed.
        ("two.py", "22.5", Verdict::Wa, 5),
    ] {
        let judged = judge(&package, name);
        assert_eq!(judged.score.unwrap().to_string(), score, "{name}");
        assert_eq!(
            (judged.verdict, judged.runs.len()),
            (verdict, runs),
            "{name}"
        );
        let to_the_end = try_judge(&package, name, Stop::End).unwrap();
        assert_eq!(to_the_end.score.unwrap().to_string(), score);
        assert_eq!((to_the_end.verdict, to_the_end.runs.len()), (verdict, 6));
    }
}

/// Gives a part of the points as the submission prints it.
const PART: &str = "import sys\n\
    got = sys.stdin.read().strip()\n\
    if got == 'wrong': sys.exit(43)\n\
    open(sys.argv[3] + 'score_multiplier.txt', 'w').write(got)\n\
    sys.exit(42)\n";

#[test]
fn validators_give_parts_of_the_points() {
    let package = TestPackage::new("type: scoring\nlimits:\n  time_limit: 2\n")
        .with("data/secret/test_group.yaml", "max_score: 10\n")
        .with_testcase("sample/1", "7\n", "")
        .with_testcase("secret/1", "0.5\n", "")
        .with_testcase("secret/2", "0.25\n", "")
        .with("output_validator/part.py", PART)
        .with("submissions/mixed/echo.py", "print(input())\n")
        .with("submissions/mixed/greedy.py", "print(2)\n");
    let judged = judge(&package, "echo.py");
    assert_eq!(judged.score.unwrap().to_string(), "3.75");
    assert_eq!(judged.verdict, Verdict::Ac);
    let error = chain(&try_judge(&package, "greedy.py", Stop::End).unwrap_err());
    assert!(
        error.contains("secret/1") && error.contains("not between"),
        "{error}"
    );
}

#[test]
fn legacy_graders() {
    let package = TestPackage::bare("problem.yaml", "type: scoring\n")
        .with(".timelimit", "2\n")
        .with(
            "data/testdata.yaml",
            "on_reject: continue\ngrader_flags: ignore_sample always_accept\nrange: 0 100\n",
        )
        .with("data/secret/testdata.yaml", "grader_flags: always_accept\n")
        .with(
            "data/secret/a/testdata.yaml",
            "on_reject: break\ngrader_flags: min\naccept_score: 40\n",
        )
        .with(
            "data/secret/b/testdata.yaml",
            "accept_score: 30\ngrader_flags: always_accept\n",
        )
        .with_testcase("sample/1", "1\n", "2\n")
        .with_testcase("secret/a/1", "2\n", "4\n")
        .with_testcase("secret/a/2", "5\n", "10\n")
        .with_testcase("secret/a/3", "6\n", "12\n")
        .with_testcase("secret/b/1", "2\n", "4\n")
        .with_testcase("secret/b/2", "8\n", "16\n")
        .with("submissions/accepted/all.py", &right_up_to(9))
        .with("submissions/partially_accepted/seven.py", &right_up_to(7))
        .with("submissions/partially_accepted/four.py", &right_up_to(4));
    for (name, score, runs) in [
        ("all.py", "100", 6),
        ("seven.py", "70", 6),
        ("four.py", "30", 5),
    ] {
        let judged = judge(&package, name);
        assert_eq!(judged.score.unwrap().to_string(), score, "{name}");
        assert_eq!(
            (judged.verdict, judged.runs.len()),
            (Verdict::Ac, runs),
            "{name}"
        );
    }
}
