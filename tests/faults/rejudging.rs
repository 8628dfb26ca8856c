//! Rejudgings under way all the while, one after the other: what is judged again comes to the same, and counts
//! in the end.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use assize::client::Api;
use assize_common::api::{ApplyRejudging, NewRejudging, Overrides, Selection};
use assize_common::id::SubmissionId;
use uuid::Uuid;

use super::load::{Load, PATIENCE};

/// Submissions of one rejudging.
const MEMBERS: i64 = 20;
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(300);

impl Load {
    /// Rejudges until the load is over, and the last rejudging applied.
    pub(super) async fn rejudge(self: Arc<Self>) {
        for number in 0.. {
            if self.over.load(Ordering::Relaxed) {
                return;
            }
            let members = self.latest_judged().await;
            let new = NewRejudging {
                reason: "it must come to the same".to_owned(),
                selection: Selection {
                    filter: None,
                    submissions: members,
                },
                overrides: Overrides {
                    from_scratch: true,
                    ..Overrides::default()
                },
                skip_taken: false,
            };
            if !new.selection.submissions.is_empty() {
                self.rejudge_these(&new, number).await;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn rejudge_these(&self, new: &NewRejudging, number: usize) {
        let key = format!("rejudging {number}");
        let made = self.insist(number, |api| {
            let (new, key) = (new.clone(), key.clone());
            async move { api.create_rejudging(&new, Some(&key)).await }
        });
        let id = made.await.id;
        let read = |api: Api| async move { api.rejudging(id).await };
        while !self.insist(number, read).await.progress.is_judged() {
            tokio::time::sleep(PAUSE).await;
        }
        // A second time it is refused, if nobody was told that it was done.
        let apply = ApplyRejudging::default();
        for attempt in number.. {
            let applying = self.scheduler(attempt).apply_rejudging(id, &apply);
            let applied = tokio::time::timeout(PATIENCE, applying).await;
            if matches!(applied, Ok(Ok(_))) || self.insist(attempt, read).await.closed_at.is_some()
            {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn latest_judged(&self) -> Vec<SubmissionId> {
        let latest = sqlx::query_scalar(
            "SELECT submission_id FROM judgements WHERE is_current AND state = 'done' AND rejudging_id IS NULL
             ORDER BY finished_at DESC LIMIT $1",
        );
        let latest: sqlx::Result<Vec<Uuid>> = latest.bind(MEMBERS).fetch_all(&self.database).await;
        // Postgres may be away, but what this says must be right.
        let latest = latest.unwrap_or_else(|error| match error.as_database_error() {
            Some(refusal) if refusal.code().is_some_and(|code| code.starts_with("42")) => {
                panic!("{refusal}")
            }
            _ => Vec::new(),
        });
        latest.into_iter().map(SubmissionId::from).collect()
    }
}
