//! What each report does to the database.

use assize_common::message::{HeldJudgement, Judged, Report, WorkerReport};
use sqlx::PgConnection;

use super::Effect;
use crate::settings::Settings;
use crate::store::{
    Failure, Store, StoreError, batch_lock, judgement_fail, judgement_finish, judgement_hand_back,
    judgement_progress, judgement_start, lease_extend, worker_register, worker_stop, worker_touch,
};

/// Applies reports in their order, all or none. Returns what came of them, to
/// be told once it is certain.
///
/// # Errors
/// When the database can't be reached or refuses a value.
pub(crate) async fn apply_batch(
    store: &Store,
    reports: &[&WorkerReport],
    settings: Settings,
) -> Result<Vec<Effect>, StoreError> {
    let mut transaction = store.begin().await?;
    let judgements: Vec<_> = reports
        .iter()
        .flat_map(|report| held_by(&report.report))
        .map(|held| held.judgement_id)
        .collect();
    let workers: Vec<_> = reports.iter().map(|report| report.worker_id).collect();
    batch_lock(&mut transaction, &judgements, &workers).await?;
    let mut effects = Vec::with_capacity(reports.len());
    for report in reports {
        effects.push(apply(&mut transaction, report, settings).await?);
    }
    Store::commit(transaction).await?;
    Ok(effects)
}

/// The judgements a report is about.
fn held_by(report: &Report) -> &[HeldJudgement] {
    match report {
        Report::Registered(_) | Report::Stopped => &[],
        Report::Heartbeat { held } => held,
        Report::Started(started) => std::slice::from_ref(&started.judgement),
        Report::Progress { judgement, .. } => std::slice::from_ref(judgement),
        Report::Finished(finished) => std::slice::from_ref(&finished.judgement),
        Report::HandedBack(handed_back) => std::slice::from_ref(&handed_back.judgement),
    }
}

async fn apply(
    connection: &mut PgConnection,
    report: &WorkerReport,
    settings: Settings,
) -> Result<Effect, StoreError> {
    let worker = report.worker_id;
    let stale = |held, report| Effect::Stale {
        held,
        worker,
        report,
    };
    match &report.report {
        Report::Registered(registered) => {
            worker_register(connection, worker, registered).await?;
            Ok(Effect::Registered {
                worker,
                name: registered.name.clone(),
                slots: registered.slots,
            })
        }
        Report::Heartbeat { held } => {
            worker_touch(connection, worker).await?;
            lease_extend(connection, held, settings.lease).await?;
            Ok(Effect::Nothing)
        }
        Report::Stopped => {
            worker_stop(connection, worker, settings.tick()).await?;
            Ok(Effect::Stopped { worker })
        }
        Report::Started(started) => {
            let held = started.judgement;
            let moved = judgement_start(connection, held, worker, settings.lease).await?;
            Ok(moved.map_or_else(
                || stale(held, "started"),
                |submission_id| Effect::Started {
                    held,
                    submission_id,
                    worker,
                },
            ))
        }
        Report::Progress {
            judgement,
            testcases_done,
            ..
        } => {
            // Progress that comes late is nothing to speak of.
            judgement_progress(connection, *judgement, *testcases_done).await?;
            Ok(Effect::Nothing)
        }
        Report::Finished(finished) => {
            let held = finished.judgement;
            match &finished.outcome {
                Judged::Verdict {
                    verdict,
                    compile,
                    runs,
                } => {
                    let moved =
                        judgement_finish(connection, held, worker, *verdict, compile, runs).await?;
                    Ok(moved.map_or_else(
                        || stale(held, "finished"),
                        |submission_id| Effect::Finished {
                            held,
                            submission_id,
                            worker,
                            verdict: *verdict,
                        },
                    ))
                }
                Judged::JudgingError { reason } => {
                    let moved = judgement_fail(
                        connection,
                        held,
                        Failure::JudgingError,
                        reason,
                        settings.retry,
                    )
                    .await?;
                    Ok(moved.map_or_else(
                        || stale(held, "finished"),
                        |failed| Effect::Failed {
                            held,
                            failed,
                            reason: reason.clone(),
                            failure: Failure::JudgingError,
                        },
                    ))
                }
            }
        }
        Report::HandedBack(handed_back) => {
            let held = handed_back.judgement;
            let moved = judgement_hand_back(connection, handed_back, worker).await?;
            Ok(moved.map_or_else(
                || stale(held, "handed back"),
                |moved| Effect::HandedBack {
                    held,
                    handed_back: moved,
                    worker,
                    reason: handed_back.reason.clone(),
                },
            ))
        }
    }
}
