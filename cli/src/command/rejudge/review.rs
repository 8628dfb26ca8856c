//! `assize rejudge review`: what would change, and for whom.

use std::process::ExitCode;

use assize_common::api::{
    ContestEffect, MatrixCell, RejudgingMember, RejudgingReview, RepeatedRun, Standing, WorkerTimes,
};
use assize_common::id::{RejudgingId, SubmissionId};
use chrono::{DateTime, Utc};
use clap::Args;

use super::side_by_side;
use crate::client::{Api, ServerArguments};
use crate::exit::Failure;
use crate::{columns, exit, output};

const PAGE: u32 = 1000;

/// See what it would change: results, standings, first solves, times
#[derive(Debug, Args)]
pub(super) struct Review {
    /// The rejudging
    #[arg(value_name = "REJUDGING")]
    id: RejudgingId,
    /// From when on penalties count, such as 2026-11-24T12:00:00Z [default: each contest's first submission]
    #[arg(long, value_name = "TIME")]
    contest_start: Option<DateTime<Utc>>,
    /// List each submission whose result or score changes
    #[arg(long, group = "what")]
    changes: bool,
    /// The same as comma-separated values, to be sent to teams or opened as a spreadsheet
    #[arg(long, group = "what", conflicts_with = "json")]
    csv: bool,
    /// Show the runs of this submission side by side
    #[arg(long, value_name = "SUBMISSION", group = "what")]
    submission: Option<SubmissionId>,
    #[command(flatten)]
    server: ServerArguments,
    /// One JSON object, with --changes one a line for each submission
    #[arg(long)]
    json: bool,
}

impl Review {
    pub(super) async fn execute(self) -> anyhow::Result<ExitCode> {
        let api = self.server.api()?;
        if let Some(submission) = self.submission {
            self.show_one(&api, submission).await?;
        } else if self.changes || self.csv {
            let members = members(&api, self.id).await?;
            if self.json {
                output::print_json(members)?;
            } else if self.csv {
                output::print(&csv(&members))?;
            } else {
                output::print(&changes(&members))?;
            }
        } else {
            let review = api.review_rejudging(self.id, self.contest_start).await?;
            if self.json {
                output::print_json([review])?;
            } else {
                output::print(&summary(&review))?;
            }
        }
        Ok(ExitCode::from(exit::OK))
    }

    async fn show_one(&self, api: &Api, submission: SubmissionId) -> anyhow::Result<()> {
        let member = api.rejudging_member(self.id, submission).await?;
        let member = member.ok_or_else(|| {
            let message = format!("submission {submission} is not in rejudging {}", self.id);
            Failure::new(exit::FAILURE, message)
        })?;
        let old = api.judgement_by_id(member.old.id).await?;
        let new = match &member.new {
            Some(new) => Some(api.judgement_by_id(new.id).await?),
            None => None,
        };
        if self.json {
            let both = serde_json::json!({ "submission": member, "old": old, "new": new });
            return output::print_json([both]);
        }
        output::print(&side_by_side::runs(&old, new.as_ref()))
    }
}

/// All submissions that change.
async fn members(api: &Api, id: RejudgingId) -> anyhow::Result<Vec<RejudgingMember>> {
    let mut members = Vec::new();
    let mut cursor = None;
    loop {
        let page = api.rejudging_members(id, cursor, PAGE).await?;
        members.extend(page.members);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(members);
        }
    }
}

fn summary(review: &RejudgingReview) -> String {
    let mut parts = vec![
        format!(
            "{} of {} submissions change",
            review.changed, review.submissions
        ),
        matrix(&review.matrix),
    ];
    parts.extend(review.contests.iter().map(contest));
    if !review.workers.is_empty() {
        parts.push(workers(&review.workers));
    }
    if !review.flaky.is_empty() {
        let title = "verdicts that differ between repetitions";
        parts.push(format!("{title}\n{}", repeated(&review.flaky)));
    }
    if !review.spread.is_empty() {
        let title = "times that differ most between repetitions";
        parts.push(format!("{title}\n{}", repeated(&review.spread)));
    }
    parts.join("\n\n")
}

fn matrix(cells: &[MatrixCell]) -> String {
    let mut table = columns::table(["submissions", "before", "after", ""]);
    for cell in cells {
        let same = cell.old_result == cell.new_result;
        table.add_row([
            cell.submissions.to_string(),
            cell.old_result.clone(),
            cell.new_result.clone(),
            if same { "" } else { "*" }.to_owned(),
        ]);
    }
    columns::align_right(&mut table, [0]);
    table.trim_fmt()
}

fn contest(effect: &ContestEffect) -> String {
    let title = format!(
        "contest {}, which starts at {}",
        effect.contest,
        columns::moment(effect.starts_at)
    );
    let mut parts = vec![title];
    if effect.teams.is_empty() {
        parts.push("no standing changes".to_owned());
    } else {
        let mut table = columns::table(["team", "rank", "solved", "penalty", "score", "changed"]);
        for team in &effect.teams {
            let pair = |of: fn(&Standing) -> String| arrow(&of(&team.before), &of(&team.after));
            table.add_row([
                team.team.clone(),
                pair(|standing| standing.rank.to_string()),
                pair(|standing| standing.solved.to_string()),
                pair(|standing| standing.penalty_minutes.to_string()),
                pair(|standing| {
                    let score = standing.score.as_ref();
                    score.map(ToString::to_string).unwrap_or_default()
                }),
                team.changed.to_string(),
            ]);
        }
        columns::align_right(&mut table, [1, 2, 3, 4, 5]);
        parts.push(table.trim_fmt());
    }
    for first in &effect.first_solves {
        let by = |solve: &Option<assize_common::api::Solve>| {
            let team = solve.as_ref().map(|solve| solve.team.as_str());
            team.unwrap_or("nobody").to_owned()
        };
        parts.push(format!(
            "first to solve {}: {}",
            first.problem,
            arrow(&by(&first.before), &by(&first.after))
        ));
    }
    parts.join("\n")
}

/// Before and after, or one of them if they are the same.
pub(super) fn arrow(before: &str, after: &str) -> String {
    if before == after {
        before.to_owned()
    } else {
        format!("{before} → {after}")
    }
}

fn workers(workers: &[WorkerTimes]) -> String {
    let mut table = columns::table(["worker", "judgements", "mean time before", "now"]);
    for times in workers {
        table.add_row([
            times.worker.clone(),
            times.judgements.to_string(),
            format!("{:.1} ms", times.old_mean_ms),
            format!("{:.1} ms", times.new_mean_ms),
        ]);
    }
    columns::align_right(&mut table, [1, 2, 3]);
    table.trim_fmt()
}

fn repeated(runs: &[RepeatedRun]) -> String {
    let mut table = columns::table(["submission", "test case", "verdicts", "time"]);
    for run in runs {
        let verdicts: Vec<&str> = run.verdicts.iter().map(|verdict| verdict.id()).collect();
        table.add_row([
            run.submission_id.to_string(),
            run.testcase.clone(),
            verdicts.join(" "),
            format!("{} … {} ms", run.min_cpu_time_ms, run.max_cpu_time_ms),
        ]);
    }
    table.trim_fmt()
}

/// The cells of a submission that changes.
fn cells(member: &RejudgingMember) -> [String; 10] {
    let score = |score: &Option<assize_common::Score>| {
        let score = score.as_ref();
        score.map(ToString::to_string).unwrap_or_default()
    };
    let new = member.new.as_ref();
    [
        member.contest.clone().unwrap_or_default(),
        member.team.clone().unwrap_or_default(),
        member.problem.clone(),
        member.submission_id.to_string(),
        member.submitted_at.to_rfc3339(),
        member.language.clone(),
        member.old.result.clone(),
        new.map(|new| new.result.clone()).unwrap_or_default(),
        score(&member.old.score),
        new.map(|new| score(&new.score)).unwrap_or_default(),
    ]
}

const HEADER: [&str; 10] = [
    "contest",
    "team",
    "problem",
    "submission",
    "submitted",
    "language",
    "before",
    "after",
    "score before",
    "score after",
];

fn changes(members: &[RejudgingMember]) -> String {
    let mut table = columns::table(HEADER);
    for member in members {
        table.add_row(cells(member));
    }
    table.trim_fmt()
}

fn csv(members: &[RejudgingMember]) -> String {
    let header = HEADER.map(|name| name.replace(' ', "_"));
    let rows = members
        .iter()
        .map(|member| cells(member).map(|cell| field(&cell)));
    let lines = std::iter::once(header).chain(rows);
    lines
        .map(|row| row.join(","))
        .collect::<Vec<_>>()
        .join("\n")
}

/// A field of RFC 4180. Spreadsheets take what starts like a formula for one.
fn field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_commas_and_are_no_formulas() {
        assert_eq!(field("Seals"), "Seals");
        assert_eq!(field("a, \"b\""), "\"a, \"\"b\"\"\"");
        assert_eq!(field("=1+1"), "'=1+1");
    }

    #[test]
    fn what_changes_has_an_arrow() {
        assert_eq!(arrow("3", "3"), "3");
        assert_eq!(arrow("3", "1"), "3 → 1");
    }
}
