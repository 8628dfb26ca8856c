//! The rules of reviews.

use assize_common::api::{Standing, TeamEffect};
use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;

fn start() -> DateTime<Utc> {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn judged(outcome: Outcome) -> Judged {
    Judged {
        outcome,
        score: None,
        cpu_time_ms: Some(10),
    }
}

const AC: Outcome = Outcome::Verdict(Verdict::Ac);
const WA: Outcome = Outcome::Verdict(Verdict::Wa);
const CE: Outcome = Outcome::Verdict(Verdict::Ce);

fn sent(team: &str, problem: &str, minute: i64) -> Sent {
    Sent {
        submission_id: SubmissionId::generate(),
        contest: Some("finals".into()),
        team: Some(team.into()),
        problem: problem.into(),
        submitted_at: start() + TimeDelta::minutes(minute),
    }
}

fn member(team: &str, problem: &str, minute: i64, old: Outcome, new: Outcome) -> Member {
    Member {
        sent: sent(team, problem, minute),
        old: judged(old),
        new: judged(new),
        worker: None,
    }
}

fn standing(rank: u64, solved: u64, penalty_minutes: u64) -> Standing {
    Standing {
        rank,
        solved,
        penalty_minutes,
        score: None,
    }
}

fn teams(reviewed: &Reviewed) -> Vec<TeamEffect> {
    let mut contests = reviewed.contests(Some(start()));
    contests.remove(0).teams
}

#[test]
fn a_team_rises_and_the_one_above_falls() {
    let reviewed = Reviewed {
        members: vec![
            member("Seals", "a", 10, WA, AC),
            member("Seals", "a", 30, AC, AC),
        ],
        others: vec![(sent("Otters", "a", 20), judged(AC))],
    };
    let effects = teams(&reviewed);
    assert_eq!(
        effects,
        [
            TeamEffect {
                team: "Seals".into(),
                before: standing(2, 1, 50),
                after: standing(1, 1, 10),
                changed: 1,
            },
            TeamEffect {
                team: "Otters".into(),
                before: standing(1, 1, 20),
                after: standing(2, 1, 20),
                changed: 0,
            },
        ]
    );
    let contests = reviewed.contests(Some(start()));
    let [first] = &contests[0].first_solves[..] else {
        panic!("{contests:?}");
    };
    assert_eq!(first.before.as_ref().unwrap().team, "Otters");
    assert_eq!(first.after.as_ref().unwrap().team, "Seals");
}

#[test]
fn compile_errors_and_what_follows_a_solution_cost_nothing() {
    let reviewed = Reviewed {
        members: vec![
            member("Seals", "a", 1, WA, CE),
            member("Seals", "a", 2, WA, WA),
            member("Seals", "a", 5, AC, AC),
            member("Seals", "a", 6, WA, AC),
            member("Seals", "b", 7, WA, WA),
        ],
        others: Vec::new(),
    };
    let [effect] = &teams(&reviewed)[..] else {
        panic!("one team");
    };
    assert_eq!(effect.before, standing(1, 1, 45));
    assert_eq!(effect.after, standing(1, 1, 25));
    assert_eq!(effect.changed, 2);
}

#[test]
fn teams_that_are_alike_share_a_rank() {
    let reviewed = Reviewed {
        members: vec![member("c", "a", 3, WA, AC)],
        others: vec![
            (sent("a", "a", 3), judged(AC)),
            (sent("b", "a", 3), judged(AC)),
            (sent("d", "a", 9), judged(AC)),
        ],
    };
    let effects = teams(&reviewed);
    let ranks: Vec<_> = effects
        .iter()
        .map(|effect| (effect.team.as_str(), effect.before.rank, effect.after.rank))
        .collect();
    assert_eq!(ranks, [("c", 4, 1), ("d", 3, 4)]);
}

#[test]
fn what_is_not_judged_changes_nothing() {
    let reviewed = Reviewed {
        members: vec![
            member("Seals", "a", 3, AC, Outcome::Open),
            member("Seals", "b", 3, AC, Outcome::JudgingError),
        ],
        others: Vec::new(),
    };
    assert_eq!(teams(&reviewed), []);
    assert_eq!(reviewed.changed(), 0);
    let cells = reviewed.matrix();
    let cells: Vec<_> = cells
        .iter()
        .map(|cell| {
            (
                cell.old_result.as_str(),
                cell.new_result.as_str(),
                cell.submissions,
            )
        })
        .collect();
    assert_eq!(cells, [("AC", "JE", 1), ("AC", "open", 1)]);
}

#[test]
fn scores_are_summed_over_the_best_of_each_problem() {
    let scored = |score: u64| Judged {
        score: Some(score.into()),
        ..judged(WA)
    };
    let mut one = member("Seals", "a", 1, WA, WA);
    (one.old, one.new) = (scored(40), scored(70));
    let reviewed = Reviewed {
        members: vec![one],
        others: vec![
            (sent("Seals", "a", 2), scored(50)),
            (sent("Seals", "b", 3), scored(10)),
        ],
    };
    let [effect] = &teams(&reviewed)[..] else {
        panic!("one team");
    };
    assert_eq!(effect.before.score, Some(60.into()));
    assert_eq!(effect.after.score, Some(80.into()));
    assert_eq!(reviewed.changed(), 1);
}

#[test]
fn times_are_compared_by_worker_where_the_verdict_is_the_same() {
    let slow = Uuid::from_u128(1);
    let with = |old, new, outcome| {
        let mut member = member("Seals", "a", 1, AC, outcome);
        member.old.cpu_time_ms = Some(old);
        member.new.cpu_time_ms = Some(new);
        member.worker = Some(slow);
        member
    };
    let reviewed = Reviewed {
        members: vec![with(100, 150, AC), with(200, 300, AC), with(1, 5000, WA)],
        others: Vec::new(),
    };
    let workers = reviewed.workers();
    let times = &workers[&slow];
    assert_eq!(times.judgements, 2);
    assert!((times.old_mean_ms - 150.0).abs() < 1e-9);
    assert!((times.new_mean_ms - 225.0).abs() < 1e-9);
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    prop_oneof![Just(AC), Just(WA), Just(CE), Just(Outcome::JudgingError)]
}

proptest! {
    /// What would be after it is what is before another one that goes back.
    #[test]
    fn the_way_back_is_the_opposite(
        sent in proptest::collection::vec((0..4_u8, 0..3_u8, 0..300_i64, outcomes(), outcomes()), 1..40)
    ) {
        let members: Vec<Member> = sent
            .into_iter()
            .map(|(team, problem, minute, old, new)| {
                let new = if new == Outcome::JudgingError { WA } else { new };
                let old = if old == Outcome::JudgingError { CE } else { old };
                member(&team.to_string(), &problem.to_string(), minute, old, new)
            })
            .collect();
        let back = members.iter().cloned().map(|member| Member {
            old: member.new,
            new: member.old,
            ..member
        });
        let back = Reviewed { members: back.collect(), others: Vec::new() };
        let there = Reviewed { members, others: Vec::new() };
        let mut there = teams(&there);
        let mut back = teams(&back);
        there.sort_by(|a, b| a.team.cmp(&b.team));
        back.sort_by(|a, b| a.team.cmp(&b.team));
        let back: Vec<TeamEffect> = back
            .into_iter()
            .map(|effect| TeamEffect { before: effect.after, after: effect.before, ..effect })
            .collect();
        prop_assert_eq!(there, back);
    }
}
