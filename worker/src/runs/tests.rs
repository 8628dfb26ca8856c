//! Whatever runs at once and however long it takes, the result is the same.

use std::path::PathBuf;
use std::time::Duration;

use assize_common::Verdict;
use assize_common::package::grading::{Aggregation, Grading as Rules, ScoredGroup, ScoredMember};
use assize_common::package::{Limits, Package, Testcase};
use bytesize::ByteSize;
use proptest::prelude::*;

use super::schedule::Schedule;
use crate::grading::{Grading, Test, TestResult};
use assize_common::Stop;

/// A sample and two groups of test cases, with points or without.
fn package(sizes: [usize; 2], scoring: bool) -> Package {
    let mut names = vec!["sample/1".to_owned()];
    let mut groups = Vec::new();
    for (group, size) in ["a", "b"].into_iter().zip(sizes) {
        let first = names.len();
        names.extend((0..size).map(|number| format!("secret/{group}/{number}")));
        let members = (first..names.len()).map(|index| ScoredMember::Testcase {
            index,
            max_score: Some(10.into()),
        });
        groups.push(ScoredMember::Group(ScoredGroup {
            name: format!("secret/{group}"),
            aggregation: Aggregation::Min,
            max_score: Some(10.into()),
            require_pass: match group {
                "a" => Vec::new(),
                _ => vec!["secret/a".to_owned()],
            },
            members: members.collect(),
        }));
    }
    let testcases = names
        .into_iter()
        .map(|name| Testcase::new(name, PathBuf::new(), PathBuf::new()));
    let (second, size) = (Duration::from_secs(1), ByteSize::mib(1));
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
    let mut package = Package::plain("test".to_owned(), limits, testcases.collect());
    if scoring {
        package.grading = Rules::Scoring(ScoredGroup {
            name: "secret".to_owned(),
            aggregation: Aggregation::Sum,
            max_score: Some(20.into()),
            require_pass: Vec::new(),
            members: groups,
        });
    }
    package
}

/// What is taken, in order, when at most `slots` run at once and `choices` say which
/// of them ends next.
fn taken(
    package: &Package,
    verdicts: &[Verdict],
    stop: Stop,
    weights: Vec<u64>,
    slots: usize,
    choices: &[prop::sample::Index],
) -> (Vec<usize>, crate::grading::Graded) {
    let grading = Grading::of(package);
    let mut schedule = Schedule::new(grading, package, stop, weights);
    let (mut running, mut taken) = (Vec::new(), Vec::new());
    let mut choices = choices.iter().cycle();
    while !schedule.is_complete() {
        while running.len() < slots
            && let Some((index, test, _)) = schedule.start()
        {
            running.push((index, test));
        }
        if !running.is_empty() {
            let at = choices
                .next()
                .map_or(0, |choice| choice.index(running.len()));
            let (index, test) = running.swap_remove(at);
            schedule.end(index, test);
        }
        while let Some((test, ran)) = schedule.take_due() {
            assert_eq!(test, ran);
            let Test::Testcase(index) = test else {
                panic!("{test:?}");
            };
            taken.push(index);
            let verdict = verdicts[index];
            let award = None;
            schedule.set(test, TestResult { verdict, award });
        }
    }
    (taken, schedule.grade().unwrap())
}

proptest! {
    #[test]
    fn the_order_of_running_changes_nothing(
        sizes in prop::array::uniform2(1_usize..5),
        scoring in any::<bool>(),
        stop in prop::sample::select(Stop::ALL.to_vec()),
        slots in 2_usize..5,
        failures in prop::collection::vec(prop::bool::weighted(0.25), 9),
        weights in prop::collection::vec(0_u64..5, 9),
        choices in prop::collection::vec(any::<prop::sample::Index>(), 1..20),
    ) {
        let package = package(sizes, scoring);
        let verdicts: Vec<Verdict> = failures
            .iter()
            .map(|fails| if *fails { Verdict::Wa } else { Verdict::Ac })
            .collect();
        let alone = taken(&package, &verdicts, stop, Vec::new(), 1, &choices);
        let together = taken(&package, &verdicts, stop, weights, slots, &choices);
        prop_assert_eq!(alone, together);
    }

    #[test]
    fn stopping_early_changes_no_result(
        sizes in prop::array::uniform2(1_usize..5),
        scoring in any::<bool>(),
        failures in prop::collection::vec(prop::bool::weighted(0.25), 9),
    ) {
        let package = package(sizes, scoring);
        let verdicts: Vec<Verdict> = failures
            .iter()
            .map(|fails| if *fails { Verdict::Wa } else { Verdict::Ac })
            .collect();
        let [(first, at_first), (groups, by_group), (all, at_end)] = Stop::ALL
            .map(|stop| taken(&package, &verdicts, stop, Vec::new(), 1, &[]));
        prop_assert_eq!(&at_first, &at_end);
        prop_assert_eq!(&by_group, &at_end);
        prop_assert!(first.iter().all(|test| groups.contains(test)));
        prop_assert_eq!(all, (0..package.testcases.len()).collect::<Vec<_>>());
    }
}

#[test]
fn each_group_ends_by_itself() {
    // sample/1, secret/a/0, secret/a/1, secret/b/0, secret/b/1
    let package = package([2, 2], false);
    let mut verdicts = vec![Verdict::Ac; 5];
    verdicts[1] = Verdict::Wa;
    verdicts[3] = Verdict::Tle;
    let run = |stop| {
        let (taken, graded) = taken(&package, &verdicts, stop, Vec::new(), 1, &[]);
        assert_eq!(graded.verdict, Verdict::Wa, "{stop}");
        taken
    };
    assert_eq!(run(Stop::FirstFailure), [0, 1]);
    assert_eq!(run(Stop::GroupFailure), [0, 1, 3]);
    assert_eq!(run(Stop::End), [0, 1, 2, 3, 4]);
}

#[test]
fn samples_first_and_then_the_longest() {
    let package = package([2, 2], false);
    let grading = Grading::of(&package);
    let weights = vec![1, 5, 7, 2, 7];
    let mut schedule: Schedule<'_, ()> = Schedule::new(grading, &package, Stop::End, weights);
    let started: Vec<usize> = std::iter::from_fn(|| schedule.start())
        .map(|(index, ..)| index)
        .collect();
    assert_eq!(started, [0, 2, 4, 1, 3]);
}
