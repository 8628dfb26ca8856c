//! Points by groups.

use assize_common::package::grading::{Aggregation, ScoredGroup, ScoredMember};
use assize_common::{Award, GroupScore, Score, Verdict};

use super::{Graded, Grading, GradingError, Results, Test, TestResult};

/// Whether a group gives nothing whatever else happens: something in it that must
/// be accepted was not, or what it requires was not.
fn is_lost(
    grading: &Grading<'_>,
    secret: &ScoredGroup,
    group: &ScoredGroup,
    results: &Results,
) -> bool {
    let failed = |test: Test| {
        results
            .verdict(test)
            .is_some_and(|verdict| verdict != Verdict::Ac)
    };
    let blocked = group.require_pass.iter().any(|required| {
        // A required group that is itself blocked is not accepted either.
        grading.tests_of(required).any(failed)
            || find(secret, required)
                .is_some_and(|required| is_lost(grading, secret, required, results))
    });
    let member_is_lost = |member: &ScoredMember| match member {
        ScoredMember::Testcase { index, .. } => failed(Test::Testcase(*index)),
        ScoredMember::StaticTest { index, .. } => failed(Test::Static(*index)),
        ScoredMember::Group(inner) => is_lost(grading, secret, inner, results),
    };
    // In a sum, the other members still count.
    let needs_all = group.aggregation != Aggregation::Sum;
    blocked || (needs_all && group.members.iter().any(member_is_lost))
}

/// The group `name` in `group`.
fn find<'a>(group: &'a ScoredGroup, name: &str) -> Option<&'a ScoredGroup> {
    if group.name == name {
        return Some(group);
    }
    group.members.iter().find_map(|member| match member {
        ScoredMember::Group(inner) => find(inner, name),
        ScoredMember::Testcase { .. } | ScoredMember::StaticTest { .. } => None,
    })
}

/// Whether `test` may still change the result: it may not if a group around it is
/// lost by what comes before it.
pub(super) fn needs(
    grading: &Grading<'_>,
    secret: &ScoredGroup,
    test: Test,
    results: &Results,
) -> bool {
    let mut before = Results {
        testcases: vec![None; results.testcases.len()],
        static_tests: vec![None; results.static_tests.len()],
    };
    for earlier in grading
        .order()
        .into_iter()
        .take_while(|other| *other != test)
    {
        if let Some(result) = results.of(earlier) {
            before.set(earlier, result.clone());
        }
    }
    // Samples are in no group.
    path_to(secret, test).is_none_or(|groups| {
        !groups
            .into_iter()
            .any(|group| is_lost(grading, secret, group, &before))
    })
}

/// The groups around a test case, the outermost one last.
fn path_to(group: &ScoredGroup, test: Test) -> Option<Vec<&ScoredGroup>> {
    for member in &group.members {
        let mut path = match member {
            ScoredMember::Testcase { index, .. } if test == Test::Testcase(*index) => Vec::new(),
            ScoredMember::StaticTest { index, .. } if test == Test::Static(*index) => Vec::new(),
            ScoredMember::Group(inner) => match path_to(inner, test) {
                Some(path) => path,
                None => continue,
            },
            ScoredMember::Testcase { .. } | ScoredMember::StaticTest { .. } => continue,
        };
        path.push(group);
        return Some(path);
    }
    None
}

pub(super) fn grade(
    grading: &Grading<'_>,
    secret: &ScoredGroup,
    results: &Results,
) -> Result<Graded, GradingError> {
    let mut groups = Vec::new();
    let score = group_score(grading, secret, secret, results, &mut groups)?;
    let counted = grading
        .order()
        .into_iter()
        .filter(|test| needs(grading, secret, *test, results));
    Ok(Graded {
        verdict: grading.first_failure(counted, results)?,
        score: Some(score.rounded()),
        groups,
    })
}

fn group_score(
    grading: &Grading<'_>,
    secret: &ScoredGroup,
    group: &ScoredGroup,
    results: &Results,
    groups: &mut Vec<GroupScore>,
) -> Result<Score, GradingError> {
    let score = if is_lost(grading, secret, group, results) {
        for member in &group.members {
            if let ScoredMember::Group(inner) = member {
                lost_groups(inner, groups);
            }
        }
        Score::zero()
    } else {
        members_score(grading, secret, group, results, groups)?
    };
    if let Some(max) = group.max_score.as_ref().filter(|max| score > **max) {
        return Err(GradingError::Group {
            group: group.name.clone(),
            score: score.rounded(),
            problem: format!("more than its maximum of {max}"),
        });
    }
    groups.push(GroupScore {
        name: group.name.clone(),
        score: score.rounded(),
    });
    Ok(score)
}

fn lost_groups(group: &ScoredGroup, groups: &mut Vec<GroupScore>) {
    for member in &group.members {
        if let ScoredMember::Group(inner) = member {
            lost_groups(inner, groups);
        }
    }
    groups.push(GroupScore {
        name: group.name.clone(),
        score: Score::zero(),
    });
}

/// The score of a group that is not lost.
fn members_score(
    grading: &Grading<'_>,
    secret: &ScoredGroup,
    group: &ScoredGroup,
    results: &Results,
    groups: &mut Vec<GroupScore>,
) -> Result<Score, GradingError> {
    let mut scores = Vec::with_capacity(group.members.len());
    for member in &group.members {
        let (test, max_score) = match member {
            ScoredMember::Testcase { index, max_score } => (Test::Testcase(*index), max_score),
            ScoredMember::StaticTest { index, max_score } => (Test::Static(*index), max_score),
            ScoredMember::Group(inner) => {
                scores.push(group_score(grading, secret, inner, results, groups)?);
                continue;
            }
        };
        let result = results.of(test).ok_or_else(|| grading.not_judged(test))?;
        let wrong = |problem: String| GradingError::Award {
            test: grading.name(test),
            problem,
        };
        if group.aggregation == Aggregation::PassFail {
            if result.award.is_some() {
                return Err(wrong(
                    "a group with pass-fail aggregation has none".to_owned(),
                ));
            }
        } else {
            scores.push(points(result, max_score.as_ref()).map_err(wrong)?);
        }
    }
    Ok(match group.aggregation {
        // Nothing failed, or the group would be lost.
        Aggregation::PassFail => group.max_score.clone().unwrap_or_else(Score::zero),
        Aggregation::Sum => scores.iter().sum(),
        Aggregation::Min => scores.into_iter().min().unwrap_or_else(Score::zero),
    })
}

/// The points of a test case that can give `max_score`.
fn points(result: &TestResult, max_score: Option<&Score>) -> Result<Score, String> {
    if result.verdict != Verdict::Ac {
        // That there is no award was checked where it was read.
        return Ok(Score::zero());
    }
    match (&result.award, max_score) {
        (None, Some(max)) => Ok(max.clone()),
        (None, None) => Err("there must be a score.txt, as the points are unbounded".to_owned()),
        (Some(Award::Points(points)), _) if points.is_negative() => {
            Err(format!("{points} is less than nothing"))
        }
        (Some(Award::Points(points)), Some(max)) if points > max => {
            Err(format!("{points} is more than its maximum of {max}"))
        }
        (Some(Award::Points(points)), _) => Ok(points.clone()),
        (Some(Award::Multiplier(part)), _) if part.is_negative() || *part > Score::from(1) => {
            Err(format!("the multiplier {part} is not between 0 and 1"))
        }
        (Some(Award::Multiplier(part)), Some(max)) => Ok(part * max),
        (Some(Award::Multiplier(_)), None) => {
            Err("a multiplier means nothing where the points are unbounded".to_owned())
        }
    }
}
