//! `assize watch`: submissions on their way to a verdict.

use std::process::ExitCode;

use assize_common::api::{JudgementState, Submission};
use assize_common::id::SubmissionId;
use clap::Args;

use super::submission;
use crate::client::{Api, ServerArguments, SubmissionFilter};
use crate::follow::{Display, Following, Tracked};
use crate::{exit, output};

const PAGE: u32 = 200;

/// Follow submissions until they are judged, then show their verdicts
///
/// Exit code: 0 when all have a verdict, whichever; 3 when judging one failed.
#[derive(Debug, Args)]
pub struct Watch {
    /// Submissions to follow [default: all that are not judged yet]
    #[arg(value_name = "SUBMISSION")]
    ids: Vec<SubmissionId>,
    #[command(flatten)]
    server: ServerArguments,
    /// One JSON object a line for each submission as it ends, and no progress
    #[arg(long)]
    json: bool,
}

impl Watch {
    /// Follows.
    ///
    /// # Errors
    /// When the scheduler does not answer, or there is no such submission.
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        let api = self.server.api()?;
        let mut submissions = Vec::new();
        for id in &self.ids {
            submissions.push(api.submission(*id).await?);
        }
        if self.ids.is_empty() {
            submissions = open(&api).await?;
            if submissions.is_empty() {
                output::note("all submissions are judged");
                return Ok(ExitCode::from(exit::OK));
            }
        }
        follow(&api, &submissions, self.json).await
    }
}

/// All submissions that are not judged yet, the newest first.
async fn open(api: &Api) -> anyhow::Result<Vec<Submission>> {
    let mut submissions = Vec::new();
    for state in [JudgementState::Queued, JudgementState::Running] {
        let filter = SubmissionFilter {
            state: Some(state),
            ..SubmissionFilter::default()
        };
        let mut cursor = None;
        loop {
            let page = api.submissions(&filter, cursor.as_deref(), PAGE).await?;
            submissions.extend(page.submissions);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
    }
    // One may have been in both states.
    submissions.sort_by_key(|submission| std::cmp::Reverse(submission.id));
    submissions.dedup_by_key(|submission| submission.id);
    Ok(submissions)
}

/// Follows submissions and shows what became of them.
pub(crate) async fn follow(
    api: &Api,
    submissions: &[Submission],
    json: bool,
) -> anyhow::Result<ExitCode> {
    let tracked: Vec<Tracked> = submissions.iter().map(tracked).collect();
    let display = if json {
        Display::Hidden
    } else {
        Display::of_stderr()
    };
    let following = Following {
        api,
        contest: None,
        display: &display,
    };
    let judged = following
        .until_judged(&tracked, |submission| {
            if json {
                output::print_json([submission])?;
            }
            Ok(())
        })
        .await?;
    if !json {
        match judged.as_slice() {
            [only] => {
                let judgement = api.judgement(only.id).await?;
                output::print(&submission::details(
                    only,
                    &judgement,
                    submission::Said::Excerpt,
                ))?;
            }
            several => output::print(&submission::table(several))?,
        }
    }
    let failed = judged
        .iter()
        .any(|submission| submission.judgement.state == JudgementState::Error);
    Ok(ExitCode::from(if failed {
        exit::JUDGING_ERROR
    } else {
        exit::OK
    }))
}

fn tracked(submission: &Submission) -> Tracked {
    Tracked {
        id: submission.id,
        label: format!(
            "{} {} {}",
            submission.id,
            submission.problem,
            submission.files.join(" ")
        ),
    }
}
