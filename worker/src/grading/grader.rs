//! The default grader of legacy packages.

use std::num::NonZeroUsize;

use assize_common::package::grading::{Grader, GraderGroup, GraderMember, ScoreMode, VerdictMode};
use assize_common::{Award, GroupScore, Score, Verdict};

use super::{Graded, Grading, GradingError, Results, Test};

/// The result of a test case or group.
#[derive(Debug, Clone)]
struct SubResult {
    verdict: Verdict,
    score: Score,
}

/// Whether `test` may still change the result: it may not once something before
/// it in a group around it is not accepted and the group breaks off.
pub(super) fn needs(group: &GraderGroup, test: Test, results: &Results) -> bool {
    let Test::Testcase(wanted) = test else {
        return false;
    };
    for (at, member) in group.members.iter().enumerate() {
        match member {
            GraderMember::Testcase(index) if *index == wanted => return true,
            GraderMember::Group(inner) if contains(inner, wanted) => {
                return needs(inner, test, results);
            }
            GraderMember::Testcase(_) | GraderMember::Group(_) => {}
        }
        let verdict = match member {
            GraderMember::Testcase(index) => results.verdict(Test::Testcase(*index)),
            // An error would come to light when all is graded.
            GraderMember::Group(inner) => evaluate(inner, results, &mut |_, _| Ok(()))
                .ok()
                .map(|result| result.verdict),
        };
        let rejected = verdict.is_some_and(|verdict| verdict != Verdict::Ac);
        if rejected && group.breaks_at(at) {
            return false;
        }
    }
    true
}

fn contains(group: &GraderGroup, wanted: usize) -> bool {
    group.members.iter().any(|member| match member {
        GraderMember::Testcase(index) => *index == wanted,
        GraderMember::Group(inner) => contains(inner, wanted),
    })
}

pub(super) fn grade(
    grading: &Grading<'_>,
    grader: &Grader,
    results: &Results,
) -> Result<Graded, GradingError> {
    let scoring = grader.scoring.is_some();
    let mut groups = Vec::new();
    let mut record = |group: &GraderGroup, result: &SubResult| {
        if !scoring {
            return Ok(());
        }
        if result.verdict == Verdict::Ac && !group.range.contains(&result.score) {
            return Err(Incomplete::Group(GradingError::Group {
                group: group.name.clone(),
                score: result.score.rounded(),
                problem: "outside of its range".to_owned(),
            }));
        }
        let name = group.name.strip_prefix("data/").unwrap_or(&group.name);
        groups.push(GroupScore {
            name: name.to_owned(),
            score: result.score.rounded(),
        });
        Ok(())
    };
    let result = evaluate(&grader.root, results, &mut record).map_err(|error| match error {
        Incomplete::Test(index) => grading.not_judged(Test::Testcase(index)),
        Incomplete::Group(error) => error,
    })?;
    // The score of what is not accepted means nothing.
    let score = if result.verdict == Verdict::Ac {
        result.score.rounded()
    } else {
        Score::zero()
    };
    Ok(Graded {
        verdict: result.verdict,
        score: scoring.then_some(score),
        groups,
    })
}

/// Why a group has no result.
#[derive(Debug)]
enum Incomplete {
    /// A test case that counts was not judged.
    Test(usize),
    /// A group's score is wrong.
    Group(GradingError),
}

/// Told of each group's result.
type Record<'a> = dyn FnMut(&GraderGroup, &SubResult) -> Result<(), Incomplete> + 'a;

fn evaluate(
    group: &GraderGroup,
    results: &Results,
    record: &mut Record<'_>,
) -> Result<SubResult, Incomplete> {
    let mut sub_results = Vec::with_capacity(group.members.len());
    for (at, member) in group.members.iter().enumerate() {
        let result = match member {
            GraderMember::Testcase(index) => testcase(group, *index, results)?,
            GraderMember::Group(inner) => evaluate(inner, results, record)?,
        };
        let rejected = result.verdict != Verdict::Ac;
        sub_results.push(result);
        if rejected && group.breaks_at(at) {
            break;
        }
    }
    if group.ignore_sample && sub_results.len() > 1 {
        sub_results.remove(0);
    }
    let result = SubResult {
        verdict: verdict(group, &sub_results),
        score: score(group.score_mode, &sub_results),
    };
    record(group, &result)?;
    Ok(result)
}

fn testcase(group: &GraderGroup, index: usize, results: &Results) -> Result<SubResult, Incomplete> {
    let result = results
        .of(Test::Testcase(index))
        .ok_or(Incomplete::Test(index))?;
    let default = if result.verdict == Verdict::Ac {
        &group.accept_score
    } else {
        &group.reject_score
    };
    let score = match &result.award {
        Some(Award::Points(points)) => points.clone(),
        // Multipliers came with a later format.
        Some(Award::Multiplier(_)) | None => default.clone(),
    };
    Ok(SubResult {
        verdict: result.verdict,
        score,
    })
}

fn verdict(group: &GraderGroup, sub_results: &[SubResult]) -> Verdict {
    let mut verdicts = sub_results.iter().map(|result| result.verdict);
    let accepted = |verdict: &Verdict| *verdict == Verdict::Ac;
    if group.accept_if_any_accepted && verdicts.clone().any(|verdict| accepted(&verdict)) {
        return Verdict::Ac;
    }
    match group.verdict_mode {
        VerdictMode::AlwaysAccept => Verdict::Ac,
        VerdictMode::FirstError => verdicts
            .find(|verdict| !accepted(verdict))
            .unwrap_or(Verdict::Ac),
        VerdictMode::WorstError => verdicts.min_by_key(badness).unwrap_or(Verdict::Ac),
    }
}

/// The order of the format (RTE, MLE, TLE, OLE, WA), with what it does not know at
/// the ends: SV is the worst, PE the mildest.
fn badness(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Ce => 0,
        Verdict::Sv => 1,
        Verdict::Rte => 2,
        Verdict::Mle => 3,
        Verdict::Tle => 4,
        Verdict::Ole => 5,
        Verdict::Wa => 6,
        Verdict::Pe => 7,
        Verdict::Ac => 8,
    }
}

fn score(mode: ScoreMode, sub_results: &[SubResult]) -> Score {
    let scores = sub_results.iter().map(|result| &result.score);
    let Some(count) = NonZeroUsize::new(sub_results.len()) else {
        return Score::zero();
    };
    match mode {
        ScoreMode::Sum => scores.sum(),
        ScoreMode::Average => &scores.sum::<Score>() / count,
        ScoreMode::Min => scores.min().cloned().unwrap_or_else(Score::zero),
        ScoreMode::Max => scores.max().cloned().unwrap_or_else(Score::zero),
    }
}
