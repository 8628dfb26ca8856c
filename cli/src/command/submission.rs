//! `assize submission`: what was submitted and what became of it.

use std::iter;
use std::process::ExitCode;

use assize_common::Verdict;
use assize_common::api::{
    Escalation, Feedback, Judgement, JudgementState, Submission as ApiSubmission,
};
use assize_common::id::SubmissionId;
use assize_common::message::RunReport;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::client::{ServerArguments, SubmissionFilter};
use crate::provenance::details as details_of;
use crate::{columns, exit, output, transcript};

/// The most that the scheduler puts on a page.
const PAGE: u32 = 200;
/// Lines of an excerpt, from the start and from the end.
const EXCERPT: usize = 10;

/// How much to show of what was said in runs of interactive problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    /// Some lines of the first run that has a transcript: the one that failed.
    Excerpt,
    /// All that is kept.
    Whole,
}

/// Look at submissions and their judgements
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct Submission {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List submissions, the newest first
    List(List),
    /// Show a submission with all runs of its judgement
    Show(Show),
    /// End the judging of a submission: its judgement ends in an error
    Cancel(Cancel),
}

#[derive(Debug, Args)]
struct Cancel {
    /// The submission's id
    id: SubmissionId,
    /// Why, for other admins
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    server: ServerArguments,
}

#[derive(Debug, Args)]
struct List {
    /// Only of this problem
    #[arg(long, value_name = "NAME")]
    problem: Option<String>,
    /// Only of this contest
    #[arg(long)]
    contest: Option<String>,
    /// Only of this team
    #[arg(long)]
    team: Option<String>,
    /// Only in this language
    #[arg(long, value_name = "ID")]
    language: Option<String>,
    /// Only with this verdict, such as AC
    #[arg(long)]
    verdict: Option<Verdict>,
    /// Only in this state: queued, running, done or error
    #[arg(long)]
    state: Option<JudgementState>,
    /// How many at most
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: usize,
    #[command(flatten)]
    server: ServerArguments,
    /// One JSON object a line for each submission instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Show {
    /// The submission
    #[arg(value_name = "SUBMISSION")]
    id: SubmissionId,
    #[command(flatten)]
    server: ServerArguments,
    /// Also where its judgement comes from: package, compiler, limits, host, attempts (admins only)
    #[arg(long, conflicts_with = "as_team")]
    provenance: bool,
    /// All that was said in runs of interactive problems, not only an excerpt
    #[arg(long, conflicts_with = "as_team")]
    transcripts: bool,
    /// Only what the team may see, for a token that sent the submission
    #[arg(long)]
    as_team: bool,
    /// One JSON object instead of tables: `submission` and `judgement`, or what the team may see
    #[arg(long)]
    json: bool,
}

impl Submission {
    /// Does it.
    ///
    /// # Errors
    /// When the scheduler does not answer, or there is no such submission.
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        match self.action {
            Action::List(list) => list.execute().await,
            Action::Show(show) => show.execute().await,
            Action::Cancel(cancel) => {
                let api = cancel.server.api()?;
                api.cancel_submission(cancel.id, cancel.reason).await?;
                output::note(&format!("submission {} is not judged any more", cancel.id));
                Ok(ExitCode::from(exit::OK))
            }
        }
    }
}

impl List {
    async fn execute(self) -> anyhow::Result<ExitCode> {
        let api = self.server.api()?;
        let filter = SubmissionFilter {
            problem: self.problem,
            contest: self.contest,
            team: self.team,
            language: self.language,
            verdict: self.verdict,
            state: self.state,
        };
        let mut submissions = Vec::new();
        let mut cursor = None;
        while submissions.len() < self.limit {
            let wanted = u32::try_from(self.limit - submissions.len()).unwrap_or(PAGE);
            let page = api
                .submissions(&filter, cursor.as_deref(), wanted.min(PAGE))
                .await?;
            submissions.extend(page.submissions);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        if self.json {
            output::print_json(submissions)?;
        } else {
            output::print(&table(&submissions))?;
        }
        Ok(ExitCode::from(exit::OK))
    }
}

impl Show {
    async fn execute(self) -> anyhow::Result<ExitCode> {
        let api = self.server.api()?;
        if self.as_team {
            let feedback = api.feedback(self.id).await?;
            if self.json {
                output::print_json([feedback])?;
            } else {
                output::print(&feedback_details(&feedback))?;
            }
            return Ok(ExitCode::from(exit::OK));
        }
        let submission = api.submission(self.id).await?;
        let judgement = api.judgement(self.id).await?;
        let escalations = api.escalations(self.id).await?.escalations;
        let provenance = if self.provenance {
            Some(api.provenance(judgement.summary.id).await?)
        } else {
            None
        };
        if self.json {
            let mut shown = json!({
                "submission": submission, "judgement": judgement, "escalations": escalations,
            });
            if let Some(provenance) = provenance {
                shown["provenance"] = json!(provenance);
            }
            output::print_json([shown])?;
        } else {
            let said = if self.transcripts {
                Said::Whole
            } else {
                Said::Excerpt
            };
            output::print(&details(&submission, &judgement, said))?;
            for escalation in &escalations {
                output::print(&looked_again(escalation))?;
            }
            if let Some(provenance) = provenance {
                output::print(&format!("\n{}", details_of(&provenance)))?;
            }
        }
        Ok(ExitCode::from(exit::OK))
    }
}

/// Submissions with their verdicts, a row each.
pub(crate) fn table(submissions: &[ApiSubmission]) -> String {
    let mut table = columns::table([
        "submission",
        "submitted",
        "problem",
        "language",
        "team",
        "verdict",
        "score",
        "tests",
        "time",
        "memory",
        "lane",
        "sandbox and why",
    ]);
    for submission in submissions {
        let judgement = &submission.judgement;
        table.add_row([
            submission.id.to_string(),
            columns::moment(submission.submitted_at),
            submission.problem.clone(),
            submission.language.clone(),
            submission.team.clone().unwrap_or_default(),
            columns::verdict(judgement),
            columns::score(judgement.score.as_ref()),
            format!("{}/{}", judgement.testcases_done, judgement.testcases_total),
            columns::time(judgement.max_cpu_time_ms),
            columns::memory(judgement.max_memory_bytes),
            judgement.lane.to_string(),
            columns::sandbox(&judgement.sandbox),
        ]);
    }
    columns::align_right(&mut table, [6, 7, 8, 9]);
    columns::hide_if_empty(&mut table, 6);
    table.trim_fmt()
}

/// A submission with its judgement and all runs; of what was said in runs, all or an
/// excerpt of the first.
pub(crate) fn details(
    submission: &ApiSubmission,
    judgement: &Judgement,
    conversation: Said,
) -> String {
    let summary = &judgement.summary;
    let mut lines = vec![
        format!("submission  {}", submission.id),
        format!("problem     {}", submission.problem),
        format!("language    {}", submission.language),
        format!("files       {}", submission.files.join(", ")),
        format!("submitted   {}", columns::moment(submission.submitted_at)),
        format!("verdict     {}", columns::verdict(summary)),
        format!("sandbox     {}", columns::sandbox(&summary.sandbox)),
        format!(
            "judgement   {} ({} lane, attempt {})",
            summary.id, summary.lane, summary.attempt
        ),
    ];
    let optional = [
        ("score", summary.score.as_ref().map(ToString::to_string)),
        ("groups", columns::groups(&judgement.groups)),
        ("contest", submission.contest.clone()),
        ("team", submission.team.clone()),
        ("flag", submission.flag.clone()),
        ("worker", judgement.worker_id.map(|id| id.to_string())),
        ("error", summary.error.clone()),
    ];
    for (name, value) in optional {
        lines.extend(value.map(|value| format!("{name:11} {value}")));
    }
    if let Some(compile) = &judgement.compile {
        let how = match (compile.success, compile.cached) {
            (false, _) => "failed",
            (true, true) => "taken from the cache",
            (true, false) => "succeeded",
        };
        lines.push(format!("compiling   {how}, {} ms", compile.cpu_time_ms));
        lines.extend(compile.output.lines().map(|line| format!("    {line}")));
    }
    if !judgement.runs.is_empty() {
        lines.push(String::new());
        lines.push(runs(judgement));
        lines.extend(conversations(judgement, conversation));
    }
    lines.join("\n")
}

fn looked_again(escalation: &Escalation) -> String {
    let verdict = escalation.verdict.map(Verdict::id);
    format!(
        "looked at again by judgement {}: {}, {}; see `assize audit show`",
        escalation.judgement_id,
        verdict.unwrap_or(escalation.state.name()),
        columns::sandbox(&escalation.sandbox)
    )
}

fn runs(judgement: &Judgement) -> String {
    let mut table = columns::table([
        "test case",
        "verdict",
        "points",
        "time",
        "wall",
        "memory",
        "message",
        "to the team",
        "taken over from",
    ]);
    for run in &judgement.runs {
        table.add_row([
            run.testcase.clone(),
            run.verdict.id().to_owned(),
            run.award.as_ref().map(columns::award).unwrap_or_default(),
            columns::time(Some(run.cpu_time_ms)),
            columns::time(Some(run.wall_time_ms)),
            columns::memory(Some(run.memory_bytes)),
            words(run.message.as_deref()),
            words(run.team_message.as_deref()),
            columns::taken_over(run),
        ]);
    }
    columns::align_right(&mut table, [2, 3, 4, 5]);
    for optional in [2, 7, 8] {
        columns::hide_if_empty(&mut table, optional);
    }
    table.trim_fmt()
}

fn conversations(judgement: &Judgement, said: Said) -> Vec<String> {
    let runs = judgement.runs.iter();
    let runs = runs.filter(|run| !run.transcripts.is_empty());
    let lines = |run: &RunReport, most| {
        let title = format!("\nwhat was said on {}", run.testcase);
        let lines = transcript::lines(run, most);
        let lines = lines.into_iter().map(|line| format!("    {line}"));
        iter::once(title).chain(lines).collect::<Vec<_>>()
    };
    match said {
        Said::Whole => runs.flat_map(|run| lines(run, usize::MAX)).collect(),
        Said::Excerpt => runs.take(1).flat_map(|run| lines(run, EXCERPT)).collect(),
    }
}

fn words(message: Option<&str>) -> String {
    message.unwrap_or_default().trim_end().to_owned()
}

/// What the team may see.
fn feedback_details(feedback: &Feedback) -> String {
    let verdict = feedback
        .verdict
        .map_or_else(|| feedback.state.to_string(), |verdict| verdict.to_string());
    let mut lines = vec![
        format!("submission  {}", feedback.submission_id),
        format!("verdict     {verdict}"),
    ];
    let optional = [
        ("score", feedback.score.as_ref().map(ToString::to_string)),
        ("groups", columns::groups(&feedback.groups)),
        ("message", feedback.message.clone()),
    ];
    for (name, value) in optional {
        lines.extend(value.map(|value| format!("{name:11} {value}")));
    }
    let printed = feedback.compiler_output.as_deref().unwrap_or_default();
    lines.extend(printed.lines().map(|line| format!("    {line}")));
    if !feedback.testcases.is_empty() {
        let mut table = columns::table(["test case", "verdict", "time", "memory"]);
        for testcase in &feedback.testcases {
            table.add_row([
                testcase.testcase.clone(),
                testcase.verdict.id().to_owned(),
                columns::time(Some(testcase.cpu_time_ms)),
                columns::memory(Some(testcase.memory_bytes)),
            ]);
        }
        columns::align_right(&mut table, [2, 3]);
        lines.push(String::new());
        lines.push(table.trim_fmt());
    }
    lines.join("\n")
}
