//! Standings of contests with and without a rejudging, by the rules of the ICPC:
//! more solved problems first, then less penalty, then the earlier last solution.
//! Compile errors and judging errors cost nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use assize_common::api::{ContestEffect, FirstSolve, Solve, Standing, TeamEffect};
use assize_common::{Score, Verdict};
use chrono::{DateTime, Utc};

use super::{Judged, Member, Outcome, Reviewed, Sent};

/// Minutes for a rejected submission to a problem that was solved later.
const REJECTED_MINUTES: u64 = 20;

/// A submission of a contest, by a team.
struct Entry<'r> {
    sent: &'r Sent,
    team: &'r Arc<str>,
    before: &'r Judged,
    after: &'r Judged,
    changed: bool,
}

/// What changes in the contests of a rejudging's submissions.
pub(super) fn effects(reviewed: &Reviewed, start: Option<DateTime<Utc>>) -> Vec<ContestEffect> {
    let mut contests: BTreeMap<&str, Vec<Entry<'_>>> = BTreeMap::new();
    let members = reviewed.members.iter().map(|member: &Member| {
        let changed = member.is_changed();
        (&member.sent, &member.old, member.after(), changed)
    });
    let others = reviewed.others.iter();
    let others = others.map(|(sent, judged)| (sent, judged, judged, false));
    for (sent, before, after, changed) in members.chain(others) {
        if let (Some(contest), Some(team)) = (&sent.contest, &sent.team) {
            contests.entry(contest).or_default().push(Entry {
                sent,
                team,
                before,
                after,
                changed,
            });
        }
    }
    contests
        .into_iter()
        .filter_map(|(contest, entries)| effect(contest, entries, start))
        .collect()
}

fn effect(
    contest: &str,
    mut entries: Vec<Entry<'_>>,
    start: Option<DateTime<Utc>>,
) -> Option<ContestEffect> {
    entries.sort_by_key(|entry| (entry.sent.submitted_at, entry.sent.submission_id));
    let starts_at = start.or_else(|| Some(entries.first()?.sent.submitted_at))?;
    let before = table(&entries, starts_at, |entry| entry.before);
    let after = table(&entries, starts_at, |entry| entry.after);
    let mut changed: HashMap<&str, u64> = HashMap::new();
    for entry in entries.iter().filter(|entry| entry.changed) {
        *changed.entry(entry.team).or_default() += 1;
    }
    let mut teams: Vec<TeamEffect> = before
        .into_iter()
        .filter_map(|(team, before)| {
            let after = after.get(team)?.clone();
            let changed = changed.get(team).copied().unwrap_or_default();
            (before != after || changed > 0).then(|| TeamEffect {
                team: team.to_owned(),
                before,
                after,
                changed,
            })
        })
        .collect();
    teams.sort_by(|a, b| (a.after.rank, &a.team).cmp(&(b.after.rank, &b.team)));
    Some(ContestEffect {
        contest: contest.to_owned(),
        starts_at,
        teams,
        first_solves: first_solves(&entries),
    })
}

/// What a team did with one problem.
#[derive(Default)]
struct Attempts {
    rejected: u64,
    solved_at: Option<DateTime<Utc>>,
    best: Option<Score>,
}

impl Attempts {
    fn add(&mut self, sent: &Sent, judged: &Judged) {
        if let Some(score) = &judged.score {
            let best = self.best.take();
            self.best = Some(best.map_or_else(|| score.clone(), |best| best.max(score.clone())));
        }
        if self.solved_at.is_some() {
            return;
        }
        match judged.outcome {
            Outcome::Verdict(Verdict::Ac) => self.solved_at = Some(sent.submitted_at),
            Outcome::Verdict(Verdict::Ce) | Outcome::JudgingError | Outcome::Open => {}
            Outcome::Verdict(_) => self.rejected += 1,
        }
    }
}

/// What decides about ranks: the smallest first.
type Place = (std::cmp::Reverse<u64>, u64, Option<DateTime<Utc>>);

/// The standings, given what counts of each submission. The entries are in the
/// order of time.
fn table<'r>(
    entries: &[Entry<'r>],
    start: DateTime<Utc>,
    judged: impl Fn(&Entry<'r>) -> &'r Judged,
) -> BTreeMap<&'r str, Standing> {
    let mut teams: BTreeMap<&str, BTreeMap<&str, Attempts>> = BTreeMap::new();
    for entry in entries {
        let problems = teams.entry(entry.team).or_default();
        let attempts = problems.entry(&entry.sent.problem).or_default();
        attempts.add(entry.sent, judged(entry));
    }
    let rows: Vec<(&str, Place, Option<Score>)> = teams
        .into_iter()
        .map(|(team, problems)| {
            let (place, score) = place(problems.values(), start);
            (team, place, score)
        })
        .collect();
    let mut places: Vec<Place> = rows.iter().map(|(_, place, _)| *place).collect();
    places.sort_unstable();
    let standing = |(team, place, score): (&'r str, Place, Option<Score>)| {
        let better = places.partition_point(|other| *other < place);
        let (std::cmp::Reverse(solved), penalty_minutes, _) = place;
        let standing = Standing {
            rank: better as u64 + 1,
            solved,
            penalty_minutes,
            score,
        };
        (team, standing)
    };
    rows.into_iter().map(standing).collect()
}

fn place<'a>(
    problems: impl Iterator<Item = &'a Attempts>,
    start: DateTime<Utc>,
) -> (Place, Option<Score>) {
    let (mut solved, mut penalty, mut last) = (0, 0, None);
    let mut score: Option<Score> = None;
    for attempts in problems {
        if let Some(at) = attempts.solved_at {
            solved += 1;
            let minutes = (at - start).num_minutes();
            penalty += u64::try_from(minutes).unwrap_or_default();
            penalty += attempts.rejected * REJECTED_MINUTES;
            last = last.max(Some(at));
        }
        if let Some(best) = &attempts.best {
            score = Some(score.map_or_else(|| best.clone(), |sum| &sum + best));
        }
    }
    ((std::cmp::Reverse(solved), penalty, last), score)
}

/// Problems that another team solved first.
fn first_solves(entries: &[Entry<'_>]) -> Vec<FirstSolve> {
    let first = |judged: fn(&Entry<'_>) -> Outcome| {
        let mut first: BTreeMap<&str, &Entry<'_>> = BTreeMap::new();
        for entry in entries {
            if judged(entry) == Outcome::Verdict(Verdict::Ac) {
                first.entry(&entry.sent.problem).or_insert(entry);
            }
        }
        first
    };
    let before = first(|entry| entry.before.outcome);
    let after = first(|entry| entry.after.outcome);
    let problems: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
    let solve = |entry: &&Entry<'_>| Solve {
        team: entry.team.to_string(),
        submission_id: entry.sent.submission_id,
        submitted_at: entry.sent.submitted_at,
    };
    problems
        .into_iter()
        .map(|problem| FirstSolve {
            problem: problem.to_owned(),
            before: before.get(problem).map(solve),
            after: after.get(problem).map(solve),
        })
        .filter(|first| {
            let team = |solve: &Option<Solve>| solve.as_ref().map(|solve| solve.team.clone());
            team(&first.before) != team(&first.after)
        })
        .collect()
}
