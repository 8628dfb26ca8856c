//! Pauses what judging fails on, and cordons workers that fail on what others judge, see
//! [`culprit`](crate::culprit). Every scheduler looks; the database keeps one pause of the same.

use std::collections::HashMap;
use std::time::Duration;

use assize_common::telemetry::error_chain;
use tokio_util::sync::CancellationToken;

use crate::culprit::culprits;
use crate::culprit::worker::failing_workers;
use crate::settings::Settings;
use crate::store::{Store, StoreError, round};

/// Looks until stopped.
pub(crate) async fn run(store: Store, settings: Settings, stop: CancellationToken) {
    while stop
        .run_until_cancelled(tokio::time::sleep(settings.tick()))
        .await
        .is_some()
    {
        let looking = async {
            pause_culprit(&store, settings.lease).await?;
            cordon_failing(&store, settings.lease).await
        };
        if let Err(error) = round(looking).await {
            tracing::warn!(error = %error_chain(&error), "cannot look what judging fails on; trying again");
        }
    }
}

/// Pauses one culprit, if there is any. Workers that were heard of within `lease` are there.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn pause_culprit(store: &Store, lease: Duration) -> Result<(), StoreError> {
    let failures = store.judging_failure_list().await?;
    if failures.is_empty() {
        return Ok(());
    }
    let workers = store.worker_count_taking(lease).await?;
    let suspects = culprits(&failures, &HashMap::new(), workers);
    let first = failures.iter().map(|failure| failure.at).min();
    let (false, Some(first)) = (suspects.is_empty(), first) else {
        return Ok(());
    };
    let suspects = suspects.into_iter().map(|suspect| suspect.subject);
    let judged = store.subject_list_judged(suspects, first).await?;
    let Some(culprit) = culprits(&failures, &judged, workers).into_iter().next() else {
        return Ok(());
    };
    if let Some(pause) = store.pause_create(&culprit).await? {
        let (problem, version, language) = (pause.problem, pause.version, pause.language);
        tracing::error!(
            problem,
            version,
            language,
            reason = pause.reason,
            "judging fails again and again: paused, its tasks wait"
        );
        metrics::counter!("assize_pauses_total").increment(1);
    }
    Ok(())
}

/// Cordons a worker that fails on what others judge. One at a time: whether others do without it
/// is another question for the next.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn cordon_failing(store: &Store, lease: Duration) -> Result<(), StoreError> {
    let failures = store.failure_list_elsewhere().await?;
    let suspects = failing_workers(&failures, &HashMap::new());
    let first = failures.iter().map(|failure| failure.at).min();
    let (false, Some(first)) = (suspects.is_empty(), first) else {
        return Ok(());
    };
    let suspects = suspects.into_iter().map(|suspect| suspect.worker);
    let judged = store.worker_list_judged(suspects, first).await?;
    for failing in failing_workers(&failures, &judged) {
        if store.worker_cordon(&failing, lease).await? {
            tracing::error!(worker.id = %failing.worker, reason = failing.reason, "a worker fails again and again: it takes no more tasks");
            metrics::counter!("assize_workers_failing_total").increment(1);
            break;
        }
    }
    Ok(())
}
