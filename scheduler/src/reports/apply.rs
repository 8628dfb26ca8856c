//! What reports do to the database.
//!
//! A batch is sorted by kind, and each kind that comes in numbers is one
//! statement. The order among kinds is that of a judgement's life, which is as
//! good as the order of arrival: reports overtake each other anyway.

use std::collections::{BTreeMap, HashMap, HashSet};

use assize_common::Scrutiny;
use assize_common::id::WorkerId;
use assize_common::message::{
    Canaries, HeldJudgement, Judged, KillCause, Report, RunReport, WorkerReport,
};
use assize_common::sandbox_choice::{SandboxFactors, choose_sandbox};
use sqlx::PgConnection;

use super::Effect;
use crate::close_call::close_call;
use crate::drift::{Drift, drift};
use crate::settings::{Escalation, Settings};
use crate::store::{
    Failure, FinishedAttempt, Moved, StartedAttempt, Store, StoreError, batch_lock, canary_add,
    canary_note_good, judgement_confirm, judgement_fail, judgement_hand_back,
    judgement_list_disputes, judgement_list_finish, judgement_list_progress, judgement_list_start,
    judgement_look_again, judgement_replace_escalated, judgement_take_away, lease_extend,
    worker_list_cancel, worker_list_touch, worker_register, worker_stop, worker_suspect,
};

/// Applies reports, all or none. Returns what came of each of them, to be told
/// once it is certain.
///
/// # Errors
/// When the database can't be reached or refuses a value.
pub(crate) async fn apply_batch(
    store: &Store,
    reports: &[&WorkerReport],
    settings: Settings,
) -> Result<Vec<Effect>, StoreError> {
    let mut transaction = store.begin_dispatch().await?;
    let judgements: Vec<_> = reports
        .iter()
        .flat_map(|report| report.report.judgements())
        .map(|held| held.judgement_id)
        .collect();
    let workers: Vec<_> = reports.iter().map(|report| report.worker_id).collect();
    batch_lock(&mut transaction, &judgements, &workers).await?;
    let mut effects: Vec<Effect> = reports.iter().map(|_| Effect::Nothing).collect();
    apply_registered(&mut transaction, reports, &mut effects).await?;
    apply_heartbeats(&mut transaction, reports, settings).await?;
    apply_started(&mut transaction, reports, settings, &mut effects).await?;
    apply_progress(&mut transaction, reports).await?;
    apply_verdicts(&mut transaction, reports, settings, &mut effects).await?;
    for (report, effect) in reports.iter().zip(&mut effects) {
        if let Some(came_of_it) = apply_rare(&mut transaction, report, settings).await? {
            *effect = came_of_it;
        }
    }
    Store::commit(transaction).await?;
    Ok(effects)
}

async fn apply_registered(
    connection: &mut PgConnection,
    reports: &[&WorkerReport],
    effects: &mut [Effect],
) -> Result<(), StoreError> {
    for (report, effect) in reports.iter().zip(effects) {
        if let Report::Registered(registered) = &report.report {
            let mode = worker_register(connection, report.worker_id, registered).await?;
            *effect = Effect::Registered {
                worker: report.worker_id,
                name: registered.name.clone(),
                slots: registered.slots,
                mode,
            };
        }
    }
    Ok(())
}

async fn apply_heartbeats(
    connection: &mut PgConnection,
    reports: &[&WorkerReport],
    settings: Settings,
) -> Result<(), StoreError> {
    let mut workers = Vec::new();
    // Many that have waited together say the same of an attempt.
    let mut all_held = HashSet::new();
    for report in reports {
        if let Report::Heartbeat { held } = &report.report {
            let worker = report.worker_id;
            workers.push(worker);
            all_held.extend(held.iter().map(|held| StartedAttempt {
                held: *held,
                worker,
            }));
        }
    }
    if !workers.is_empty() {
        worker_list_touch(connection, &workers).await?;
    }
    let all_held: Vec<StartedAttempt> = all_held.into_iter().collect();
    if !all_held.is_empty() {
        let open = lease_extend(connection, &all_held, settings.lease).await?;
        let over = all_held.iter().map(|held| held.held);
        let over = over.filter(|held| !open.contains(held));
        cancel(connection, over.collect()).await?;
    }
    Ok(())
}

async fn apply_started(
    connection: &mut PgConnection,
    reports: &[&WorkerReport],
    settings: Settings,
    effects: &mut [Effect],
) -> Result<(), StoreError> {
    // Whoever is done with it by now as well: the verdict alone is enough, when much comes at once.
    let done: HashSet<_> = verdicts(reports)
        .map(|(_, attempt)| (attempt.held, attempt.worker))
        .collect();
    let mut waiting: Vec<(usize, StartedAttempt)> = Vec::new();
    for (index, report) in reports.iter().enumerate() {
        if let Report::Started(started) = &report.report {
            let held = started.judgement;
            let worker = report.worker_id;
            if !done.contains(&(held, worker)) {
                waiting.push((index, StartedAttempt { held, worker }));
            }
        }
    }
    let mut over = Vec::new();
    // Of several workers that started the same attempt, one after the other.
    while !waiting.is_empty() {
        let (round, rest) = first_of_each(waiting, |(_, started)| started.held);
        let started: Vec<_> = round.iter().map(|(_, started)| *started).collect();
        let (moved, suspected) = judgement_list_start(connection, &started, settings.lease).await?;
        let mut taken_away = HashMap::new();
        for held in suspected {
            taken_away.insert(held, judgement_take_away(connection, held).await?);
        }
        for (index, StartedAttempt { held, worker }) in round {
            if !moved.contains_key(&held) {
                over.push(held);
            }
            let taken_away = taken_away.get(&held).copied().flatten();
            effects[index] = effect_of(&moved, held, worker, "started", |submission_id| {
                Effect::Started {
                    held,
                    submission_id,
                    worker,
                    taken_away,
                }
            });
        }
        waiting = rest;
    }
    cancel(connection, over).await
}

/// Whoever is at these attempts has better things to do.
async fn cancel(connection: &mut PgConnection, over: Vec<HeldJudgement>) -> Result<(), StoreError> {
    if over.is_empty() {
        return Ok(());
    }
    worker_list_cancel(connection, &over).await
}

async fn apply_progress(
    connection: &mut PgConnection,
    reports: &[&WorkerReport],
) -> Result<(), StoreError> {
    let mut furthest = BTreeMap::new();
    for report in reports {
        if let Report::Progress {
            judgement,
            testcases_done,
            ..
        } = &report.report
        {
            let done = furthest
                .entry((judgement.judgement_id, judgement.attempt))
                .or_insert(0);
            *done = (*done).max(*testcases_done);
        }
    }
    // Progress that comes late is nothing to speak of.
    if !furthest.is_empty() {
        judgement_list_progress(connection, &furthest).await?;
    }
    Ok(())
}

/// The verdicts among reports, each with its place.
fn verdicts<'r>(
    reports: &'r [&'r WorkerReport],
) -> impl Iterator<Item = (usize, FinishedAttempt<'r>)> {
    let verdict = |(index, report): (usize, &'r &'r WorkerReport)| {
        let Report::Finished(finished) = &report.report else {
            return None;
        };
        let Judged::Verdict {
            verdict,
            compile,
            runs,
            score,
            groups,
            audit,
            provenance,
            outputs,
        } = &finished.outcome
        else {
            return None;
        };
        let attempt = FinishedAttempt {
            held: finished.judgement,
            worker: report.worker_id,
            verdict: *verdict,
            compile,
            runs,
            score: score.as_ref(),
            groups,
            audit: audit.as_deref(),
            provenance: provenance.as_deref(),
            outputs,
        };
        Some((index, attempt))
    };
    reports.iter().enumerate().filter_map(verdict)
}

async fn apply_verdicts(
    connection: &mut PgConnection,
    reports: &[&WorkerReport],
    settings: Settings,
    effects: &mut [Effect],
) -> Result<(), StoreError> {
    let complete: Vec<_> = verdicts(reports).collect();
    if complete.is_empty() {
        return Ok(());
    }
    let (first, late) = first_of_each(complete, |(_, attempt)| attempt.held);
    let attempts: Vec<_> = first.iter().map(|(_, attempt)| *attempt).collect();
    let moved = judgement_list_finish(connection, &attempts).await?;
    let judged = moved.keys().map(|held| held.judgement_id);
    for dispute in judgement_list_disputes(connection, judged).await? {
        tracing::warn!(judgement.id = %dispute.judgement, verdict = %dispute.verdict, confirmation = %dispute.confirmation,
            other_verdict = %dispute.other_verdict, "a close call is disputed: another worker came to another verdict");
        metrics::counter!("assize_close_calls_disputed_total").increment(1);
    }
    for (index, attempt) in first {
        if settings.escalation != Escalation::Never && moved.contains_key(&attempt.held) {
            escalate(connection, &attempt).await?;
        }
        if moved.contains_key(&attempt.held) {
            confirm(connection, &attempt, settings).await?;
        }
        if settings.escalation == Escalation::Instead && moved.contains_key(&attempt.held) {
            let id = attempt.held.judgement_id;
            if judgement_replace_escalated(connection, id).await? {
                tracing::warn!(judgement.id = %id, "counts instead of what it looked at again");
            }
        }
        let FinishedAttempt {
            held,
            worker,
            verdict,
            ..
        } = attempt;
        effects[index] = effect_of(&moved, held, worker, "finished", |submission_id| {
            Effect::Finished {
                held,
                submission_id,
                worker,
                verdict,
            }
        });
    }
    for (index, attempt) in late {
        effects[index] = stale(attempt.held, attempt.worker, "finished");
    }
    Ok(())
}

/// A run that was killed for a forbidden call is looked at again, to see which
/// one it was and what else it does. Whether one is needed the store knows.
async fn escalate(
    connection: &mut PgConnection,
    attempt: &FinishedAttempt<'_>,
) -> Result<(), StoreError> {
    let killed = |run: &&RunReport| run.kill_cause == Some(KillCause::Policy);
    let Some(run) = attempt.runs.iter().find(killed) else {
        return Ok(());
    };
    let choice = choose_sandbox(SandboxFactors {
        escalated: Some(&format!("killed for a forbidden call on {}", run.testcase)),
        ..SandboxFactors::default()
    });
    let judgement_id = attempt.held.judgement_id;
    let escalation =
        judgement_look_again(connection, judgement_id, &choice, &Scrutiny::default()).await?;
    if let Some(escalation) = escalation {
        tracing::warn!(judgement.id = %judgement_id, %escalation, reason = choice.reason, "escalated");
        metrics::counter!("assize_escalations_total").increment(1);
    }
    Ok(())
}

/// A close call is judged by another worker as well, if there is one.
async fn confirm(
    connection: &mut PgConnection,
    attempt: &FinishedAttempt<'_>,
    settings: Settings,
) -> Result<(), StoreError> {
    let limits = attempt.provenance.and_then(|known| known.limits.as_ref());
    let reason =
        limits.and_then(|limits| close_call(attempt.runs, limits, settings.close_call_percent));
    let Some(reason) = reason else {
        return Ok(());
    };
    let id = attempt.held.judgement_id;
    let reason = format!("to confirm a close call: {reason}");
    if let Some(confirmation) = judgement_confirm(connection, id, &reason, settings.lease).await? {
        tracing::info!(judgement.id = %id, %confirmation, reason, "another worker judges it as well");
        metrics::counter!("assize_close_calls_total").increment(1);
    }
    Ok(())
}

/// Applies a report that is one statement of its own; `None` for the others.
async fn apply_rare(
    connection: &mut PgConnection,
    report: &WorkerReport,
    settings: Settings,
) -> Result<Option<Effect>, StoreError> {
    let worker = report.worker_id;
    let effect = match &report.report {
        Report::Stopped => {
            worker_stop(connection, worker, settings.lease / 3).await?;
            Effect::Stopped { worker }
        }
        Report::Canaries(canaries) => {
            return apply_canaries(connection, worker, canaries, settings).await;
        }
        Report::Finished(finished) => {
            let held = finished.judgement;
            let Judged::JudgingError { reason } = &finished.outcome else {
                return Ok(None);
            };
            let failure = Failure::JudgingError;
            match judgement_fail(connection, held, failure, reason, settings.retry).await? {
                None => stale(held, worker, "finished"),
                Some(failed) => Effect::Failed {
                    held,
                    failed,
                    reason: reason.clone(),
                    failure,
                },
            }
        }
        Report::HandedBack(report) => {
            let held = report.judgement;
            match judgement_hand_back(connection, report, worker).await? {
                None => stale(held, worker, "handed back"),
                Some(handed_back) => Effect::HandedBack {
                    held,
                    handed_back,
                    worker,
                    reason: report.reason.clone(),
                },
            }
        }
        _ => return Ok(None),
    };
    Ok(Some(effect))
}

/// Whether one of them shows that the worker has become slower; it takes no more tasks, then, if
/// others do.
async fn apply_canaries(
    connection: &mut PgConnection,
    worker: WorkerId,
    canaries: &Canaries,
    settings: Settings,
) -> Result<Option<Effect>, StoreError> {
    let mut effect = None;
    for reading in &canaries.readings {
        let (slot, at) = (canaries.slot, canaries.at);
        let Some(known) = canary_add(connection, worker, slot, at, reading).await? else {
            continue;
        };
        let program = &reading.program;
        let found = settings.drift_percent;
        let found = found.and_then(|percent| drift(&known.first_ms, &known.latest_ms, percent));
        let Some(Drift {
            usual_ms,
            latest_ms,
        }) = found
        else {
            canary_note_good(connection, worker, slot, program).await?;
            continue;
        };
        let reason = format!(
            "canary {program} takes {latest_ms} ms on slot {slot} and took {usual_ms} ms at first"
        );
        let since = known.good_at;
        let suspected = worker_suspect(connection, worker, since, &reason, settings.lease).await?;
        if let Some(cordoned) = suspected {
            effect = Some(Effect::Suspected {
                worker,
                reason,
                since,
                cordoned,
            });
        }
    }
    Ok(effect)
}

fn effect_of(
    moved: &Moved,
    held: HeldJudgement,
    worker: WorkerId,
    report: &'static str,
    effect: impl FnOnce(assize_common::id::SubmissionId) -> Effect,
) -> Effect {
    moved
        .get(&held)
        .map_or_else(|| stale(held, worker, report), |id| effect(*id))
}

const fn stale(held: HeldJudgement, worker: WorkerId, report: &'static str) -> Effect {
    Effect::Stale {
        held,
        worker,
        report,
    }
}

/// Splits into the first of each attempt and the rest, in their order.
fn first_of_each<T>(all: Vec<T>, held: impl Fn(&T) -> HeldJudgement) -> (Vec<T>, Vec<T>) {
    let mut seen = HashSet::new();
    all.into_iter().partition(|one| seen.insert(held(one)))
}
