//! Who is named, by table.

use std::time::Duration;

use super::*;

/// One line for each submission: its package, language and team, and the seconds at
/// which attempts of it failed.
type Failed<'t> = &'t [(&'t str, &'t str, &'t str, &'t [u64])];
/// Package and language, or `*` for all.
type Named<'t> = (&'t str, &'t str);

fn package(name: &str) -> Uuid {
    Uuid::from_u128(name.bytes().fold(0, |id, byte| id << 8 | u128::from(byte)))
}

fn second(second: u64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + Duration::from_secs(second)
}

fn subject((of, language): Named<'_>) -> Subject {
    Subject {
        package: (of != "*").then(|| package(of)),
        language: (language != "*").then(|| language.to_owned()),
    }
}

/// The versions `A` and `A2` are of one problem.
fn named(failed: Failed<'_>, judged: &[(Named<'_>, u64)]) -> Vec<Subject> {
    let mut failures = Vec::new();
    for (number, (name, language, team, seconds)) in (1_u128..).zip(failed) {
        failures.extend(seconds.iter().map(|at| JudgingFailure {
            problem: package(&name[..1]),
            package: package(name),
            language: (*language).to_owned(),
            submission: Uuid::from_u128(number),
            team: (!team.is_empty()).then(|| (String::new(), (*team).to_owned())),
            worker: Some(format!("judge-{}", at % 2)),
            is_last: false,
            at: second(*at),
            reason: format!("failed at {at}"),
        }));
    }
    let judged = judged.iter().map(|(of, at)| (subject(*of), second(*at)));
    let found = culprits(&failures, &judged.collect(), 2);
    found.into_iter().map(|culprit| culprit.subject).collect()
}

fn check(why: &str, failed: Failed<'_>, judged: &[(Named<'_>, u64)], expected: Option<Named<'_>>) {
    let found = named(failed, judged);
    assert_eq!(found.first(), expected.map(subject).as_ref(), "{why}");
}

#[test]
fn the_smallest_thing_that_explains_most_is_named() {
    let pair = ("A", "java", "x", &[1, 2][..]);
    let other = ("A", "java", "y", &[1, 2][..]);
    check("nothing failed", &[], &[], None);
    check(
        "a package in a language",
        &[pair, pair, other],
        &[],
        Some(("A", "java")),
    );
    check(
        "a package in two languages",
        &[pair, other, ("A", "c", "x", &[1, 2])],
        &[],
        Some(("A", "*")),
    );
    check(
        "a language in three problems",
        &[
            pair,
            other,
            ("B", "java", "x", &[1, 2]),
            ("C", "java", "x", &[1, 2]),
        ],
        &[],
        Some(("*", "java")),
    );
    check(
        "two problems may have broken packages",
        &[pair, other, ("B", "java", "x", &[1, 2])],
        &[],
        None,
    );
    check(
        "two versions are one problem",
        &[
            pair,
            other,
            ("A2", "java", "x", &[1, 2]),
            ("B", "java", "x", &[1, 2]),
        ],
        &[],
        None,
    );
    check(
        "another failure beside has another cause",
        &[pair, pair, other, ("B", "c", "x", &[1, 2])],
        &[],
        Some(("A", "java")),
    );
    check(
        "all fails: a package stops less than a language",
        &[
            pair,
            other,
            ("A", "c", "x", &[1, 2]),
            ("B", "java", "x", &[1, 2]),
        ],
        &[],
        Some(("A", "*")),
    );
}

#[test]
fn too_few_prove_nothing() {
    let pair = ("A", "java", "x", &[1, 2][..]);
    let other = ("A", "java", "y", &[1, 2][..]);
    check("two submissions", &[pair, other], &[], None);
    check("one team", &[pair, pair, pair, pair], &[], None);
    check(
        "no team is another one each",
        &[("A", "java", "", &[1, 2]), ("A", "java", "", &[1, 2]), pair],
        &[],
        Some(("A", "java")),
    );
    check(
        "another worker may judge one of them yet",
        &[pair, other, ("A", "java", "y", &[2])],
        &[],
        None,
    );
}

#[test]
fn what_was_judged_since_is_not_named() {
    let failed: Failed<'_> = &[
        ("A", "java", "x", &[1, 2]),
        ("A", "java", "y", &[1, 2]),
        ("A", "java", "y", &[2, 4]),
    ];
    let both = [(("A", "java"), 3), (("*", "java"), 3)];
    check("since two of them", failed, &both, None);
    let before = [(("A", "java"), 0), (("*", "java"), 0)];
    check("only before", failed, &before, Some(("A", "java")));
    check(
        "only in other problems",
        failed,
        &[(("*", "java"), 9)],
        Some(("A", "java")),
    );
    let wide: Failed<'_> = &[
        ("A", "java", "x", &[1, 2]),
        ("A", "java", "y", &[1, 2]),
        ("A", "java", "y", &[1, 2]),
        ("A", "c", "x", &[1, 2]),
    ];
    check(
        "one of its languages is judged",
        wide,
        &[(("A", "*"), 9)],
        Some(("A", "java")),
    );
}

/// Three submissions, of which one attempt each failed at these workers.
fn failed_at(workers: [&str; 3], is_last: bool) -> Vec<JudgingFailure> {
    (1_u64..)
        .zip(workers)
        .map(|(number, worker)| JudgingFailure {
            problem: package("A"),
            package: package("A"),
            language: "c".to_owned(),
            submission: Uuid::from_u128(number.into()),
            team: None,
            worker: Some(worker.to_owned()),
            is_last,
            at: second(number),
            reason: format!("failed at {number}"),
        })
        .collect()
}

#[test]
fn the_reason_has_the_last_error_and_one_attempt_is_enough_where_it_was_the_last() {
    let workers = ["one", "two", "one"];
    assert_eq!(culprits(&failed_at(workers, false), &HashMap::new(), 2), []);
    let found = culprits(&failed_at(workers, true), &HashMap::new(), 2);
    assert_eq!(
        found[0].reason,
        "3 submissions failed and none was judged; the last one because: failed at 3"
    );
}

#[test]
fn what_one_worker_fails_on_is_its_own_fault_unless_there_is_no_other() {
    let failures = failed_at(["one"; 3], true);
    assert_eq!(culprits(&failures, &HashMap::new(), 2), []);
    assert_eq!(culprits(&failures, &HashMap::new(), 1).len(), 1);
    assert_eq!(culprits(&failures, &HashMap::new(), 0).len(), 1, "all gone");
}
