//! Asking again and again until all are judged.

use std::collections::HashMap;
use std::time::Duration;

use assize_common::api::Submission;
use assize_common::id::SubmissionId;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{Display, Silence};
use crate::client::{Api, ClientError, SubmissionFilter};

/// Short enough to look live, and no load to speak of.
const INTERVAL: Duration = Duration::from_millis(200);
const AT_ONCE: usize = 8;
const PAGE: u32 = 200;

/// A submission to follow.
#[derive(Debug, Clone)]
pub struct Tracked {
    /// Its id.
    pub id: SubmissionId,
    /// Its name for people.
    pub label: String,
}

/// How to follow submissions.
#[derive(Debug)]
pub struct Following<'a> {
    /// The scheduler.
    pub api: &'a Api,
    /// The contest that all of them are in, if there is one: many of them are
    /// then asked for at once.
    pub contest: Option<&'a str>,
    /// Where progress shows.
    pub display: &'a Display,
}

impl Following<'_> {
    /// Waits until all are judged, calls `ended` for each as it ends, and returns
    /// them in the order given.
    ///
    /// # Errors
    /// When the scheduler refuses, or does not answer for a minute; those of `ended`.
    pub async fn until_judged(
        &self,
        tracked: &[Tracked],
        mut ended: impl FnMut(&Submission) -> anyhow::Result<()>,
    ) -> anyhow::Result<Vec<Submission>> {
        let mut progress = self.display.start(tracked.len());
        let mut judged = HashMap::new();
        let mut silence = Silence::default();
        while judged.len() < tracked.len() {
            let open: Vec<&Tracked> = tracked
                .iter()
                .filter(|tracked| !judged.contains_key(&tracked.id))
                .collect();
            let answers = silence.heard(self.ask(&open).await, self.display)?;
            if let Some(mut answers) = answers {
                for tracked in open {
                    let Some(submission) = answers.remove(&tracked.id) else {
                        continue;
                    };
                    progress.update(tracked, &submission);
                    if submission.judgement.state.is_final() {
                        ended(&submission)?;
                        judged.insert(tracked.id, submission);
                    }
                }
            }
            if judged.len() < tracked.len() {
                tokio::time::sleep(INTERVAL).await;
            }
        }
        Ok(tracked
            .iter()
            .filter_map(|tracked| judged.remove(&tracked.id))
            .collect())
    }

    async fn ask(
        &self,
        open: &[&Tracked],
    ) -> Result<HashMap<SubmissionId, Submission>, ClientError> {
        let submissions = match self.contest {
            Some(contest) if open.len() > AT_ONCE => self.ask_contest(contest, open.len()).await?,
            _ => self.ask_each(open).await?,
        };
        Ok(submissions
            .into_iter()
            .map(|submission| (submission.id, submission))
            .collect())
    }

    async fn ask_each(&self, open: &[&Tracked]) -> Result<Vec<Submission>, ClientError> {
        stream::iter(open.iter().map(|tracked| self.api.submission(tracked.id)))
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }

    async fn ask_contest(
        &self,
        contest: &str,
        open: usize,
    ) -> Result<Vec<Submission>, ClientError> {
        let filter = SubmissionFilter {
            contest: Some(contest.to_owned()),
            ..SubmissionFilter::default()
        };
        let mut submissions = Vec::with_capacity(open);
        let mut cursor = None;
        loop {
            let page = self
                .api
                .submissions(&filter, cursor.as_deref(), PAGE)
                .await?;
            submissions.extend(page.submissions);
            cursor = page.next;
            if cursor.is_none() {
                return Ok(submissions);
            }
        }
    }
}
