//! What came of an attempt, and what is to be reported of it.

use assize_common::message::{Finished, HandedBack, HeldJudgement, Judged as Reported, Report};
use assize_common::telemetry::error_chain;
use chrono::{DateTime, Utc};

use super::assignment::AssignmentError;
use super::runner::Shared;

/// What came of an attempt.
pub(super) enum Conclusion {
    Finished(Box<Finished>),
    /// With the reason.
    HandBack(String),
    /// With the reason.
    LacksLanguage(String),
}

/// What to report of a task that goes back; `unsuited` if this worker is not one for it.
pub(super) const fn hand_back(
    judgement: HeldJudgement,
    reason: String,
    earlier_deliveries: u64,
    unsuited: bool,
) -> Report {
    Report::HandedBack(HandedBack {
        judgement,
        reason,
        earlier_deliveries,
        unsuited,
    })
}

impl Shared {
    /// What came of an attempt.
    pub(super) fn conclude(
        &self,
        judgement: HeldJudgement,
        started_at: DateTime<Utc>,
        result: Result<Reported, AssignmentError>,
    ) -> Conclusion {
        let outcome = match result {
            Ok(outcome) => outcome,
            Err(error) if error.is_interruption() => {
                count("handed_back");
                let reason = if self.stop.is_draining() {
                    "the worker stops"
                } else {
                    "cancelled"
                };
                tracing::info!(reason, "handed back");
                return Conclusion::HandBack(reason.to_owned());
            }
            Err(error @ AssignmentError::Language(_)) => {
                count("handed_back");
                let reason = error_chain(&error);
                tracing::info!(reason, "handed back");
                return Conclusion::LacksLanguage(reason);
            }
            Err(error) if error.is_absence_of_scheduler() => {
                let reason = error_chain(&error);
                count("scheduler_away");
                tracing::error!(
                    error = reason,
                    "handed back: another worker may reach the scheduler"
                );
                return Conclusion::HandBack(reason);
            }
            Err(error) => {
                let reason = error_chain(&error);
                if let Some(status) = error.refusal() {
                    count("handed_back");
                    tracing::error!(error = reason, "handed back: the worker can't go on");
                    self.refusal.get_or_init(|| status);
                    self.stop.drain();
                    return Conclusion::HandBack(reason);
                }
                tracing::error!(error = reason, "judging error");
                Reported::JudgingError { reason }
            }
        };
        if let Reported::Verdict { verdict, runs, .. } = &outcome {
            count(verdict.id());
            tracing::info!(%verdict, runs = runs.len(), "judged");
        } else {
            count("judging_error");
        }
        Conclusion::Finished(Box::new(Finished {
            judgement,
            started_at,
            finished_at: Utc::now(),
            outcome,
        }))
    }
}

/// Counts a judgement by its outcome.
pub(super) fn count(outcome: &'static str) {
    metrics::counter!("assize_judgements_total", "outcome" => outcome).increment(1);
}
