//! Pauses what judging fails on, see [`culprit`](crate::culprit). Every scheduler
//! looks; the database keeps one pause of the same.

use std::collections::HashMap;

use assize_common::telemetry::error_chain;
use tokio_util::sync::CancellationToken;

use crate::culprit::culprits;
use crate::settings::Settings;
use crate::store::{Store, StoreError};

/// Looks until stopped.
pub(crate) async fn run(store: Store, settings: Settings, stop: CancellationToken) {
    while stop
        .run_until_cancelled(tokio::time::sleep(settings.tick()))
        .await
        .is_some()
    {
        if let Err(error) = pause_culprit(&store, settings.retry.max_failures).await {
            tracing::warn!(error = %error_chain(&error), "cannot look what judging fails on; trying again");
        }
    }
}

/// Pauses one culprit, if there is any.
///
/// # Errors
/// When the database can't be reached.
pub(crate) async fn pause_culprit(store: &Store, max_failures: u32) -> Result<(), StoreError> {
    let failures = store.judging_failure_list().await?;
    let suspects = culprits(&failures, &HashMap::new(), max_failures);
    let first = failures.iter().map(|failure| failure.at).min();
    let (false, Some(first)) = (suspects.is_empty(), first) else {
        return Ok(());
    };
    let suspects = suspects.into_iter().map(|suspect| suspect.subject);
    let judged = store.subject_list_judged(suspects, first).await?;
    let Some(culprit) = culprits(&failures, &judged, max_failures)
        .into_iter()
        .next()
    else {
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
