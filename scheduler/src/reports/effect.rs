//! What came of a report, told to logs and metrics once it is committed.

use assize_common::Verdict;
use assize_common::id::{SubmissionId, WorkerId};
use assize_common::message::{HeldJudgement, WorkerMode};
use chrono::{DateTime, Utc};
use tracing::Span;

use crate::store::{FailedAttempt, Failure, HandedBackAttempt, TakenAway};

/// What came of a report.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Nothing worth telling.
    Nothing,
    /// A worker is up.
    Registered {
        worker: WorkerId,
        name: String,
        slots: u32,
        mode: WorkerMode,
    },
    /// A worker has become slower, and takes no more tasks if others do.
    Suspected {
        worker: WorkerId,
        reason: String,
        since: DateTime<Utc>,
        cordoned: bool,
    },
    /// A worker is gone.
    Stopped { worker: WorkerId },
    /// An attempt was taken up, and if that was by one worker too many, taken away again.
    Started {
        held: HeldJudgement,
        submission_id: SubmissionId,
        worker: WorkerId,
        taken_away: Option<TakenAway>,
    },
    /// A judgement has its verdict.
    Finished {
        held: HeldJudgement,
        submission_id: SubmissionId,
        worker: WorkerId,
        verdict: Verdict,
    },
    /// An attempt failed.
    Failed {
        held: HeldJudgement,
        failed: FailedAttempt,
        reason: String,
        failure: Failure,
    },
    /// An attempt was given back.
    HandedBack {
        held: HeldJudgement,
        handed_back: HandedBackAttempt,
        worker: WorkerId,
        reason: String,
    },
    /// The report came late or twice and moved nothing.
    Stale {
        held: HeldJudgement,
        worker: WorkerId,
        report: &'static str,
    },
}

impl Effect {
    /// Logs and counts it.
    pub(crate) fn record(&self) {
        match self {
            Self::Nothing => {}
            Self::Registered {
                worker,
                name,
                slots,
                mode,
            } => {
                tracing::info!(worker.id = %worker, worker.name = name, slots, %mode, "a worker is up");
            }
            Self::Suspected {
                worker,
                reason,
                since,
                cordoned,
            } => {
                if *cordoned {
                    tracing::error!(worker.id = %worker, reason, %since, "a worker has become slower: it takes no more tasks, and what it judged since is suspect");
                } else {
                    tracing::error!(worker.id = %worker, reason, %since, "a worker has become slower: what it judges is suspect, and it goes on, since no other takes all that it takes");
                }
                metrics::counter!("assize_worker_drifts_total").increment(1);
            }
            Self::Stopped { worker } => tracing::info!(worker.id = %worker, "a worker stopped"),
            Self::Started {
                held,
                submission_id,
                worker,
                taken_away,
            } => {
                let _entered = span(*held, Some(*submission_id)).entered();
                tracing::info!(worker.id = %worker, "judging began");
                if taken_away.is_some() {
                    count_attempt("preempted");
                }
                match taken_away {
                    Some(TakenAway::Quarantined) => alarm_quarantine(),
                    Some(TakenAway::GivenUp) => tracing::error!(
                        "judging failed for good: several workers were lost with it, in quarantine too"
                    ),
                    None => {}
                }
            }
            Self::Finished {
                held,
                submission_id,
                worker,
                verdict,
            } => {
                let _entered = span(*held, Some(*submission_id)).entered();
                tracing::info!(worker.id = %worker, %verdict, "judged");
                count_attempt("finished");
                metrics::counter!("assize_verdicts_total", "type" => verdict.id()).increment(1);
            }
            Self::Failed {
                held,
                failed,
                reason,
                failure,
            } => {
                let _entered = span(*held, Some(failed.submission_id)).entered();
                match failed.next_attempt {
                    Some(next) => {
                        tracing::warn!(reason, next_attempt = next, "an attempt failed");
                    }
                    None => tracing::error!(reason, "judging failed for good"),
                }
                count_attempt(match failure {
                    Failure::Lost => "lost",
                    Failure::Overdue => "overdue",
                    Failure::JudgingError => "infra",
                });
                if failed.next_attempt.is_none() {
                    metrics::counter!("assize_verdicts_total", "type" => "JE").increment(1);
                }
                if failed.quarantined {
                    alarm_quarantine();
                }
            }
            Self::HandedBack {
                held,
                handed_back,
                worker,
                reason,
            } => {
                let _entered = span(*held, Some(handed_back.submission_id)).entered();
                tracing::info!(worker.id = %worker, reason, "handed back");
                count_attempt("preempted");
                if handed_back.quarantined {
                    alarm_quarantine();
                }
            }
            Self::Stale {
                held,
                worker,
                report,
            } => {
                let _entered = span(*held, None).entered();
                tracing::debug!(worker.id = %worker, report, "a report came late or twice");
                count_attempt("fenced");
            }
        }
    }
}

/// The span of a judgement: its ids are in every line about it.
fn span(held: HeldJudgement, submission_id: Option<SubmissionId>) -> Span {
    tracing::info_span!(
        "judgement",
        judgement.id = %held.judgement_id,
        submission.id = submission_id.map(tracing::field::display),
        attempt = held.attempt
    )
}

/// Within a judgement's span.
fn alarm_quarantine() {
    tracing::error!("several workers were lost with this submission: it goes into quarantine");
    metrics::counter!("assize_quarantined_total").increment(1);
}

fn count_attempt(outcome: &'static str) {
    metrics::counter!("assize_attempts_total", "outcome" => outcome).increment(1);
}
