//! Mending what the database's clock left behind: when it was ahead and is right
//! again, what was written meanwhile would be waited for that long.
//!
//! It takes no input and is idempotent; several schedulers do it side by side.

use assize_common::telemetry::error_chain;
use tokio_util::sync::CancellationToken;

use crate::settings::Settings;
use crate::store::{Store, round};

/// Looks for times that are yet to come, once in a lease, until stopped.
pub(crate) async fn run(store: Store, settings: Settings, stop: CancellationToken) {
    loop {
        let mending = store.time_mend(settings.lease, settings.retry.first_delay);
        match round(mending).await {
            Ok(0) => {}
            Ok(mended) => tracing::warn!(
                mended,
                "the database's clock was ahead: times that it wrote are mended"
            ),
            Err(error) => {
                tracing::warn!(error = %error_chain(&error), "cannot look for times that are yet to come; trying again");
            }
        }
        let pause = stop.run_until_cancelled(tokio::time::sleep(settings.lease));
        if pause.await.is_none() {
            return;
        }
    }
}
